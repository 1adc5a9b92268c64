# Sourced: packages of the archive's unstable suite, downloaded and installed nowhere, without touching
# apt's own lists and sources.
#   sid_fetch FOLDER MIRROR PACKAGE..    leaves FOLDER/deb/PACKAGE_*.deb

# apt-get with a sources list, package lists and cache of its own. The suite is signed; where a mirror or
# a clock is behind, what it says of its age does not matter here.
sid_apt() {
    apt-get -q -o Dir::Etc::sourcelist="$sid_folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State::lists="$sid_folder/lists" -o Dir::Cache="$sid_folder/cache" \
        -o APT::Sandbox::User=root -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false \
        -o Acquire::Check-Valid-Until=false "$@" </dev/null
}

sid_fetch() {
    sid_folder=$1
    mkdir -p "$sid_folder/lists/partial" "$sid_folder/cache/archives/partial" "$sid_folder/deb"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s sid main\n' "$2" >"$sid_folder/sources.list"
    shift 2
    sid_apt update && (cd "$sid_folder/deb" && sid_apt download "$@")
}
