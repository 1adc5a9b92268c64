#!/usr/bin/perl
# What docs/containers.md says: a read-only root, a user that no database knows, process 1 in the foreground.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

# A host with watched files, and what replaces them.
sub watched {
    my ($s, %conf) = @_;
    my $ca = make_ca('r');
    my @pair = write_pair(make_leaf($ca, ['a.test']), "$s->{dir}/live");
    $s->configure(hosts => [ { names => ['a.test'], hotcert => 'watch', pair => \@pair } ], %conf);
    return sub {
        my $next = make_leaf($ca, ['a.test']);
        write_pair($next, "$s->{dir}/live");
        return $next->{serial};
    };
}

sub serves {
    my ($s, $serial) = @_;
    return wait_for(30, sub {
        my $got = look($s->tls_port, sni => 'a.test')->{serial};
        return $got && (!defined $serial || $got eq $serial) && $got;
    });
}

# Everything but the server's own folder can only be read.
sub read_only_root {
    my ($s) = @_;
    $s->{wrap} = [ 'unshare', '-m', 'sh', '-c',
        "mount --make-rprivate / && mount --bind $s->{dir} $s->{dir} && mount -o remount,ro,bind / && exec \"\$@\"", 'sh' ];
    return;
}

scenario watched_files_need_no_writable_root => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $nowhere = "/hotcert-test-$$";
    my $replace = watched($s, main => [ [ control => "$nowhere/run/c.sock" ], [ store => "$nowhere/store" ], [ secret => "$nowhere/secret" ] ]);
    read_only_root($s);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'the configuration test passes') or diag $out;
    like($out, qr/cannot create the control socket.*Read-only file system.*control-socket.*hotcert_?control/i, 'and says what will not work');
    ($code, $out) = $s->try_start;
    is($code, 0, 'it starts') or diag $out;
    ok(serves($s), 'and serves');
    ok($s->wait_log(qr/control-socket/), 'the log has the slug');
    like($s->log_text, qr/\[(?:hotcert:)?warn\S*\].*control-socket/, 'as a warning');
    ok($s->wait_log(qr/warn\S*\].*not keeping the last good pairs.*store-unusable/), 'so is what the store would be for');
    unlike($s->log_text, qr/no orders until/, 'which nobody orders for');
    my $next = $replace->();
    ok(serves($s, $next), 'a renewed pair is swapped in');
    ok(!-e $nowhere, 'nothing was made');
};

# Process 1 of a number space of its own, as a user without a name, as a container runtime starts it.
scenario as_process_one_of_an_unknown_user => (crashes => 1, sub {
    my ($kind) = @_;
    my $s = server($kind, as_user => 54321);
    my $replace = watched($s, ($kind eq 'nginx' ? (nginx_main => 'daemon off;') : ()));
    run('chown', '-R', '54321:54321', $s->{dir});
    my @command = $s->command($kind eq 'httpd' ? '-DFOREGROUND' : ());
    # in there its number is 1, which is somebody else out here
    my $pid_file = $s->{pid_file};
    $s->{pid_file} = "$s->{dir}/none";
    my $outside = spawn("$s->{dir}/out", 'unshare', '--pid', '--fork', '--kill-child', '--mount-proc', @command);
    ok(serves($s), 'it serves') or diag slurp("$s->{dir}/out") . $s->log_text;
    is(slurp($pid_file), "1\n", 'as process 1');
    my $agent = $s->agent or return fail('no agent');
    is(proc_uid($agent), 54321, 'the agent is the same user');
    kill 'KILL', $agent;
    my $again = wait_for(30, sub { my $a = $s->agent(1); $a && $a != $agent && $a });
    ok($again, 'a killed agent comes back');
    my $next = $replace->();
    run('chown', '-R', '54321:54321', "$s->{dir}/live");
    ok(serves($s, $next), 'a renewed pair is swapped in');
    my ($code, $out) = run('setpriv', '--reuid=54321', '--regid=54321', '--clear-groups', HotCert::Server::program(),
        'list', $s->command_options('list'));
    is($code, 0, 'its user may list') or diag $out;
    my @all = $s->all_pids;
    my ($one) = grep { slurp("/proc/$_/status") =~ /^NSpid:\s+\d+\s+1$/m } descendants($outside);
    kill 'TERM', $one if $one;
    ok($one && wait_for(15, sub { !grep { alive($_) } @all, $one }), 'the stop signal ends everything');
    end_process($outside);
});

done_testing;
