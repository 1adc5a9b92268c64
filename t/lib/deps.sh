#!/bin/sh
# Installs what build, demonstration, tests and lints need on Debian 12 and 13: packages of the
# distribution by the lists of packages.txt, and Pebble, the ACME test CA, from the archive's unstable
# suite, unpacked into a folder of the build and installed nowhere; so is moto, which plays Route 53.
# Says what it installs. When everything is there it does nothing and asks no network.
#
# The machine stays as it was: a server that comes in here is neither started now nor at the next boot.
#
#   usage: deps.sh RIG_FOLDER LIST..        LIST: build, demo, test, lint, deep
set -eu

usage='usage: deps.sh RIG_FOLDER build|demo|test|lint|deep ..'
rig=${1:?$usage}
shift
lists=${*:?$usage}
here=$(cd "$(dirname "$0")" && pwd)
pebble_least=2.10
moto_least=5.2
. "$here/mirror.sh"
. "$here/sid.sh"

say() {
    printf 'deps: %s\n' "$*"
}

die() {
    printf 'deps: %s\n' "$*" >&2
    exit 1
}

# One line for each package, with its alternatives.
wanted_packages() {
    for list in $lists; do
        sed -e 's/#.*//' -n -e "/^\[$list\]/,/^\[/{/^\[/d;/[^[:space:]]/p}" "$here/packages.txt"
    done
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

is_offered() {
    apt-cache policy "$1" 2>/dev/null | grep -q '^  Candidate: [^(]'
}

# Of a line's alternatives the one that can be installed; none if one of them is there.
missing_of() {
    for p in "$@"; do
        is_installed "$p" && return 0
    done
    for p in "$@"; do
        [ $# -eq 1 ] || is_offered "$p" || continue
        printf '%s ' "$p"
        return 0
    done
    printf '%s ' "$1"
}

missing_packages() {
    wanted_packages | while IFS='| ' read -r first others; do
        # shellcheck disable=SC2086 # a list of words
        missing_of "$first" $(printf '%s' "$others" | tr '|' ' ')
    done
}

# ---- services ----

# Debian's packages start their servers when they are installed, and have them started at every boot.
# A newcomer's machine would find nginx, Apache httpd and BIND fighting for ports 80 and 53, and a
# production host would lose its site at the next boot. So nothing is started during the installation,
# and what it made start at boot is disabled; not masked, so that `systemctl enable --now nginx` works.
policy=/usr/sbin/policy-rc.d
policy_kept=$policy.before-hotcert

hold_services() {
    if [ -e "$policy" ] && [ ! -e "$policy_kept" ]; then mv "$policy" "$policy_kept"; fi
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 0755 "$policy"
    boot_before=$(starts_at_boot)
    trap release_services EXIT
    trap 'exit 1' HUP INT TERM
}

release_services() {
    trap - EXIT
    if [ -e "$policy_kept" ]; then mv -f "$policy_kept" "$policy"; else rm -f "$policy"; fi
    disable_what_came
}

# What starts at boot, by its own name: units of systemd, scripts of sysvinit; and other names of
# units, which make systemd call a unit enabled as well.
starts_at_boot() {
    for link in /etc/systemd/system/*.service; do
        if [ -L "$link" ] && [ "$(readlink "$link")" != /dev/null ]; then printf 'alias %s\n' "${link##*/}"; fi
    done
    for link in /etc/systemd/system/*.wants/*.service /etc/systemd/system/*.wants/*.socket; do
        [ ! -L "$link" ] || printf 'unit %s\n' "${link##*/}"
    done | sort -u
    for link in /etc/rc[2345].d/S[0-9][0-9]*; do
        [ ! -L "$link" ] || printf 'sysv %s\n' "${link##*/S[0-9][0-9]}"
    done | sort -u
}

# What starts at boot now and did not before; systemd's own is not ours to judge.
what_came() {
    starts_at_boot | grep -vxF "${boot_before:-nothing}" | grep -vE '^(unit|alias) (systemd-|dbus)' || true
}

