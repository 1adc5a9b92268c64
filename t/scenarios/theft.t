#!/usr/bin/perl
# Another process of the worker user (what a hole in a web application gives) takes neither the secret
# nor the writable table: not from the agent, the loader, a helper or a worker, at no moment of their lives.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;
use POSIX ();

my $seconds = $ENV{HOTCERT_THEFT_SECONDS} // 20;
my $thief = build_dir() . '/thief';

# The servers and their keepers; what is forked below them is the worker user's in the end.
sub parents { my ($s) = @_; my $p = $s->processes; return ($s->master, @{ $p->{keeper} }) }

scenario nothing_can_be_taken_while_everything_is_killed => (crashes => 1, sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ map { { names => ["t$_.test"], hotcert => 'on' } } 1 .. 3 ]);
    $s->start;
    my $first = wait_served($s->tls_port, 't1.test', $ca->root, seconds => 60) or die 'never served';
    my $own = temp_dir() . "/thief.$kind";
    run('cp', $thief, $own);
    chmod 0755, $own;
    # reloads beside it: loaders, keepers and helpers come and go
    my $me = $$;
    my $reloader = fork // die "fork: $!";
    if ($reloader == 0) {
        while (getppid() == $me) { $s->reload; sleep 0.3 }
        POSIX::_exit(0);
    }
    my ($code, $out) = run({ _seconds => $seconds + 60 }, 'setpriv', '--reuid=www-data', '--regid=www-data', '--clear-groups',
        $own, $seconds, 1, parents($s), $me);
    kill 'KILL', $reloader;
    is($code, 0, 'nothing was taken') or diag substr $out, 0, 2000;
    like($out, qr/^[1-9]\d+ tries, 0 taken$/m, 'though it was tried all the time');
    ok(wait_for(60, sub { (look($s->tls_port, sni => 't1.test')->{serial} // '') eq $first->{serial} }), 'the certificate is served');
    ok(wait_for(90, sub { $s->agent(1) }), 'and an agent is there');
});

done_testing;
