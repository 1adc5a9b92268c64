#!/usr/bin/perl
# Holds connections: hold_tcp.pl ADDRESS PORT FOLDER listens on ADDRESS:PORT, notes each connection in
# FOLDER/requests, waits until FOLDER/release is there, and then relays it to 127.0.0.1:PORT.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($address, $port, $dir) = @ARGV;
my $listener = IO::Socket::INET->new(Listen => 64, LocalAddr => $address, LocalPort => $port, ReuseAddr => 1) or die "$address:$port: $!";
$SIG{CHLD} = 'IGNORE';
while (1) {
    my $client = $listener->accept or next;
    my $pid = fork;
    next if $pid;
    open my $fh, '>>', "$dir/requests" or die "$dir: $!";
    print {$fh} $client->peerhost, "\n";
    close $fh;
    select undef, undef, undef, 0.05 until -e "$dir/release";
    my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or exit 1;
    my $both = IO::Select->new($client, $server);
    while (my @ready = $both->can_read(30)) {
        for my $from (@ready) {
            my $to = $from == $client ? $server : $client;
            sysread($from, my $bytes, 16384) or exit 0;
            syswrite $to, $bytes;
        }
    }
    exit 0;
}
