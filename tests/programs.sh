#!/bin/bash
# Builds the product's programs as `make build` does and prints their folder. The tests run these
# programs. nextest calls this script once before the first test that needs a program; a test that
# runs without nextest calls it itself. With FLOWTRACKER_BIN_DIR nothing is built, and the programs
# are taken from that folder as they are.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ -z ${FLOWTRACKER_BIN_DIR-} ]]; then
    # The output of cargo and make is not part of the answer.
    env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory build >&2
    FLOWTRACKER_BIN_DIR=$(realpath "${CARGO_TARGET_DIR:-target}")/release
fi
if [[ -n ${NEXTEST_ENV-} ]]; then
    echo "FLOWTRACKER_BIN_DIR=$FLOWTRACKER_BIN_DIR" >>"$NEXTEST_ENV"
fi
echo "$FLOWTRACKER_BIN_DIR"
