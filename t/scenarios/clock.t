#!/usr/bin/perl
# An agent whose clock is behind: noticed, said, and over when the clock is right again.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

# The program, run under a clock that is $offset away ("-30d"); the servers' own clocks are right.
sub program_at {
    my ($s, $offset) = @_;
    my ($library) = glob '/usr/lib/*/faketime/libfaketime.so.1';
    my $at = "$s->{dir}/hotcert-at";
    spew($at, "#!/bin/sh\nLD_PRELOAD=$library FAKETIME=$offset FAKETIME_DONT_FAKE_MONOTONIC=1 exec " . $s->program . " \"\$\@\"\n");
    chmod 0755, $at;
    return $at;
}

sub state_of {
    my ($s, $name) = @_;
    my ($code, $data) = listed($s);
    my ($found) = grep { $_->{names}[0] eq $name } @{ $data->{certificates} // [] };
    return $found ? $found->{state} : '';
}

scenario a_clock_that_is_behind => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my %conf = (ca => $ca, hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->configure(%conf);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'obtained');
    $s->stop;
    my $mark = $s->log_mark;
    $s->configure(%conf, main => [ [ agent => program_at($s, '-30d') ] ]);
    $s->start;
    ok($s->wait_log(qr/no orders are placed: this machine's clock is behind.*\(clock-wrong; /, 20, $mark), 'the log says so');
    is(wait_for(20, sub { my $state = state_of($s, 'a.test'); $state eq 'clock-wrong' && $state }), 'clock-wrong', 'and `list`, though nothing is due');
    my ($code, $out) = $s->hotcert('renew', '--force', 'a.test');
    like($out, qr/clock-wrong/, 'and `renew`');
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'what is served goes on');
    $s->stop;
    $mark = $s->log_mark;
    $s->configure(%conf);
    $s->start;
    is(wait_for(20, sub { my $state = state_of($s, 'a.test'); $state eq 'ok' && $state }), 'ok', 'with the clock right all is well');
    unlike($s->log_since($mark), qr/clock-wrong/, 'and nothing is said');
};

done_testing;
