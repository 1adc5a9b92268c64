#!/usr/bin/perl
# A DNS server as fast as the rest of the world: slowdns.pl ADDRESS PORT SECONDS. Every answer takes
# SECONDS, however many are asked for at a time. It is resolver and authority in one: a zone for each
# two labels, whose name server has this address; every name below has one A record, none has CAA.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

my ($address, $port, $delay) = @ARGV;
my $udp = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Proto => 'udp') or die "udp: $!";
setsockopt $udp, SOL_SOCKET, SO_RCVBUF, 4 << 20;
my @octets = split /\./, $address;
my @late;

sub name { return join('', map { pack('C', length) . $_ } split /\./, $_[0]) . "\0" }
sub record { my ($owner, $type, $data) = @_; return name($owner) . pack('nnNn', $type, 1, 300, length $data) . $data }

sub answer {
    my ($message) = @_;
    my ($id) = unpack 'n', $message;
    my ($at, @labels) = (12);
    while (my $n = ord substr $message, $at, 1) {
        push @labels, substr $message, $at + 1, $n;
        $at += $n + 1;
    }
    my ($type) = unpack 'n', substr $message, $at + 1, 2;
    my $zone = join '.', @labels > 2 ? @labels[-2, -1] : @labels;
    my $name = join '.', @labels;
    my $soa = record($zone, 6, name("ns.$zone") . name("host.$zone") . pack('N5', 1, 3600, 600, 86400, 300));
    my @answers = $type == 1 && @labels > 2 ? record($name, 1, pack 'C4', $labels[0] eq 'ns' ? @octets : (8, 8, 4, 4))
        : $type == 2 && $name eq $zone ? record($name, 2, name("ns.$zone"))
        : $type == 6 && $name eq $zone ? $soa
        :                                ();
    return pack('nnnnnn', $id, 0x8580, 1, scalar @answers, @answers ? 0 : 1, 0) . substr($message, 12, $at + 5 - 12)
        . join('', @answers ? @answers : $soa);
}

$SIG{TERM} = sub { exit 0 };
$| = 1;
print "ready\n";
my $select = IO::Select->new($udp);
while (1) {
    my $wait = @late ? $late[0][0] - time : 1;
    if ($select->can_read($wait > 0 ? $wait : 0)) {
        my $peer = recv $udp, my $message, 4096, 0;
        push @late, [ time + $delay, $peer, answer($message) ] if defined $peer && length $message > 16;
    }
    while (@late && $late[0][0] <= time) {
        my $due = shift @late;
        send $udp, $due->[2], 0, $due->[1];
    }
}
