#!/usr/bin/perl
# Too few descriptors, too small files, too little memory (prlimit on what runs, and on the start): what
# serves goes on, what cannot be done is said, and all is well when there is enough again.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Deep;
use HotCert::Scenario;

my %limits = (
    nofile => [ 8, 12, 20, 40 ],                        # descriptors
    fsize => [ 0, 100, 1000 ],                          # bytes of a file
    as => [ 24 << 20, 60 << 20, 100 << 20, 160 << 20 ], # address space
);

sub limit {
    my ($pid, $what, $value) = @_;
    my ($code) = run('prlimit', '--pid', $pid, "--$what=$value:");    # the soft one: it can be raised again
    return $code == 0;
}

scenario agent_and_keeper_with_too_little => (crashes => 1, sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $l = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60) or die 'never served';
    my ($end, $turns, $died) = (deadline(120), 0, 0);
    do {
        my $who = chance(3) ? 'agent' : 'keeper';
        my $what = one_of(sort keys %limits);
        my $value = one_of(@{ $limits{$what} });
        my $pid = $who eq 'agent' ? $s->agent : $s->processes->{keeper}[0];
        ok(defined $pid, "there is a $who");
        limit($pid, $what, $value) if $pid;
        $s->hotcert('renew', 'a.test', '--force');
        wait_for(4, sub { look($s->tls_port, sni => 'a.test')->{serial} ne $l->{serial} }, 0.3);
        ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 10), "a certificate of the CA is served: $who, $what $value");
        $died++ unless alive($pid);
        limit($pid, $what, 'unlimited') || limit($pid, $what, 20000) if alive($pid);
        $s->reload if !@{ $s->processes->{keeper} };
        $l = look($s->tls_port, sni => 'a.test');
        # what failed on this machine pauses by itself: a new life asks at once
        my $agent = $s->agent(60);
        kill 'KILL', $agent if $agent && chance(2);
        wait_for(60, sub { my ($c) = $s->hotcert('renew', 'a.test', '--force'); $c == 0 }, 0.5);
        my $next = wait_served($s->tls_port, 'a.test', $ca->root, not => $l->{serial}, seconds => 90);
        ok($next, 'with enough again another certificate is had') or diag "$who, $what $value";
        $l = $next if $next;
        $turns++;
    } until over($end) || !Test::More->builder->is_passing;
    is($ca->count_of('accounts'), 1, 'one account');
    tell_figures(turns => $turns, died => $died);
});

scenario a_start_with_too_little => (crashes => 1, sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $l = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60) or die 'never served';
    my ($end, $starts, $refused) = (deadline(60), 0, 0);
    do {
        $s->stop;
        my ($what, $value) = @{ one_of([ nofile => 16 ], [ nofile => 24 ], [ nofile => 64 ], [ fsize => 1 << 20 ], [ fsize => 16 << 20 ],
            [ as => 120 << 20 ], [ as => 300 << 20 ]) };
        $s->{wrap} = [ 'prlimit', "--$what=$value" ];
        my $began = time;
        my ($code, $out) = $s->try_start;
        cmp_ok(time - $began, '<', 50, "a start ends ($what $value)");
        if ($code != 0) { $refused++; like($out, qr/\w+ \w+ \w+/, "a refusal is told ($what $value)") }
        $s->kill_hard;
        delete $s->{wrap};
        is(($s->try_start)[0], 0, 'with enough it starts');
        $s->wait_listening;
        ok(wait_for(60, sub { serves($s, 'a.test', $l->{serial}) }), 'and serves what is stored') or diag "$what $value";
        $starts++;
    } until over($end) || !Test::More->builder->is_passing;
    is($ca->count_of('orders'), 1, 'nothing was ordered anew');
    tell_figures(starts => $starts, refused => $refused);
});

done_testing;
