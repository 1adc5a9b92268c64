#!/usr/bin/perl
# dnsstrip.pl ADDRESS PORT UPSTREAM: a forwarder as in old routers: it asks UPSTREAM without EDNS, so that what it
# gives back has no DNSSEC records. UDP only.
use strict;
use warnings;
use IO::Socket::INET;

my ($address, $port, $upstream) = @ARGV;
my $socket = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Proto => 'udp') or die "$address: $!";
while (1) {
    my $peer = recv $socket, my $message, 65535, 0;
    next unless defined $peer && length $message > 16;
    my $at = 12;
    $at += 1 + ord substr $message, $at, 1 while $at < length $message && ord substr $message, $at, 1;
    my $question = substr $message, 12, $at + 5 - 12;
    my ($id, $flags) = unpack 'nn', $message;
    my $up = IO::Socket::INET->new(PeerAddr => $upstream, PeerPort => 53, Proto => 'udp') or next;
    send $up, pack('n6', $id, $flags, 1, 0, 0, 0) . $question, 0;
    my $ready = '';
    vec($ready, fileno $up, 1) = 1;
    next unless select $ready, undef, undef, 2;
    send $socket, $message, 0, $peer if defined recv $up, $message, 65535, 0;
}
