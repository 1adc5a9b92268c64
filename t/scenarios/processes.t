#!/usr/bin/perl
# Who runs with which rights, and what a kill -9 of any of them does: nothing that a visitor sees.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;
use HotCert::Rig qw(proc_comm);

sub issued {
    my ($kind, %opt) = @_;
    my $s = server($kind, %{ $opt{server} // {} });
    my $ca = pebble(http_port => $s->http_port, %{ $opt{pebble} // {} });
    $s->configure(ca => $ca, hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ], %{ $opt{conf} // {} });
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60) or die 'never served';
    return ($s, $ca, $first);
}

# What /proc/PID/fd points at.
sub descriptors { my ($pid) = @_; return map { readlink($_) // '' } glob "/proc/$pid/fd/*" }

# Lines of /proc/PID/maps that name a memfd, with their rights.
sub table_maps { my ($pid) = @_; return grep { /memfd/ } split /\n/, slurp("/proc/$pid/maps") }

scenario every_process_has_only_the_rights_it_needs => sub {
    my ($kind) = @_;
    my ($s) = issued($kind);
    my $p = $s->processes;
    my $worker = getpwnam 'www-data';
    is(scalar @{ $p->{agent} }, 1, 'one agent');
    is(scalar @{ $p->{keeper} }, 1, 'one keeper');
    my ($agent, $keeper) = ($p->{agent}[0], $p->{keeper}[0]);
    is(proc_uid($agent), $worker, 'the agent is the worker user');
    is(proc_uid($keeper), 0, 'the keeper is root');
    my $status = slurp("/proc/$agent/status");
    like($status, qr/^NoNewPrivs:\s+1/m, 'the agent can gain no rights');
    like($status, qr/^CapEff:\s+0+$/m, 'and has none');
    like(slurp("/proc/$agent/limits"), qr/^Max core file size\s+0\s/m, 'nor does it leave a core');
    for my $pid (@{ $p->{worker} }) {
        my @maps = table_maps($pid);
        cmp_ok(scalar @maps, '>', 0, 'a worker has the table mapped');
        is(join("\n", grep { !/ r--[sp] / } @maps), '', 'for reading only');
        is(join(' ', grep { /memfd/ } descriptors($pid)), '', 'and no descriptor of it');
    }
    # What could be reached by a file-reading hole: as the worker user, the agent's memory and files.
    my ($code, $out) = run('setpriv', '--reuid=www-data', '--regid=www-data', '--clear-groups', 'sh', '-c',
        "cat /proc/$agent/environ /proc/$agent/maps /proc/$keeper/maps $s->{secret} 2>&1; ls /proc/$agent/fd 2>&1");
    my @read = grep { !/Permission denied/ } split /\n/, $out;
    is(join("\n", @read), '', 'agent, keeper and secret cannot be read by the worker user');
    # Whoever holds the table's descriptor lends it to nobody through /proc, whatever his own rights.
    for my $pid (map { @$_ } @$p{qw(master keeper agent helper worker)}) {
        my (undef, $opened) = run('setpriv', '--reuid=www-data', '--regid=www-data', '--clear-groups', 'sh', '-c',
            "for f in /proc/$pid/fd/*; do case \$(readlink \$f) in *memfd*) head -c1 \$f >/dev/null && echo opened \$f;; esac; done 2>/dev/null");
        is($opened, '', proc_comm($pid) . ': the worker user cannot open its descriptors of the table');
        (undef, $opened) = run('sh', '-c', "for f in /proc/$pid/fd/*; do case \$(readlink \$f) in *memfd*) stat -L -c %a \$f;; esac; done 2>/dev/null");
        is(join(' ', grep { $_ ne '600' } split ' ', $opened), '', 'and their mode says so');
    }
    my @held = grep { /socket|memfd|pipe/ } descriptors($keeper);
    cmp_ok(scalar @held, '<=', 7, 'the keeper holds its own socket and what is the agent\'s: table, control, lines; ends of three channels');
    for my $pid (@{ $p->{worker} }, @{ $p->{helper} }) {
        is(join(' ', grep { /memfd/ } descriptors($pid)), '', proc_comm($pid) . ': no descriptor of the table');
    }
};

scenario a_killed_agent_comes_back_and_goes_on => (crashes => 1, sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    for (1 .. 2) {
        my $agent = $s->agent or die 'no agent';
        kill 'KILL', $agent;
        is(look($s->tls_port, sni => 'a.test')->{serial}, $first->{serial}, 'served without an agent');
        my $next = wait_for(20, sub { my $a = $s->agent(1); $a && $a != $agent && $a });
        ok($next, 'another agent comes');
    }
    my $renewed = wait_for(20, sub { my ($code) = $s->hotcert('renew', 'a.test', '--force'); $code == 0 });
    ok($renewed, 'it takes orders');
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 60), 'and swaps');
    is($ca->count_of('accounts'), 1, 'with the same account');
});

scenario an_agent_killed_at_many_points_of_an_order_never_orders_twice => (crashes => 1, sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $names = 6;
    $s->configure(ca => $ca, hosts => [ map { { names => [ "k$_.test" ], hotcert => 'on' } } 1 .. $names ]);
    $s->start;
    my $kills = 0;
    # The back-off grows with every death, so a handful of kills has to do: at moments spread over an order.
    for my $after (0.05, 0.2, 0.5, 0.9) {
        my $agent = $s->agent or die 'no agent';
        sleep $after;
        kill 'KILL', $agent and $kills++;
        wait_for(10, sub { !alive($agent) });
    }
    for my $n (1 .. $names) {
        ok(wait_served($s->tls_port, "k$n.test", $ca->root, seconds => 60), "k$n.test is served in the end");
    }
    is($kills, 4, 'the agent was killed four times');
    is($ca->count_of('accounts'), 1, 'one account');
    # An order may have been placed whose reply never arrived; what was noted is gone on with.
    cmp_ok($ca->count_of('certificates'), '<=', $names + 1, 'no certificate was obtained twice but one cut in the reply');
});

scenario a_killed_worker_is_replaced_and_serves_at_once => (crashes => 1, sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    my ($victim, @others) = $s->workers;
    kill 'KILL', $victim;
    my $new = wait_for(20, sub { my %old = map { $_ => 1 } $victim, @others; grep { !$old{$_} } $s->workers });
    ok($new, 'another worker comes');
    my $seen = serials_of($s->tls_port, 16, sni => 'a.test');
    is(join(' ', keys %$seen), $first->{serial}, 'every worker serves the pair');
});

scenario the_keeper_killed_loses_nothing => (crashes => 1, sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    my ($keeper) = @{ $s->processes->{keeper} };
    kill 'KILL', $keeper if $keeper;
    ok($keeper, 'there was a keeper');
    is(look($s->tls_port, sni => 'a.test')->{serial}, $first->{serial}, 'served');
    my ($code, $out) = $s->reload;
    is($code, 0, 'reloaded') or diag $out;
    ok(wait_for(10, sub { scalar @{ $s->processes->{keeper} } }), 'a reload brings a keeper');
    my $renewed = wait_for(20, sub { my ($c) = $s->hotcert('renew', 'a.test', '--force'); $c == 0 });
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 60), 'and orders go on');
});

