#!/usr/bin/perl
# `hotcert check --connect`: running servers are judged by what they send, mail servers after STARTTLS,
# and hostile ones end in an exit code, never in a hang or a crash.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Corpus;
use HotCert::Rig qw(run spawn end_process wait_for free_port slurp temp_dir build_dir);
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $program = build_dir() . '/hotcert';
my $corpus = HotCert::Corpus->new(temp_dir() . '/corpus');
my ($leaf, $mid, $root) = @$corpus{qw(plain mid root)};
my $log = temp_dir() . '/servers.log';

sub check { my (@args) = @_; return run({ _seconds => 40 }, $program, 'check', @args, '--roots', $corpus->roots, '--json') }

sub findings {
    my ($out) = @_;
    my $got = eval { decode_json($out) } or return { unreadable => $out };
    return { map { $_->{slug} => $_->{rank} } @{ $got->{findings} } };
}

# openssl s_server with these certificates; ends with the test.
sub tls_server {
    my ($who, @args) = @_;
    my $port = free_port();
    my $pid = spawn($log, 'openssl', 's_server', '-accept', "127.0.0.1:$port", '-cert', $who->{cert}, '-key', $who->{key},
        '-quiet', '-www', @args);
    wait_for(10, sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) }) or die slurp($log);
    return ($port, $pid);
}

sub judged {
    my ($name, $exit, $findings, $who, $args, @options) = @_;
    subtest $name => sub {
        my ($port, $pid) = tls_server($who, @$args);
        my ($code, $out) = check('--connect', "127.0.0.1:$port", '--sni', $corpus->host, @options);
        is($code, $exit, 'exit code') or diag($out);
        is_deeply(findings($out), $findings, 'exactly these findings') or diag($out);
        end_process($pid);
    };
    return;
}

my $old_mid = $corpus->issue('Corpus Intermediate', ca => 1, by => $root, key_file => $mid->{key}, from => -400, days => -10);
judged('a fit server', 0, {}, $leaf, [ '-cert_chain', $mid->{cert} ]);
judged('leaf only', 1, { 'chain-incomplete' => 'flawed' }, $leaf, []);
judged('the root is sent, too', 0, { 'chain-root' => 'remark' }, $leaf, [ '-cert_chain', $corpus->file('with-root.pem', $mid, $root) ]);
judged('out of order', 0, { 'chain-order' => 'remark', 'chain-root' => 'remark' }, do {
    my $second = $corpus->{second} = $corpus->issue('Second', ca => 1, by => $mid);
    $corpus->issue('leaf', by => $second);
}, [ '-cert_chain', $corpus->file('disorder.pem', $mid, $corpus->{second}, $root) ]);
judged('expired and fresh of one name', 1, { 'chain-expired' => 'flawed', 'chain-edition' => 'remark' }, $leaf,
    [ '-cert_chain', $corpus->file('both.pem', $old_mid, $mid) ]);
judged('another name', 1, { 'name-not-covered' => 'flawed' }, $leaf, [ '-cert_chain', $mid->{cert} ], '--name', 'other.example.org');
judged('TLS 1.2', 0, {}, $leaf, [ '-cert_chain', $mid->{cert}, '-tls1_2' ]);

