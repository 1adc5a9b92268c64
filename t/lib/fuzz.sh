#!/bin/sh
# Runs every fuzz target below BUILD for so many seconds, with the corpus that t/fuzz/corpus has for it.
#   usage: fuzz.sh BUILD SECONDS
set -eu
build=$1
seconds=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
for target in "$build"/t/fuzz/fuzz_*; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    name=$(basename "$target")
    mkdir "$work/$name"
    seeds=
    [ -d "t/fuzz/corpus/$name" ] && seeds=t/fuzz/corpus/$name
    # shellcheck disable=SC2086 # one folder or none
    if "$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$build/crash-$name-" "$work/$name" $seeds >"$work/$name.log" 2>&1; then
        printf '%s: %s\n' "$name" "$(sed -n 's/^Done /ran /p' "$work/$name.log")"
    else
        failed=1
        printf '%s: FAILED\n' "$name"
        tail -n 60 "$work/$name.log"
    fi
done
exit $failed
