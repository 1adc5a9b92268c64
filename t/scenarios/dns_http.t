#!/usr/bin/perl
# The request that a CA would make, made by `hotcert diagnose` over real sockets: both families,
# redirects, addresses that are not asked.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Rig qw(run spawn spew wait_for slurp temp_dir build_dir track_log);
use HotCert::Dns;
use HotCert::Pki qw(make_ca make_leaf);
use IO::Socket::IP;
use JSON::PP;
use Test::More;

HotCert::Dns::need_namespace();

my ($one, $one6, $two, $quiet, $edge, $router) = ('8.8.4.4', '2a00:1450:4001::4', '8.8.4.5', '8.8.4.6', '8.8.4.7', '8.8.4.8');
HotCert::Dns::add_address($_) for $one, $one6, $two, $quiet;
HotCert::Dns::add_elsewhere($_) for $edge, $router;

my $dns = HotCert::Dns->new;
$dns->zone('example.test', <<"Z");
www 300 IN A $one
both 300 IN A $one
both 300 IN AAAA $one6
mixed 300 IN A $two
mixed 300 IN AAAA $one6
half 300 IN A $one
half 300 IN AAAA 2a00:1450:4001::5
quiet 300 IN A $quiet
inside 300 IN A 10.9.9.9
inside 300 IN A $one
redirect 300 IN A $two
far 300 IN A $two
round 300 IN A $two
port 300 IN A $two
secure 300 IN A $two
ftp 300 IN A $two
intern 300 IN A $two
toinside 300 IN A $two
nowhere 300 IN A $two
long 300 IN A $two
several 300 IN A $one
several 300 IN A $two
several 300 IN A $quiet
away 300 IN A $two
toedge 300 IN A $two
plain 300 IN A $two
home 300 IN A $router
Z
$dns->zone('edge.test', "\@ 300 IN A $edge\n");
$dns->zone('onlyinside.test', "\@ 300 IN A 10.9.9.8\n");
$dns->start;

my $path = '/.well-known/acme-challenge/hotcert-preflight';
my %log;
sub web {
    my ($name, $address, $port, $lines) = @_;
    my $file = spew(temp_dir() . "/$name.pages", $lines);
    $log{$name} = track_log("web $name", temp_dir() . "/$name.log");
    spawn($log{$name}, $^X, 't/lib/webhere.pl', $address, $port, $file);
    wait_for(5, sub { slurp($log{$name}) =~ /ready/ }) or BAIL_OUT("web server $name does not start");
    return $file;
}
web('one', $one, 80, "* 404 nothing\n");
web('one6', $one6, 80, "* 404 nothing\n");
web('two', $two, 80, join '', map { "$_\n" }
    "redirect.example.test$path 301 http://www.example.test/elsewhere",
    "far.example.test$path 302 //www.example.test/x", "port.example.test$path 302 http://www.example.test:8080/x",
    "round.example.test$path 302 /again", 'round.example.test/again 302 /again', "ftp.example.test$path 302 ftp://www.example.test/x",
    "intern.example.test$path 302 http://10.9.9.9/x", "toinside.example.test$path 302 http://onlyinside.test/x",
    "secure.example.test$path 301 https://www.example.test/secure",
    "nowhere.example.test$path 302 http://gone.example.test/", "long.example.test$path 200 LONG 300000",
    "away.example.test$path 302 http://edge.test/elsewhere", "toedge.example.test$path 301 https://edge.test/elsewhere",
    "plain.example.test$path 301 https://other.test/", "* 200 other");
web('edge', $edge, 80, "* 200 edge\n");
web('router', $router, 80, "* 401 [Server: micro_httpd] [WWW-Authenticate: Basic realm=\"Home\"] <title>Log in</title>secret page\n");
# https with a certificate that nobody trusts
my $root = make_ca('nobody');
my $leaf = make_leaf($root, ['other.test']);
$log{tls} = track_log('web tls', temp_dir() . '/tls.log');
for my $address ($one, $edge) {
    spawn($log{tls}, 'openssl', 's_server', '-accept', "$address:443", '-cert', $leaf->{cert}, '-key', $leaf->{key}, '-www');
    wait_for(5, sub { IO::Socket::IP->new(PeerAddr => $address, PeerPort => 443, Timeout => 1) }) or BAIL_OUT('the TLS server does not start');
}
web('loop', '127.0.0.1', 80, "* 200 inside\n");

sub diagnose {
    my (@args) = @_;
    my ($code, $text) = run({ _seconds => 60 }, build_dir() . '/hotcert', 'diagnose', '--json', '--resolver', $dns->resolver, @args);
    my $list = eval { decode_json($text) };
    if (!$list) { fail("@args: no report"); diag($text); return {} }
    my %by;
    for my $name (@$list) {
        $by{ $name->{name} } = { verdict => $name->{verdict}, code => $code, text => encode_json($name),
            slugs => { map { $_->{slug} => $_ } @{ $name->{findings} } } };
    }
    return \%by;
}

my $all = diagnose(map { "$_.example.test" } qw(www both mixed half quiet inside redirect far port round ftp intern toinside secure nowhere long
    several away toedge home));
