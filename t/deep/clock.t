#!/usr/bin/perl
# An agent whose clock jumps, there and back: what serves goes on, nothing is ordered by the dozen, and with the
# right clock all is as it was.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Deep;
use HotCert::Scenario;

# The program under a clock that a file sets ("+30d"); it is read all the time.
sub program_of {
    my ($s) = @_;
    my ($library) = glob '/usr/lib/*/faketime/libfaketime.so.1';
    my $at = "$s->{dir}/hotcert-at";
    spew($at, "#!/bin/sh\nLD_PRELOAD=$library FAKETIME_TIMESTAMP_FILE=$s->{dir}/now FAKETIME_NO_CACHE=1 "
        . "FAKETIME_DONT_FAKE_MONOTONIC=1 exec " . $s->program . " \"\$\@\"\n", 0755);
    return $at;
}

scenario jumps_of_the_clock => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    spew("$s->{dir}/now", "+0\n", 0644);
    $s->configure(ca => $ca, main => [ [ agent => program_of($s) ] ], hosts => [ map { { names => ["$_.test"], hotcert => 'on' } } qw(a b) ]);
    $s->start;
    ok(wait_served($s->tls_port, "$_.test", $ca->root, seconds => 60), "$_.test obtained") for qw(a b);
    my ($end, $jumps) = (deadline(120), 0);
    do {
        my $to = one_of('-1', '+') . one_of('1', '9', '50', '300') . one_of('', 'm', 'h', 'd', 'y');
        $to =~ s/^-1(?=\d)/-/;
        my $orders = $ca->count_of('orders');
        spew("$s->{dir}/now.new", "$to\n", 0644);
        rename "$s->{dir}/now.new", "$s->{dir}/now";
        wait_for(3, sub { $ca->count_of('orders') > $orders + 8 }, 0.3);
        cmp_ok($ca->count_of('orders') - $orders, '<=', 8, "$to: not many orders");
        ok(wait_served($s->tls_port, "$_.test", $ca->root, seconds => 20), "$to: $_.test is served") for qw(a b);
        $jumps++;
    } until over($end) || !Test::More->builder->is_passing;
    spew("$s->{dir}/now", "+0\n", 0644);
    my $state = sub { my ($c, $data) = listed($s); join ' ', map { $_->{state} } @{ $data->{certificates} // [] } };
    ok(wait_for(60, sub { $state->() =~ /^ok(?: ok)*$/ }), 'with the right clock all is ok') or diag $state->();
    my $l = look($s->tls_port, sni => 'a.test');
    wait_for(30, sub { my ($c) = $s->hotcert('renew', 'a.test', '--force'); $c == 0 }, 0.5);
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $l->{serial}, seconds => 60), 'and another certificate is had');
    tell_figures(jumps => $jumps, orders => $ca->count_of('orders'));
};

done_testing;
