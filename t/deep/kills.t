#!/usr/bin/perl
# Death and errors at chosen system calls, put in by strace: into loader and agent from their first
# instruction, into keeper and workers while they work. What serves goes on, nothing hangs, and when it
# is over all is as if it had not been: the same account, the same store, and another certificate to be had.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Deep;
use HotCert::Scenario;

my %calls = (
    load => [qw(openat read pread64 mmap fstat newfstatat getdents64 recvmsg sendto poll munmap fcntl close)],
    agent => [qw(openat read write pread64 fsync rename renameat renameat2 unlinkat mkdirat getdents64 connect sendto sendmsg
        recvmsg recvfrom poll mmap socket socketpair accept4 clock_nanosleep fcntl inotify_add_watch futex)],
    keeper => [qw(openat read fstat recvmsg recvfrom sendmsg sendto poll readlinkat readlink newfstatat memfd_create close write)],
    worker => [qw(read write openat recvfrom sendto mmap accept4 poll writev close)],
);
my @errors = qw(EIO ENOSPC ENOMEM EMFILE EACCES EINTR EPIPE EROFS);

sub injection {
    my ($who, $life) = @_;
    my $call = one_of(@{ $calls{$who} });
    my $when = 1 + chance($life);
    my $what = chance(3) ? 'error=' . one_of(@errors) : 'signal=KILL';
    # once, or from there on for a while
    $when .= '..' . ($when + 1 + chance(4)) if chance(3) == 0 && $what =~ /error/;
    return ('-e', "trace=?$call", '-e', "inject=?$call:$what:when=$when");
}

