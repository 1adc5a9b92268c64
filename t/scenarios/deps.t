#!/usr/bin/perl
# `make deps` leaves a machine as it was: servers that it installs are neither started nor started at
# boot, those that were there keep what they were told. Packages are not installed for it: what their
# scripts do (the parts of debhelper in /var/lib/dpkg/info) is run on copies of /etc, /usr/sbin and
# systemd's state, in a mount namespace of the test's own; a start leaves a line in a file.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Rig qw(temp_dir rig_dir run spew slurp);
use Test::More;

my $dir = temp_dir();
# package => whose scripts; all three have a service
my %scripts = (nginx => 'nginx-common', apache2 => 'apache2', bind9 => 'bind9');
my @servers = qw(nginx apache2 named);

# What dpkg runs of a package when it is installed for the first time.
sub parts {
    my ($package) = @_;
    my $text = slurp("/var/lib/dpkg/info/$package.postinst");
    return join '', $text =~ /^(# Automatically added by dh_install(?:init|systemd)\/.*?^# End automatically added section\n)/gms;
}

mkdir "$dir/$_" for qw(bin scripts rig);
for my $package (sort keys %scripts) {
    my $text = parts($scripts{$package});
    like($text, qr/deb-systemd-helper enable|update-rc\.d \w+ defaults/, "$package: its script has a service started at boot");
    # of all that dpkg says in it, these two matter
    spew("$dir/scripts/$package", "#!/bin/sh\nset -e\n$text", 0755);
}
# the rig has what it needs
symlink rig_dir() . "/$_", "$dir/rig/$_" for qw(usr pebble.version moto moto.version);

spew("$dir/bin/apt-get", <<'SH', 0755);
#!/bin/sh
# Installs: runs the scripts of what is asked for.
case " $* " in *' install '*) ;; *) exit 0 ;; esac
[ ! -e "$WORLD/apt-fails" ] || exit 100
for package; do
    [ -e "$WORLD/scripts/$package" ] || continue
    DPKG_MAINTSCRIPT_PACKAGE=$package DPKG_MAINTSCRIPT_NAME=postinst "$WORLD/scripts/$package" configure '' || exit 100
    touch "$WORLD/installed.$package"
done
SH
spew("$dir/bin/dpkg-query", <<'SH', 0755);
#!/bin/sh
for package; do :; done
[ -e "$WORLD/scripts/$package" ] && [ ! -e "$WORLD/installed.$package" ] || printf installed
SH
spew("$dir/bin/systemctl", <<'SH', 0755);
#!/bin/sh
# Links of units are systemd's own work; there is no manager to ask.
case " $* " in
*' start '* | *' restart '*) echo "systemctl $*" >>"$WORLD/started" ;;
*' is-active '*) exit 3 ;;
*' daemon-reload '*) ;;
*) SYSTEMD_OFFLINE=1 exec /bin/systemctl "$@" ;;
esac
SH

# The machine of one trial: before => shell that runs first, command => what is run in it. What can be
# seen afterwards is printed.
spew("$dir/world.sh", <<'SH', 0755);
set -e
for folder in etc usr/sbin var/lib/systemd; do
    mkdir -p "$WORLD/copy/$folder"
    cp -a "/$folder/." "$WORLD/copy/$folder/"
    mount --bind "$WORLD/copy/$folder" "/$folder"
done
mount -t tmpfs run /run
# nothing else can be written, whatever a link leads to
mount --bind "$WORLD" "$WORLD"
mount -o remount,bind,ro /
[ -z "$SYSTEMD" ] || mkdir -p /run/systemd/system
rm -f /usr/sbin/policy-rc.d /usr/sbin/policy-rc.d.before-hotcert "$WORLD/started" "$WORLD"/installed.*
rm -rf /var/lib/systemd/deb-systemd-helper-*
for server in nginx apache2 named; do
    rm -f /etc/systemd/system/*.wants/$server.service /etc/systemd/system/$server.service /etc/rc*.d/[SK][0-9][0-9]$server /etc/init.d/$server
    printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: %s\n# Required-Start: $network\n# Required-Stop: $network\n# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n### END INIT INFO\necho "init.d %s $1" >>"$WORLD/started"\n' \
        $server $server >/etc/init.d/$server
    chmod 0755 /etc/init.d/$server
done
rm -f /etc/systemd/system/bind9.service
rm -f /usr/sbin/runlevel
printf '#!/bin/sh\necho N 3\n' >/usr/sbin/runlevel
chmod 0755 /usr/sbin/runlevel
eval "$BEFORE"
PATH=$WORLD/bin:$PATH
export PATH
set +e
eval "$COMMAND"
echo "rc=$?"
[ ! -e "$WORLD/started" ] || sed 's/^/started: /' "$WORLD/started"
for link in /etc/systemd/system/*.wants/* /etc/systemd/system/*.service; do
    [ ! -L "$link" ] || echo "boot: ${link##*/} $(readlink "$link")"
