#!/usr/bin/perl
# A DNS server that sends whatever it likes: nothing brings the program down, nothing is believed that
# was not asked for, nothing takes longer than ten seconds.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Rig qw(run spawn wait_for slurp temp_dir build_dir free_port track_log);
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $port = free_port();
my $log = track_log('hostile server', temp_dir() . '/hostile.log');
spawn($log, $^X, 't/lib/hostiledns.pl', '127.0.0.1', $port);
wait_for(5, sub { slurp($log) =~ /ready/ }) or BAIL_OUT('the hostile server does not start');

# { name => {verdict, slugs => {..}} } of one run, its exit code and its time
sub diagnose {
    my (@names) = @_;
    my $start = time;
    my ($code, $text) = run({ _seconds => 60 }, build_dir() . '/hotcert', 'diagnose', '--json', '--no-request',
        '--resolver', "127.0.0.1:$port", @names);
    my $took = time - $start;
    my $list = eval { decode_json($text) } // [];
    is(scalar @$list, scalar @names, "@names: a report for each") or diag($text);
    my %by = map { $_->{name} => { verdict => $_->{verdict}, text => encode_json($_), slugs => { map { $_->{slug} => $_ } @{ $_->{findings} } } } } @$list;
    return (\%by, $code, $took);
}

my ($all, $code, $took) = diagnose('www.fine.test');
ok(exists $all->{'www.fine.test'}{slugs}{'dns-reserved-address'}, 'a server that behaves is understood');
is($code, 1, 'the documentation address would fail');

# What each misbehaviour must come to.
my @cases = (
    [ cut => 'would-fail', 'dns-reserved-address', 'a truncated reply is asked for again over TCP' ],
    [ formerr => 'unknown', 'dns-failed', 'FORMERR' ],
    [ refused => 'unknown', 'dns-failed', 'REFUSED' ],
    [ servfail => 'unknown', 'dns-failed', 'SERVFAIL' ],
    [ loop => 'unknown', 'dns-failed', 'a CNAME loop' ],
    [ longchain => 'unknown', 'dns-failed', 'thirty CNAMEs in a row' ],
    [ pointer => 'unknown', 'dns-failed', 'a compression pointer to itself' ],
    [ pointerchain => 'ready', 'dns-not-here', 'names of four hundred compression pointers, which can be read' ],
    [ oversized => 'would-fail', 'dns-no-address', 'a reply of 23 KB of what was not asked for' ],
    [ garbage => 'unknown', 'dns-failed', 'noise behind a good header' ],
    [ manyrecords => 'ready', 'dns-not-here', 'six hundred records' ],
    [ caalast => 'would-fail', 'caa-unknown-critical', 'what forbids behind 119 records that permit' ],
    [ caafull => 'would-fail', 'caa-other-issuer', 'a set of 65535 octets' ],
    [ lame => 'unknown', 'caa-failed', 'a server that says nothing about CAA' ],
    [ referral => 'unknown', 'caa-failed', 'a server that refers us to another for CAA' ],
    [ lamecname => 'unknown', 'caa-failed', 'a server that does not follow a CNAME' ],
    [ halfanswer => 'unknown', 'dns-failed', 'a reply that ends in the middle of a record' ],
    [ nxcname => 'would-fail', 'dns-cname-dangling', 'NXDOMAIN with a CNAME' ],
    [ tcpcut => 'unknown', 'dns-failed', 'a reply that is truncated over TCP too' ],
    [ tcpclose => 'unknown', 'dns-failed', 'a TCP connection that is closed at once' ],
    [ badcaa => 'would-fail', 'caa-failed', 'a CAA record whose tag is longer than the record' ],
    [ slow => 'would-fail', 'dns-reserved-address', 'an answer after a second' ],
    [ spoof => 'would-fail', 'dns-reserved-address', 'two hundred forged ids before the answer' ],
);
($all, $code, $took) = diagnose('caaours.test', map { "$_->[0].test" } @cases);
is($all->{'caaours.test'}{verdict}, 'ready', 'what permits behind 900 records that do not: ready') or diag($all->{'caaours.test'}{text});
for my $case (@cases) {
    my ($how, $verdict, $slug, $words) = @$case;
    my $got = $all->{"$how.test"};
    is($got->{verdict}, $verdict, "$words: $verdict") or diag($got->{text});
    ok(exists $got->{slugs}{$slug}, "$words: $slug") or diag($got->{text});
}
unlike($all->{'spoof.test'}{text}, qr/1\.2\.3\.4/, 'nothing of the forged ones is believed');

# What keeps silent, or never says anything that is ours.
my @mute = ('silent', 'wrongid', 'wrongquestion', 'empty', 'tcphuge');
($all, $code, $took) = diagnose(map { "$_.test" } @mute);
is($all->{"$_.test"}{verdict}, 'unknown', "$_: unknown") for @mute;
is($code, 3, 'which is exit code 3');
cmp_ok($took, '<', 15, 'five such names side by side take ten seconds, not ten each');
cmp_ok($took, '>', 8, 'and are given their time');
done_testing;
