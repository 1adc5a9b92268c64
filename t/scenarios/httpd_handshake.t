#!/usr/bin/perl
# Handshakes as only httpd has them: what mod_ssl says of a resumed session, hosts of one name on two
# addresses, stapling, plain HTTP where TLS is expected.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Client qw(look);
use HotCert::Scenario;
use IO::Socket::INET;

my $root = make_ca('handshake root');

sub watching {
    my (%opt) = @_;
    my $s = server('httpd');
    my $names = delete $opt{names} // ['w.test'];
    my $leaf = make_leaf($root, $names);
    my @pair = write_pair($leaf, "$s->{dir}/live");
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ],
        hosts => [ { names => $names, hotcert => 'watch', pair => \@pair, %{ delete $opt{host} // {} } } ], %opt);
    return ($s, $leaf);
}

sub swap {
    my ($s, $names) = @_;
    my $next = make_leaf($root, $names // ['w.test']);
    write_pair($next, "$s->{dir}/live");
    ok(wait_for(10, sub { (look($s->tls_port, sni => $names->[0] // 'w.test')->{serial} // '') eq $next->{serial} }), 'swapped');
    return $next;
}

scenario a_session_resumed_after_a_swap_shows_what_is_served_now => (only => 'httpd', sub {
    my ($s, $leaf) = watching(host => { httpd => 'Header always set X-Serial %{SSL_SERVER_M_SERIAL}s' });
    $s->start;
    my $shown = sub { my ($x) = $_[0]{text} =~ /^X-Serial: (\S+)/m; return $x };
    for my $tls ('1.2', '1.3') {
        my $session = temp_dir() . "/session-swap-$tls";
        my $first = look($s->tls_port, sni => 'w.test', tls => $tls, path => '/', sess_out => $session);
        is($shown->($first), $leaf->{serial}, "TLS $tls: the full handshake's");
        $leaf = swap($s);
        my $again = look($s->tls_port, sni => 'w.test', tls => $tls, path => '/', sess_in => $session);
        ok($again->{reused}, 'resumed');
        is($shown->($again), $leaf->{serial}, 'the new one, not the bootstrap certificate');
    }
});

# One handshake at an address: its text.
sub at {
    my ($address, $port, @args) = @_;
    my ($code, $text) = run({ _seconds => 15, _stdin => "GET / HTTP/1.1\r\nHost: w.test\r\nConnection: close\r\n\r\n" },
        'openssl', 's_client', '-connect', "$address:$port", '-servername', 'w.test', '-ign_eof', @args);
    return $text;
}

scenario a_session_never_resumes_at_a_host_of_the_same_name_on_another_address => (only => 'httpd', sub {
    my %ca = map { $_ => make_ca("client CA $_") } qw(x y);
    my $client = make_leaf($ca{x}, ['client.test'], usage => 'clientAuth');
    my ($s, $leaf) = watching(host => { httpd => "SSLVerifyClient require\nSSLCACertificateFile $ca{x}{cert}" });
    my ($port, @pair) = ($s->tls_port, @{ $s->{last}{hosts}[0]{pair} });
    my $key = spew_secret(temp_dir() . '/ticket', join '', map { chr int rand 256 } 1 .. 48);
    my $second = "Listen 127.0.0.2:$port\n<VirtualHost 127.0.0.2:$port>\nServerName w.test\nSSLEngine on\nHotCert watch\n"
        . "SSLCertificateFile $pair[0]\nSSLCertificateKeyFile $pair[1]\nSSLVerifyClient require\nSSLCACertificateFile $ca{y}{cert}\n"
        . "</VirtualHost>\nSSLSessionTicketKeyFile $key\n";
    for my $tickets (qw(on off)) {
        $s->reconfigure(httpd_main => $second . "SSLSessionTickets $tickets\n");
        $s->master ? $s->restart : $s->start;
        for my $tls (qw(-tls1_2 -tls1_3)) {
            my @as = ($tls, '-cert', $client->{cert}, '-key', $client->{key});
            my $session = temp_dir() . "/session$tls-$tickets";
            like(at('127.0.0.1', $port, @as, '-sess_out', $session), qr/200 OK/, "$tls, tickets $tickets: the client is let in at one address");
            my $same = at('127.0.0.1', $port, @as, '-sess_in', $session);
            like($same, qr/^Reused/m, 'resumes there');
            like($same, qr/200 OK/, 'and is let in');
            unlink $session;
            at('127.0.0.1', $port, @as, '-sess_out', $session);
            my $other = at('127.0.0.2', $port, @as, '-sess_in', $session);
            unlike($other, qr/^Reused/m, 'does not resume at the other');
            unlike($other, qr/200 OK/, 'and is not let in');
        }
    }
});

scenario stapling_is_said_to_have_no_effect_and_makes_no_errors => (only => 'httpd', sub {
    my ($s, $leaf) = watching();
    $s->reconfigure(httpd_main => "SSLUseStapling on\nSSLStaplingCache shmcb:$s->{dir}/staples(65536)\n");
    my ($code, $out) = $s->configtest;
    is($code, 0, 'it is taken') or diag $out;
    like($out, qr/SSLUseStapling has no effect/, 'with a warning');
    $s->start;
    my $l = look($s->tls_port, sni => 'w.test', extra => ['-status']);
    is($l->{serial}, $leaf->{serial}, 'served');
    like($l->{text}, qr/OCSP response: no response sent/, 'without a staple');
    unlike($s->log_text, qr/\[ssl:(?:error|emerg|crit)|AH01909/, 'and without an error or a warning of mod_ssl');
});

scenario plain_http_at_a_TLS_port_harms_nobody => (only => 'httpd', sub {
    my ($s, $leaf) = watching();
    $s->start;
    my @workers = $s->workers;
    my @answers = map { HotCert::Client::http_get($s->tls_port, 'w.test', '/')->{status} } 1 .. 20;
    is(join(' ', @answers), join(' ', (400) x 20), 'each is answered 400');
    for (1 .. 20) { # and the start of a record, then nothing
        my $half = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $s->tls_port) or die;
        print {$half} "\x16\x03\x01\x00";
    }
    is(look($s->tls_port, sni => 'w.test')->{serial}, $leaf->{serial}, 'TLS is served beside');
    is(join(' ', grep { !alive($_) } @workers), '', 'and no process died');
});

scenario a_host_may_reject_until_it_has_a_certificate => (only => 'httpd', sub {
    my $s = server('httpd');
    my $ca = pebble(http_port => $s->http_port);
    my $down = 'https://127.0.0.1:' . free_port() . '/dir';
    my $host = { names => ['r.test'], hotcert => 'on', set => [ [ bootstrap => 'reject' ] ] };
    my $open = { names => ['o.test'], hotcert => 'on' };
    $s->configure(ca => $ca, directory => $down, hosts => [ $host, $open ]);
    $s->start;
    ok(!defined look($s->tls_port, sni => 'r.test')->{serial}, 'no certificate, no handshake');
    ok(defined look($s->tls_port, sni => 'o.test')->{serial}, 'a host beside it starts on its bootstrap certificate');
    $s->configure(ca => $ca, hosts => [ $host, $open ]);
    $s->reload;
    ok(wait_served($s->tls_port, 'r.test', $ca->root, seconds => 60), 'obtained, it is served');
});

scenario every_name_that_leads_to_a_host_is_served_its_certificate => (only => 'httpd', sub {
    my $names = [ 'w.test', '*.w.test' ];
    my ($s, $leaf) = watching(names => $names);
    $s->start;
    for my $sni ('w.test', 'a.w.test', 'A.W.TEST', 'other.test', undef) {
        is(look($s->tls_port, sni => $sni)->{serial}, $leaf->{serial}, ($sni // 'no name') . ' leads to the host');
    }
    my $next = swap($s, $names);
    is(look($s->tls_port, sni => 'b.w.test')->{serial}, $next->{serial}, 'after a swap as well');
});

done_testing;
