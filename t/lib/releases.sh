#!/bin/bash
# `make test` of the last commit on each Debian release that is supported, in a fresh folder that
# debootstrap makes and that is gone afterwards. Only root can; the machine's own packages stay as
# they are, but for debootstrap. The output lies in BUILD/releases/NAME.log.
#   usage: releases.sh BUILD RIG [RELEASE..]
# RELEASE_TARGET: what is made there instead of `test`.
set -u
build=$1
rig=$2
shift 2
releases=${*:-bookworm trixie}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=t/lib/mirror.sh
. "$here/mirror.sh"

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
    debootstrap --variant=minbase --include=ca-certificates,git,make "$release" "$root" "$(own_mirror)" &&
        git clone -q --no-hardlinks "$here/../.." "$root/root/hotcert" &&
        mkdir -p "$root/root/hotcert/build/rig" &&
        cp -a "$rig/." "$root/root/hotcert/build/rig/" &&
        cp -L /etc/resolv.conf "$root/etc/resolv.conf"
}

try_release() {
    local release=$1
    root=$(mktemp -d "${TMPDIR:-/var/tmp}/hotcert-$release.XXXXXX") && chmod 0755 "$root" || return 1
    prepare "$root" "$release" &&
        inside "$root" sh -c 'apt-get -q update && cd ~/hotcert && exec make "$@"' make "${RELEASE_TARGET:-test}" PROVE=-j2
    local rc=$?
    clear_away
    return $rc
}

# Nothing beyond the folder's own file system: debootstrap mounts there, too, and may be interrupted.
root=
clear_away() {
    [ -z "$root" ] || rm -rf --one-file-system "$root"
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
