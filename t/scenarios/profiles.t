#!/usr/bin/perl
# Certificate profiles: what a host or an issuer asks for, what the CA offers, and what becomes of it.
use strict;
use warnings;
use lib 't/lib';
use Time::Local qw(timegm);
use HotCert::Scenario;

my %offer = (profiles => { brief => 6 * 86400, long => 80 * 86400 });

# Days from now to the end of what is served; -1: nothing.
sub days_left {
    my ($l) = @_;
    my $end = $l && $l->{chain}[0] ? $l->{chain}[0]{not_after} : return -1;
    my ($y, $m, $d, $h) = $end =~ /^(\d+)-(\d+)-(\d+)T(\d+)/ or return -1;
    return int((timegm(0, 0, $h, $d, $m - 1, $y) - time) / 86400 + 0.5);
}

# The error of its certificate in `hotcert list`, when it has failed.
sub failure {
    my ($s, $name) = @_;
    return (wait_for(30, sub {
        my (undef, $data) = listed($s, $name);
        my ($c) = @{ ($data // {})->{certificates} // [] };
        return $c && $c->{state} eq 'failed' ? $c : undef;
    }) || {})->{error};
}

scenario each_host_gets_the_profile_that_it_asks_for => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, %offer);
    my %block = HotCert::Server::issuers($s, ca => $ca);
    $s->configure(ca => $ca, issuers => { pebble => [ @{ $block{pebble} }, [ profile => 'long' ] ] }, hosts => [
        { names => ['brief.test'], hotcert => 'on', set => [ [ profile => 'brief', 'required' ] ] },
        { names => ['plain.test'], hotcert => 'on' },
        { names => ['wish.test'], hotcert => 'on', set => [ [ profile => 'golden' ] ] },
        { names => ['must.test'], hotcert => 'on', set => [ [ profile => 'golden', 'required' ] ] } ]);
    $s->start;
    is(days_left(wait_served($s->tls_port, 'brief.test', $ca->root, seconds => 60)), 6, 'a profile of its own');
    is(days_left(wait_served($s->tls_port, 'plain.test', $ca->root, seconds => 60)), 80, "the issuer's");
    # Pebble draws one by lot then
    ok(wait_served($s->tls_port, 'wish.test', $ca->root, seconds => 60), 'one that the CA does not have: ordered without');
    my $error = failure($s, 'must.test');
    is($error->{problem}, 'ca-says-profile', 'one that it does not have and that is required: no order');
    like($error->{message}, qr/golden.*pebble: it offers .*brief/, 'what there is');
    ok(bootstrap_served($s->tls_port, 'must.test', $ca->bundle), 'the bootstrap certificate serves');
    ok($s->wait_log(qr/does not issue with the profile "golden"/, 20), 'the log says that an order went without it ..');
    my @lines = grep { /does not issue with the profile "golden"/ } split /\n/, $s->log_text;
    is(scalar @lines, 1, '.. once') or diag join "\n", @lines;
    is($ca->count_of('orders'), 3, 'three orders');
};

scenario a_changed_profile_is_ordered_at_once => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, %offer);
    my %block = HotCert::Server::issuers($s, ca => $ca);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on', set => [ [ profile => 'default' ] ] } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    is(days_left($first), 90, 'one profile');
    $ca->stop;
    my $old = spew(temp_dir() . "/old-root-$kind.pem", slurp($ca->root));
    $s->reconfigure(hosts => [ { names => ['a.test'], hotcert => 'on', set => [ [ profile => 'brief' ] ] } ]);
    my ($code, $out) = $s->reload;
    is($code, 0, 'the reload is accepted') or diag $out;
    my $seen = serials_of($s->tls_port, 8, sni => 'a.test', ca => $old);
    is(join(' ', keys %$seen), $first->{serial}, 'the old certificate serves until there is a new one');
    $ca->start;
    is(days_left(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60)), 6, 'which comes at once');
    $s->reconfigure(hosts => [ { names => ['a.test'], hotcert => 'on' } ],
        issuers => { pebble => [ @{ $block{pebble} }, [ profile => 'long' ] ] });
    $s->reload;
    ok(wait_for(60, sub { days_left(look($s->tls_port, sni => 'a.test', ca => $ca->root)) == 80 }), 'so it is when the issuer changes');
};

scenario a_required_profile_takes_no_certificate_without_it => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, %offer);
    my $host = sub { { names => ['a.test'], hotcert => 'on', set => [ [ profile => @_ ] ] } };
    $s->configure(ca => $ca, hosts => [ $host->('golden') ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60) or die 'never served';
    $s->reconfigure(hosts => [ $host->('golden', 'required') ]);
    my ($code, $out) = $s->reload;
    is($code, 0, 'the reload is accepted') or diag $out;
    is((failure($s, 'a.test') // {})->{problem}, 'ca-says-profile', 'what was ordered without the profile is not the one that is required');
    is(look($s->tls_port, sni => 'a.test', ca => $ca->root)->{serial}, $first->{serial}, 'it serves on');
    $s->reconfigure(hosts => [ $host->('brief', 'required') ]);
    $s->reload;
    # without a profile Pebble draws one by lot: it may have been this one
    is(days_left(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60, not => $first->{serial})), 6, 'one that the CA has is ordered');
    my $orders = $ca->count_of('orders');
    $s->reconfigure(hosts => [ $host->('brief') ]);
    $s->reload;
    ok($s->wait_log(qr/a\.test.*no order needed/, 30), 'who only wishes for it takes the same');
    is($ca->count_of('orders'), $orders, 'without an order');
};

done_testing;
