#!/bin/bash
# Builds the binaries of libFuzzer and runs them: run.sh SECONDS [TARGET…], by default all targets,
# one after the other. With 0 they are only built.
#
# Each starts from its committed inputs. What it learns goes to target/fuzz/corpus, and an input
# that breaks a law to target/fuzz/findings. SANITIZER=address builds with ASan, which sees wrong
# accesses of memory in `unsafe` code and is several times slower. FUZZ_FLAGS are further flags of
# libFuzzer.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() { echo 'usage: tests/fuzz/run.sh SECONDS [TARGET…]' >&2; exit 2; }
[[ ${1-} =~ ^[0-9]+$ ]] || usage
seconds=$1
shift
mapfile -t all < <(sed -n 's/^name = "\(.*\)"$/\1/p' tests/fuzz/libfuzzer/Cargo.toml | tail -n +2)
targets=("${@:-${all[@]}}")
for target in "${targets[@]}"; do
    [[ " ${all[*]} " == *" $target "* ]] || { echo "no fuzz target $target; there are: ${all[*]}" >&2; exit 2; }
done

# The longest input of a target, bytes. What is longer is seldom new, and always slower.
longest() {
    case $1 in
        parser | filter) echo 1024 ;;
        *) echo 4096 ;;
    esac
}

# Counters of edges. The operands of comparisons are not traced: that halves the speed, and seeds and
# dictionaries already hold the numbers and words that matter.
flags='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4'
flags+=' -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table'
flags+=' --cfg fuzzing'
build=target/fuzz/build
case ${SANITIZER:-none} in
    none) ;;
    address)
        # The only part that needs a compiler's unstable option.
        export RUSTC_BOOTSTRAP=1
        flags+=' -Zsanitizer=address'
        build+=-address
        ;;
    *) echo "SANITIZER=$SANITIZER: address or none" >&2; exit 2 ;;
esac
host=$(rustc -vV | sed -n 's/^host: //p')
# With --target, build scripts and procedural macros are built without these flags.
CARGO_TARGET_DIR=$build CARGO_ENCODED_RUSTFLAGS=$(printf '%s' "${flags// /$'\x1f'}") \
    ${CARGO:-cargo} build --release --locked --target "$host" \
    --manifest-path tests/fuzz/libfuzzer/Cargo.toml "${targets[@]/#/--bin=}"

(( seconds > 0 )) || exit 0
failed=()
for target in "${targets[@]}"; do
    learned=target/fuzz/corpus/$target findings=target/fuzz/findings/$target
    mkdir -p "$learned" "$findings"
    given=tests/fuzz/corpus/$target
    dictionary=tests/fuzz/dictionaries/$target
    flags=(-max_total_time="$seconds" -max_len="$(longest "$target")" -rss_limit_mb=2048 -timeout=10)
    flags+=(-artifact_prefix="$findings/" -print_final_stats=1)
    [[ ! -e $dictionary ]] || flags+=(-dict="$dictionary")
    printf '\n### %s for %d s\n' "$target" "$seconds"
    # shellcheck disable=SC2086 # several flags
    "$build/$host/release/$target" "${flags[@]}" ${FUZZ_FLAGS-} "$learned" "$given" || failed+=("$target")
done
(( ${#failed[@]} == 0 )) || { echo "a law is broken; inputs are in target/fuzz/findings: ${failed[*]}" >&2; exit 1; }
