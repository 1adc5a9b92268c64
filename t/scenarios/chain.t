#!/usr/bin/perl
# What is served of what a file holds, and whose word wins over the rule of the swap. (The rule itself is
# in swap_rule.t.)
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $root = make_ca('chain root');
my $middle = make_ca('chain intermediate', issuer => $root);
my @names = ('w.test');

sub good { return make_leaf($middle, \@names) }
sub incomplete { my $l = make_leaf($middle, \@names); $l->{fullchain} = slurp($l->{cert}); return $l }

sub watching {
    my ($kind, $leaf, @main) = @_;
    my $s = server($kind);
    my @pair = write_pair($leaf, "$s->{dir}/live");
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ], @main ],
        hosts => [ { names => \@names, hotcert => 'watch', pair => \@pair } ]);
    return $s;
}

sub served { my ($s) = @_; return look($s->tls_port, sni => 'w.test')->{serial} // 'nothing' }
sub becomes { my ($s, $leaf, $name) = @_; return ok(wait_for(20, sub { served($s) eq $leaf->{serial} }, 0.1), $name) }

scenario what_is_served_is_clean => sub {
    my ($kind) = @_;
    my $stranger = make_ca('a stranger');
    my $leaf = good();
    $leaf->{fullchain} = slurp($stranger->{cert}) . slurp($middle->{cert}) . slurp($root->{cert}) . slurp($leaf->{cert}) . slurp($middle->{cert});
    my $s = watching($kind, $leaf);
    $s->start;
    my $l = look($s->tls_port, sni => 'w.test', ca => $root->{cert});
    is($l->{serial}, $leaf->{serial}, 'the leaf comes first, wherever the file has it');
    is(scalar @{ $l->{chain} }, 2, 'then the one intermediate; no root, no stranger, nothing twice');
    is($l->{verify}, 0, 'and it verifies');
};

scenario an_accepted_flaw_is_swapped_in => sub {
    my ($kind) = @_;
    my $first = good();
    my $s = watching($kind, $first, [ accept => 'chain-incomplete' ]);
    $s->start;
    my $next = incomplete();
    write_pair($next, "$s->{dir}/live");
    becomes($s, $next, 'with hotcert_accept');
};

# Log rotation reloads, and so do the deploy hooks of other tools: that is no operator's word.
scenario a_reload_holds_a_flawed_file_back_and_a_start_does_not => sub {
    my ($kind) = @_;
    my $first = good();
    my $s = watching($kind, $first);
    $s->start;
    my $next = incomplete();
    write_pair($next, "$s->{dir}/live");
    ok($s->wait_log(qr/holding back.*neither served with it nor a root/, 20), 'it is held back');
    my (undef, $said) = $s->hotcert('renew', 'w.test', '--force');
    like($said, qr/^w\.test: hotcert checked its files: chain-incomplete \(held back\)/, 'renew looks at it, and says what it found');
    for my $how (qw(reload graceful)) {
        my $mark = $s->log_mark;
        my ($code, $out) = $s->$how;
        is($code, 0, "$how goes on") or diag $out;
        ok($s->wait_log(qr/holding back/, 20, $mark), 'and holds it back again');
        is(served($s), $first->{serial}, 'the pair before serves');
    }
    kill 'KILL', $s->agent;
    ok($s->wait_log(qr/agent .*(?:ended|died)/, 20), 'nor is the death of an agent');
    sleep 2;
    is(served($s), $first->{serial}, 'the pair before serves');
    $s->restart;
    becomes($s, $next, 'a start with the file takes it as it is');
};

done_testing;
