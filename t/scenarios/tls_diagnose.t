#!/usr/bin/perl
# `hotcert diagnose --method tls-alpn-01`: the handshake of a CA with real servers, at addresses of this
# machine and of others.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Pki qw(make_ca make_leaf);
use HotCert::Rig qw(run spawn spew wait_for slurp temp_dir build_dir track_log);
use HotCert::Scenario;
use IO::Socket::IP;
use JSON::PP;

HotCert::Dns::need_namespace();

my ($here, $front, $cdn, $cdn6) = ('127.0.0.1', '8.8.4.7', '8.8.5.8', '2a00:1450:4005::8');
HotCert::Dns::add_address($cdn6);
HotCert::Dns::add_elsewhere($_) for $front, $cdn;
my $dns = HotCert::Dns->new;
$dns->zone('example.test', <<"Z");
own 300 IN A $here
closed6 300 IN A $here
closed6 300 IN AAAA ::1
mixed 300 IN A $here
mixed 300 IN A $front
front 300 IN A $front
cdn 300 IN A $cdn
cdn 300 IN AAAA $cdn6
nobody 300 IN A 8.8.4.9
Z
$dns->start;
my $edge = make_leaf(make_ca('Edge CA'), ['edge.invalid']);

# A TLS server that is none of ours.
sub terminator {
    my ($address, @options) = @_;
    my $at = $address =~ /:/ ? "[$address]:443" : "$address:443";
    spawn(track_log("terminator $address", temp_dir() . "/terminator.$address.log"), 'openssl', 's_server', '-accept', $at,
        '-cert', $edge->{cert}, '-key', $edge->{key}, '-quiet', @options);
    wait_for(10, sub { IO::Socket::IP->new(PeerAddr => $address, PeerPort => 443, Timeout => 1) }) or die "nothing listens at $at";
    return;
}
terminator($front);
terminator($_, '-alpn', 'h2,http/1.1') for $cdn, $cdn6;
my $ranges = spew(temp_dir() . '/ranges', "# public ranges\n8.8.5.0/24 Some CDN\nSome CDN: 2a00:1450:4005::/48\n");

sub diagnose {
    my (@args) = @_;
    my ($code, $text) = run({ _seconds => 60 }, build_dir() . '/hotcert', 'diagnose', '--json', '--method', 'tls-alpn-01', '--network', 'private',
        '--resolver', $dns->resolver, @args);
    my $list = eval { decode_json($text) } or return { verdict => "no report: $text", slugs => {} };
    my $name = $list->[0];
    return { verdict => $name->{verdict}, code => $code, text => encode_json($name), slugs => { map { $_->{slug} => $_ } @{ $name->{findings} } } };
}
sub expect {
    my ($args, $verdict, $words, @slugs) = @_;
    my $got = diagnose(@$args);
    is($got->{verdict}, $verdict, "$words: $verdict") or diag($got->{text});
    is(join(' ', grep { $_ ne 'dns-not-here' } sort keys %{ $got->{slugs} }), join(' ', sort @slugs), "$words: " . ("@slugs" || 'nothing is found')) or diag($got->{text});
    return $got->{slugs}{ $slugs[0] // '' } // {};
}

scenario plain_http_on_the_TLS_port_is_named => sub {
    my ($kind) = @_;
    my $s = server($kind, http_port => 443);
    $s->configure(no_module => 1, hosts => [ { names => ['own.example.test'], pair => [ $edge->{cert}, $edge->{key} ] } ]);
    $s->start;
    my $f = expect([ 'own.example.test' ], 'would-fail', 'a listener without TLS', 'tls-not-spoken');
    like($f->{message} // '', qr{^127\.0\.0\.1, port 443: it answers in plain HTTP \(HTTP/1\.1 400}, 'is told by its first line');
    $s->stop;
};

scenario our_own_server_is_told_from_others => sub {
    my ($kind) = @_;
    my $s = server($kind, tls_port => 443);
    $s->configure(issuers => { pebble => [ [ directory_url => 'https://127.0.0.1:1/dir' ], [ terms_agreed => 'on' ] ] },
        main => [ [ use => 'pebble' ], [ preflight => 'off' ] ], hosts => [ { names => [ map { "$_.example.test" } 'own', 'closed6', 'mixed' ], hotcert => 'on' } ]);
    $s->start;
    expect([ 'own.example.test' ], 'ready', 'a server with hotcert');
    my $f = expect([ 'closed6.example.test' ], 'ready', 'nothing listens over IPv6', 'tls-unreachable');
    like($f->{message} // '', qr/^::1, port 443: /, 'the address is named');
    is($f->{rank}, 'remark', 'as a remark');
    $f = expect([ 'mixed.example.test' ], 'would-fail', 'another server at one of two addresses', 'tls-addresses-differ', 'tls-wrong-answer');
    like($f->{message} // '', qr/127\.0\.0\.1: it refuses the handshake, as hotcert does/, 'which is right');
    like($f->{message} // '', qr/\Q$front\E: another server answers/, 'and which is not');
    $s->stop;
};

subtest 'other servers are named' => sub {
    my $f = expect([ 'front.example.test' ], 'would-fail', 'another server', 'tls-wrong-answer');
    like($f->{message} // '', qr/^\Q$front\E, port 443: another server answers with the certificate of edge\.invalid, issued by Edge CA$/, 'by its certificate');
    expect([ 'nobody.example.test' ], 'ready', 'an address where nobody answers', 'tls-unreachable');
    expect([ 'cdn.example.test' ], 'ready', 'one that refuses the protocol looks like ours');
    $f = expect([ '--cdn-ranges', $ranges, 'cdn.example.test' ], 'would-fail', 'unless its address is known', 'dns-cdn-address', 'tls-wrong-answer');
    is($f->{message}, "cdn.example.test. 300 IN A $cdn: this address is in the range 8.8.5.0/24 of Some CDN", 'with the record, the range and the CDN');
    is($f->{rank}, 'remark', 'the CDN itself is a remark');
    my $got = diagnose('--cdn-ranges', $ranges, 'cdn.example.test');
    like($got->{slugs}{'tls-wrong-answer'}{message} // '', qr/^\Q$cdn6\E \(Some CDN\), port 443: /, 'IPv6 first, with whose it is');
    expect([ '--cdn-ranges', $ranges, 'front.example.test' ], 'would-fail', 'other addresses are not', 'tls-wrong-answer');
    $f = expect([ '--cdn-ranges', $ranges, '--no-request', 'cdn.example.test' ], 'would-fail', 'without a handshake it is taken as such', 'dns-cdn-address');
    is($f->{rank}, 'flawed', 'and is a flaw, with no other method');
    $got = diagnose('--cdn-ranges', $ranges, '--no-request', '--method', 'dns-01', 'cdn.example.test');
    is($got->{verdict}, 'ready', 'where a record can prove the name, it is not') or diag($got->{text});
    my ($code, $text) = run(build_dir() . '/hotcert', 'diagnose', '--cdn-ranges', spew(temp_dir() . '/wrong', "8.8.5.0/24 X\n8.8.5.1/24 X\n"), 'a.test');
    is($code, 64, 'a file with a mistake: exit code 64');
    like($text, qr/wrong:2/, 'and the line');
};

done_testing;
