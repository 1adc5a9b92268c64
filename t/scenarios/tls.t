#!/usr/bin/perl
# What goes over the wire: protocols, names, cut ClientHellos, resumption, and what httpd makes of one
# certificate for several hosts.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $root = make_ca('tls root');

# Two watched hosts (files can be changed at will, without a CA), each with its own pair.
sub two_hosts {
    my ($kind, %opt) = @_;
    my $s = server($kind, %{ $opt{server} // {} });
    my %leaf = map { $_ => make_leaf($root, ["$_.test"]) } qw(a b);
    my %pair = map { $_ => [ write_pair($leaf{$_}, "$s->{dir}/$_") ] } qw(a b);
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ],
        hosts => [ map { { names => ["$_.test"], hotcert => 'watch', pair => $pair{$_}, %{ $opt{host} // {} },
            %{ $opt{"host_$_"} // {} } } } qw(a b) ], %{ $opt{conf} // {} });
    $s->start;
    return ($s, \%leaf);
}

sub swap_a {
    my ($s, $leaf) = @_;
    my $next = make_leaf($root, ['a.test']);
    write_pair($next, "$s->{dir}/a");
    ok(wait_for(20, sub { (look($s->tls_port, sni => 'a.test')->{serial} // '') eq $next->{serial} }, 0.1), 'a.test was swapped');
    $leaf->{a} = $next;
    return $next;
}

scenario versions_names_and_http2 => sub {
    my ($kind) = @_;
    my ($s, $leaf) = two_hosts($kind, host => { http2 => 1 });
    for my $round ('before', 'after') {
        for my $tls ('1.2', '1.3') {
            for my $name ('a', 'b') {
                my $l = look($s->tls_port, sni => "$name.test", ca => $root->{cert}, tls => $tls, alpn => 'h2,http/1.1');
                is($l->{serial}, $leaf->{$name}{serial}, "$round the swap, TLS $tls: $name.test has its own certificate");
                is($l->{alpn}, 'h2', 'and HTTP/2');
                is($l->{verify}, 0, 'and it verifies');
            }
            is(look($s->tls_port, tls => $tls)->{serial}, $leaf->{a}{serial}, 'without SNI the default host');
            is(look($s->tls_port, sni => 'unknown.test', tls => $tls)->{serial}, $leaf->{a}{serial}, 'with an unknown name too');
        }
        my ($code, $out) = run('curl', '-sS', '--http2', '--cacert', $root->{cert}, '--resolve',
            "b.test:@{[ $s->tls_port ]}:127.0.0.1", "https://b.test:@{[ $s->tls_port ]}/", '-w', '%{http_version}');
        like($out, qr/^b\.test\n2/, 'curl gets the page over HTTP/2');
        swap_a($s, $leaf) if $round eq 'before';
    }
};

scenario a_ClientHello_in_two_pieces_around_the_first_load_and_a_swap => sub {
    my ($kind) = @_;
    my $s = server($kind, workers => 1, mpm => 'event');
    my $ca = pebble(http_port => $s->http_port, start => 0);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    for my $tls ('1.3', '1.2') {
        for my $when ('the first load', 'a swap') {
            next if $tls eq '1.2' && $when eq 'the first load';
            my $before = look($s->tls_port, sni => 'a.test')->{serial};
            # The first 40 bytes make the server create its TLS object, with what it has then.
            my $cut = HotCert::Client::split_client_hello($s->tls_port, 'a.test', $tls, 40);
            if ($when eq 'the first load') { $ca->start }
            else { $s->hotcert('renew', 'a.test', '--force') }
            my $now = wait_served($s->tls_port, 'a.test', $ca->root, not => $before, seconds => 60) or die 'no new pair';
            my $serial = $cut->();
            ok(defined $serial, "TLS $tls: the handshake begun before $when completes") or next;
            ok($serial eq $now->{serial} || $serial eq $before, 'with the pair from before or after, whole');
        }
    }
};

scenario sessions_resume_after_a_swap_but_never_at_another_host => sub {
    my ($kind) = @_;
    my ($s, $leaf) = two_hosts($kind, conf => { nginx_http => 'ssl_session_cache shared:tls:1m;' });
    for my $tls ('1.2', '1.3') {
        my $session = temp_dir() . "/session-$kind-$tls";
        look($s->tls_port, sni => 'a.test', tls => $tls, sess_out => $session, path => '/');
        ok(-s $session, "TLS $tls: a session");
        ok(look($s->tls_port, sni => 'a.test', tls => $tls, sess_in => $session, path => '/')->{reused}, 'it resumes');
        my $other = look($s->tls_port, sni => 'b.test', tls => $tls, sess_in => $session, path => '/');
        ok(!$other->{reused}, 'but not at the other host');
        is($other->{body}, "b.test\n", 'which answers all the same');
        look($s->tls_port, sni => 'a.test', tls => $tls, sess_out => $session, path => '/');
        swap_a($s, $leaf);
        ok(look($s->tls_port, sni => 'a.test', tls => $tls, sess_in => $session, path => '/')->{reused}, 'and it resumes after a swap');
    }
};

scenario a_session_of_one_client_CA_never_resumes_at_another => sub {
    my ($kind) = @_;
    my %client_ca = map { $_ => make_ca("client CA $_") } qw(x y);
    my %client = map { $_ => make_leaf($client_ca{$_}, ["client-$_.test"], usage => 'clientAuth') } qw(x y);
    my $keys = spew_secret(temp_dir() . '/ticket.key', join '', map { chr int rand 256 } 1 .. 80);
    my $s = server($kind);
    my $second = free_port();
    my $leaf = make_leaf($root, ['a.test']);
    my @pair = write_pair($leaf, "$s->{dir}/a");
    my $host = sub {
        my ($which, %more) = @_;
        return { names => ['a.test'], hotcert => 'watch', pair => \@pair, %more,
            nginx => "ssl_client_certificate $client_ca{$which}{cert}; ssl_verify_client on; ssl_session_ticket_key $keys;",
            httpd => "SSLCACertificateFile $client_ca{$which}{cert}\n    SSLVerifyClient require" };
    };
    my $httpd_keys = $kind eq 'httpd' ? spew_secret(temp_dir() . '/ticket48.key', substr slurp($keys), 0, 48) : '';
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ],
        httpd_main => $httpd_keys ? "SSLSessionTicketKeyFile $httpd_keys\n" : '',
        hosts => [ $host->('x'), $host->('y', port => $second) ]);
    $s->start;
    for my $tls ('1.2', '1.3') {
        my $session = temp_dir() . "/session-ca-$kind-$tls";
        my %as_x = (sni => 'a.test', tls => $tls, cert => $client{x}{cert}, key => $client{x}{key}, path => '/');
        is(look($s->tls_port, %as_x, sess_out => $session)->{body}, "a.test\n", "TLS $tls: client X is let in at X's port");
        ok(look($s->tls_port, %as_x, sess_in => $session)->{reused}, 'and resumes there');
        my $l = look($second, sni => 'a.test', tls => $tls, sess_in => $session, path => '/');
        ok(!$l->{reused}, "its session does not resume at Y's port");
        isnt($l->{body} // '', "a.test\n", 'where it is not let in');
    }
};

scenario hosts_of_one_certificate_never_answer_421 => (only => 'httpd', sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ map { { names => ["$_.test"], hotcert => 'on', http2 => 1,
        set => [ [ names => 'a.test', 'b.test' ] ] } } qw(a b) ]);
    $s->start;
    ok(wait_served($s->tls_port, 'b.test', $ca->root), 'both hosts share a certificate');
    my $port = $s->tls_port;
    my ($code, $out) = run('curl', '-sS', '--http2', '--cacert', $ca->root, '--resolve', "a.test:$port:127.0.0.1",
        '--resolve', "b.test:$port:127.0.0.1", "https://a.test:$port/", "https://b.test:$port/", '-w', '%{http_code} %{num_connects}\n');
    is(scalar(() = $out =~ /\b200\b/g), 2, 'both answer') or diag $out;
    # Over one connection, as a browser that coalesces: SNI of one host, then a request for the other.
    my $l = look($port, sni => 'a.test', host => 'b.test', path => '/');
    is($l->{status}, 200, "a request for the other host on this one's connection is answered");
    is($l->{body}, "b.test\n", 'by that host');
});

scenario SSL_SERVER_variables_show_what_is_served => (only => 'httpd', sub {
    my ($kind) = @_;
    my ($s, $leaf) = two_hosts($kind, host => { httpd => "SSLOptions +StdEnvVars\n    Header always set X-Serial %{SSL_SERVER_M_SERIAL}s\n    Header always set X-San %{SSL_SERVER_SAN_DNS_0}s" });
    my $shown = sub { my ($l) = @_; my ($x) = $l->{text} =~ /^X-Serial: (\S+)/m; return $x };
    for my $tls ('1.2', '1.3') {
        my $session = temp_dir() . "/session-var-$tls";
        is($shown->(look($s->tls_port, sni => 'a.test', tls => $tls, path => '/', sess_out => $session)), $leaf->{a}{serial}, "TLS $tls: a full handshake");
        my $again = look($s->tls_port, sni => 'a.test', tls => $tls, path => '/', sess_in => $session);
        ok($again->{reused}, 'a resumed one');
        is($shown->($again), $leaf->{a}{serial}, 'shows the same');
    }
});

scenario a_swap_during_a_download_and_a_held_connection => sub {
    my ($kind) = @_;
    my $big = spew(temp_dir() . "/big-$kind", 'x' x 1_500_000, 0644);
    my ($s, $leaf) = two_hosts($kind, host_a => { nginx => "location = /big { limit_rate 400k; alias $big; }",
        httpd => "Alias /big $big\n    <Location /big>\n        Require all granted\n    </Location>" });
    my $out = temp_dir() . "/download-$kind";
    my $pid = spawn("$out.log", 'curl', '-sS', '--limit-rate', '400k', '--cacert', $root->{cert}, '--resolve',
        "a.test:@{[ $s->tls_port ]}:127.0.0.1", "https://a.test:@{[ $s->tls_port ]}/big", '-o', $out);
    wait_for(10, sub { -s $out }) or diag slurp("$out.log");
    swap_a($s, $leaf);
    ok(alive($pid), 'the download was still going on');
    wait_for(30, sub { !alive($pid) });
    is(-s $out, 1_500_000, 'and ends whole');
};

scenario renegotiation_keeps_its_certificate => (only => 'httpd', sub {
    my ($kind) = @_;
    my $client_ca = make_ca('renegotiation client CA');
    my $client = make_leaf($client_ca, ['client.test'], usage => 'clientAuth');
    my ($s, $leaf) = two_hosts($kind, host_a => { httpd => "SSLProtocol TLSv1.2\n    SSLCACertificateFile $client_ca->{cert}\n    <Location />\n        SSLVerifyClient require\n    </Location>" });
    for (1 .. 3) {
        my $l = look($s->tls_port, sni => 'a.test', tls => '1.2', path => '/', cert => $client->{cert}, key => $client->{key});
        is($l->{status}, 200, 'a page behind TLS 1.2 renegotiation') or diag $l->{text};
        swap_a($s, $leaf);
    }
});

done_testing;
