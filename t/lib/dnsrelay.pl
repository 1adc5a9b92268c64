#!/usr/bin/perl
# dnsrelay.pl ADDRESS:PORT UPSTREAM:PORT COMMAND..: runs a DNS server that looks nothing up for anybody, says
# so, and leaves the SOA out (pebble-challtestsrv), and makes a resolver of it: its replies get the RA bit,
# without which an empty one says nothing. UDP only. The server ends with the relay.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($listen, $upstream, @command) = @ARGV;
my $pid = fork // die "fork: $!";
if (!$pid) {
    exec 'setpriv', '--pdeathsig', 'TERM', @command;
    die "setpriv: $!";
}
$SIG{TERM} = sub { kill TERM => $pid; waitpid $pid, 0; exit 0 };
$SIG{CHLD} = sub { exit 1 if waitpid($pid, 1) == $pid };

my $socket = IO::Socket::INET->new(LocalAddr => $listen, Proto => 'udp') or die "$listen: $!";
my $select = IO::Select->new($socket);
my %asked;    # socket to the server => [who asked, until when it may answer]
while (1) {
    for my $ready ($select->can_read(1)) {
        my $peer = recv $ready, my $message, 65535, 0;
        if ($ready == $socket) {
            my $up = IO::Socket::INET->new(PeerAddr => $upstream, Proto => 'udp') or next;
            send $up, $message, 0;
            $asked{$up} = [ $peer, time + 10, $up ];
            $select->add($up);
            next;
        }
        my $for = delete $asked{$ready};
        $select->remove($ready);
        next unless defined $peer && length $message >= 12 && $for;
        substr($message, 3, 1) |= "\x80";
        send $socket, $message, 0, $for->[0];
    }
    for my $late (grep { $_->[1] < time } values %asked) {
        $select->remove($late->[2]);
        delete $asked{ $late->[2] };
    }
}
