#!/bin/sh
# ngx_module/build.sh BUILDDIR [NGINX_SRC]: makes BUILDDIR/ngx_http_hotcert_module.so.
#
# Without NGINX_SRC the module is made for the installed nginx, from the sources that Debian's
# nginx-dev has. A source tree is never written to: it is mirrored by links below BUILDDIR. A tree of
# the installed nginx's version is configured as that nginx was.
# Environment: CC, LDSAN (a -fsanitize= option), NGINX_SRC, NGINX (the program), WERROR.
set -eu

build=$1
src=${2:-${NGINX_SRC:-}}
debian=/usr/share/nginx/src
nginx=${NGINX:-$(command -v nginx || echo /usr/sbin/nginx)}
top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$build"
build=$(cd "$build" && pwd)
lib=$build/libhotcert-light.a
tree=$build/nginx

[ -f "$lib" ] || { echo "build.sh: $lib is missing: make it first" >&2; exit 1; }

# The options that decide which fields nginx's structures have, and how Debian hardens.
installed_options() {
    "$nginx" -V 2>&1 | sed -n 's/^configure arguments: //p'
}

version_of_source() {
    sed -n 's/^#define NGINX_VERSION *"\(.*\)"/\1/p' "$src/src/core/nginx.h"
}

version_installed() {
    "$nginx" -v 2>&1 | sed -n 's,^nginx version: nginx/\([0-9.]*\).*,\1,p'
}

configure() {
    rm -rf "$tree"
    mkdir -p "$tree"
    ln -s "$src"/* "$tree/"
    # configure writes these two
    rm -f "$tree/Makefile" "$tree/objs"
    cd "$tree"
    eval "set -- $options"
    cc_opt= ld_opt=
    count=$#
    while [ "$count" -gt 0 ]; do
        option=$1
        shift
        count=$((count - 1))
        case $option in
            --with-cc-opt=*) cc_opt=${option#*=} ;;
            --with-ld-opt=*) ld_opt=${option#*=} ;;
            # libraries that only other modules need
            *=dynamic | --add-dynamic-module=* | --add-module=*) ;;
            # libraries that were built beside it
            --with-openssl=* | --with-pcre=* | --with-zlib=* | --with-libatomic=*) ;;
            *) set -- "$@" "$option" ;;
        esac
    done
    if [ -n "${LDSAN:-}" ]; then
        # a fortified libc call hides what a sanitizer would see
        cc_opt=$(echo "$cc_opt" | sed 's/-D_FORTIFY_SOURCE=[0-9]*//')" $LDSAN"
        ld_opt="$ld_opt $LDSAN"
    fi
    # nginx makes errors of warnings; a newer compiler has new ones
    [ -n "${WERROR:-}" ] || cc_opt="$cc_opt -Wno-error"
    HOTCERT_LIB=$lib ./configure "$@" ${CC:+--with-cc="$CC"} --with-cc-opt="$cc_opt" \
        --with-ld-opt="$ld_opt" --add-dynamic-module="$top" >configure.log 2>&1 ||
        { tail -n 20 configure.log >&2; exit 1; }
}

if [ -z "$src" ]; then
    src=$debian
    [ -x "$src/configure" ] ||
        { echo "build.sh: install nginx-dev, or give NGINX_SRC=dir" >&2; exit 1; }
    options=$(installed_options)
else
    src=$(cd "$src" && pwd)
    [ -x "$src/configure" ] || ln -sf auto/configure "$src/configure" 2>/dev/null ||
        { echo "build.sh: $src has no configure" >&2; exit 1; }
    options="--with-compat --with-http_ssl_module --with-http_v2_module"
    if [ -x "$nginx" ] && [ "$(version_of_source)" = "$(version_installed)" ]; then
        options=$(installed_options)
    fi
fi

key=$(echo "$src $options ${CC:-} ${LDSAN:-} ${WERROR:-}"; cat "$top/config"; ls "$top"/ngx_module/*/*.[ch] "$top"/core/*/*.h)
if [ ! -f "$tree/objs/Makefile" ] || [ "$key" != "$(cat "$tree/key" 2>/dev/null)" ]; then
    (configure)
    echo "$key" >"$tree/key"
fi
cd "$tree"
# nginx's rules know nothing of the library
rm -f objs/ngx_http_hotcert_module.so
make -s -f objs/Makefile modules
cp objs/ngx_http_hotcert_module.so "$build/.module.so"
mv "$build/.module.so" "$build/ngx_http_hotcert_module.so"
