#!/usr/bin/perl
# docs/hardening.md: with what its lines do, both servers obtain, watch, swap and reload; each line that
# hotcert needs is missed when it is away. The lines are read from the page.
use strict;
use warnings;
use lib 't/lib';
use File::Temp ();
use HotCert::Rig qw(run spew slurp temp_dir build_dir);
use HotCert::Scenario;

# { nginx => { StateDirectory => 'hotcert', .. }, httpd => { .. } } and the text of each drop-in
my (%line, %drop_in);
my $kind;
for my $text (split /\n/, slurp('docs/hardening.md')) {
    $kind = $1 eq 'nginx' ? 'nginx' : 'httpd' if $text =~ m{^    # /etc/systemd/system/(\w+)\.service\.d/};
    undef $kind if $text =~ /^\S/;
    next unless $kind && $text =~ s/^    //;
    $drop_in{$kind} .= "$text\n";
    $line{$kind}{$1} = $2 if $text =~ /^(\w+)=(.*)/;
}
is(join(' ', sort keys %line), 'httpd nginx', 'the page has a drop-in for each server');

my %number = (AF_UNIX => 1, AF_INET => 2, AF_INET6 => 10, AF_NETLINK => 16);

# Lines that confine.pl does by one word, and what they must say for it.
my %word = (PrivateTmp => [ '--private-tmp', 'yes' ], PrivateDevices => [ '--private-devices', 'yes' ], ProtectClock => [ '--protect-clock', 'yes' ],
    ProtectKernelTunables => [ '--protect-tunables', 'yes' ], ProtectKernelModules => [ '--protect-modules', 'yes' ],
    ProtectControlGroups => [ '--protect-cgroups', 'yes' ], RestrictNamespaces => [ '--restrict-namespaces', 'yes' ],
    RestrictSUIDSGID => [ '--restrict-suid', 'yes' ], LockPersonality => [ '--lock-personality', 'yes' ],
    MemoryDenyWriteExecute => [ '--deny-write-execute', 'yes' ], SystemCallArchitectures => [ '--native-calls', 'native' ]);
# Folders that systemd makes; here the scenario's own stand for them.
my @made = qw(StateDirectory RuntimeDirectory RuntimeDirectoryPreserve);
# The others, each done by words of its own below.
my @own = qw(ProtectSystem ReadWritePaths NoExecPaths RestrictAddressFamilies CapabilityBoundingSet NoNewPrivileges ProtectHome);
for my $name (sort keys %line) {
    is(join(' ', grep { my $l = $_; !grep { $_ eq $l } keys %word, @made, @own } sort keys %{ $line{$name} }), '', "$name: no line of the page is left untried");
    is($line{$name}{$_}, $word{$_}[1], "$name: $_") for sort keys %word;
}

# The words of confine.pl for the lines of this server, with the scenario's folders in the place of the
# system's: logs, pid file, state and control socket lie in one. without => a line that is left out.
sub confined {
    my ($s, %opt) = @_;
    my %has = %{ $line{ $s->name } };
    my @words = ($^X, "$ENV{PWD}/t/lib/confine.pl");
    push @words, '--families', join(',', map { $number{$_} // die $_ } split ' ', $has{RestrictAddressFamilies});
    push @words, '--read-only' if $has{ProtectSystem} eq 'strict';
    push @words, '--writable', $s->{dir} if $has{ReadWritePaths};
    push @words, map { ('--read-only-again', $_) } @{ $opt{read_only} // [] };
    push @words, '--no-exec', $opt{no_exec} // $s->{dir} if $has{NoExecPaths};
    push @words, '--caps', join(',', grep { $_ ne ($opt{without} // '') } map { lc s/^CAP_//r } split ' ', $has{CapabilityBoundingSet});
    push @words, '--no-new-privs' if $has{NoNewPrivileges} eq 'yes';
    push @words, '--protect-home', $opt{home} // $has{ProtectHome};
    push @words, map { $word{$_}[0] } grep { exists $has{$_} } sort keys %word;
    # the test's folder lies in /tmp, and the module perhaps in a home
    push @words, '--keep', temp_dir(), '--keep', build_dir();
    return [ @words, '--' ];
}

# What the words do, or nothing: system calls that harm nobody where they are allowed, and files.
my $probe = spew(temp_dir() . '/probe.pl', <<'PROBE', 0755);
use strict; use warnings; use POSIX ();
my %nr = (POSIX::uname())[4] eq 'aarch64'
    ? (clock_settime => 112, finit_module => 273, unshare => 97, clone3 => 435, fchmod => 52, personality => 92, mprotect => 226, mmap => 222)
    : (clock_settime => 227, finit_module => 313, unshare => 272, clone3 => 435, fchmod => 91, personality => 135, mprotect => 10, mmap => 9);
sub call { my ($name, @args) = @_; $! = 0; return syscall($nr{$name}, @args) == -1 ? 0 + $! : 0 }
print join ' ', 'tmp=' . (-e $ENV{MARK_TMP} ? 'shared' : 'own'), 'dev=' . ((stat '/dev')[0] == $ENV{DEV} ? 'shared' : 'own'), 'home=' . (-e $ENV{MARK_HOME} ? 'seen' : 'hidden'),
    'sysctl=' . do { open(my $f, '>>', '/proc/sys/kernel/core_pattern') ? 'open' : $!{EROFS} ? 'read-only' : "$!" },
    'clock=' . call('clock_settime', -1, 0), 'module=' . call('finit_module', -1, '', 0), 'unshare=' . call('unshare', 0x04000000), 'clone3=' . call('clone3', 0, 0),
    'suid=' . call('fchmod', -1, 06755), 'chmod=' . call('fchmod', -1, 0755), 'personality=' . call('personality', 0x0040000),
    'wx=' . call('mmap', 0, 4096, 7, 0x22, -1, 0), 'mprotect=' . call('mprotect', 0, 0, 5);
PROBE
my %mark = (MARK_TMP => File::Temp->new(DIR => '/var/tmp'), MARK_HOME => File::Temp->new(DIR => '/root'), DEV => (stat '/dev')[0]);
sub probed {
    my ($code, $out) = run({%mark}, $^X, 't/lib/confine.pl', @_, '--keep', temp_dir(), '--', $^X, $probe);
    return { $out =~ /(\w+)=(\S+)/g, out => "$code $out" };
}
{
    my ($free, %changed) = (probed());
    # EPERM 1, EBADF 9, EINVAL 22, ENOSYS 38
    for my $case ([ ['--private-tmp'], tmp => 'own' ], [ ['--private-devices'], dev => 'own' ], [ [ '--protect-home', 'yes' ], home => 'hidden' ],
        [ ['--protect-tunables'], sysctl => 'read-only' ], [ ['--protect-clock'], clock => 1 ], [ ['--protect-modules'], module => 1 ],
        [ ['--restrict-namespaces'], unshare => 1, clone3 => 38 ], [ ['--restrict-suid'], suid => 1 ], [ ['--lock-personality'], personality => 1 ],
        [ ['--deny-write-execute'], wx => 1, mprotect => 1 ], [ ['--native-calls'] ]) {
        my ($words, %expected) = @$case;
        my $got = probed(@$words);
        is_deeply({ map { $_ => $got->{$_} } grep { $_ ne 'out' && $got->{$_} ne $free->{$_} } keys %$got }, \%expected, "@$words refuses that and no more")
            or diag "$free->{out}\n$got->{out}";
    }
}

scenario the_page_s_lines_leave_everything_working => sub {
    my ($name) = @_;
    my $s = server($name);
    my $ca = pebble(http_port => $s->http_port);
    $s->{wrap} = confined($s);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $l = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    ok($l, 'a certificate is obtained and served');
    unlike($s->log_text, qr/dns-not-here/, 'which addresses are this machine\'s is not asked');
    unlike($s->log_text, qr/ordering without it|cannot check names before/, 'and the look before the order was made');
    my ($code) = $s->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'the control socket answers');
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $l->{serial}, seconds => 30), 'a renewal is swapped in');
    ($code, my $out) = $s->reload;
    is($code, 0, 'a reload is fine') or diag $out;
    ok(look($s->tls_port, sni => 'a.test', ca => $ca->root)->{ok}, 'and serves');
    my $agent = $s->agent;
    ok($agent, 'with an agent');
    like(slurp("/proc/$agent/status"), qr/^CapEff:\s+0+$/m, 'that has no right of root\'s');
    like(slurp("/proc/$_/status"), qr/^Seccomp:\s+2$/m, 'and the filters are on ' . proc_cmdline($_)) for $s->all_pids;
    is((grep { !-e "/proc/$_/root/home" || (stat "/proc/$_/root/home")[2] & 07777 } $s->all_pids) + 0, 0, 'homes are hidden from all of them');
    ok($s->stop, 'all processes end with the server');
};

scenario a_folder_that_cannot_be_written_is_named => sub {
    my ($name) = @_;
    my $s = server($name);
    mkdir $s->{state};
    $s->{wrap} = confined($s, read_only => [ $s->{state} ]);
    $s->configure(issuers => { own => [ [ directory_url => 'https://127.0.0.1:1/dir' ], [ terms_agreed => 'on' ] ] }, main => [ [ use => 'own' ] ],
        hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    my ($code, $out) = $s->try_start;
    isnt($code, 0, 'without StateDirectory= or ReadWritePaths= the start is refused');
    like($out . $s->log_text, qr/\Q$s->{state}\E\S*: .*Read-only file system/, 'and the path is named');
};

scenario a_program_that_may_not_be_run_is_named => sub {
    my ($name) = @_;
    my $s = server($name);
    $s->{wrap} = confined($s, no_exec => temp_dir());
    $s->configure(issuers => { own => [ [ directory_url => 'https://127.0.0.1:1/dir' ], [ terms_agreed => 'on' ] ] }, main => [ [ use => 'own' ] ],
        hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    my ($code, $out) = $s->try_start;
    isnt($code, 0, 'a program below NoExecPaths= refuses the start');
    like($out . $s->log_text, qr{\Q@{[ HotCert::Server::program() ]}\E.*Permission denied}, 'and the program is named');
};

scenario each_capability_is_needed => sub {
    my ($name) = @_;
    for my $cap (qw(setuid setgid chown)) {
        my $s = server($name);
        $s->{wrap} = confined($s, without => $cap);
        $s->configure(issuers => { own => [ [ directory_url => 'https://127.0.0.1:1/dir' ], [ terms_agreed => 'on' ] ] }, main => [ [ use => 'own' ] ],
            hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
        my ($code, $out) = $s->try_start;
        my $said = wait_for(10, sub { ($out . $s->log_text) =~ /Operation not permitted/ });
        ok($said, "without CAP_\U$cap\E it says what is not permitted") or diag "$code $out";
        $s->kill_hard;
    }
};

scenario watched_files_in_a_home_need_its_line_changed => sub {
    my ($name) = @_;
    my $home = File::Temp->newdir('hotcert-XXXXXXXX', DIR => '/root');
    my $root = make_ca('home root');
    my $leaf = make_leaf($root, ['w.test']);
    my %conf = (main => [ [ trusted_certificate => $root->{cert} ] ],
        hosts => [ { names => ['w.test'], hotcert => 'watch', pair => [ write_pair($leaf, "$home/live") ] } ]);
    my $s = server($name);
    $s->{wrap} = confined($s);
    $s->configure(%conf);
    my ($code, $out) = $s->try_start;
    isnt($code, 0, 'ProtectHome=yes hides them, and the start is refused');
    like($out . $s->log_text, qr{\Q$home\E/live/\w+\.pem.*(?:No such file|Permission denied|does not exist)}, 'naming the file');
    $s->{wrap} = confined($s, home => 'read-only');
    $s->start;
    is(look($s->tls_port, sni => 'w.test')->{serial}, $leaf->{serial}, 'with ProtectHome=read-only they are served');
    my $next = make_leaf($root, ['w.test']);
    write_pair($next, "$home/live");
    ok(wait_for(15, sub { look($s->tls_port, sni => 'w.test')->{serial} eq $next->{serial} }), 'and followed');
};

scenario a_secret_from_a_credential_is_taken => sub {
    my ($name) = @_;
    my $s = server($name);
    my $ca = pebble(http_port => $s->http_port);
    my $folder = "$s->{dir}/credentials";
    mkdir $folder, 0500;
    spew("$folder/hotcert", ('0123456789abcdef' x 4) . "\n", 0400);
    $s->{secret} = "$folder/hotcert";
    $s->{wrap} = confined($s, read_only => [$folder]);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'as LoadCredential= hands it over, it seals the store');
};

{
    my $analyze = (grep { -x } '/usr/bin/systemd-analyze', '/bin/systemd-analyze')[0];
    ok($analyze, 'systemd-analyze is there') or last;
    for my $name (HotCert::Server::kinds()) {
        my $unit = $name eq 'nginx' ? 'nginx' : 'apache2';
        my $folder = temp_dir() . "/units-$unit";
        mkdir $_ for $folder, "$folder/$unit.service.d";
        spew("$folder/$unit.service", slurp("/lib/systemd/system/$unit.service"), 0644);
        spew("$folder/$unit.service.d/hotcert.conf", $drop_in{$name}, 0644);
        my ($code, $out) = run({ SYSTEMD_UNIT_PATH => "$folder:" }, $analyze, 'verify', "$folder/$unit.service");
        unlike($out, qr/hotcert\.conf/, "$unit.service: systemd finds nothing wrong with the drop-in") or diag $out;
        # a wrong line is found, so the check is one
        spew("$folder/$unit.service.d/hotcert.conf", $drop_in{$name} . "NoSuchLine=yes\n", 0644);
        ($code, $out) = run({ SYSTEMD_UNIT_PATH => "$folder:" }, $analyze, 'verify', "$folder/$unit.service");
        like($out, qr/hotcert\.conf:\d+: .*NoSuchLine/, "$unit.service: but it finds a line that is none");
    }
}

done_testing;
