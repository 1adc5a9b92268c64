#!/usr/bin/perl
# A CA that offers a certificate with several chains (RFC 8555 section 7.4.2), and which of them is served.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

# The common name of root i, and its PEM in a file.
sub root {
    my ($ca, $i) = @_;
    my $file = "$ca->{dir}/root$i.pem";
    spew($file, $ca->manage("/roots/$i"), 0644);
    my ($cn) = (HotCert::Client::pem_info(slurp($file))->{subject} =~ /CN=(.+?)(?:\/|$)/);
    return ($cn, $file);
}

scenario the_preferred_chain_is_served_if_it_is_sound => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, env => { PEBBLE_ALTERNATE_ROOTS => 2, PEBBLE_CHAIN_LENGTH => 2 });
    my ($cn0, $file0) = root($ca, 0);
    my ($cn2, $file2) = root($ca, 2);
    my %block = HotCert::Server::issuers($s, ca => $ca);
    my $both = spew("$ca->{dir}/roots.pem", slurp($file0) . slurp($file2), 0644);
    my %with = (issuers => { pebble => [ @{ $block{pebble} }, [ preferred_chain => $cn2 ] ] });
    $s->configure(ca => $ca, %with, main => [ [ trusted_certificate => $both ] ], hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $l = wait_served($s->tls_port, 'a.test', $file2, seconds => 60);
    ok($l, 'a client that trusts that root alone is served');
    is(scalar @{ $l ? $l->{chain} : [] }, 3, 'with two intermediates');
    isnt(look($s->tls_port, sni => 'a.test', ca => $file0)->{verify}, 0, 'one that trusts the other root alone is not');

    # only the default's root is trusted here: the preferred chain would be worse
    $s->configure(ca => $ca, %with, main => [ [ trusted_certificate => $file0 ] ], hosts => [ { names => ['b.test'], hotcert => 'on' } ]);
    $s->reload;
    ok(wait_served($s->tls_port, 'b.test', $file0, seconds => 60), 'the default chain is served where the preferred one is not sound');
    ok($s->wait_log(qr/preferred chain is not sound.*untrusted-root/, 20), 'the log says why');

    $s->configure(ca => $ca, issuers => { pebble => [ @{ $block{pebble} }, [ preferred_chain => 'No Such Root' ] ] },
        main => [ [ trusted_certificate => $both ] ], hosts => [ map { { names => [$_], hotcert => 'on' } } 'c.test', 'd.test' ]);
    $s->reload;
    ok(wait_served($s->tls_port, $_, $file0, seconds => 60), "$_ has the default chain where there is none such") for 'c.test', 'd.test';
    ok($s->wait_log(qr/offers no chain that ends at/, 20), 'the log says so ..');
    my @lines = grep { /offers no chain that ends at "No Such Root", of 3; using its default, which ends at "\Q$cn0\E"/ } split /\n/, $s->log_text;
    is(scalar @lines, 1, '.. once') or diag $s->log_text;
};

done_testing;
