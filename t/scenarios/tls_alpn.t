#!/usr/bin/perl
# tls-alpn-01: the TLS listeners of the hosts answer a CA that validates, ahead of everything that a
# host is configured to do, and nobody else.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my @alone = ([ challenge => 'tls-alpn-01' ], [ preflight => 'off' ]);
my $identifier = '1.3.6.1.5.5.7.1.31';

# A CA for whom port 80 is closed.
sub tls_only { my ($s, %opt) = @_; return pebble(http_port => free_port(), tls_port => $s->tls_port, %opt) }

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

done_testing;
