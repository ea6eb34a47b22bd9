#!/bin/bash
# make bench-ab: builds revision $1 in a working tree of its own and compares it with this checkout, which is built
# already. The tree goes when this ends; what was built stays in target/ab for the next revision.
set -euo pipefail
cd "$(dirname "$0")/../.."

name=$(git rev-parse --verify --short "$1^{commit}")

# Always the same path, so that cargo knows the crates again.
tree=$PWD/target/ab/tree
forget() { git worktree remove --force "$tree"; }
# One that was killed outright.
if [[ -e $tree ]]; then forget; fi
trap forget EXIT
git worktree add --quiet --force --detach "$tree" "$name"

(cd "$tree" && CARGO_TARGET_DIR=../build ${CARGO:-cargo} build --release --locked \
    -p dataplane --bin flowtracker-dataplane -p control --bin flowtracker-control)
target/lab/perf ab "$name" "$PWD/target/ab/build/release"
