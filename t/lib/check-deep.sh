#!/bin/bash
# The long checks, for the night: unit tests under ASan and UBSan and, where threads or shared memory
# are, TSan; the scenarios with sanitized modules and program; every fuzz target for minutes; valgrind
# over the store and the pairs; `make test` on every supported release. Its last lines are what docs/check-deep.md keeps.
#   usage: check-deep.sh BUILD RIG
set -u
build=$1
rig=$2
clang=$(command -v clang-14 || echo clang)
fuzz_seconds=${FUZZ_SECONDS:-120}
passed=0
failed=0
report=$(mktemp)
trap 'rm -f "$report"' EXIT

step() {
    local name=$1 began=$SECONDS
    shift
    if "$@"; then
        passed=$((passed + 1))
        printf '| %s | passed | %d s |\n' "$name" $((SECONDS - began)) >>"$report"
    else
        failed=$((failed + 1))
        printf '| %s | FAILED | %d s |\n' "$name" $((SECONDS - began)) >>"$report"
    fi
}

make_quietly() {
    make --no-print-directory "$@"
}

# The servers are not sanitized: the run-time library has to be there before the modules are loaded.
sanitized_scenarios() {
    local library
    library=$("$clang" -print-file-name=libclang_rt.asan-x86_64.so)
    [ -f "$library" ] || { echo "no $library" >&2; return 1; }
    LD_LIBRARY_PATH=$(dirname "$library") make_quietly BUILD="$build/asan-shared" SAN=address,undefined LDEXTRA=-shared-libasan \
        LDPROGRAM="-Wl,-rpath,$(dirname "$library")" all &&
        make_quietly BUILD="$build" "$build/handshakes" "$build/benchtool" &&
        cp "$build/handshakes" "$build/benchtool" "$build/asan-shared/" &&
        HOTCERT_BUILD="$build/asan-shared" HOTCERT_RIG="$rig" HOTCERT_PRELOAD="$library" \
            ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 prove -j3 t/scenarios
}

# Tests that have threads or processes around shared memory.
threaded_units() {
    local tests=()
    for t in t/unit/live_*_test.c; do
        tests+=("$build/tsan/t/unit/$(basename "$t" .c)")
    done
    make_quietly BUILD="$build/tsan" SAN=thread "${tests[@]}" && prove "${tests[@]}"
}

valgrind_units() {
    local bad=0
    make_quietly units || return 1
    for t in "$build"/t/unit/{pki,store,conf}_*_test; do
        [ -x "$t" ] || continue
        valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
            --child-silent-after-fork=yes "$t" >/dev/null || { echo "valgrind: $t" >&2; bad=1; }
    done
    return $bad
}

# Death, errors, flaws, limits and plants, on both servers; one after the other, each of them for itself.
trials() {
    make_quietly BUILD="$build" all "$build/handshakes" "$build/thief" "$build/loads" || return 1
    for t in t/deep/*.t; do
        step "trial: $(basename "$t" .t), both servers" env HOTCERT_BUILD="$build" HOTCERT_RIG="$rig" prove "$t"
    done
}

make_quietly deps || exit 1
step 'unit tests, ASan and UBSan' make_quietly unit-asan
step 'live table, TSan' threaded_units
step 'scenarios, ASan and UBSan in modules and program' sanitized_scenarios
step "fuzzing, $fuzz_seconds s a target" make_quietly fuzz-short FUZZ_SECONDS="$fuzz_seconds"
step 'unit tests, valgrind' valgrind_units
step 'Debian 12 and 13 in fresh folders, and the newest nginx' bash t/lib/releases.sh "$build" "$rig"
trials || failed=$((failed + 1))

printf '\n| what | result | time |\n|---|---|---|\n'
cat "$report"
printf '\nsteps: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