subtest 'a staple is seen' => sub {
    my $must = $corpus->issue('leaf', by => $mid, more => 'tlsfeature=status_request');
    my ($index, $response) = map { $corpus->path($_) } qw(ocsp.index ocsp.der);
    my $serial = $corpus->openssl('x509', '-in', $must->{cert}, '-noout', '-serial') =~ s/.*=(\w+)\s*\z/$1/sr;
    $corpus->file('ocsp.index', join("\t", 'V', $corpus->day(90) =~ s/^20//r, '', $serial, 'unknown', '/CN=leaf') . "\n");
    $corpus->file('ocsp.index.attr', "unique_subject = no\n");
    $corpus->openssl('ocsp', '-index', $index, '-CA', $mid->{cert}, '-rsigner', $mid->{cert}, '-rkey', $mid->{key},
        '-issuer', $mid->{cert}, '-cert', $must->{cert}, '-respout', $response, '-ndays', 5);
    for my $case ([ 'with', 0, {}, '-status_file', $response ], [ 'without', 1, { 'must-staple' => 'flawed' } ]) {
        my ($what, $exit, $want, @more) = @$case;
        my ($port, $pid) = tls_server($must, '-cert_chain', $mid->{cert}, @more);
        my ($code, $out) = check('--connect', "127.0.0.1:$port", '--sni', $corpus->host);
        is($code, $exit, "$what the staple");
        is_deeply(findings($out), $want, 'its findings') or diag($out);
        end_process($pid);
    }
};

# A server in Perl that says these bytes first and answers each line with the next of its replies;
# 'TLS' hands over to s_server's port.
sub mute_server {
    my ($code) = @_;
    my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die;
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        while (my $s = $listener->accept) { $s->autoflush(1); $code->($s); close $s }
        POSIX::_exit(0);
    }
    return ($listener->sockport, $pid);
}

# Copies both ways until one end closes.
sub relay {
    my ($s, $port) = @_;
    my $to = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or return;
    while (1) {
        my $ready = '';
        vec($ready, fileno($_), 1) = 1 for $s, $to;
        select($ready, undef, undef, 10) > 0 or return;
        for my $pair ([ $s, $to ], [ $to, $s ]) {
            next unless vec($ready, fileno($pair->[0]), 1);
            my $n = sysread($pair->[0], my $bytes, 16384);
            return if !$n;
            syswrite($pair->[1], $bytes);
        }
    }
}

subtest 'a mail server is judged after STARTTLS' => sub {
    my ($tls, $tls_pid) = tls_server($leaf, '-cert_chain', $mid->{cert});
    my ($port, $pid) = mute_server(sub {
        my ($s) = @_;
        print {$s} "220-mail.example.org\r\n220 ESMTP\r\n";
        return unless (<$s> // '') =~ /^EHLO /;
        print {$s} "250-mail.example.org\r\n250-SIZE 1\r\n250 STARTTLS\r\n";
        return unless (<$s> // '') =~ /^STARTTLS/;
        print {$s} "220 go\r\n";
        relay($s, $tls);
    });
    my ($code, $out) = check('--connect', "127.0.0.1:$port", '--sni', $corpus->host, '--starttls', 'smtp');
    is($code, 0, 'fit') or diag($out);
    is_deeply(findings($out), {}, 'no findings');
    end_process($_) for $pid, $tls_pid;
};

my %hostile = (
    'closes at once' => sub { },
    'says nothing TLS knows' => sub { print { $_[0] } "HTTP/1.1 400 Bad Request\r\n\r\n" },
    'sends random bytes' => sub { print { $_[0] } join '', map { chr int rand 256 } 1 .. 5000 },
    'sends a record of the wrong length' => sub { print { $_[0] } "\x16\x03\x03\xff\xff" . 'x' x 70000 },
);
for my $what (sort keys %hostile) {
    subtest "a server that $what" => sub {
        my ($port, $pid) = mute_server($hostile{$what});
        my ($code, $out) = check('--connect', "127.0.0.1:$port");
        is($code, 3, 'could not be looked at');
        like($out, qr/^hotcert: 127\.0\.0\.1:$port: the TLS connection to the server failed: /, 'and why');
        unlike($out, qr/[^\n\x20-\x7e]/, 'escaped');
        end_process($pid);
    };
}

my %hostile_mail = (
    'refuses' => [ sub { print { $_[0] } "554 no\r\n" }, qr/the mail server says: 554 no/ ],
    'has no STARTTLS' => [ sub { my $s = shift; print {$s} "220 x\r\n"; <$s>; print {$s} "250 x\r\n"; <$s> }, qr/offers no STARTTLS/ ],
    'is no mail server' => [ sub { print { $_[0] } "SSH-2.0-x\r\n" }, qr/this is not SMTP/ ],
    'never ends its line' => [ sub { print { $_[0] } 'x' x 100_000 }, qr/longer than/ ],
    'never ends its reply' => [ sub { print { $_[0] } "220-x\r\n" x 1000 }, qr/this is not SMTP/ ],
    'sends escape sequences' => [ sub { print { $_[0] } "554 \e[31m\r\n" }, qr/554 \\+x1b\[31m/ ],
);
for my $what (sort keys %hostile_mail) {
    subtest "a mail server that $what" => sub {
        my ($port, $pid) = mute_server($hostile_mail{$what}[0]);
        my ($code, $out) = check('--connect', "127.0.0.1:$port", '--starttls', 'smtp');
        is($code, 3, 'could not be looked at');
        like($out, $hostile_mail{$what}[1], 'and why');
        unlike($out, qr/\e/, 'escaped');
        end_process($pid);
    };
}

subtest 'a server that never answers costs ten seconds' => sub {
    my ($port, $pid) = mute_server(sub { sleep 60 });
    my $began = time;
    my ($code) = check('--connect', "127.0.0.1:$port");
    is($code, 3, 'could not be looked at');
    cmp_ok(time - $began, '<', 15, 'in time');
    end_process($pid);
};

subtest 'nobody there' => sub {
    my $port = free_port();
    my ($code, $out) = check('--connect', "127.0.0.1:$port");
    is($code, 3, 'could not be looked at');
    like($out, qr/Connection refused/, 'and why');
    ($code) = check('--connect', 'name.invalid:443');
    is($code, 3, 'no such name');
    ($code) = check('--connect', 'name.invalid');
    is($code, 3, 'a host alone is asked at port 443');
    ($code, $out) = check('--connect', '127.0.0.1');
    is($code, 3, 'so is an address');
    like($out, qr/127\.0\.0\.1/, 'by name');
    ($code) = check('--connect', '127.0.0.1:');
    is($code, 64, 'an empty port is wrong usage');
};

done_testing;
