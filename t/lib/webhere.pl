#!/usr/bin/perl
# A small web server for the preflight's requests: webhere.pl ADDRESS PORT FILE. FILE has a line for
# each path: "PATH STATUS BODY-OR-LOCATION"; "*" is any path; "[Name: value]" in front of the body adds a
# header. It is read anew for each request.
use strict;
use warnings;
use IO::Socket::IP;

my ($address, $port, $file) = @ARGV;
my $server = IO::Socket::IP->new(LocalAddr => $address, LocalPort => $port, Listen => 50, ReuseAddr => 1) or die "listen: $!";
$SIG{CHLD} = 'IGNORE';
$| = 1;
print "ready\n";
while (1) {
    my $c = $server->accept or next;
    my $pid = fork;
    if ($pid) { close $c; next }
    alarm 10;
    my $request = <$c> // '';
    my $host = '';
    while (my $line = <$c>) {
        last if $line =~ /^\r?\n$/;
        $host = $1 if $line =~ /^Host: (\S+)/i;
    }
    print "$host $request";
    my ($path) = $request =~ m{^GET (\S+)};
    my ($status, $rest) = (404, 'not here');
    open my $fh, '<', $file or exit 1;
    while (<$fh>) {
        chomp;
        my ($p, $s, $r) = split / /, $_, 3;
        if ($p eq '*' || $p eq ($path // '') || $p eq "$host$path") { ($status, $rest) = ($s, $r // ''); last }
    }
    my $more = $status =~ /^30/ ? "Location: $rest\r\n" : '';
    my $body = $status =~ /^30/ ? '' : $rest;
    $more .= "$1\r\n" while $body =~ s/^\[([A-Za-z-]+: [^]]*)\] ?//;
    $body = 'x' x $1 if $body =~ /^LONG (\d+)$/;
    print {$c} "HTTP/1.1 $status Whatever\r\n${more}Content-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
    exit 0;
}
