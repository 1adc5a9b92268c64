#!/usr/bin/perl
# A DNS server that misbehaves: hostiledns.pl ADDRESS PORT. What it does is said by the first label of
# the name that is asked for:
#   good cut oversized loop longchain wrongid wrongquestion pointer pointerchain nxcname slow silent
#   garbage empty formerr refused servfail tcpcut tcpclose tcphuge manyrecords badcaa halfanswer spoof
#   caalast caaours caafull lame referral lamecname
# Everything below "fine." is answered well: A 203.0.113.7, no AAAA, no CAA.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time sleep);

my ($address, $port) = @ARGV;
my $udp = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Proto => 'udp') or die "udp: $!";
my $tcp = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Proto => 'tcp', Listen => 50, ReuseAddr => 1)
    or die "tcp: $!";
my @late;    # [time, peer, message]

sub name { return join('', map { pack('C', length) . $_ } split /\./, $_[0]) . "\0" }
sub record { my ($owner, $type, $data) = @_; return name($owner) . pack('nnNn', $type, 1, 300, length $data) . $data }
sub address { my ($owner) = @_; return record($owner, 1, pack 'C4', 203, 0, 113, 7) }
sub cname { my ($owner, $target) = @_; return record($owner, 5, name($target)) }

# id, flags, question as it came, answers
sub reply {
    my ($q, %opt) = @_;
    my @answers = @{ $opt{answers} // [] };
    my @authority = @{ $opt{authority} // [] };
    my $flags = ($opt{flags} // 0x8180) | ($opt{rcode} // 0) | ($opt{tc} ? 0x0200 : 0);
    return pack('nnnnnn', $opt{id} // $q->{id}, $flags, 1, scalar @answers, scalar @authority, 0)
        . ($opt{question} // $q->{question}) . join '', @answers, @authority;
}

sub parse {
    my ($message) = @_;
    return if length $message < 17;
    my ($id, undef, $count) = unpack 'nnn', $message;
    my ($at, @labels) = (12);
    while (my $n = ord substr $message, $at, 1) {
        push @labels, substr $message, $at + 1, $n;
        $at += $n + 1;
    }
    my ($type) = unpack 'n', substr $message, $at + 1, 2;
    return { id => $id, name => join('.', @labels), how => $labels[0] // '', type => $type,
        question => substr($message, 12, $at + 5 - 12) };
}

# the address of somebody that the Internet routes
sub here { my ($q) = @_; return $q->{type} == 1 ? [ record($q->{name}, 1, "\1\2\3\4") ] : [] }
sub caa { my ($flags, $tag, $value) = @_; return pack('CC', $flags, length $tag) . $tag . $value }

sub caa_set {
    my ($q, $over, @set) = @_;
    return reply($q, answers => here($q)) if $q->{type} != 257;
    return reply($q, tc => 1) if $over ne 'tcp';
    return reply($q, answers => [ map { pack('nnnNn', 0xc00c, 257, 1, 300, length $_) . $_ } @set ]);
}

my %ways = (
    cut => sub { my ($q, $over) = @_; return reply($q, $over eq 'tcp' ? (answers => [ address($q->{name}) ]) : (tc => 1)) },
    oversized => sub { return reply($_[0], answers => [ map { record($_[0]{name}, 16, "\xff" . 'x' x 255) } 1 .. 90 ]) },
    loop => sub { my ($q) = @_; return reply($q, answers => [ cname($q->{name}, "b.$q->{name}"), cname("b.$q->{name}", $q->{name}) ]) },
    longchain => sub {
        my ($q) = @_;
        my @names = ($q->{name}, map { "n$_.chain.test" } 1 .. 30);
        return reply($q, answers => [ (map { cname($names[$_], $names[$_ + 1]) } 0 .. 29), address($names[30]) ]);
    },
    wrongid => sub { my ($q) = @_; return reply($q, id => $q->{id} ^ 0x5555, answers => [ address($q->{name}) ]) },
    wrongquestion => sub { my ($q) = @_; return reply($q, question => name('evil.test') . pack('nn', 1, 1), answers => [ address('evil.test') ]) },
    # an owner name that is a compression pointer to itself
    pointer => sub {
        my ($q) = @_;
        my $at = 12 + length $q->{question};
        return reply($q, answers => [ pack('n', 0xc000 | $at) . pack('nnNn', 1, 1, 300, 4) . "\1\2\3\4" ]);
    },
    # names of pointers to pointers, as many as fit
    pointerchain => sub {
        my ($q) = @_;
        my $at = 12 + length $q->{question};
        my $chain = join '', map { pack 'n', 0xc000 | ($_ == 0 ? 12 : $at + 11 + 2 * ($_ - 1)) } 0 .. 400;
        my $null = "\0" . pack('nnNn', 10, 1, 300, length $chain) . $chain;
        my $last = 0xc000 | ($at + 11 + 800);
        return reply($q, answers => [ $null, map { pack('nnnNn', $last, 1, 1, 300, 4) . "\1\2\3\4" } 1 .. 40 ]);
    },
    nxcname => sub { my ($q) = @_; return reply($q, rcode => 3, answers => [ cname($q->{name}, 'gone.test') ]) },
    garbage => sub { my ($q) = @_; return pack('nnnnnn', $q->{id}, 0x8180, 1, 5, 0, 0) . $q->{question} . join '', map { chr int rand 256 } 1 .. 200 },
    empty => sub { return '' },
    formerr => sub { return reply($_[0], rcode => 1) },
    refused => sub { return reply($_[0], rcode => 5) },
    servfail => sub { return reply($_[0], rcode => 2) },
    tcpcut => sub { return reply($_[0], tc => 1) },
    tcpclose => sub { return reply($_[0], tc => 1) },
    tcphuge => sub { return reply($_[0], tc => 1) },
    manyrecords => sub { my ($q) = @_; return reply($q, answers => [ map { pack('nnnNn', 0xc00c, 1, 1, 300, 4) . "\1\2\3\4" } 1 .. 600 ]) },
    # sets of CAA that only TCP can carry; what decides is the last record
    caalast => sub { return caa_set($_[0], $_[1], (map { caa(0, 'issue', 'letsencrypt.org') } 1 .. 119), caa(128, 'tbs', 'x')) },
    caaours => sub { return caa_set($_[0], $_[1], (map { caa(0, 'issue', "no$_.test") } 1 .. 900), caa(0, 'issue', 'letsencrypt.org')) },
    # 65535 octets to the last one
    caafull => sub {
        my ($q, $over) = @_;
        my $room = 65535 - 12 - length($q->{question}) - 2 * 12;
        my $last = caa(0, 'issue', 'other.test');
        return caa_set($q, $over, caa(0, 'iodef', 'x' x ($room - length($last) - 7)), $last);
    },
    # who does not know says nothing, or sends us on
    lame => sub { my ($q) = @_; return reply($q, $q->{type} == 257 ? (flags => 0x8100) : (answers => here($q))) },
    referral => sub { my ($q) = @_; return reply($q, $q->{type} == 257 ? (flags => 0x8100, authority => [ record('test', 2, name('ns.test')) ]) : (answers => here($q))) },
    lamecname => sub { my ($q) = @_; return reply($q, $q->{type} == 257 ? (flags => 0x8500, answers => [ cname($q->{name}, 'x.other') ]) : (answers => here($q))) },
    badcaa => sub { my ($q) = @_; return reply($q, answers => [ $q->{type} == 257 ? record($q->{name}, 257, "\0\x20issue") : address($q->{name}) ]) },
    halfanswer => sub { my ($q) = @_; my $m = reply($q, answers => [ address($q->{name}) ]); return substr $m, 0, length($m) - 6 },
);

sub fine {
    my ($q) = @_;
    return reply($q, answers => $q->{type} == 1 ? [ address($q->{name}) ] : []);
}

sub answer {
    my ($q, $over) = @_;
    return fine($q) if $q->{name} =~ /(^|\.)fine(\.|$)/ || !exists $ways{ $q->{how} };
    return $ways{ $q->{how} }->($q, $over);
}

sub serve_udp {
    my $peer = recv $udp, my $message, 4096, 0;
    my $q = defined $peer ? parse($message) : undef;
    return unless $q;
    return if $q->{how} eq 'silent';
    if ($q->{how} eq 'slow') { push @late, [ time + 1, $peer, fine($q) ]; return }
    if ($q->{how} eq 'spoof') {
        # a flood of guesses comes before the right one
        send $udp, reply($q, id => $q->{id} ^ (1 + $_), answers => [ record($q->{name}, 1, "\1\2\3\4") ]), 0, $peer for 1 .. 200;
        push @late, [ time + 0.2, $peer, fine($q) ];
        return;
    }
    send $udp, answer($q, 'udp'), 0, $peer;
    return;
}

# One question on one connection.
sub serve_tcp {
    my $c = $tcp->accept or return;
    my $pid = fork;
    return close $c if $pid;
    alarm 20;
    sysread $c, my $message, 4096;
    my $q = parse(substr $message // '', 2);
    if ($q) {
        if ($q->{how} eq 'tcpclose') { exit 0 }
        my $reply = answer($q, 'tcp');
        my $length = $q->{how} eq 'tcphuge' ? 65535 : length $reply;
        syswrite $c, pack('n', $length);
        syswrite $c, $reply;
        sleep 15 if $q->{how} eq 'tcphuge';
    }
    exit 0;
}

$SIG{CHLD} = 'IGNORE';
$SIG{TERM} = sub { exit 0 };
$| = 1;
print "ready\n";
my $select = IO::Select->new($udp, $tcp);
while (1) {
    for my $ready ($select->can_read(0.02)) {
        $ready == $udp ? serve_udp() : serve_tcp();
    }
    my @due = grep { $_->[0] <= time } @late;
    @late = grep { $_->[0] > time } @late;
    send $udp, $_->[2], 0, $_->[1] for @due;
}