scenario everything_ends_with_a_killed_master => (crashes => 1, sub {
    my ($kind) = @_;
    my ($s) = issued($kind);
    my $p = $s->processes;
    my @ours = (@{ $p->{agent} }, @{ $p->{keeper} });
    my @all = $s->all_pids;
    kill 'KILL', $s->master;
    kill 'KILL', @{ $p->{worker} }, @{ $p->{helper} };
    my $gone = wait_for(15, sub { !grep { alive($_) } @ours });
    ok($gone, 'agent and keeper end when their server is gone');
    kill 'KILL', grep { alive($_) } @all;
});

scenario twenty_reloads_order_nothing_and_leave_one_of_each => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    for (1 .. ($kind eq 'nginx' ? 20 : 6)) {
        my ($code, $out) = $s->reload;
        is($code, 0, 'reloaded') or diag $out;
        is(look($s->tls_port, sni => 'a.test')->{serial}, $first->{serial}, 'the same certificate at once');
    }
    is($ca->count_of('orders'), 1, 'no reload orders anything');
    my $one = wait_for(20, sub { my $p = $s->processes; @{ $p->{agent} } == 1 && @{ $p->{keeper} } == 1 });
    ok($one, 'one agent and one keeper are left') or diag join "\n", map { "$_ " . proc_cmdline($_) } $s->all_pids;
};

scenario a_restart_by_signal_serves_at_once => (only => 'httpd', sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    my %old = map { $_ => 1 } $s->workers;
    kill 'HUP', $s->master;
    ok(wait_for(20, sub { grep { !$old{$_} } $s->workers }), 'restarted');
    my $l = wait_for(10, sub { my $x = look($s->tls_port, sni => 'a.test'); $x->{serial} && $x });
    is($l->{serial}, $first->{serial}, 'with the same certificate');
    is($ca->count_of('orders'), 1, 'nothing ordered');
});

