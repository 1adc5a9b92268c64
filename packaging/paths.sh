#!/bin/sh
# Where this machine's nginx and Apache httpd have their modules and read snippets that load them, asked
# of themselves: `nginx -V`, `apxs -q`, and nginx's own configuration. Prints one value.
#
#   usage: paths.sh nginx-modules|nginx-snippets|httpd-modules|httpd-snippets|nginx-missing|httpd-missing
#
# Each can be given instead: NGINX_MODULES, NGINX_SNIPPETS, HTTPD_MODULES, HTTPD_SNIPPETS. Programs:
# NGINX, APXS; a source tree of nginx: NGINX_SRC. ROOT is put before the files that are looked at.
set -eu
what=${1:-}
root=${ROOT:-}
nginx=${NGINX:-$(command -v nginx || echo /usr/sbin/nginx)}
apxs=${APXS:-$(command -v apxs || command -v apxs2 || echo /usr/bin/apxs)}

# The value of an option that nginx was configured with.
option() {
    "$nginx" -V 2>&1 | tr ' ' '\n' | sed -n "s/^--$1=//p" | tail -n 1
}

nginx_modules() {
    path=$(option modules-path)
    [ -n "$path" ] || path=$(option prefix)/modules
    printf '%s\n' "$path"
}

# The folder of load_module snippets that nginx.conf includes; none where it includes no such folder
# (nginx.org's packages).
nginx_snippets() {
    conf=$(option conf-path)
    [ -n "$conf" ] || conf=/etc/nginx/nginx.conf
    [ -r "$root$conf" ] || return 0
    folder=$(sed -n 's/^[[:space:]]*include[[:space:]]\{1,\}"\{0,1\}\([^;"]*modules[^;"/]*\)\/\*\.conf"\{0,1\};.*/\1/p' "$root$conf" |
        head -n 1)
    case $folder in
    '' | /*) printf '%s\n' "$folder" ;;
    *) printf '%s/%s\n' "$(dirname "$conf")" "$folder" ;;
    esac
}

# Debian's a2enmod, Fedora's conf.modules.d, Alpine's conf.d, or the folder of extras that httpd.conf
# includes from by hand.
httpd_snippets() {
    conf=$("$apxs" -q SYSCONFDIR)
    top=${conf%/conf}
    for folder in "$conf/mods-available" "$top/conf.modules.d" "$top/conf.d" "$conf/extra"; do
        if [ -d "$root$folder" ]; then
            printf '%s\n' "$folder"
            return 0
        fi
    done
}

# What it takes to build a module, if something of it is missing; by the names of packages.
nginx_missing() {
    if [ -n "${NGINX_SRC:-}" ]; then return 0; fi
    src=/usr/share/nginx/src
    if [ ! -x "$nginx" ]; then
        echo "no nginx is here (packages: nginx-dev on Debian and Ubuntu; or NGINX_SRC=dir)"
    elif [ ! -x "$root$src/configure" ]; then
        echo "nginx's sources are missing (packages: nginx-dev on Debian and Ubuntu; elsewhere NGINX_SRC=dir: nginx-mod-devel on Fedora, nginx-src on Arch, or nginx.org's archive of the same version)"
    fi
}

httpd_missing() {
    if [ ! -x "$apxs" ]; then
        echo "apxs is missing (packages: apache2-ssl-dev on Debian and Ubuntu, httpd-devel and mod_ssl on Fedora, apache on Arch, apache2-dev on Alpine)"
    elif [ ! -e "$root$("$apxs" -q INCLUDEDIR)/mod_ssl_openssl.h" ]; then
        echo "mod_ssl's headers are missing (package: apache2-ssl-dev on Debian and Ubuntu)"
    fi
}

case $what in
nginx-modules) printf '%s\n' "${NGINX_MODULES:-$(nginx_modules)}" ;;
nginx-snippets) printf '%s\n' "${NGINX_SNIPPETS:-$(nginx_snippets)}" ;;
httpd-modules) printf '%s\n' "${HTTPD_MODULES:-$("$apxs" -q LIBEXECDIR)}" ;;
httpd-snippets) printf '%s\n' "${HTTPD_SNIPPETS:-$(httpd_snippets)}" ;;
nginx-missing) nginx_missing ;;
httpd-missing) httpd_missing ;;
*)
    sed -n 's/^#   usage: /usage: /p' "$0" >&2
    exit 2
    ;;
esac
