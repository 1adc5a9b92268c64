#!/usr/bin/perl
# Serves one file to whoever asks, and writes a line for each request:
#   perl t/lib/one_file_http.pl ADDRESS PORT FILE LOG
# Ends with SIGTERM.
use strict;
use warnings;
use IO::Socket::INET;

my ($address, $port, $file, $log) = @ARGV;
my $server = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 16, ReuseAddr => 1)
    or die "$address:$port: $!\n";
local $SIG{PIPE} = 'IGNORE';
while (my $client = $server->accept) {
    my $first = <$client> // '';
    my $host = '';
    while (defined(my $line = <$client>)) {
        $host = $1 if $line =~ /^Host:\s*(\S+)/i;
        last if $line =~ /^\r?\n$/;
    }
    open my $out, '>>', $log or die "$log: $!\n";
    print $out "$host $first";
    close $out;
    open my $in, '<:raw', $file or die "$file: $!\n";
    my $body = do { local $/; <$in> };
    print $client "HTTP/1.1 200 OK\r\nContent-Type: application/pkix-cert\r\nContent-Length: ", length $body, "\r\n\r\n", $body;
    close $client;
}
