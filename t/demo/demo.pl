#!/usr/bin/perl
# The demonstration: for nginx and for Apache httpd the certificate before, after it was obtained from
# a real ACME CA, and after a forced second issuance under load. Ends by itself and leaves nothing,
# unless KEEP=1. Its exit code says whether every figure was as it should be.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Client qw(look wait_served load_start load_stop);
use HotCert::Pebble;
use HotCert::Rig qw(temp_dir run wait_for spew leave_running proc_cmdline descendants);
use HotCert::Server;
use Time::HiRes qw(time sleep);

$| = 1;
my $keep = $ENV{KEEP};
my ($began, $wrong) = (time, 0);
my $name = 'www.example.test';

local $SIG{ALRM} = sub { print "\nthe demonstration took longer than 170 s; giving up\n"; exit 1 };
alarm 170;

sub step { printf "  %5.1f s  %s\n", time - $began, "@_"; return }

# One line for a certificate that a visitor was served.
sub certificate {
    my ($label, $l, $root) = @_;
    my ($issuer) = ($l->{issuer} // '') =~ m{CN=([^/]+)};
    my $verdict = $l->{verify} == 0 ? "verified against Pebble's root" : 'not verified: self-signed';
    step(sprintf '%-18s serial %-34s %s (%s)', $label, $l->{serial} // 'none', $issuer // '?', $verdict);
    return;
}

# Prints a figure and whether it is as it should be.
sub figure {
    my ($good, $text) = @_;
    $wrong++ unless $good;
    step(($good ? 'ok   ' : 'WRONG') . " $text");
    return;
}

sub show {
    my ($kind) = @_;
    my $server = HotCert::Server->make($kind);
    my $ca = HotCert::Pebble->new(http_port => $server->http_port, start => 0);
    $server->configure(ca => $ca, hosts => [ { names => [ $name, 'example.test' ], hotcert => 'on' } ]);
    $server->start;
    my $port = $server->tls_port;
    # A port that answers is the master's; both workers are there a moment later.
    my @workers = @{ wait_for(30, sub { my @w = $server->workers; @w >= $server->{workers} && \@w }) // [] };
    printf "\n%s on https://127.0.0.1:%d, workers %s; the virtual host says `%s` for %s and names no certificate\n",
        $kind eq 'nginx' ? 'nginx' : 'Apache httpd', $port, "@workers",
        $kind eq 'nginx' ? 'hotcert on;' : 'HotCert on', $name;
    certificate('before', look($port, sni => $name, ca => $ca->bundle));
    $ca->start;
    step('the CA starts; hotcert orders a certificate from it');
    my $first = wait_served($port, $name, $ca->root, seconds => 40);
    if (!$first) {
        figure(0, 'no certificate was served within 40 s; see the log: ' . $server->log_path);
        return ($server, $ca);
    }
    certificate('obtained', $first);
    my $load = load_start($port, sni => $name, lanes => 2, hold => 20, ca => $ca->root);
    step('a client makes handshakes continuously and keeps 20 connections open');
    sleep 2;
    my ($code, $out) = $server->hotcert('renew', $name, '--force');
    step("hotcert renew $name --force" . ($code == 0 ? '' : ": $out"));
    my $second = wait_served($port, $name, $ca->root, not => $first->{serial}, seconds => 40);
    sleep 2;
    my $r = load_stop($load);
    certificate('after', $second // { verify => -1 });
    figure($second && $second->{serial} ne $first->{serial}, 'the server presents a new certificate');
    figure($r->{failed} == 0 && $r->{handshakes} > 0, "$r->{handshakes} handshakes, failed $r->{failed}, wrong $r->{wrong}");
    $wrong++ if $r->{wrong};
    figure($r->{dropped} + $r->{held_failed} == 0, "$r->{requests} requests on the 20 open connections, dropped $r->{dropped}");
    my @now = $server->workers;
    figure("@now" eq "@workers", "workers @now" . ("@now" eq "@workers" ? ', the same processes' : ", before @workers"));
    return ($server, $ca);
}

print "hotcert: nginx and Apache httpd obtain certificates from Pebble, an ACME test CA, and swap them while they run.\n";
my @up;
for my $kind (HotCert::Server->kinds) {
    push @up, show($kind);
    if (!$keep) {
        my ($server, $ca) = splice @up;
        $server->stop or figure(0, "$kind did not stop");
        $ca->stop;
    }
}

if ($keep) {
    my $dir = temp_dir();
    my @pids = descendants($$);
    my $stop = spew("$dir/stop", "#!/bin/sh\nkill @pids 2>/dev/null\nsleep 2\nkill -9 @pids 2>/dev/null\nrm -rf $dir\n", 0755);
    print "\nStill running because KEEP is set:\n";
    while (my ($server, $ca) = splice @up, 0, 2) {
        my $port = $server->tls_port;
        print "  $server->{kind}: https://127.0.0.1:$port, configuration $server->{conf}, log $server->{log}\n",
            "    curl --cacert @{[ $ca->root ]} --resolve $name:$port:127.0.0.1 https://$name:$port/\n",
            "    @{[ HotCert::Server::program() ]} list --control $server->{control} --store $server->{store}\n",
            "    @{[ HotCert::Server::program() ]} renew --control $server->{control} $name --force\n";
    }
    print "  To stop and remove everything: sh $stop\n";
    leave_running();
}
printf "\n%s after %.0f s\n", $wrong ? "$wrong of the figures are WRONG" : 'all figures are as expected', time - $began;
exit($wrong ? 1 : 0);
