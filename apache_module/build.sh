#!/bin/sh
# Builds mod_hotcert.so: apache_module/build.sh BUILDDIR, after libhotcert-light.a is there.
# Takes CC, CFLAGS and LDSAN from the environment; the server's flags come from apxs.
set -eu

build=${1:?usage: apache_module/build.sh BUILDDIR}
here=$(dirname "$0")
cc=${CC:-gcc}
flags=${CFLAGS:--std=c11 -D_GNU_SOURCE -O2 -g -fPIC -fvisibility=hidden -I$here/../core}
apxs=${APXS:-$(command -v apxs || command -v apxs2 || echo /usr/bin/apxs)}

# The server's headers are not held to our warnings (-isystem).
server="$("$apxs" -q EXTRA_CPPFLAGS) -isystem $("$apxs" -q INCLUDEDIR)"
server="$server -isystem $("$apxs" -q APR_INCLUDEDIR) -isystem $("$apxs" -q APU_INCLUDEDIR)"
# apxs says -D_GNU_SOURCE as well
server=$(printf '%s' "$server" | sed 's/-D_GNU_SOURCE//')

mkdir -p "$build/apache_module"
objects=
for source in "$here"/*.c; do
    object=$build/apache_module/$(basename "$source" .c).o
    # shellcheck disable=SC2086 # flags are lists
    $cc $flags $server -MMD -MP -c "$source" -o "$object"
    objects="$objects $object"
done

# nodelete: OpenSSL and forked processes keep pointers into the module over a graceful restart.
# Bsymbolic: httpd opens modules globally, and this one is not to find itself in the one before it.
# shellcheck disable=SC2086
$cc -shared ${LDSAN:-} -Wl,-Bsymbolic,-z,relro,-z,now,-z,nodelete -o "$build/mod_hotcert.so" $objects \
    "$build/libhotcert-light.a" -lidn2 -lssl -lcrypto -lpthread
