#!/usr/bin/perl
# Twenty minutes of what a server's months bring: visitors all the time, renewals, changed files, reloads, log
# rotation, killed agents. No handshake fails, nothing grows, one of each process is left.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Deep;
use HotCert::Scenario;

sub descriptors { my ($pid) = @_; return scalar(() = glob "/proc/$pid/fd/*") }
sub resident { my ($pid) = @_; my ($kb) = slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m; return $kb // 0 }

scenario a_long_life => (crashes => 1, sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $own = make_ca('of its own');
    my $leaf = make_leaf($own, ['w.test']);
    $s->configure(ca => $ca, hosts => [ (map { { names => ["s$_.test"], hotcert => 'on' } } 1 .. 3),
        { names => ['w.test'], hotcert => 'watch', pair => [ write_pair($leaf, "$s->{dir}/w") ] } ]);
    $s->start;
    my %serial = map { $_ => (wait_served($s->tls_port, $_, $ca->root, seconds => 60) // {})->{serial} } map { "s$_.test" } 1 .. 3;
    my $end = deadline(1200);
    my ($turn, %first, %did) = (0);
    do {
        # no worker is killed under the load: its connections would end with it, as in any server
        my $load = load_start($s->tls_port, lanes => 2, sni => [ sort(keys %serial), 'w.test' ]);
        for (1 .. 3) {
            my $what = one_of(qw(renew watch reload logs agent));
            $did{$what}++;
            if ($what eq 'renew') {
                my $name = one_of(sort keys %serial);
                wait_for(60, sub { my ($c) = $s->hotcert('renew', $name, '--force'); $c == 0 }, 0.5);
                my $l = wait_served($s->tls_port, $name, $ca->root, not => $serial{$name}, seconds => 90);
                ok($l, 'renewed');
                $serial{$name} = $l->{serial} if $l;
            } elsif ($what eq 'watch') {
                $leaf = make_leaf($own, ['w.test']);
                write_pair($leaf, "$s->{dir}/w");
            } elsif ($what eq 'reload') { is(($s->reload)[0], 0, 'reloaded') }
            elsif ($what eq 'logs') { is(($s->reopen_logs)[0], 0, 'log rotated') }
            else { my $agent = $s->agent(90); kill 'KILL', $agent if $agent; ok($s->agent(90), 'an agent is there') }
            ok(wait_for(90, sub { serves($s, 'w.test', $leaf->{serial}) }), 'the newest files are served');
            sleep 0.5;
        }
        my $report = load_stop($load);
        is($report->{failed} + $report->{wrong}, 0, 'no handshake failed or had another name') or diag explain $report;
        my %now;
        my $p = $s->processes;
        is(scalar @{ $p->{keeper} }, 1, 'one keeper') if wait_for(20, sub { $p = $s->processes; @{ $p->{keeper} } == 1 && @{ $p->{agent} } == 1 });
        for my $who (qw(master keeper)) {
            my $pid = $p->{$who}[0] or next;
            $now{$who} = [ descriptors($pid), resident($pid) ];
            $first{$who} = $now{$who} if $turn == 2;
            next unless $first{$who};
            cmp_ok($now{$who}[0], '<=', $first{$who}[0] + 8, "the $who holds no more descriptors");
            cmp_ok($now{$who}[1], '<=', $first{$who}[1] + 20_000, "the $who has not grown");
        }
        $turn++;
    } until over($end) || !Test::More->builder->is_passing;
    is($ca->count_of('accounts'), 1, 'one account');
    tell_figures(turns => $turn, %did);
});

done_testing;
