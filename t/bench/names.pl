#!/usr/bin/perl
# How long it takes to look at 100 names, against one, when every DNS answer takes 20 ms; and what a
# dead resolver costs. Every look of the preflight is made (existence, addresses, CAA up to the top
# level, at the resolver and at the zones' own servers), but for the HTTP request.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Rig qw(run spawn wait_for slurp temp_dir build_dir);
use JSON::PP;
use Time::HiRes qw(time);

if (!HotCert::Dns::enter_namespace()) {
    print "looking at names: needs a network namespace (root); left out\n";
    exit 0;
}
my $rounds = $ENV{BENCH_SMOKE} ? 1 : 7;
my $log = temp_dir() . '/slow.log';
spawn($log, $^X, 't/lib/slowdns.pl', '127.0.0.1', 53, 0.02);
wait_for(5, sub { slurp($log) =~ /ready/ }) or die 'the name server does not start: ' . slurp($log);
my $wrong = 0;

sub look {
    my ($resolver, $verdict, @names) = @_;
    my $began = time;
    my ($code, $text) = run({ _seconds => 60 }, build_dir() . '/hotcert', 'diagnose', '--json', '--no-request', '--resolver', $resolver, @names);
    my $took = time - $began;
    my $list = eval { decode_json($text) } // [];
    my $good = @$list == @names && !grep { $_->{verdict} ne $verdict } @$list;
    if (!$good) { $wrong++; print "  WRONG  not every name is $verdict: " . substr($text, 0, 500) . "\n" }
    return $took;
}
sub median { my @s = sort { $a <=> $b } @_; return ($s[ $#s / 2 ] + $s[ @s / 2 ]) / 2 }

my (%one, %many);
for my $round (1 .. $rounds) {
    for my $zones (1, 100) {
        my @names = map { sprintf 'n%d.zone%d.test', $_, $_ % $zones } 1 .. 100;
        push @{ $one{$zones} }, look('127.0.0.1', 'ready', $names[0]);
        push @{ $many{$zones} }, look('127.0.0.1', 'ready', @names);
    }
}
for my $zones (1, 100) {
    my ($a, $b) = (median(@{ $one{$zones} }), median(@{ $many{$zones} }));
    printf "looking at 100 names of %3d zone%s, answers in 20 ms: %.2f s (aim: under 3 s); one name %.2f s; ratio %.1f\n",
        $zones, $zones == 1 ? ' ' : 's', $b, $a, $b / $a;
}
my $dead = look('127.0.0.99', 'unknown', 'n1.zone1.test');
printf "a resolver that refuses: %.2f s\n", $dead;
HotCert::Dns::add_address('8.8.4.9');
spawn($log, $^X, '-e', 'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => "8.8.4.9", LocalPort => 53, Proto => "udp") or die; sleep 120');
select undef, undef, undef, 0.5;
my $silent = look('8.8.4.9', 'unknown', map { "n$_.zone$_.test" } 1 .. ($ENV{BENCH_SMOKE} ? 3 : 100));
printf "a resolver that keeps silent, for all names: %.2f s (aim: at most 10 s)\n", $silent;
exit($wrong ? 1 : 0);
