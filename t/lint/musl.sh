#!/bin/sh
# Compiles files against musl, the C library of Alpine, and links nothing: Debian has no other library
# for it. The libraries' headers are Debian's own, the C library's and the kernel's beside them.
#   usage: musl.sh FOLDER FILE.. -- FLAGS..
set -eu
into=$1
shift
files=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    files="$files $1"
    shift
done
shift
command -v musl-gcc >/dev/null || { echo 'musl.sh: install musl-tools (make deps-test)' >&2; exit 1; }

# Not /usr/include itself, where another C library's headers are.
rm -rf "$into"
mkdir -p "$into/openssl" "$into/sys"
multiarch=$(gcc -print-multiarch)
for header in /usr/include/openssl/*.h "/usr/include/$multiarch"/openssl/*.h; do
    [ ! -e "$header" ] || ln -s "$header" "$into/openssl/"
done
for name in curl expat.h expat_external.h ldns jansson.h jansson_config.h idn2.h libpsl.h linux asm asm-generic; do
    for from in "/usr/include/$multiarch" /usr/include; do
        [ ! -e "$from/$name" ] || [ -e "$into/$name" ] || ln -s "$from/$name" "$into/$name"
    done
done
# musl has no sys/queue.h; Alpine's is in bsd-compat-headers
ln -s "/usr/include/$multiarch/sys/queue.h" "$into/sys/queue.h"
: >"$into/sys/cdefs.h"

# shellcheck disable=SC2086 # a list of files
printf '%s\n' $files | xargs -P 2 -n 8 sh -c 'flags=$1; shift; into=$1; shift
    for f in "$@"; do musl-gcc -fsyntax-only -isystem "$into" $flags "$f" || failed=1; done; exit ${failed:-0}' \
    musl "$*" "$into"
