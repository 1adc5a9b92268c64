# Sourced: own_mirror prints the machine's own mirror, the first Debian archive (not its security or
# backports part) that apt itself knows of.
own_mirror() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
        awk '$3 == "Debian" && $4 == "Debian" && $2 !~ /-/ { print $1; exit }'
}
