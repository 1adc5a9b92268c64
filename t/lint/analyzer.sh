#!/bin/sh
# gcc's own analyzer over files, two at a time; fails if it warns. Two of its checks are off: gcc 12
# loses sight of memory that is owned through a pointer in a struct, and of results through pointers.
#   usage: analyzer.sh FILE.. -- FLAGS..
set -u
files=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    files="$files $1"
    shift
done
shift
out=$(mktemp)
trap 'rm -f "$out"' EXIT
# shellcheck disable=SC2086 # a list of files
printf '%s\n' $files | xargs -P 2 -n 1 sh -c 'flags=$1; shift; gcc -fanalyzer -Wno-analyzer-malloc-leak \
    -Wno-analyzer-null-argument $flags -c "$@" -o /dev/null' \
    analyzer "$*" >"$out" 2>&1
status=$?
cat "$out"
exit $status
