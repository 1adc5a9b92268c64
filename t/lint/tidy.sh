#!/bin/sh
# clang-tidy over files, two at a time; prints what it finds, fails if that is anything.
#   usage: tidy.sh FILE.. -- FLAGS..
set -u
files=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    files="$files $1"
    shift
done
shift
tidy=$(command -v clang-tidy-14 || echo clang-tidy)
out=$(mktemp)
trap 'rm -f "$out"' EXIT
# shellcheck disable=SC2086 # a list of files
printf '%s\n' $files | xargs -P 2 -n 4 sh -c 'flags=$1; shift; tidy=$1; shift; "$tidy" --quiet "$@" -- $flags' \
    tidy "$*" "$tidy" >"$out" 2>/dev/null
grep -E 'warning:|error:' "$out" | sort -u
! grep -qE 'warning:|error:' "$out"
