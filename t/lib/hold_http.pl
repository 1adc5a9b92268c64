#!/usr/bin/perl
# Stands between the CA and a server on port PORT: listens at ADDRESS, notes each request's path in
# FOLDER/requests, holds it until FOLDER/release exists, then passes it on to 127.0.0.1.
#   usage: hold_http.pl ADDRESS PORT FOLDER
use strict;
use warnings;
use IO::Socket::INET;

my ($address, $port, $folder) = @ARGV;
my $listener = IO::Socket::INET->new(Listen => 32, LocalAddr => $address, LocalPort => $port, ReuseAddr => 1)
    or die "$address:$port: $!";
$SIG{CHLD} = 'IGNORE';
while (my $client = $listener->accept) {
    my $pid = fork // die "fork: $!";
    if ($pid) { close $client; next }
    close $listener;
    my $request = '';
    while ($request !~ /\r\n\r\n/ && sysread $client, my $part, 4096) { $request .= $part }
    my ($path) = $request =~ /^\S+ (\S+)/;
    open my $note, '>>', "$folder/requests" or die "$folder/requests: $!";
    syswrite $note, "$path\n";
    close $note;
    for (1 .. 600) { last if -e "$folder/release"; select undef, undef, undef, 0.1 }
    my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or exit 1;
    $request =~ s/^Connection:.*?\r\n//mi;
    $request =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/;
    syswrite $server, $request;
    while (sysread $server, my $part, 4096) { syswrite $client, $part }
    exit 0;
}
