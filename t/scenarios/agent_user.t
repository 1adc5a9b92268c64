#!/usr/bin/perl
# The agent has a user of its own (hotcert_user): what runs as the worker user cannot end it, nor read, change
# or remove the store, nor answer in its place. A store of the worker user's is given to that user at a start.
use strict;
use warnings;
use lib 't/lib';
use File::Find ();
use HotCert::Rig qw(system_user);
use HotCert::Scenario;

my $user = system_user();
my ($uid, $worker) = (scalar getpwnam($user), scalar getpwnam('www-data'));

sub as { my ($who, @command) = @_; return run('setpriv', "--reuid=$who", '--regid=' . (getpwnam $who)[3], '--clear-groups', @command) }

# The users that anything in the store belongs to.
sub owners {
    my ($s) = @_;
    my %by;
    File::Find::find({ no_chdir => 1, wanted => sub { $by{ (lstat)[4] }++ } }, $s->{store});
    return join ' ', sort keys %by;
}

sub issued {
    my ($kind, $who, %opt) = @_;
    my $s = server($kind, %{ $opt{server} // {} });
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, main => [ [ user => $who ] ], hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60) or die 'never served';
    return ($s, $ca, $first);
}

scenario the_worker_user_gets_at_nothing_of_the_agent_s => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind, $user);
    my $agent = $s->agent or die 'no agent';
    is(proc_uid($agent), $uid, 'the agent has its own user');
    is(proc_uid(($s->workers)[0]), $worker, 'and a worker has the worker user');
    is(owners($s), $uid, 'all of the store is the agent\'s user\'s');
    my ($code, $out) = as('www-data', 'sh', '-c', "kill -0 $agent");
    isnt($code, 0, 'the worker user may send the agent no signal') or diag $out;
    for my $try ("ls $s->{store}", "cat $s->{store}/format", "rm -rf $s->{store}/lines", "mv $s->{store} $s->{store}.x",
        "ls -l /proc/$agent/fd/5", "touch $s->{store}/lines/x") {
        ($code, $out) = as('www-data', 'sh', '-c', $try);
        isnt($code, 0, "nor do this: $try");
    }
    ($code, $out) = as('www-data', HotCert::Server::program(), 'list', $s->command_options('list'));
    is($code, 77, 'nor ask it');
    like($out, qr/only root and the agent's user may ask/, 'which is said');
    ($code, $out) = as('www-data', $^X, '-MIO::Socket::UNIX', '-e', 'exit(IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) ? 0 : 1)',
        "$s->{control}.other");
    isnt($code, 0, 'nor make a socket beside its own');
    ($code, $out) = as($user, HotCert::Server::program(), 'list', $s->command_options('list'));
    like($out, qr/a\.test/, 'the agent\'s user may ask') or diag $code;
    ($code, $out) = $s->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'and root may renew') or diag $out;
    my $second = wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 60);
    ok($second, 'a renewal is swapped in');
    ($code, $out) = $s->reload;
    is($code, 0, 'a reload is fine') or diag $out;
    ok(wait_for(20, sub { my $a = $s->agent(1); $a && $a != $agent && proc_uid($a) == $uid }), 'the next agent has that user too');
    unlike($s->log_text, qr/store-/, 'nothing is said of the store');
    $s->stop;
    ($code, $out) = $s->hotcert('list');
    like($out, qr/a\.test/, 'root reads the store when no agent runs') or diag $code;
    $s->start;
    is(look($s->tls_port, sni => 'a.test')->{serial}, $second->{serial}, 'and the loader of the next start');
};

# What this kernel has for it is proved by t/unit/agent_confine_test.c.
scenario the_agent_confines_itself => (crashes => 1, sub {
    my ($kind) = @_;
    my ($s) = issued($kind, $user);
    my $agent = $s->agent or die 'no agent';
    my ($status, $said) = (slurp("/proc/$agent/status"), $s->log_text);
    ok($said =~ /not-confined/ || $status =~ /^Seccomp:\s+2$/m, 'a list of calls binds the agent, or it says that none does');
    like($status, qr/^NoNewPrivs:\s+1$/m, 'it can gain no rights');
    my ($runner) = grep { proc_cmdline($_) =~ /^hotcert: runner/ } descendants($agent);
    ok($runner, 'a runner is there for commands') or return;
    is(proc_uid($runner), $uid, 'with the agent\'s user');
    $status = slurp("/proc/$runner/status");
    like($status, qr/^NoNewPrivs:\s+1$/m, 'it can gain no rights either');
    like($status, qr/^Seccomp:\s+0$/m, 'but may call what it likes');
    my @held = grep { !m{^/dev/null$} } map { readlink } glob "/proc/$runner/fd/*";
    is(join(' ', grep { !/^(?:socket|anon_inode)/ } @held), '', 'it holds no file, and neither table nor configuration');
    is(scalar(grep { /^socket/ } @held), 1, 'one socket');
    for my $which ([ $agent, 'an agent' ], [ undef, 'a runner' ]) {
        my ($kill, $what) = @$which;
        $agent = $s->agent or die 'no agent';
        $runner = wait_for(20, sub { (grep { proc_cmdline($_) =~ /^hotcert: runner/ } descendants($agent))[0] });
        kill 'KILL', $kill // $runner;
        ok(wait_for(20, sub { !alive($runner) && !alive($agent) }), "$what that is killed takes the other along");
        ok(wait_for(20, sub { my $a = $s->agent(1); $a && $a != $agent }), 'and the next agent comes');
    }
});

