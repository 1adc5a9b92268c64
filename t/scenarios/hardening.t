#!/usr/bin/perl
# docs/hardening.md: with what its lines do, both servers obtain, watch, swap and reload; each line that
# hotcert needs is missed when it is away. The lines are read from the page.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Rig qw(run spew slurp temp_dir);
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
    return [ @words, '--' ];
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
    unlike($s->log_text, qr/ordered without a look|preflight could not/, 'and the look before the order was made');
    my ($code) = $s->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'the control socket answers');
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $l->{serial}, seconds => 30), 'a renewal is swapped in');
    ($code, my $out) = $s->reload;
    is($code, 0, 'a reload is fine') or diag $out;
    ok(look($s->tls_port, sni => 'a.test', ca => $ca->root)->{ok}, 'and serves');
    my $agent = $s->agent;
    ok($agent, 'with an agent');
    like(slurp("/proc/$agent/status"), qr/^CapEff:\s+0+$/m, 'that has no right of root\'s');
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