sub issued {
    my ($kind, $program) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $own = make_ca('of its own');
    my $leaf = make_leaf($own, ['w.test']);
    my $traced = strace_program($s);
    my $pair = [ write_pair($leaf, "$s->{dir}/w") ];
    $s->configure(ca => $ca, main => $program ? [ [ agent => $traced->{path} ] ] : [],
        hosts => [ { names => ['a.test'], hotcert => 'on' }, { names => ['w.test'], hotcert => 'watch', pair => $pair } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60) or die 'never served';
    return ($s, $ca, $first, $traced, $leaf, $own);
}

# A renewal, ordered as soon as an agent takes it, in the end succeeds.
sub renews {
    my ($s, $ca, $before, $seconds) = @_;
    wait_for($seconds, sub { my ($code) = $s->hotcert('renew', 'a.test', '--force'); $code == 0 }, 0.5) or return;
    return wait_served($s->tls_port, 'a.test', $ca->root, not => $before, seconds => $seconds);
}

scenario a_loader_that_dies_or_errs_holds_no_start_back => (crashes => 1, sub {
    my ($kind) = @_;
    my ($s, $ca, $first, $traced, $leaf) = issued($kind, 1);
    my ($end, $starts, $hits, $refused) = (deadline(120), 0, 0, 0);
    do {
        $s->stop;
        my @how = injection('load', 60);
        $traced->{inject}->('load', @how);
        my $mark = $s->log_mark;
        my $began = time;
        my ($code, $out) = $s->try_start;
        my $took = time - $began;
        $traced->{rest}->();
        my $hit = $traced->{hits}->();
        $starts++;
        $hits += $hit;
        cmp_ok($took, '<', 50, 'a start ends') or diag "@how";
        if ($code != 0) {
            # an error at a watched file or at the roots is a reason; it has to be said
            $refused++;
            like($out, qr/\((?:file|key|cert|system|out-of|keeper|pem|too)[\w-]*|hotcert/i, 'a refusal names its reason') or diag "@how\n$out";
            is(($s->try_start)[0], 0, 'and the next start succeeds') or diag "@how";
        }
        $s->wait_listening;
        ok(wait_for(60, sub { serves($s, 'a.test', $first->{serial}) && serves($s, 'w.test', $leaf->{serial}) }),
            'what was stored and watched is served') or diag "@how\n" . $s->log_since($mark);
    } until over($end) || !Test::More->builder->is_passing;
    is($ca->count_of('orders'), 1, 'nothing was ordered anew');
    tell_figures(starts => $starts, 'strace did something in' => $hits, refused => $refused);
});

scenario an_agent_that_dies_or_errs_comes_back => (crashes => 1, sub {
    my ($kind) = @_;
    my ($s, $ca, $first, $traced) = issued($kind, 1);
    my ($end, $lives, $hits, $now) = (deadline(180), 0, 0, $first->{serial});
    do {
        my @how = injection('agent', one_of(6, 40, 300));
        $traced->{inject}->('agent', @how);
        my $mark = $s->log_mark;
        my $old = $s->agent(1);
        kill 'KILL', $old if $old;
        $s->kill_hard;    # and all else: the back-off of the keeper would hold the trial back
        is(($s->try_start)[0], 0, 'it starts') or diag "@how";
        $s->wait_listening;
        # work under it: orders, look-ups of the store
        wait_for(6, sub { my ($c) = $s->hotcert('renew', 'a.test', '--force'); $c == 0 }, 0.5);
        wait_for(4, sub { look($s->tls_port, sni => 'a.test')->{serial} ne $now }, 0.3);
        ok(look($s->tls_port, sni => 'a.test', ca => $ca->root)->{verify} == 0, 'what is served is of the CA') or diag "@how";
        $traced->{rest}->();
        $lives++;
        my $agent = $s->agent(60);
        kill 'KILL', $agent if $agent;    # the next life is untroubled
        wait_for(5, sub { !$agent || !alive($agent) });
        sleep 0.2;                        # strace writes when its process has ended
        $hits += $traced->{hits}->();
        my $l = renews($s, $ca, look($s->tls_port, sni => 'a.test')->{serial}, 90);
        ok($l, 'a new certificate is had') or diag "@how\n" . $s->log_since($mark);
        $now = $l->{serial} if $l;
    } until over($end) || !Test::More->builder->is_passing;
    is($ca->count_of('accounts'), 1, 'one account all the time');
    tell_figures(lives => $lives, 'strace did something in' => $hits, orders => $ca->count_of('orders'), certificates => $ca->count_of('certificates'));
});

# strace beside running processes, for a while. Workers are taken all together: nobody knows which of
# them the next visitor meets. strace counts the calls of each for itself.
sub trouble {
    my ($s, $pids, @how) = @_;
    my $out = "$s->{dir}/beside";
    unlink $out;
    my $strace = spawn("$s->{dir}/beside.log", 'strace', '-qq', '-f', '-o', $out, @how, map { ('-p', $_) } @$pids);
    for my $pid (@$pids) {
        wait_for(5, sub { slurp("/proc/$pid/status") =~ /^TracerPid:\s+[1-9]/m || !alive($pid) }, 0.02);
    }
    return sub {
        end_process($strace, 5);
        return slurp($out) =~ /INJECTED|killed by SIGKILL/ ? 1 : 0;
    };
}

scenario keeper_and_workers_that_die_or_err_are_made_good => (crashes => 1, sub {
    my ($kind) = @_;
    my ($s, $ca, $first, $traced, $leaf, $own) = issued($kind);
    my ($end, $turns, $hits, %dead, %hit) = (deadline(180), 0, 0);
    do {
        my $who = one_of('keeper', 'worker');
        my @pids = @{ $s->processes->{$who} };
        my @how = injection($who, $who eq 'keeper' ? 8 : 20);
        if (@pids) {
            my $rest = trouble($s, \@pids, @how);
            # work: watched files change, visitors come
            $leaf = make_leaf($own, ['w.test']);
            write_pair($leaf, "$s->{dir}/w");
            look($s->tls_port, sni => $_, seconds => 5) for (qw(w.test a.test)) x 4;
            sleep 1.2;
            my $hit = $rest->();
            $hits += $hit;
            $hit{$who} += $hit;
            $dead{$who} += grep { !alive($_) } @pids;
        }
        $turns++;
        # a keeper that is gone comes with a reload; that is what the log says
        if (!@{ $s->processes->{keeper} }) {
            ok($s->wait_log(qr/keeper/, 15), 'a lost keeper is told');
            is(($s->reload)[0], 0, 'a reload brings another');
        }
        ok(wait_for(60, sub { serves($s, 'w.test', $leaf->{serial}) }), 'a changed pair is served in the end') or diag "$who: @how";
        ok(wait_for(30, sub { serves($s, 'a.test', $first->{serial}) }), 'and the obtained one') or diag "$who: @how";
    } until over($end) || !Test::More->builder->is_passing;
    is($ca->count_of('orders'), 1, 'nothing was ordered anew');
    tell_figures(turns => $turns, 'strace did something in' => $hits, map { ("in $_" => $hit{$_} // 0, "dead ${_}s" => $dead{$_} // 0) } qw(keeper worker));
});

done_testing;
