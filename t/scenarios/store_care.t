#!/usr/bin/perl
# What an operator does to the store and the secret by accident, and that putting it right is enough:
# nothing is ordered anew, no account is made, and where the server could start no restart is needed.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $worker = getpwnam 'www-data';

sub issued {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    $s->stop;
    return ($s, $ca, $first->{serial});
}

sub serves {
    my ($s, $serial, $seconds) = @_;
    return wait_for($seconds, sub { (look($s->tls_port, sni => 'a.test')->{serial} // '') eq $serial });
}

# The agent may not answer yet.
sub renewed {
    my ($s) = @_;
    return wait_for(20, sub { ($s->hotcert('renew', 'a.test', '--force'))[0] == 0 }, 0.3);
}

# Nothing was asked of the CA but what was asked when $count was taken.
sub asked { my ($ca) = @_; return join '/', map { $ca->count_of($_) } qw(orders accounts) }

scenario a_secret_put_back_is_taken_up_without_a_restart => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    my $secret = slurp($s->{secret});
    my $asked = asked($ca);
    spew_secret($s->{secret}, 'another secret of 32 bytes, made');
    my $mark = $s->log_mark;
    is(($s->try_start)[0], 0, 'the server starts with another secret');
    ok($s->wait_log(qr/sealed under another secret/, 10, $mark), 'the log says so');
    my ($code, $out) = $s->hotcert('list');
    like($out, qr/a\.test.*store-unusable/, 'and so does the list') or diag $out;
    isnt(look($s->tls_port, sni => 'a.test')->{serial}, $first, 'the stored pair cannot be served');
    spew_secret($s->{secret}, $secret);
    ok(serves($s, $first, 75), 'with the right one back it is');
    is(asked($ca), $asked, 'and the CA was asked nothing');
};

scenario files_with_wrong_owners_are_no_empty_store => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    my @files = files_below($s->{store});
    my $asked = asked($ca);
    chown 0, 0, @files;
    my $mark = $s->log_mark;
    is(($s->try_start)[0], 0, "the server starts with a store whose files a restore left root's");
    ok($s->wait_log(qr/does not belong there/, 10, $mark), 'the log names them');
    ok(!wait_for(4, sub { asked($ca) ne $asked }), 'nothing is ordered, no account is made');
    is(scalar(grep { (stat $_)[4] == 0 } @files), scalar @files, 'they are left as they are');
    chown $worker, -1, @files;
    ok(serves($s, $first, 90), 'with the owners put right the pair is served');
    is(asked($ca), $asked, 'and the CA was asked nothing');
};

scenario wide_modes_are_narrowed => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    my @files = files_below($s->{store});
    my $asked = asked($ca);
    chmod 0644, @files;
    chmod 0755, $s->{store};
    is(($s->try_start)[0], 0, 'the server starts with a store that a copy made readable');
    ok(serves($s, $first, 10), 'and serves from it');
    my @versions = grep { /\.pair$/ } @files;
    ok(wait_for(10, sub { !grep { (stat $_)[2] & 077 } @versions }), 'key files are the worker user\'s alone again');
    is((stat $s->{store})[2] & 07777, 0700, 'and so is the folder');
    is(asked($ca), $asked, 'the CA was asked nothing');
};

scenario a_lost_format_file_is_made_again => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    my $asked = asked($ca);
    unlink "$s->{store}/format" or die $!;
    is(($s->try_start)[0], 0, 'the server starts');
    ok(serves($s, $first, 10), 'and serves the stored pair');
    ok(wait_for(10, sub { -s "$s->{store}/format" }), 'the file is there again');
    is(asked($ca), $asked, 'the CA was asked nothing');
};

# Root may put something there that the agent cannot set aside: orders wait, and that is said once.
scenario a_lock_that_cannot_be_had_is_told_once => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    for my $of ('line', 'account') {
        my $lock = "$s->{store}/locks/$of";
        ok(unlink($lock), "the file of locks is there: $of");
        mkdir $lock or die "mkdir: $!";
        spew("$lock/x", '');
        chmod 0, $lock;
        # the account is asked for anew, which needs its lock
        unlink glob "$s->{store}/records/account/*" if $of eq 'account';
        my $mark = $s->log_mark;
        $s->start;
        ok(serves($s, $first, 20), 'what is stored is served');
        ok(renewed($s), 'a renewal is asked for');
        ok($s->wait_log(qr/placing no orders until the store is usable/, 20, $mark), 'orders wait');
        sleep 4; # several looks, of one second each
        my $said = () = $s->log_since($mark) =~ /the store is usable again/g;
        is($said, 0, 'nobody says that it can be used, while it cannot');
        $said = () = $s->log_since($mark) =~ /placing no orders until/g;
        is($said, 1, 'and that it cannot is said once');
        unlink "$lock/x";
        rmdir $lock or die "rmdir: $!";
        ok($s->wait_log(qr/the store is usable again/, 20, $mark), 'when the way is free, that is said');
        my $next = wait_served($s->tls_port, 'a.test', $ca->root, not => $first, seconds => 60) or die 'never served';
        ok($next, 'and the order goes on');
        $first = $next->{serial};
        ok($s->stop, 'it stops');
    }
};

# What somebody else left there is no lock, and nothing is lost with it.
scenario what_stands_in_a_locks_place_is_set_aside => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    my $decoy = spew_secret("$s->{dir}/decoy", "root's own\n");
    my %plants = ('a socket' => sub { IO::Socket::UNIX->new(Local => "$s->{dir}/s", Listen => 1); rename "$s->{dir}/s", $_[0] },
        'a hard link' => sub { link $decoy, $_[0] }, "a file of root's" => sub { spew_secret($_[0], '') });
    for my $what (sort keys %plants) {
        for my $of ('line', 'account') {
            unlink "$s->{store}/locks/$of";
            $plants{$what}->("$s->{store}/locks/$of") or die "$what: $!";
        }
        unlink glob "$s->{store}/records/account/*";
        $s->start;
        ok(renewed($s), 'a renewal is asked for');
        my $next = wait_served($s->tls_port, 'a.test', $ca->root, not => $first, seconds => 60);
        ok($next, "$what: a certificate is had") or die $what;
        $first = $next->{serial};
        ok($s->stop, 'it stops');
    }
    is(slurp($decoy), "root's own\n", 'what the link led to is as it was');
};

done_testing;