# Units that were there before stay as they were.
disable_what_came() {
    came=$(what_came)
    [ -n "$came" ] || return 0
    names=
    while read -r kind name; do
        case $kind in
        # it works for scripts of packages alone, and asks no more than whose it is called by
        unit) DPKG_MAINTSCRIPT_PACKAGE=hotcert-deps deb-systemd-helper disable "$name" >/dev/null 2>&1 || true ;;
        sysv) update-rc.d "$name" disable >/dev/null 2>&1 || true ;;
        alias) rm -f "/etc/systemd/system/$name" && continue ;;
        esac
        case " $names " in *" ${name%.service} "*) ;; *) names="$names ${name%.service}" ;; esac
    done <<END
$came
END
    [ ! -d /run/systemd/system ] || systemctl daemon-reload || true
    still=$(what_came)
    # shellcheck disable=SC2086 # lines become words
    [ -z "$still" ] || say "WARNING: these could not be disabled and start at boot:" $still
    [ -n "$still" ] || say "installed, neither running nor enabled at boot:$names (systemctl enable --now NAME)"
}

# ---- packages ----

install_packages() {
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    [ "$(id -u)" = 0 ] || die "these Debian packages are missing, and only root can install them: $missing"
    command -v apt-get >/dev/null || die "this is no Debian: install these yourself: $missing"
    apt-get -q update </dev/null >"$log" 2>&1 || die_with_log "apt-get update failed"
    missing=$(missing_packages)
    say "installing Debian packages: $missing"
    hold_services
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

# mirror: the archive that apt knows of. What for: $1.
find_mirror() {
    mirror=$(own_mirror)
    if [ -z "$mirror" ] && [ "$(id -u)" = 0 ]; then
        apt-get -q update </dev/null >"$log" 2>&1 || die_with_log "apt-get update failed"
        mirror=$(own_mirror)
    fi
    [ -n "$mirror" ] || die "apt knows of no Debian archive to take $1 from (run apt-get update)"
}

unpack_pebble() {
    pebble_is_there && return 0
    find_mirror Pebble
    say "unpacking Pebble $pebble_least or later (the ACME test CA) from $mirror, unstable, into $rig"
    sid_fetch "$sid" "$mirror" pebble >"$log" 2>&1 || die_with_log "Pebble cannot be downloaded"
    deb=$(ls "$sid"/deb/pebble_*.deb)
    v=$(dpkg-deb -f "$deb" Version)
    dpkg --compare-versions "$v" ge "$pebble_least" || die "the archive's Pebble is $v; $pebble_least is needed"
    dpkg-deb -x "$deb" "$rig"
    printf '%s\n' "$v" >"$rig/pebble.version"
    pebble_is_there || die "the package pebble $v has no pebble and pebble-challtestsrv in usr/bin"
}

moto_is_there() {
    [ -d "$rig/moto/usr/lib/python3/dist-packages/moto" ] || return 1
    v=$(cat "$rig/moto.version" 2>/dev/null) && dpkg --compare-versions "$v" ge "$moto_least"
}

unpack_moto() {
    moto_is_there && return 0
    find_mirror moto
    say "unpacking moto $moto_least or later (Route 53 for tests) from $mirror, unstable, into $rig/moto"
    sid_fetch "$sid" "$mirror" python3-moto >"$log" 2>&1 || die_with_log "moto cannot be downloaded"
    deb=$(ls "$sid"/deb/python3-moto_*.deb)
    v=$(dpkg-deb -f "$deb" Version)
    dpkg --compare-versions "$v" ge "$moto_least" || die "the archive's moto is $v; $moto_least is needed"
    rm -rf "$rig/moto"
    dpkg-deb -x "$deb" "$rig/moto"
    printf '%s\n' "$v" >"$rig/moto.version"
    moto_is_there || die "the package python3-moto $v has no module moto"
}

for list in $lists; do
    grep -qxF "[$list]" "$here/packages.txt" || die "no list of packages is named $list; $usage"
done
mkdir -p "$rig"
rig=$(cd "$rig" && pwd)
sid=$rig/sid
log=$rig/deps.log
install_packages
case " $lists " in *' demo '* | *' test '*) unpack_pebble ;; esac
case " $lists " in *' test '*) unpack_moto ;; esac
rm -rf "$sid"
say "everything is there for: $lists"
