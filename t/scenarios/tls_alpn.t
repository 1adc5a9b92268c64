#!/usr/bin/perl
# tls-alpn-01: the TLS listeners of the hosts answer a CA that validates, ahead of everything that a
# host is configured to do, and nobody else.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;
use Time::Local qw(timegm);

my @alone = ([ challenge => 'tls-alpn-01' ], [ preflight => 'off' ]);
my $identifier = '1.3.6.1.5.5.7.1.31';

# A CA for whom port 80 is closed.
sub tls_only { my ($s, %opt) = @_; return pebble(http_port => free_port(), tls_port => $s->tls_port, %opt) }

sub days_left {
    my ($l) = @_;
    my ($y, $m, $d) = ($l && $l->{chain}[0] ? $l->{chain}[0]{not_after} : '') =~ /^(\d+)-(\d+)-(\d+)/ or return -1;
    return (timegm(0, 0, 0, $d, $m - 1, $y) - time) / 86400;
}

scenario a_certificate_comes_without_port_80 => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    $s->configure(ca => $ca, main => [ @alone ], hosts => [ { names => [ 'a.test', 'b.test' ], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60);
    ok($first, 'it is served');
    is("@{ $first ? $first->{names} : [] }", 'a.test b.test', 'for both names');
    my ($code, $out) = $s->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'it is renewed') or diag $out;
    ok(wait_served($s->tls_port, 'b.test', $ca->root, not => $first ? $first->{serial} : ''), 'and the new one is served');
    is($ca->count_of('orders'), 2, 'by two orders');
};

# Without a look beforehand, so that it is the CA that finds port 80 closed.
scenario what_worked_is_remembered_after_a_restart => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ] ], hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    ok($s->wait_log(qr/a\.test: no certificate/, 60), 'http-01 fails');
    my ($code, $out) = $s->hotcert('renew', 'a.test');
    is($code, 0, 'the order is placed again') or diag $out;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60);
    ok($first, 'tls-alpn-01 works in its place');
    is($ca->count_of('orders'), 2, 'in a new order');
    $s->restart;
    ($code, $out) = $s->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'renewed after a restart') or diag $out;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $first ? $first->{serial} : '', seconds => 60), 'it comes');
    is($ca->count_of('orders'), 3, 'at the first try');
};

# The block of an issuer says what it is asked for.
scenario an_issuer_has_methods_of_its_own => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    my %block = HotCert::Server::issuers($s, ca => $ca);
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ], [ challenge => 'http-01' ] ],
        issuers => { pebble => [ @{ $block{pebble} }, [ challenge => 'tls-alpn-01' ] ] },
        hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'the issuer counts, not the main level');
    is($ca->count_of('orders'), 1, 'at once');
};

# An issuer that connects to this server's own ports.
sub inside { my ($s, $ca) = @_; my %block = HotCert::Server::issuers($s, ca => $ca); return (pebble => [ @{ $block{pebble} }, [ tls_port => $s->tls_port ] ]) }

scenario a_method_that_would_fail_is_not_tried => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    $s->configure(ca => $ca, issuers => { inside($s, $ca) }, hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'the look sees that port 80 is closed, and TLS is not');
    is($ca->count_of('orders'), 1, 'the first order is proved over TLS');
    unlike($s->log_text, qr/unreachable|wrong-answer/, 'and nothing is wrong with that');
};

# What stands in front of the host answers with a certificate of its own, as a CDN does.
scenario another_server_in_front_is_named => sub {
    my ($kind) = @_;
    my ($s, $front) = (server($kind), server($kind));
    my $ca = pebble(http_port => free_port(), tls_port => $front->tls_port);
    my $edge = make_ca('Edge CA');
    my $leaf = make_leaf($edge, [ 'edge.invalid' ]);
    my %block = HotCert::Server::issuers($s, ca => $ca);
    $front->configure(no_module => 1, hosts => [ { names => [ 'edge.invalid' ], pair => [ $leaf->{cert}, $leaf->{key} ] } ]);
    $front->start;
    $s->configure(ca => $ca, issuers => { pebble => [ @{ $block{pebble} }, [ tls_port => $front->tls_port ] ] },
        main => [ [ challenge => 'tls-alpn-01' ] ], hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    ok($s->wait_log(qr/a\.test: .*port @{[ $front->tls_port ]}: .*(?:certificate of edge\.invalid, issued by Edge CA|refuses the handshake \(alert 120).*tls-wrong-answer/, 60), 'it is named');
};

# RFC 8738: an address is asked for by its name in the reverse zone.
scenario an_address_is_proved_and_certified => sub {
    my ($kind) = @_;
    for my $method ('tls-alpn-01', 'http-01') {
        my $s = server($kind);
        my $ca = pebble(http_port => $method eq 'http-01' ? $s->http_port : free_port(),
            tls_port => $method eq 'http-01' ? free_port() : $s->tls_port, profiles => { shortlived => 6 * 86400, map { $_ => 80 * 86400 } 'a' .. 'h' });
        my %block = HotCert::Server::issuers($s, ca => $ca);
        my @tls = $method eq 'tls-alpn-01' ? [ tls_port => $s->tls_port ] : ();
        $s->configure(ca => $ca, main => [ [ challenge => $method ] ],
            issuers => { pebble => [ @{ $block{pebble} }, @tls, [ network => 'private' ], [ address_profile => 'shortlived' ] ] },
            hosts => [ { names => [ '127.0.0.1' ], hotcert => 'on', default => 1, set => [ [ names => '127.0.0.1', 'a.test' ] ] },
                { names => [ 'b.test' ], hotcert => 'on' } ]);
        $s->start;
        ok(wait_served($s->tls_port, 'b.test', $ca->root, seconds => 60), "by $method: the other host");
        my $l = wait_for(60, sub { my $l = look($s->tls_port, ca => $ca->root); $l->{ok} && $l->{verify} == 0 ? $l : undef });
        is($l ? "@{ $l->{ips} } @{ $l->{names} }" : '', '127.0.0.1 a.test', 'who asks without a name is served the address');
        cmp_ok(days_left($l), '<', 7, 'with the profile for addresses (Pebble picks any where none is asked for)');
        $s->stop;
    }
};

done_testing;
