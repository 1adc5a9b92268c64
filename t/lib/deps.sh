#!/bin/sh
# Installs what build and tests need on Debian 12: packages of the distribution, and Pebble, the ACME
# test CA, from the archive's unstable suite, unpacked into a folder of the build and installed
# nowhere. Says what it installs. When everything is there it does nothing and asks no network.
#
#   usage: deps.sh RIG_FOLDER
set -eu

rig=${1:?usage: deps.sh RIG_FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
pebble_least=2.10

say() {
    printf 'deps: %s\n' "$*"
}

die() {
    printf 'deps: %s\n' "$*" >&2
    exit 1
}

wanted_packages() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/packages.txt"
}

missing_packages() {
    for p in $(wanted_packages); do
        case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true) in
        installed) ;;
        *) printf '%s ' "$p" ;;
        esac
    done
}

# Debian's packages start their servers when they are installed. Neither a newcomer's machine nor a
# build machine should find nginx, Apache httpd and BIND running afterwards, fighting for port 80.
policy=/usr/sbin/policy-rc.d
policy_is_ours=no

hold_services() {
    [ -e "$policy" ] && return 0
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 0755 "$policy"
    policy_is_ours=yes
}

release_services() {
    [ "$policy_is_ours" = yes ] && rm -f "$policy"
    policy_is_ours=no
}

install_packages() {
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    [ "$(id -u)" = 0 ] || die "these Debian packages are missing, and only root can install them: $missing"
    command -v apt-get >/dev/null || die "this is no Debian: install these yourself: $missing"
    say "installing Debian packages: $missing"
    hold_services
    trap release_services EXIT
    trap 'exit 1' HUP INT TERM
    apt-get -q update </dev/null >"$log" 2>&1 || die_with_log "apt-get update failed"
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
        install $missing </dev/null >"$log" 2>&1 || die_with_log "apt-get install failed"
    release_services
    missing=$(missing_packages)
    [ -z "$missing" ] || die "still missing: $missing"
}

die_with_log() {
    tail -n 30 "$log" >&2
    die "$1"
}

pebble_is_there() {
    [ -x "$rig/usr/bin/pebble" ] && [ -x "$rig/usr/bin/pebble-challtestsrv" ] || return 1
    v=$(cat "$rig/pebble.version" 2>/dev/null) && dpkg --compare-versions "$v" ge "$pebble_least"
}

# The machine's own mirror: the first Debian archive (not its security or backports part) that apt
# itself knows of.
own_mirror() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
        awk '$3 == "Debian" && $4 == "Debian" && $2 !~ /-/ { print $1; exit }'
}

# apt-get with a sources list, package lists and cache of its own.
sid_apt() {
    apt-get -q -o Dir::Etc::sourcelist="$sid/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State::lists="$sid/lists" -o Dir::Cache="$sid/cache" \
        -o APT::Sandbox::User=root -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false \
        "$@" </dev/null >"$log" 2>&1
}

unpack_pebble() {
    pebble_is_there && return 0
    mirror=$(own_mirror)
    if [ -z "$mirror" ] && [ "$(id -u)" = 0 ]; then
        apt-get -q update </dev/null >"$log" 2>&1 || die_with_log "apt-get update failed"
        mirror=$(own_mirror)
    fi
    [ -n "$mirror" ] || die "apt knows of no Debian archive to take Pebble from (run apt-get update)"
    say "unpacking Pebble $pebble_least or later (the ACME test CA) from $mirror, unstable, into $rig"
    mkdir -p "$sid/lists/partial" "$sid/cache/archives/partial" "$sid/deb"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s sid main\n' "$mirror" \
        >"$sid/sources.list"
    sid_apt update || die_with_log "the unstable suite's package list cannot be had"
    (cd "$sid/deb" && sid_apt download pebble) || die_with_log "Pebble cannot be downloaded"
    deb=$(ls "$sid"/deb/pebble_*.deb)
    v=$(dpkg-deb -f "$deb" Version)
    dpkg --compare-versions "$v" ge "$pebble_least" || die "the archive's Pebble is $v; $pebble_least is needed"
    dpkg-deb -x "$deb" "$rig"
    printf '%s\n' "$v" >"$rig/pebble.version"
    pebble_is_there || die "the package pebble $v has no pebble and pebble-challtestsrv in usr/bin"
}

mkdir -p "$rig"
rig=$(cd "$rig" && pwd)
sid=$rig/sid
log=$rig/deps.log
install_packages
unpack_pebble
rm -rf "$sid"
say "everything is there"