sub expect {
    my ($name, $verdict, $words, @slugs) = @_;
    my $got = $all->{"$name.example.test"};
    is($got->{verdict}, $verdict, "$words: $verdict") or diag($got->{text});
    is(join(' ', grep { $_ ne 'dns-not-here' && $_ ne 'name-internal' } sort keys %{ $got->{slugs} }), join(' ', sort @slugs),
        "$words: " . (@slugs ? "@slugs" : 'nothing is found')) or diag($got->{text});
    return $got->{slugs}{ $slugs[0] // '' } // {};
}
expect('www', 'ready', 'a server that answers, if only with 404');
expect('both', 'ready', 'the same over both families');
my $f = expect('mixed', 'would-fail', 'IPv6 answers something else than IPv4', 'http-ipv6-differs');
like($f->{message}, qr/over IPv6, \Q$one6\E gives an answer \(status 404\); over IPv4, \Q$two\E gives an answer \(status 200\)/, 'and what');
like($f->{hint}, qr/mixed\.example\.test\. IN AAAA \Q$one6\E/, 'with the record to look at');
$f = expect('half', 'ready', 'IPv6 where nothing listens', 'http-unreachable');
is($f->{rank}, 'remark', 'is a remark');
like($f->{message}, qr/2a00:1450:4001::5, port 80/, 'with the address');
$f = expect('quiet', 'ready', 'a port where nothing listens', 'http-unreachable');
is($f->{rank}, 'remark', 'is a remark');
expect('inside', 'ready', 'a private address is not asked', 'dns-reserved-address');
expect('redirect', 'ready', 'a redirect to another host');
like(slurp($log{one}), qr{^www\.example\.test GET /elsewhere }m, 'is followed');
expect('far', 'ready', 'a redirect without a scheme');
$f = expect('port', 'would-fail', 'a redirect to port 8080', 'http-redirect');
like($f->{message}, qr{http://www\.example\.test:8080/x: CAs follow to ports 80 and 443 only}, 'says so');
$f = expect('round', 'would-fail', 'a redirect to itself', 'http-redirect');
like($f->{message}, qr/one redirect too many/, 'says so');
my @again = slurp($log{two}) =~ m{^round\.example\.test GET /again }mg;
is(scalar @again, 10, 'after ten of them');
expect('ftp', 'would-fail', 'a redirect to ftp', 'http-redirect');
$f = expect('intern', 'would-fail', 'a redirect to a private address', 'http-redirect');
expect('toinside', 'would-fail', 'a redirect to a name inside', 'http-redirect');
expect('secure', 'ready', 'a redirect to https, whatever its certificate');
expect('nowhere', 'would-fail', 'a redirect to a name that does not exist', 'http-redirect');
expect('long', 'ready', 'a long page');
$f = expect('several', 'would-fail', 'one of several addresses answers otherwise', 'http-addresses-differ', 'http-unreachable');
like($f->{message}, qr/\Q$one\E: an answer \(status 404\)/, 'which one');
like($f->{message}, qr/\Q$two\E: an answer \(status 200\)/, 'and which not');
$f = expect('away', 'ready', 'a redirect to a host that nobody named', 'http-redirect-elsewhere');
like($f->{message}, qr{\Q$two\E redirects to http://edge\.test/elsewhere, where \Q$edge\E answers on port 80}, 'says where it ends');
$f = expect('toedge', 'ready', 'a redirect to its TLS port', 'http-redirect-elsewhere');
like($f->{message}, qr{https://edge\.test/elsewhere, where \Q$edge\E answers on port 443 .*whatever the certificate}, 'is followed as a CA follows it');
is($f->{rank}, 'remark', 'and is a remark: it may pass the request on');
$f = expect('home', 'ready', 'a router that answers in place of the server', 'http-device');
is($f->{message}, "$router: Server: micro_httpd, WWW-Authenticate: Basic realm=\"Home\", title: Log in", 'is told by what it says of itself');
unlike($all->{'home.example.test'}{text}, qr/secret page/, 'but not by its page');

# a name whose own addresses are all reserved is not asked for a public CA, and is for a private one
$dns->change('example.test', "home 300 IN A 127.0.0.1\n");
my $before = () = slurp($log{loop}) =~ /GET/g;
$all = diagnose('home.example.test');
is($all->{'home.example.test'}{verdict}, 'would-fail', 'loopback for a public CA');
my $between = () = slurp($log{loop}) =~ /GET/g;
is($between, $before, 'it is not asked');
$all = diagnose('--network', 'private', 'home.example.test');
is($all->{'home.example.test'}{verdict}, 'ready', 'loopback for a private CA');
my $after = () = slurp($log{loop}) =~ /GET/g;
is($after, $before + 1, 'it is asked');
my ($code, $text) = run(build_dir() . '/hotcert', 'diagnose', '--network', 'private', '--resolver', $dns->resolver, 'home.example.test');
like($text, qr{http://home\.example\.test/\.well-known/acme-challenge/ at 127\.0\.0\.1: an answer \(status 200\)}, 'the report says what came');
unlike($text, qr/inside/, 'but not the page');
done_testing;