done
for link in /etc/rc[2345].d/S*; do [ ! -L "$link" ] || echo "boot: sysv ${link##*/S[0-9][0-9]}"; done
[ ! -e /usr/sbin/policy-rc.d ] || sed 's/^/policy: /' /usr/sbin/policy-rc.d
SH

my $deps = 'sh t/lib/deps.sh "$WORLD/rig" demo test';

# (exit code of the command, what was started, what starts at boot of our servers, all that was printed)
sub trial {
    my (%opt) = @_;
    my ($gone) = run('rm', '-rf', "$dir/copy");
    die "$dir/copy stays" if $gone != 0;
    my ($code, $out) = run({ _seconds => 120, WORLD => $dir, SYSTEMD => $opt{systemd} // '', BEFORE => $opt{before} // '',
            COMMAND => $opt{command} // $deps }, 'unshare', '-m', '--propagation', 'private', 'sh', "$dir/world.sh");
    my ($rc) = $out =~ /^rc=(\d+)$/m;
    my $ours = join '|', @servers, 'bind9';
    return { rc => $rc // "the world ended: $code", out => $out, started => join(' ', $out =~ /^started: (.*)/mg),
        boot => join(' ', sort { $a cmp $b } keys %{ { map { $_ => 1 } $out =~ /^boot: (?:sysv )?($ours)\b/mg } }) };
}

for my $systemd ('', 1) {
    my $init = $systemd ? 'systemd' : 'sysvinit';
    subtest "on $init" => sub {
        my $bare = trial(systemd => $systemd, command => 'apt-get install nginx apache2 bind9');
        is($bare->{boot}, 'apache2 bind9 named nginx', 'by themselves the packages have their servers started at boot') or diag $bare->{out};
        # invoke-rc.d of Debian 13 starts nothing where neither init runs
        like($bare->{started}, qr/apache2.*named|named.*apache2/, 'and start them now') if $systemd;

        my $t = trial(systemd => $systemd);
        is($t->{rc}, 0, 'deps installs them') or diag $t->{out};
        like($t->{out}, qr/^deps: installed, neither running nor enabled at boot:(?=.* nginx)(?=.* apache2)(?=.* named)/m, 'and says what it did');
        is($t->{started}, '', 'none is started');
        is($t->{boot}, '', 'none starts at boot') or diag $t->{out};
        unlike($t->{out}, qr/WARNING|^boot: apache-htcacheclean/m, 'nor what has a unit and no script of sysvinit');
        unlike($t->{out}, qr{^boot: .* /dev/null$}m, 'none is masked');
        unlike($t->{out}, qr/^policy:/m, 'and later packages start theirs as ever');

        $t = trial(systemd => $systemd, command => "$deps && ln -s /lib/systemd/system/nginx.service /etc/systemd/system/multi-user.target.wants/ && $deps");
        is($t->{rc}, 0, 'what the operator enables then') or diag $t->{out};
        is($t->{boot}, 'nginx', 'stays enabled when deps runs again');

        $t = trial(systemd => $systemd, before => 'touch "$WORLD/installed.nginx"; "$WORLD/scripts/nginx" configure ""; rm -f "$WORLD/started";'
                . 'ln -s /lib/systemd/system/other.service /etc/systemd/system/multi-user.target.wants/other.service;'
                . q(printf '#!/bin/sh\n# own\nexit 0\n' >/usr/sbin/policy-rc.d; chmod 0755 /usr/sbin/policy-rc.d));
        is($t->{rc}, 0, 'beside servers that were there') or diag $t->{out};
        is($t->{boot}, 'nginx', 'nginx that was there starts at boot as before, the new ones do not');
        like($t->{out}, qr/^boot: other\.service/m, 'so does what is none of ours');
        is($t->{started}, '', 'nothing is started');
        like($t->{out}, qr/^policy: # own$/m, 'and the policy of the operator is his again');

        $t = trial(systemd => $systemd, before => 'touch "$WORLD/apt-fails"', command => "$deps; rc=\$?; rm -f \"\$WORLD/apt-fails\"; (exit \$rc)");
        isnt($t->{rc}, 0, 'an installation that fails is told') or diag $t->{out};
        unlike($t->{out}, qr/^policy:/m, 'and leaves no policy behind');
    };
}

done_testing;
