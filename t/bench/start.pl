#!/usr/bin/perl
# A start with many watched hosts beside the same server with the same certificates and no hotcert: the
# CPU of all that is started until every worker serves (the agent, which goes on afterwards, apart), and
# the time on the clock. At the first start nothing is remembered; at the second the store knows every
# pair. Rounds are interleaved, the figures are ratios of one round, their median is told.
#
#   start.pl HOSTS ROUNDS
use strict;
use warnings;
use lib 't/lib';
use HotCert::Rig qw(temp_dir build_dir run spew slurp wait_for);
use HotCert::Server;
use Time::HiRes qw(time);

my ($count, $rounds) = @ARGV;
my $dir = temp_dir() . '/many';
mkdir $dir, 0700;
my ($code, $out) = run({ _seconds => 300 }, build_dir() . '/benchtool', 'pairs', $dir, $count, 'many.test');
die $out if $code != 0;
my $roots = spew(temp_dir() . '/many-ca.pem', slurp("$dir/ca.pem"), 0644); # the agent reads them

# User and system time of a process and of its children that ended, in seconds.
sub cpu_of {
    my ($stat) = slurp("/proc/$_[0]/stat") =~ /\) (.*)/ or return 0;
    my @field = split ' ', $stat;
    return ($field[11] + $field[12] + $field[13] + $field[14]) / 100;
}

# { cpu, wall } of a start. What ended is our child's or the master's.
sub start_of {
    my ($server) = @_;
    my ($began, @before) = (time, times);
    $server->start;
    my $wall = time - $began;
    my $processes = $server->processes;
    my @after = times;
    my $cpu = $after[2] + $after[3] - $before[2] - $before[3];
    $cpu += cpu_of($_) for map { @{ $processes->{$_} } } grep { $_ ne 'agent' } keys %$processes;
    return { cpu => $cpu, wall => $wall };
}

sub server_of {
    my ($kind, $mode) = @_;
    my $server = HotCert::Server->make($kind, workers => 1);
    my @how = $mode ? (main => [ [ trusted_certificate => $roots ] ]) : (no_module => 1);
    return $server->configure(@how, hosts => [ map { { names => ["$_.many.test"], pair => [ "$dir/$_.pem", "$dir/$_.key" ],
        ($mode ? (hotcert => $mode) : ()) } } 1 .. $count ]);
}

sub remembers_all {
    my ($server) = @_;
    return wait_for(300, sub { $count <= grep { !/\.before$/ } glob "$server->{store}/records/verdict/*" }, 0.5);
}

sub median { my @s = sort { $a <=> $b } @_; return ($s[ $#s / 2 ] + $s[ @s / 2 ]) / 2 }

my $wrong = 0;
for my $kind (HotCert::Server->kinds) {
    my (%cpu, %wall, @stock);
    for (1 .. $rounds) {
        my $server = server_of($kind, '');
        my $stock = start_of($server);
        $server->stop;
        push @stock, $stock->{cpu};
        $server = server_of($kind, 'watch');
        for my $which ('first', 'second') {
            my $start = start_of($server);
            push @{ $cpu{$which} }, $start->{cpu} / $stock->{cpu};
            push @{ $wall{$which} }, $start->{wall} / $stock->{wall};
            if ($which eq 'first' && !remembers_all($server)) {
                $wrong++;
                print "  WRONG  $kind: the store does not remember all verdicts\n";
            }
            $server->stop;
        }
    }
    printf "  %-5s %d hosts: %.2f s of CPU without hotcert; with it, as a ratio: first start %.2f (on the clock %.2f), second %.2f (%.2f)\n",
        $kind, $count, median(@stock), median(@{ $cpu{first} }), median(@{ $wall{first} }), median(@{ $cpu{second} }), median(@{ $wall{second} });
}
exit($wrong ? 1 : 0);
