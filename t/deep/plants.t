#!/usr/bin/perl
# The worker user, taken over, plants links, FIFOs, folders and files into the store while the server works and
# before it starts. Nothing of root's is read, changed or given away, nothing hangs, and what serves goes on.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Deep;
use HotCert::Scenario;

# One plant, by the worker user's own rights: path, kind, decoy. All in the test's own folder.
my $planter = <<'SH';
rm -rf "$1" 2>/dev/null
case $2 in
symlink) ln -s "$3" "$1" ;;
folder-link) ln -s "$(dirname "$3")" "$1" ;;
loop) ln -s "$1" "$1" ;;
link) ln "$3" "$1" ;;
fifo) mkfifo "$1" ;;
folder) mkdir -p "$1/deep/er" ;;
file) echo rubbish >"$1" ;;
empty) : >"$1" ;;
esac
exit 0
SH

scenario plants_of_the_worker_user => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $l = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60) or die 'never served';
    mkdir "$s->{dir}/vault", 0755;
    my $decoy = spew("$s->{dir}/vault/decoy", "root's own\n", 0600);
    my @was = (stat $decoy)[2, 4, 5, 7, 9];
    my $secret = slurp($s->{secret});
    my ($end, $plants) = (deadline(120), 0);
    do {
        my $running = chance(2);
        $s->stop unless $running;
        my @all = (files_below($s->{store}), map { "$s->{store}/$_" } qw(tmp damaged lines records locks challenges followers changed format tmp/x));
        my @done;
        for (1 .. 1 + chance(4)) {
            my $at = one_of(@all);
            my $how = one_of(qw(symlink folder-link loop link fifo folder file empty));
            run('setpriv', '--reuid=www-data', '--regid=www-data', '--clear-groups', 'sh', '-c', $planter, 'sh', $at, $how, $decoy);
            push @done, "$how at $at";
            $plants++;
        }
        if ($running) {
            my (undef, $out) = $s->hotcert('list');
            like($out, qr/\w/, 'list answers') or diag join "\n", @done;
            $s->hotcert('renew', 'a.test', '--force');
            sleep 1;
        } else {
            my $began = time;
            my ($code, $out) = $s->try_start;
            cmp_ok(time - $began, '<', 40, 'a start ends') or diag join "\n", @done;
            is($code, 0, 'it starts') or diag join "\n", @done, $out;
            $s->wait_listening;
        }
        ok(look($s->tls_port, sni => 'a.test')->{serial}, 'something is served') or diag join "\n", @done;
        is(join(' ', (stat $decoy)[2, 4, 5, 7, 9]), "@was", "root's file is as it was") or diag join "\n", @done;
        is(slurp($s->{secret}), $secret, 'and the secret') or diag join "\n", @done;
    } until over($end) || !Test::More->builder->is_passing;
    # The folder is cleared as docs/store.md says, and the next start is the first again.
    $s->stop;
    rename $s->{store}, "$s->{dir}/store.lost";
    is(($s->try_start)[0], 0, 'it starts with a new store');
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'and is served');
    tell_figures(plants => $plants);
};

done_testing;
