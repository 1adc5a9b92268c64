#!/bin/bash
# `make test` of the last commit on each Debian release that is supported, in a fresh folder that
# debootstrap makes and that is gone afterwards; and the scenarios of nginx with the newest one: on Debian 13
# with the nginx of the unstable suite, or with the source tree that NGINX_SRC names. Only root can; the
# machine's own packages stay as they are, but for debootstrap. The output lies in BUILD/releases/NAME.log.
#   usage: releases.sh BUILD RIG [bookworm|trixie|newest ..]
# RELEASE_TARGET: what is made there instead of `test` (of newest: T='t/scenarios/tls.t ..', some of them).
# RELEASE_ROOTS: a folder that keeps the roots (NAME/) for the next run.
set -u
build=$1
rig=$2
shift 2
releases=${*:-bookworm trixie newest}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=t/lib/mirror.sh
. "$here/mirror.sh"
# shellcheck source=t/lib/sid.sh
. "$here/sid.sh"

# A root of its own and not only a chroot: the tests mount, which a chroot may not. The mounts are in
# a namespace that ends with the command.
inside() {
    local root=$1
    shift
    unshare -m --propagation private bash -c '
        root=$1; shift
        mount --bind "$root" "$root" && mount -t proc proc "$root/proc" || exit 1
        mount --rbind /dev "$root/dev" && mount --rbind /sys "$root/sys" || exit 1
        mount -t tmpfs -o mode=1777 tmp "$root/tmp" && mount -t tmpfs -o mode=755 run "$root/run" || exit 1
        cd "$root" && mkdir -p .outside && pivot_root . .outside || exit 1
        exec chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
            sh -c "umount -l /.outside && exec \"\$@\"" inside "$@"' inside "$root" "$@"
}

# Below /root, which others cannot enter: what a newcomer's clone as root looks like.
prepare() {
    local root=$1 release=$2
    [ -x "$root/usr/bin/apt-get" ] ||
        debootstrap --variant=minbase --include=ca-certificates,git,make "$release" "$root" "$(own_mirror)" || return 1
    rm -rf --one-file-system "$root/root/hotcert"
    git clone -q --no-hardlinks "$here/../.." "$root/root/hotcert" &&
        mkdir -p "$root/root/hotcert/build/rig" &&
        cp -a "$rig/." "$root/root/hotcert/build/rig/" &&
        cp -L /etc/resolv.conf "$root/etc/resolv.conf" &&
        # as an installer leaves it: packages ask for the name of the machine
        printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$(hostname)" >"$root/etc/hosts"
}

# The newest nginx into the root's /opt/nginx: program and sources.
put_newest() {
    local root=$1
    rm -rf --one-file-system "$root/opt/nginx"
    mkdir -p "$root/opt/nginx" || return 1
    if [ -n "${NGINX_SRC:-}" ]; then
        cp -a "$NGINX_SRC" "$root/opt/nginx/src"
        return
    fi
    sid_fetch "$root/opt/nginx/sid" "$(own_mirror)" nginx nginx-dev || return 1
    for deb in "$root"/opt/nginx/sid/deb/*.deb; do
        dpkg-deb -x "$deb" "$root/opt/nginx/deb" || return 1
    done
    mv "$root/opt/nginx/deb/usr/sbin/nginx" "$root/opt/nginx/nginx" &&
        mv "$root/opt/nginx/deb/usr/share/nginx/src" "$root/opt/nginx/src" &&
        rm -rf --one-file-system "$root/opt/nginx/sid" "$root/opt/nginx/deb"
}

# In the root. A tree is built as a distribution would build it.
newest_scenarios='
    cd /opt/nginx || exit 1
    if [ ! -x nginx ]; then
        cd src && { [ -x configure ] || ln -s auto/configure configure; } || exit 1
        ./configure --with-compat --with-debug --with-threads --with-http_ssl_module --with-http_v2_module --with-http_v3_module \
            --with-http_realip_module --with-stream --with-stream_ssl_module && make -j2 && cp objs/nginx .. && make clean || exit 1
    fi
    /opt/nginx/nginx -V
    cd ~/hotcert && make deps-test || exit 1
    export NGINX=/opt/nginx/nginx NGINX_SRC=/opt/nginx/src HOTCERT_NGINX=/opt/nginx/nginx HOTCERT_SERVERS=nginx
    [ $# -gt 0 ] || set -- T="$(ls t/scenarios/*.t | grep -v /install.t | tr "\n" " ")" # of packages, not of a tree
    exec make scenarios PROVE=-j2 "$@"'

# What `make deps` brought is off.
services_off='
    found=$(ls -d /etc/systemd/system/*.wants/nginx.service /etc/systemd/system/*.wants/apache2.service \
        /etc/systemd/system/*.wants/named.service /etc/rc[2345].d/S*nginx /etc/rc[2345].d/S*apache2 /etc/rc[2345].d/S*named \
        /usr/sbin/policy-rc.d 2>/dev/null)
    [ -z "$found" ] || { echo "make deps left behind: $found"; exit 1; }'

try_release() {
    local release=$1 rc
    if [ -n "${RELEASE_ROOTS:-}" ]; then
        root=$RELEASE_ROOTS/$release
        mkdir -p "$root"
    else
        root=$(mktemp -d "${TMPDIR:-/var/tmp}/hotcert-$release.XXXXXX")
    fi
    chmod 0755 "$root" || return 1
    if [ "$release" = newest ]; then
        prepare "$root" trixie && put_newest "$root" && inside "$root" apt-get -q update &&
            inside "$root" sh -c "$newest_scenarios" newest ${T:+T="$T"}
    else
        prepare "$root" "$release" && inside "$root" apt-get -q update &&
            inside "$root" sh -c 'cd ~/hotcert && exec make "$@"' make "${RELEASE_TARGET:-test}" PROVE=-j2 &&
            inside "$root" sh -c "$services_off"
    fi
    rc=$?
    clear_away
    return $rc
}

# Nothing beyond the folder's own file system: debootstrap mounts there, too, and may be interrupted.
root=
clear_away() {
    [ -z "$root" ] || [ -n "${RELEASE_ROOTS:-}" ] || rm -rf --one-file-system "$root"
    root=
}
trap clear_away EXIT
trap 'exit 1' HUP INT TERM

[ "$(id -u)" = 0 ] || { echo "releases: only root can make the folders" >&2; exit 1; }
sh "$here/deps.sh" "$rig" deep || exit 1
mkdir -p "$build/releases"
build=$(cd "$build" && pwd)
bad=0
for release in $releases; do
    log=$build/releases/$release.log
    if try_release "$release" >"$log" 2>&1; then
        echo "releases: $release: passed"
    else
        echo "releases: $release: FAILED; see $log" >&2
        tail -n 40 "$log" >&2
        bad=1
    fi
done
exit $bad