scenario a_binary_upgrade_serves_at_once => (only => 'nginx', sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    my $old = $s->master;
    kill 'USR2', $old;
    my $new = wait_for(20, sub { my $m = $s->master; $m && $m != $old && $m });
    ok($new, 'a new master comes');
    my $seen = serials_of($s->tls_port, 20, sni => 'a.test');
    is(join(' ', keys %$seen), $first->{serial}, 'old and new workers serve the pair');
    kill 'QUIT', $old;
    ok(wait_for(20, sub { !alive($old) }), 'the old master ends');
    is(look($s->tls_port, sni => 'a.test')->{serial}, $first->{serial}, 'the new one serves');
    my $renewed = wait_for(30, sub { my ($c) = $s->hotcert('renew', 'a.test', '--force'); $c == 0 });
    ok($renewed, 'its agent takes orders');
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 60), 'and swaps');
    is($ca->count_of('orders'), 2, 'the upgrade itself ordered nothing');
});

scenario one_process_without_a_master => (only => 'nginx', sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind, conf => { nginx_main => 'master_process off;' });
    ok($first, 'served with master_process off');
    my ($code) = $s->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'renew is accepted');
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 60), 'and swapped');
});

for my $mpm (qw(worker prefork)) {
    scenario "the_${mpm}_mpm_serves_and_swaps" => (only => 'httpd', sub {
        my ($kind) = @_;
        my ($s, $ca, $first) = issued($kind, server => { mpm => $mpm });
        my ($code, $out) = $s->hotcert('renew', 'a.test', '--force');
        is($code, 0, 'renewed') or diag $out;
        my $second = wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 60);
        ok($second, 'swapped');
        my $seen = wait_for(10, sub { my $h = serials_of($s->tls_port, 24, sni => 'a.test'); keys %$h == 1 && $h });
        is(join(' ', keys %{ $seen // {} }), $second->{serial}, 'in every process');
    });
}

scenario log_rotation_keeps_the_lines_coming => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    rename $s->{log}, "$s->{log}.1" or die "rename: $!";
    my ($code, $out) = $s->reopen_logs;
    is($code, 0, 'logs reopened') or diag $out;
    my $renewed = wait_for(20, sub { my ($c) = $s->hotcert('renew', 'a.test', '--force'); $c == 0 });
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 60), 'renewed');
    ok($s->wait_log(qr/a\.test/, 15), "the agent's lines are in the new log");
};

scenario the_module_can_be_taken_out_and_put_back => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    my $other = make_leaf(make_ca('r'), ['a.test']);
    my @pair = write_pair($other, "$s->{dir}/live");
    my $with = $s->{last};
    $s->configure(no_module => 1, hosts => [ { names => [ 'a.test' ], pair => \@pair } ]);
    my ($code, $out) = $s->reload;
    is($code, 0, 'reloaded without the module') or diag $out;
    ok(wait_for(15, sub { (look($s->tls_port, sni => 'a.test')->{serial} // '') eq $other->{serial} }), "the server's own certificate is served");
    ok(wait_for(15, sub { my $p = $s->processes; !@{ $p->{agent} } && !@{ $p->{keeper} } }), 'agent and keeper are gone')
        or diag join "\n", map { "$_ " . proc_cmdline($_) } $s->all_pids;
    $s->configure(%$with);
    ($code, $out) = $s->reload;
    is($code, 0, 'reloaded with it') or diag $out;
    ok(wait_for(15, sub { (look($s->tls_port, sni => 'a.test')->{serial} // '') eq $first->{serial} }), 'the stored pair is back');
    is($ca->count_of('orders'), 1, 'nothing was ordered');
};

scenario a_control_socket_that_is_taken_from_a_running_server_is_told => sub {
    my ($kind) = @_;
    my $root = make_ca("taken root $kind");
    my %conf = (main => [ [ trusted_certificate => $root->{cert} ] ]);
    my @s = map { server($kind) } 1 .. 2;
    $s[1]{control} = $s[0]{control};
    for my $s (@s) {
        my @pair = write_pair(make_leaf($root, ['w.test']), "$s->{dir}/live");
        $s->configure(%conf, hosts => [ { names => ['w.test'], hotcert => 'watch', pair => \@pair } ]);
    }
    $s[0]->start;
    ok($s[0]->agent, 'a server runs');
    is(($s[0]->reload)[0], 0, 'and is reloaded');
    unlike($s[0]->log_text, qr/control-taken/, 'its own socket it takes without a word');
    $s[0]->restart;
    unlike($s[0]->log_text, qr/control-taken/, 'so does the same server after its end');
    my ($code, $out) = $s[1]->try_start;
    is($code, 0, 'a second one with the same socket starts') or diag $out;
    ok($s[1]->wait_log(qr/\Q$s[0]{control}\E: this server has taken the control socket of another running server.*\(control-taken; give each server its own (?:hotcert_control|HotCertControl)/, 10),
        'and says whose socket it took');
    # all_pids() of one would find the other's keeper
    $s[1]->kill_hard;
};

done_testing;
