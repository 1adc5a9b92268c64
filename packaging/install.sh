#!/bin/sh
# Installs a server's module and the snippet that loads it, where that server looks; or takes away all
# that was installed. What is put where stands in a list, so that uninstalling asks no server.
#
#   usage: install.sh nginx|httpd MODULE LIST       (environment: DESTDIR, and that of paths.sh)
#          install.sh user LIST
#          install.sh uninstall LIST
#
# `user` makes the system user of the agent, on this machine alone (no DESTDIR) and as root; systemd's
# description of it is installed in any case, for packages and images.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
what=${1:-}
dest=${DESTDIR:-}

paths() {
    sh "$here/paths.sh" "$1"
}

note() {
    mkdir -p "$(dirname "$dest$list")"
    grep -qxF "$1" "$dest$list" 2>/dev/null || printf '%s\n' "$1" >>"$dest$list"
}

put() {
    install -D -m 0644 "$1" "$dest$2"
    note "$2"
}

link_to() {
    mkdir -p "$(dirname "$dest$2")"
    ln -sfn "$1" "$dest$2"
    note "$2"
}

install_nginx() {
    modules=$(paths nginx-modules)
    snippets=$(paths nginx-snippets)
    put "$module" "$modules/ngx_http_hotcert_module.so"
    printf 'load_module %s/ngx_http_hotcert_module.so;\n' "$modules" >"$text"
    case $snippets in
    '') echo "to load the module, add this line at the top of nginx.conf: $(cat "$text")" ;;
    */modules-enabled)
        put "$text" /usr/share/nginx/modules-available/mod-http-hotcert.conf
        link_to /usr/share/nginx/modules-available/mod-http-hotcert.conf "$snippets/50-mod-http-hotcert.conf"
        echo 'nginx loads the module at its next start or reload' ;;
    *)
        put "$text" "$snippets/50-mod-http-hotcert.conf"
        echo 'nginx loads the module at its next start or reload' ;;
    esac
}

install_httpd() {
    modules=$(paths httpd-modules)
    snippets=$(paths httpd-snippets)
    put "$module" "$modules/mod_hotcert.so"
    printf '# Depends: ssl\nLoadModule hotcert_module %s/mod_hotcert.so\n' "$modules" >"$text"
    case $snippets in
    '') echo "to load the module, add this line after mod_ssl's: $(tail -n 1 "$text")" ;;
    */mods-available)
        put "$text" "$snippets/hotcert.load"
        echo 'to load the module, run: a2enmod hotcert' ;;
    */extra)
        put "$text" "$snippets/hotcert.conf"
        echo "to load the module, add this line after mod_ssl's: Include $snippets/hotcert.conf" ;;
    *)
        # read in the alphabet's order, after mod_ssl's
        put "$text" "$snippets/zz-hotcert.conf"
        echo 'httpd loads the module at its next start or restart' ;;
    esac
}

# systemd's way, Debian's, then what all have; Alpine's busybox has an adduser of its own.
make_user() {
    if command -v systemd-sysusers >/dev/null && systemd-sysusers "$1" 2>/dev/null && has_user; then
        return 0
    fi
    if command -v useradd >/dev/null; then
        useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hotcert
    elif command -v addgroup >/dev/null; then
        addgroup -S hotcert && adduser -S -D -H -h /nonexistent -s /sbin/nologin -G hotcert hotcert
    else
        return 1
    fi
}

has_user() {
    id -u hotcert >/dev/null 2>&1
}

install_user() {
    put "$here/hotcert.sysusers" /usr/lib/sysusers.d/hotcert.conf
    if [ -n "$dest" ]; then
        return 0
    fi
    if has_user; then
        return 0
    fi
    if [ "$(id -u)" != 0 ]; then
        echo 'did not create the system user hotcert, which only root can do: until it exists, the agent runs as the worker user'
    elif make_user "$here/hotcert.sysusers" && has_user; then
        echo 'created the system user hotcert: from the next start of a server on, it runs the agent and owns the store'
    else
        echo 'could not create the system user hotcert: create it by hand, or the agent runs as the worker user'
    fi
}

uninstall() {
    if [ ! -e "$dest$list" ]; then
        echo "nothing to remove: there is no $dest$list"
        return 0
    fi
    while read -r path; do
        rm -f "$dest$path"
    done <"$dest$list"
    if grep -q '/mods-available/hotcert.load$' "$dest$list"; then
        echo 'if you enabled the module, run a2dismod hotcert, or httpd does not start'
    fi
    rm -f "$dest$list"
    if [ -z "$dest" ] && has_user; then
        echo 'kept the system user hotcert, which owns the store; to remove it: userdel hotcert'
    fi
}

case $what in
nginx | httpd)
    module=$2 list=$3
    text=$(mktemp)
    trap 'rm -f "$text"' EXIT
    "install_$what"
    ;;
user)
    list=$2
    install_user
    ;;
uninstall)
    list=$2
    uninstall
    ;;
*)
    echo 'usage: install.sh nginx|httpd MODULE LIST, or install.sh user|uninstall LIST' >&2
    exit 2
    ;;
esac