scenario watched_files_are_followed => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $root = make_ca('r');
    my @pair = write_pair(make_leaf($root, ['a.test']), "$s->{dir}/live");
    my $folder = "$s->{dir}/workers";
    mkdir $folder;
    my @theirs = write_pair(make_leaf($root, ['b.test']), $folder);
    chown $worker, -1, $folder, @theirs;
    chmod 0600, $theirs[1];
    $s->configure(main => [ [ user => $user ] ], hosts => [ { names => ['a.test'], hotcert => 'watch', pair => \@pair },
        { names => ['b.test'], hotcert => 'watch', pair => \@theirs } ]);
    $s->start;
    is(look($s->tls_port, sni => 'a.test')->{serial}, serial_of($pair[0]), 'files of root\'s are served');
    is(look($s->tls_port, sni => 'b.test')->{serial}, serial_of($theirs[0]), 'and those in a folder of the worker user\'s');
    for ([ 'a.test', "$s->{dir}/live" ], [ 'b.test', $folder ]) {
        my ($name, $where) = @$_;
        my @next = write_pair(make_leaf($root, [$name]), $where);
        if ($where eq $folder) { chown $worker, -1, @next; chmod 0600, $next[1] }
        ok(wait_for(30, sub { look($s->tls_port, sni => $name)->{serial} eq serial_of($next[0]) }), "$name: a new pair is swapped in");
    }
};

scenario a_store_of_the_worker_user_is_handed_over => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind, 'www-data');
    my $orders = $ca->count_of('orders');
    is(owners($s), $worker, 'the store is the worker user\'s');
    $s->reconfigure(main => [ [ user => $user ] ]);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'a configuration test is fine') or diag $out;
    is(owners($s), $worker, 'and changes nothing');
    my $mark = $s->log_mark;
    $s->reload;
    if ($kind eq 'nginx') { # its agent of the generation before ends when the next one starts
        like($s->wait_log(qr/store-stays/) // '', qr/\Q$s->{store}\E.*www-data.*lock on followers/, 'a reload says that the store stays, and why');
        ok(wait_for(20, sub { my ($code) = $s->hotcert('list'); $code == 0 }), 'an agent answers');
        is(proc_uid($s->agent), $worker, 'it has the worker user');
        is(owners($s), $worker, 'and the store is as it was');
        ok($s->stop, 'it stops');
        $mark = $s->log_mark;
        $s->start;
    }
    like($s->wait_log(qr/now belongs to/, 20, $mark) // '', qr/\Q$s->{store}: now belongs to the user $user\E/, 'it is handed over, which is said');
    is(look($s->tls_port, sni => 'a.test')->{serial}, $first->{serial}, 'what was stored serves');
    is(proc_uid($s->agent), $uid, 'by an agent with its own user');
    is(owners($s), $uid, 'all of the store is that user\'s');
    ok(wait_for(20, sub { (listed($s))[2] =~ /"state":\s*"ok"/ }), 'all is well');
    is($ca->count_of('orders'), $orders, 'nothing was ordered');
    is($ca->count_of('accounts'), 1, 'nor is there another account');
    $mark = $s->log_mark;
    $s->restart;
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'a second start serves');
    unlike($s->log_since($mark), qr/now belongs|store-/, 'and says nothing of it');
};

scenario another_server_s_agent_keeps_the_store => sub {
    my ($kind) = @_;
    my ($s, $ca) = issued($kind, 'www-data');
    my $other = server($kind eq 'nginx' ? 'httpd' : 'nginx', store => $s->{store}, secret => $s->{secret});
    $other->configure(ca => $ca, main => [ [ user => $user ] ], hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $other->start;
    ok(wait_served($other->tls_port, 'a.test', $ca->root), 'a second server starts, and serves from the store');
    like($other->log_text, qr/store-stays/, 'it says that the store stays');
    is(proc_uid($other->agent), $worker, 'and its agent has the worker user');
    is(owners($s), $worker, 'as the store does');
    ok($_->stop, 'both stop') for $s, $other;
    $other->start;
    is(proc_uid($other->agent), $uid, 'then it is handed over');
    is(owners($s), $uid, 'whole');
    # two servers whose agents have one user share it
    $s->reconfigure(main => [ [ user => $user ] ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'the first server serves from it as well');
    is(proc_uid($s->agent), $uid, 'with an agent of the same user');
    unlike($s->log_text, qr/store-unsafe/, 'and has no quarrel');
};

done_testing;
