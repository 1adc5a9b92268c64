#!/usr/bin/perl
# What the configuration shows of the way of a CA's question is said before a try is spent: no listener
# on the port that the CA asks, the PROXY protocol there, other addresses than those of TLS.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Scenario;

HotCert::Dns::need_namespace();
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

# The remark and the server agree on who is served where a client sends no name.
scenario an_ip_address_of_a_host_that_is_not_the_default_is_named => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $address = '192.0.2.1';
    my @own = (own => [ [ directory_url => 'https://127.0.0.1:1/dir' ], [ terms_agreed => 'on' ], [ network => 'private' ] ]);
    my $remark = qr/192\.0\.2\.1: .*they send no server name \(SNI\) for one, and the host at \S+:\d+ is .*\(address-not-default;/;
    for my $case ([ 'the second host', 'a', 1, [ names => ['a.test'] ], [ names => [ 'b.test', $address ] ] ],
        [ 'the first host', 'a', 0, [ names => [ 'a.test', $address ] ], [ names => ['b.test'] ] ],
        [ 'the second, which is the default', 'b', 0, [ names => ['a.test'] ], [ names => [ 'b.test', $address ], default => 1 ] ],
        [ 'both', 'a', 0, [ names => [ 'a.test', $address ] ], [ names => [ 'b.test', $address ] ] ],
        [ 'a list of names', 'a', 1, [ names => ['a.test'] ], [ names => ['b.test'], set => [ [ names => 'b.test', $address ] ] ] ]) {
        my ($what, $default, $expected, @hosts) = @$case;
        $s->configure(issuers => {@own}, main => [ [ use => 'own' ] ], hosts => [ map { { @$_, hotcert => 'on' } } @hosts ]);
        my ($code, $out) = $s->configtest;
        is($code, 0, "$what: the configuration is taken") or diag $out;
        is(scalar(() = $out =~ /$remark/g), $expected, "$what: said once, or not at all") or diag $out;
        $s->start;
        my $l = look($s->tls_port, path => "/");
        is($l->{body}, "$default.test\n", "$what: who is served without a name") or diag $l->{text};
        $s->stop;
    }
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
