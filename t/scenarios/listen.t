#!/usr/bin/perl
# What the configuration shows of the way of a CA's question is said before a try is spent: no listener
# on the port that the CA asks, the PROXY protocol there, other addresses than those of TLS.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Scenario;

plan skip_all => 'a network namespace of its own needs root' unless HotCert::Dns::enter_namespace();
HotCert::Dns::add_address($_) for '192.0.2.1', '192.0.2.2';

my $remark = qr/port-not-served|port-proxy-protocol|port-elsewhere/;

# The output of a configuration test; http_port: what the CA asks (undef: 80).
sub tested {
    my ($s, $http_port, %more) = @_;
    my @block = ([ directory_url => 'https://127.0.0.1:1/dir' ], [ terms_agreed => 'on' ], defined $http_port ? [ http_port => $http_port ] : ());
    $s->configure(issuers => { own => [@block] }, main => [ [ use => 'own' ] ], hosts => [ { names => ['a.test'], hotcert => 'on' } ], %more);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'the configuration is taken') or diag $out;
    return $out;
}

# A further server (virtual host) of this address and port, with TLS and hotcert, or without.
sub extra {
    my ($s, $address, $port, $tls) = @_;
    my ($ssl, $on) = $tls ? ('ssl', 'hotcert on;') : ('', '');
    my $at = $address eq '*' ? $port : "$address:$port";
    return $s->name eq 'nginx'
        ? (nginx_http => "server { listen $at $ssl; server_name b.test; $on }")
        : (httpd_main => "Listen $at\n<VirtualHost $address:$port>\nServerName b.test\n" . ($tls ? "SSLEngine on\nHotCert on\n" : '') . "</VirtualHost>\n");
}

scenario a_port_that_nobody_serves_is_named => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $out = tested($s);
    like($out, qr/port 80: .*own connects to it for the host at \S+:\d+ \(port-not-served;/, 'port 80, and who asks there');
    is(scalar(() = $out =~ /port-not-served/g), 1, 'once');
    unlike(tested($s, $s->http_port), $remark, 'nothing is said where the port of a CA of your own is served');
    unlike(tested($s, undef, extra($s, '*', 80)), $remark, 'nor where port 80 is');
    like(tested($s, $s->tls_port), qr/port @{[ $s->tls_port ]}: .*\(port-not-served;/, 'a port with TLS does not serve it');
    unlike(tested($s, undef, hosts => []), $remark, 'without a host that orders, nothing is said');
};

scenario a_port_that_takes_the_proxy_protocol_is_named => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $port = $s->http_port;
    my $out = tested($s, $port, $kind eq 'nginx' ? (no_plain_host => 1, nginx_http => "server { listen 127.0.0.1:$port proxy_protocol; }")
        : (httpd_modules => ['remoteip'], httpd_plain => 'RemoteIPProxyProtocol On'));
    like($out, qr/port $port: .*\(port-proxy-protocol;/, 'only the balancer is answered there');
};

scenario a_port_on_other_addresses_than_tls_is_named => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $port = $s->http_port;
    my $tls = $s->tls_port;
    like(tested($s, $port, extra($s, '192.0.2.1', $tls, 1)), qr/port $port: .*the server listens for it on 127\.0\.0\.1, and for TLS on 192\.0\.2\.1 \(port-elsewhere;/,
        'both addresses are named');
    like(tested($s, $port, hosts => [], extra($s, '*', $tls, 1)), qr/TLS on all addresses \(port-elsewhere;/, 'a port on loopback alone serves nobody outside');
    unlike(tested($s, 8080, hosts => [], $kind eq 'nginx'
        ? (nginx_http => "server { listen 192.0.2.1:$tls ssl; listen 192.0.2.1:8080; server_name b.test; hotcert on; }")
        : (httpd_main => "Listen 192.0.2.1:$tls\nListen 192.0.2.1:8080\n<VirtualHost 192.0.2.1:$tls>\nServerName b.test\nSSLEngine on\nHotCert on\n</VirtualHost>\n")),
        $remark, 'the same address is fine');
};

scenario a_start_says_it_once => sub {
    my ($kind) = @_;
    my $s = server($kind);
    tested($s);
    my $before = () = $s->log_text =~ /port-not-served/g;
    $s->start;
    ok($s->wait_log(qr/port-not-served/, 10), 'in the log');
    is(scalar(() = $s->log_text =~ /port-not-served/g) - $before, 1, 'once');
};

done_testing;
