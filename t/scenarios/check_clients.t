#!/usr/bin/perl
# Our verdict beside what real clients accept or refuse: openssl s_client, curl, Python's ssl and, where
# it is installed, Java, each against every pair of the corpus that a server can load. Where they
# disagree with us, the case says so (passes, refuses) and docs/clients.md explains it.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Corpus;
use HotCert::Rig qw(run temp_dir build_dir);
use JSON::PP;
use Test::More;

my $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : undef;
plan skip_all => 'Python is not installed' unless $python;

my $corpus = HotCert::Corpus->new(temp_dir() . '/corpus');
my @cases = grep { $_->{serve} } $corpus->cases;
my @questions = map { { name => $_->{name}, cert => $_->{serve}[0], key => $_->{serve}[1], roots => $_->{roots}, host => $_->{host} } } @cases;
my ($code, $out) = run({ _seconds => 300, _stdin => encode_json(\@questions) }, $python, 't/lib/clients.py');
is($code, 0, 'the clients were asked') or BAIL_OUT($out);
my $answers = decode_json($out);

for my $case (@cases) {
    my $answer = $answers->{ $case->{name} };
    my %ranks = map { $_ => 1 } values %{ $case->{findings} };
    subtest $case->{name} => sub {
        if (!$answer->{load}) {
            ok($ranks{unusable}, 'what a TLS library refuses to load is unusable') or diag($answer->{says}{python});
            return;
        }
        my %passes = map { $_ => 1 } @{ $case->{passes} // [] };
        my %refuses = map { $_ => 1 } @{ $case->{refuses} // [] };
        my $refused = $ranks{unusable} || $ranks{flawed};
        # the strict one refuses what the other does, and what the case says
        $passes{'python-strict'} = $passes{python};
        for my $client (grep { exists $answer->{$_} } qw(openssl curl python python-strict java)) {
            my $want = (!$refused || $passes{$client}) && !$refuses{$client} ? 1 : 0;
            is($answer->{$client} ? 1 : 0, $want, "$client " . ($want ? 'accepts it' : 'refuses it'))
                or diag($answer->{says}{$client} // 'it says nothing');
            note("$client says: $answer->{says}{$client}") if $answer->{says}{$client};
        }
    };
}

done_testing;
