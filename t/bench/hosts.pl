#!/usr/bin/perl
# What many hosts cost in a configuration test: the CPU of `nginx -t` and `httpd -t` with hotcert on
# in every host, less that of the same hosts without, in interleaved rounds. Linear is judged: the
# share of a host among many may not be twice that among a fourth of them, where there is a share that
# stands out of the noise.
#
#   hosts.pl COUNT ROUNDS
use strict;
use warnings;
use lib 't/lib';
use HotCert::Pki qw(make_ca make_leaf write_pair);
use HotCert::Rig qw(temp_dir run);
use HotCert::Server;

my ($many, $rounds) = @ARGV;
my @pair = write_pair(make_leaf(make_ca('hosts'), ['a.test']), temp_dir() . '/hosts');

# CPU seconds of one configuration test and of all that it starts.
sub cpu_of_test {
    my ($server) = @_;
    my @before = times;
    my ($code, $out) = run({ _seconds => 900 }, $server->command('-t'));
    my @after = times;
    die "$server->{kind}: the configuration is refused: $out" if $code != 0;
    return $after[2] + $after[3] - $before[2] - $before[3];
}

# The hosts as both servers take them, with and without hotcert. nginx needs no certificate without it
# where handshakes are refused; mod_ssl loads one for every host, ours or the operator's.
sub servers_of {
    my ($kind, $count) = @_;
    my @hosts = map { { names => ["h$_.many.test"], no_location => 1 } } 1 .. $count;
    my %common = (no_plain_host => 1, log_level => 'warn', names_hash => 1 << 20);
    my @with = $kind eq 'nginx' ? @hosts : map { { %$_, hotcert => 'on' } } @hosts;
    my $with = HotCert::Server->make($kind);
    $with->configure(%common, main => [ [ '', 'on' ], [ terms_agreed => 'on' ], [ contact => 'a@many.test' ] ], hosts => \@with);
    my $without = HotCert::Server->make($kind);
    $without->configure(%common, no_module => 1, nginx_http => 'ssl_reject_handshake on;', hosts => $kind eq 'nginx' ? \@hosts : [ map { { %$_, pair => \@pair } } @hosts ]);
    return ($with, $without);
}

sub share_of {
    my ($kind, $count) = @_;
    my ($with, $without) = servers_of($kind, $count);
    my (@shares, @stock);
    for (1 .. $rounds) {
        push @stock, cpu_of_test($without);
        push @shares, cpu_of_test($with) - $stock[-1];
    }
    return (median(@shares), median(@stock));
}

sub median { my @s = sort { $a <=> $b } @_; return ($s[ $#s / 2 ] + $s[ @s / 2 ]) / 2 }

my $wrong = 0;
for my $kind (HotCert::Server->kinds) {
    my ($few) = share_of($kind, int($many / 4));
    my ($share, $stock) = share_of($kind, $many);
    my $noise = 0.3 + $stock / 4;
    my $linear = $share < $noise || $share < 8 * $few;
    $wrong++ unless $linear;
    printf "  %-5s %d hosts: hotcert's share of the configuration test %.2f s of CPU beside the server's %.2f s; %d hosts: %.2f s%s\n",
        $kind, $many, $share, $stock, int($many / 4), $few, $linear ? '' : '  WRONG: not linear';
}
exit($wrong ? 1 : 0);
