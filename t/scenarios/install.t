#!/usr/bin/perl
# `make install` puts everything where Debian's servers look, and `make uninstall` takes it away.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

# Another make would build with other flags.
plan skip_all => 'not with sanitized modules' if $ENV{HOTCERT_PRELOAD};

my $into = temp_dir() . '/root';
my @make = ('make', '--no-print-directory', 'BUILD=' . build_dir(), "DESTDIR=$into");
my ($code, $out) = run({ _seconds => 300 }, @make, 'install');
is($code, 0, 'make install') or diag $out;

my @files = qw(/usr/sbin/hotcert /usr/lib/nginx/modules/ngx_http_hotcert_module.so
    /usr/lib/apache2/modules/mod_hotcert.so /etc/apache2/mods-available/hotcert.load
    /usr/share/nginx/modules-available/mod-http-hotcert.conf /usr/share/doc/hotcert/README.md);
ok(-f "$into$_", $_) for @files, "/usr/lib/sysusers.d/hotcert.conf";
is(readlink "$into/etc/nginx/modules-enabled/50-mod-http-hotcert.conf",
    '/usr/share/nginx/modules-available/mod-http-hotcert.conf', 'nginx loads it at its next start');
($code, $out) = run("$into/usr/sbin/hotcert", 'version');
like($out, qr/^hotcert \d+\.\d+\.\d+/, 'the program runs');

# The snippets, with the paths of this installation.
for my $kind (HotCert::Server->kinds) {
    my $snippet = $kind eq 'nginx' ? $files[4] : $files[3];
    (my $text = slurp("$into$snippet")) =~ s{ (/usr/lib/\w+/modules/)}{ $into$1};
    my $s = HotCert::Server->make($kind);
    $s->configure(no_module => 1, hosts => []);
    my $conf = slurp($s->{conf});
    $conf =~ s/^(LoadModule ssl_module.*\n)/$1$text/m if $kind eq 'httpd';
    $conf = $text . $conf if $kind eq 'nginx';
    spew($s->{conf}, $conf . ($kind eq 'httpd' ? "HotCert off\n" : ''));
    $s->{last} = undef;
    ($code, $out) = $s->configtest;
    is($code, 0, "$kind loads the module by its snippet") or diag $out;
}

($code, $out) = run(@make, 'uninstall');
is($code, 0, 'make uninstall');
is(join(' ', files_below($into)), '', 'nothing is left');

# The agent's user, made on a copy of /etc in a mount namespace of its own: this machine keeps its users.
{
    my $dir = temp_dir() . '/user';
    mkdir $_ for $dir, "$dir/sysusers.d";
    my $script = <<"SH";
set -eu
cp -a /etc $dir/etc
mount --bind $dir/etc /etc
mkdir -p /usr/lib/sysusers.d
mount --bind $dir/sysusers.d /usr/lib/sysusers.d
if id hotcert >/dev/null 2>&1; then userdel hotcert; fi
sh packaging/install.sh user $dir/list
echo "id \$(id -u hotcert) shell \$(getent passwd hotcert | cut -d: -f7)"
echo again
sh packaging/install.sh user $dir/list
echo gone
sh packaging/install.sh uninstall $dir/list
id -u hotcert >/dev/null && echo still there
ls /usr/lib/sysusers.d
SH
    ($code, $out) = run('unshare', '-m', 'sh', '-c', $script);
    is($code, 0, 'make install makes the user') or diag $out;
    like($out, qr/^created the system user hotcert/m, 'and says so');
    like($out, qr/^id [1-9]\d* shell \S*nologin$/m, 'it is no person\'s');
    like($out, qr/^again\ngone$/m, 'once');
    like($out, qr/^gone\nkept the system user hotcert.*userdel hotcert\nstill there\n\z/m,
        'make uninstall leaves it, says how to remove it, and takes its description away') or diag $out;
}

# One server is enough: the other is named with what brings it.
for my $absent ([ 'NGINX=/nowhere/nginx', 'nginx', 'apache2', 'nginx-dev' ], [ 'APXS=/nowhere/apxs', 'httpd', 'nginx', 'apache2-ssl-dev' ]) {
    my ($without, $server, $other, $package) = @$absent;
    ($code, $out) = run({ _seconds => 300 }, @make, $without, 'install');
    is($code, 0, "$without: make install") or diag $out;
    like($out, qr/^skipping ${server}'s module: .*$package/m, 'says what is skipped, and which package brings it');
    is(scalar(grep { m{/usr/lib/.*\.so$} } files_below($into)), 1, 'the other module alone is installed');
    ok((grep { m{/usr/lib/$other/modules/} } files_below($into)), "it is that of $other");
    ($code, $out) = run(@make, $without, 'uninstall');
    is(join(' ', files_below($into)), '', 'and taken away');
}
done_testing;
