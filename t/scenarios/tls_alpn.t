#!/usr/bin/perl
# tls-alpn-01: the TLS listeners of the hosts answer a CA that validates, ahead of everything that a
# host is configured to do, and nobody else.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Client qw(split_client_hello);
use HotCert::Scenario;
use Time::Local qw(timegm);

my @alone = ([ challenge => 'tls-alpn-01' ], [ preflight => 'off' ]);
my $identifier = '1.3.6.1.5.5.7.1.31';

# A CA for whom port 80 is closed.
sub tls_only { my ($s, %opt) = @_; return pebble(http_port => free_port(), tls_port => $s->tls_port, %opt) }

sub days_left {
    my ($l) = @_;
    my ($y, $m, $d) = ($l && $l->{chain}[0] ? $l->{chain}[0]{not_after} : '') =~ /^(\d+)-(\d+)-(\d+)/ or return -1;
    return (timegm(0, 0, 0, $d, $m - 1, $y) - time) / 86400;
}

scenario a_certificate_comes_without_port_80 => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    $s->configure(ca => $ca, main => [ @alone ], hosts => [ { names => [ 'a.test', 'b.test' ], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60);
    ok($first, 'it is served');
    is("@{ $first ? $first->{names} : [] }", 'a.test b.test', 'for both names');
    my ($code, $out) = $s->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'it is renewed') or diag $out;
    ok(wait_served($s->tls_port, 'b.test', $ca->root, not => $first ? $first->{serial} : ''), 'and the new one is served');
    is($ca->count_of('orders'), 2, 'by two orders');
};

# Without a look beforehand, so that it is the CA that finds port 80 closed.
scenario what_worked_is_remembered_after_a_restart => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ] ], hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    ok($s->wait_log(qr/a\.test: no certificate/, 60), 'http-01 fails');
    my ($code, $out) = $s->hotcert('renew', 'a.test');
    is($code, 0, 'the order is placed again') or diag $out;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60);
    ok($first, 'tls-alpn-01 works in its place');
    is($ca->count_of('orders'), 2, 'in a new order');
    $s->restart;
    ($code, $out) = $s->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'renewed after a restart') or diag $out;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $first ? $first->{serial} : '', seconds => 60), 'it comes');
    is($ca->count_of('orders'), 3, 'at the first try');
};

# The block of an issuer says what it is asked for.
scenario an_issuer_has_methods_of_its_own => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    my %block = HotCert::Server::issuers($s, ca => $ca);
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ], [ challenge => 'http-01' ] ],
        issuers => { pebble => [ @{ $block{pebble} }, [ challenge => 'tls-alpn-01' ] ] },
        hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'the issuer counts, not the main level');
    is($ca->count_of('orders'), 1, 'at once');
};

# An issuer that connects to this server's own ports.
sub inside { my ($s, $ca) = @_; my %block = HotCert::Server::issuers($s, ca => $ca); return (pebble => [ @{ $block{pebble} }, [ tls_port => $s->tls_port ] ]) }

scenario a_method_that_would_fail_is_not_tried => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    $s->configure(ca => $ca, issuers => { inside($s, $ca) }, hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'the look sees that port 80 is closed, and TLS is not');
    is($ca->count_of('orders'), 1, 'the first order is proved over TLS');
    unlike($s->log_text, qr/unreachable|wrong-answer/, 'and nothing is wrong with that');
};

# What stands in front of the host answers with a certificate of its own, as a CDN does.
scenario another_server_in_front_is_named => sub {
    my ($kind) = @_;
    my ($s, $front) = (server($kind), server($kind));
    my $ca = pebble(http_port => free_port(), tls_port => $front->tls_port);
    my $edge = make_ca('Edge CA');
    my $leaf = make_leaf($edge, [ 'edge.invalid' ]);
    my %block = HotCert::Server::issuers($s, ca => $ca);
    $front->configure(no_module => 1, hosts => [ { names => [ 'edge.invalid' ], pair => [ $leaf->{cert}, $leaf->{key} ] } ]);
    $front->start;
    $s->configure(ca => $ca, issuers => { pebble => [ @{ $block{pebble} }, [ tls_port => $front->tls_port ] ] },
        main => [ [ challenge => 'tls-alpn-01' ], [ cdn_ranges => spew(temp_dir() . "/ranges.$kind", "127.0.0.0/8 Edge Network\n") ] ],
        hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    ok($s->wait_log(qr/a\.test.*in the range 127\.0\.0\.0\/8 of Edge Network.*dns-cdn-address/, 60), 'whose address it is');
    ok($s->wait_log(qr/127\.0\.0\.1 \(Edge Network\), port \d+: another server answers|127\.0\.0\.1 \(Edge Network\), port \d+: it refuses/, 60), 'also where it answers');
    ok($s->wait_log(qr/a\.test: .*port @{[ $front->tls_port ]}: .*(?:certificate of edge\.invalid, issued by Edge CA|protocol that was not offered|refuses the handshake \(alert 120).*tls-wrong-answer/, 60), 'it is named');
};

# RFC 8738: an address is asked for by its name in the reverse zone.
scenario an_address_is_proved_and_certified => sub {
    my ($kind) = @_;
    for my $method ('tls-alpn-01', 'http-01') {
        my $s = server($kind);
        my $ca = pebble(http_port => $method eq 'http-01' ? $s->http_port : free_port(),
            tls_port => $method eq 'http-01' ? free_port() : $s->tls_port, profiles => { shortlived => 6 * 86400, map { $_ => 80 * 86400 } 'a' .. 'h' });
        my %block = HotCert::Server::issuers($s, ca => $ca);
        my @tls = $method eq 'tls-alpn-01' ? [ tls_port => $s->tls_port ] : ();
        $s->configure(ca => $ca, main => [ [ challenge => $method ] ],
            issuers => { pebble => [ @{ $block{pebble} }, @tls, [ network => 'private' ], [ address_profile => 'shortlived' ] ] },
            hosts => [ { names => [ '127.0.0.1' ], hotcert => 'on', default => 1, set => [ [ names => '127.0.0.1', 'a.test' ] ] },
                { names => [ 'b.test' ], hotcert => 'on' } ]);
        $s->start;
        ok(wait_served($s->tls_port, 'b.test', $ca->root, seconds => 60), "by $method: the other host");
        my $l = wait_for(60, sub { my $l = look($s->tls_port, ca => $ca->root); $l->{ok} && $l->{verify} == 0 ? $l : undef });
        is($l ? "@{ $l->{ips} } @{ $l->{names} }" : '', '127.0.0.1 a.test', 'who asks without a name is served the address');
        cmp_ok(days_left($l), '<', 7, 'with the profile for addresses (Pebble picks any where none is asked for)');
        $s->stop;
    }
};

# ---- ClientHellos by hand, while a CA waits ----

# A proof and nothing else: the certificate of a challenge.
sub proof_of {
    my ($l, $name) = @_;
    return $l->{chain}[0] && $l->{chain}[0]{subject} =~ /hotcert challenge/ && "@{ $l->{names} }" eq $name && ($l->{alpn} // '') eq 'acme-tls/1';
}
my @acme = (alpn => 'acme-tls/1');

# Hosts that would swallow a handshake: all names rejected, a certificate demanded of the client, one
# kind of key or one version and cipher alone.
sub hostile {
    my ($s) = @_;
    my $clients = make_ca('Client CA');
    my $ca = make_ca('Site CA');
    my %leaf = map { my $type = $_; ($type => make_leaf($ca, [ 'rsa.test', 'ec.test', 'dual.test', 'strict.test' ], key_type => $type)) } 'rsa:2048', 'ecdsa:256';
    my @pair = map { [ $leaf{$_}{cert}, $leaf{$_}{key} ] } 'rsa:2048', 'ecdsa:256';
    my @on = (hotcert => 'on', nginx => '');
    return (
        { names => [ 'strict.test' ], default => 1, pair => $pair[1],
            nginx => "ssl_reject_handshake on; ssl_client_certificate $clients->{cert}; ssl_verify_client on; ssl_protocols TLSv1.3;",
            httpd => "SSLVerifyClient require\n    SSLCACertificateFile $clients->{cert}\n    SSLProtocol TLSv1.3\n    SSLStrictSNIVHostCheck on" },
        { names => [ 'rsa.test' ], hotcert => 'on', pair => $pair[0], http2 => 1 },
        { names => [ 'ec.test' ], hotcert => 'on', pair => $pair[1] },
        { names => [ 'dual.test' ], hotcert => 'on', pair => [ map { @$_ } @pair ],
            nginx => "ssl_client_certificate $clients->{cert}; ssl_verify_client on; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;",
            httpd => "SSLVerifyClient require\n    SSLCACertificateFile $clients->{cert}\n    SSLCipherSuite ECDHE-RSA-AES128-GCM-SHA256" },
    );
}

scenario a_pending_name_is_proved_ahead_of_everything => sub {
    my ($kind) = @_;
    for my $protocols ('', 'Protocols h2 http/1.1') {
        next if $kind eq 'nginx' && $protocols;
        my $s = server($kind);
        my $ca = tls_only($s);
        my @names = qw(rsa.test ec.test dual.test);
        my $hold = hold_tls($ca, $s->tls_port, @names);
        my %session = (sess_out => temp_dir() . '/session');
        $s->configure(ca => $ca, main => [ @alone ], hosts => [ hostile($s) ], httpd_main => $protocols);
        $s->start;
        ok($hold->{asked}->(60), 'the CA asks');
        ok(wait_for(20, sub { !grep { !proof_of(look($s->tls_port, sni => $_, @acme), $_) } @names }), 'all are pending');
        # what is laid out stays so, however long this takes
        my $agent = $s->agent;
        kill 'STOP', $agent;
        for my $name (@names) {
            my $seen = wait_for(20, sub { my $l = look($s->tls_port, sni => $name, @acme); proof_of($l, $name) ? $l : undef });
            ok($seen, "$name is proved $protocols");
            for my $tls ('1.2', '1.3') {
                my %serials = map { my $l = look($s->tls_port, sni => $name, tls => $tls, @acme); ((proof_of($l, $name) ? $l->{serial} : 'no proof') => 1) } 1 .. 4;
                is(join(' ', sort keys %serials), $seen ? $seen->{serial} : '', "over TLS $tls, by every worker");
                my $other = look($s->tls_port, sni => "www.$name", tls => $tls, @acme);
                ok(!$other->{ok} && !@{ $other->{chain} }, 'what is below it is not, nor is it shown a certificate');
                like($other->{text}, qr/alert number 120/, 'but told so');
            }
            unlike(look($s->tls_port, sni => $name, alpn => "acme-tls/1,$_")->{text}, qr/hotcert challenge/, "beside $_ it is a client like any other") for 'h2', 'http/1.1';
            isnt(look($s->tls_port, sni => $name, @acme, path => '/')->{status} // 0, 200, 'no page is served on it');
        }
        my $nobody = look($s->tls_port, @acme);
        ok(!@{ $nobody->{chain} } && $nobody->{text} =~ /alert number 120/, 'without a name there is nothing to prove');
        is(look($s->tls_port, sni => 'rsa.test', alpn => 'h2,http/1.1')->{alpn}, 'h2', 'what is negotiated otherwise stays as it is');
        ok(look($s->tls_port, sni => 'rsa.test', tls => '1.3', path => '/', %session)->{ok}, 'a session of the site');
        ok(look($s->tls_port, sni => 'rsa.test', tls => '1.3', sess_in => $session{sess_out})->{reused}, 'is resumed there');
        my $resumed = look($s->tls_port, sni => 'rsa.test', tls => '1.3', sess_in => $session{sess_out}, @acme);
        ok(!$resumed->{reused} && proof_of($resumed, 'rsa.test'), 'and not by a CA');
        for my $tls ('1.2', '1.3') {
            my $rest = split_client_hello($s->tls_port, 'rsa.test', $tls, 40, alpn => 'acme-tls/1');
            ok(proof_of(look($s->tls_port, sni => 'rsa.test', @acme), 'rsa.test'), 'another one comes between');
            is($rest->(), look($s->tls_port, sni => 'rsa.test', @acme)->{serial}, "a ClientHello in pieces, TLS $tls");
            for my $records (2, 7) {
                is(split_client_hello($s->tls_port, 'rsa.test', $tls, 3, alpn => 'acme-tls/1', records => $records)->(),
                    look($s->tls_port, sni => 'rsa.test', @acme)->{serial}, "in $records records, TLS $tls");
            }
        }
        my ($code, $out) = run({ _seconds => 30 }, HotCert::Server::program(), 'check', '--connect', "127.0.0.1:@{[ $s->tls_port ]}", '--name', 'ec.test');
        unlike($out, qr/hotcert challenge/, '`hotcert check --connect` sees the site');
        $hold->{release}->();
        kill 'CONT', $agent;
        my $gone = wait_for(90, sub { !grep { @{ look($s->tls_port, sni => $_, @acme)->{chain} } } @names });
        ok($gone, 'when the order has ended, nothing is proved any more');
        my @errors = grep { /\[(?:crit|alert|emerg)\]/ } split /\n/, $s->log_text;
        is(join("\n", @errors), '', 'no line of the log is alarming');
        $s->stop;
    }
};

# The server's own choice by name (of host, protocols, versions; nginx from 1.29.2 makes it in OpenSSL's
# ClientHello callback) stays what it is without hotcert.
scenario visitors_are_served_as_without_hotcert => sub {
    my ($kind) = @_;
    my ($s, $stock) = (server($kind), server($kind));
    my $ca = tls_only($s);
    my @names = qw(rsa.test ec.test dual.test);
    my $hold = hold_tls($ca, $s->tls_port, @names);
    my @hosts = hostile($s);
    my $low = { %{ $hosts[2] }, names => [ 'old.test' ], hotcert => 'off', nginx => 'ssl_protocols TLSv1.2;', httpd => 'SSLProtocol TLSv1.2' };
    $s->configure(ca => $ca, main => [ @alone ], hosts => [ @hosts, $low ]);
    $stock->configure(no_module => 1, hosts => [ @hosts, $low ]);
    $_->start for $stock, $s;
    ok($hold->{asked}->(60), 'the CA asks');
    ok(wait_for(20, sub { !grep { !proof_of(look($s->tls_port, sni => $_, @acme), $_) } @names }), 'names are pending');
    my $agent = $s->agent;
    kill 'STOP', $agent;
    for my $name (@names, 'old.test', 'strict.test', 'nobody.test', undef) {
        for my $tls ('1.2', '1.3') {
            for my $alpn ('h2', 'h2,acme-tls/1', undef) {
                my ($with, $without) = map {
                    my $l = look($_->tls_port, (defined $name ? (sni => $name) : ()), tls => $tls, (defined $alpn ? (alpn => $alpn) : ()));
                    join ' ', $l->{serial} // 'none', $l->{protocol} // 'none', $l->{alpn} // 'none', $l->{text} =~ /(alert number (?!116)\d+)/;    # 116 (no client certificate) may come later than we wait
                } $s, $stock;
                is($with, $without, join ' ', $name // 'no name', $tls, $alpn // 'no protocols');
            }
        }
    }
    kill 'CONT', $agent;
    $hold->{release}->();
};

# RFC 8738 section 6: the name of an address in the reverse zone, and nothing else, proves it.
scenario an_address_is_asked_for_by_its_reverse_name => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $held = free_port();
    my $dir = temp_dir() . "/held-$kind";
    mkdir $dir or die "$dir: $!";
    my $holder = spawn("$dir/log", $^X, 't/lib/hold_tcp.pl', '127.0.0.1', $held, $dir);
    wait_for(10, sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $held, Timeout => 1) }) or die 'hold_tcp does not start';
    wait_for(5, sub { -s "$dir/requests" }) or die 'hold_tcp notes nothing';
    my $mine = -s "$dir/requests";
    my $ca = pebble(http_port => free_port(), tls_port => $held);
    my %block = HotCert::Server::issuers($s, ca => $ca);
    $s->configure(ca => $ca, main => [ @alone ], issuers => { pebble => [ @{ $block{pebble} }, [ network => 'private' ] ] },
        hosts => [ { names => [ '127.0.0.1' ], hotcert => 'on', default => 1, set => [ [ names => '127.0.0.1' ] ] } ]);
    $s->start;
    ok(wait_for(60, sub { -s "$dir/requests" > $mine }), 'the CA asks');
    my $agent = $s->agent;
    kill 'STOP', $agent;
    for my $tls ('1.2', '1.3') {
        my $l = look($s->tls_port, sni => '1.0.0.127.in-addr.arpa', tls => $tls, @acme);
        is("@{ $l->{ips} }|@{ $l->{names} }|" . ($l->{alpn} // ''), '127.0.0.1||acme-tls/1', "TLS $tls: the address itself is in the certificate");
        for my $other ('127.0.0.1', '2.0.0.127.in-addr.arpa', '0.0.127.in-addr.arpa') {
            my $refused = look($s->tls_port, sni => $other, tls => $tls, @acme);
            ok(!@{ $refused->{chain} } && $refused->{text} =~ /alert number 120/, "$other is not pending");
        }
        unlike(look($s->tls_port, sni => '1.0.0.127.in-addr.arpa', tls => $tls)->{text}, qr/hotcert challenge/, 'nobody else is shown it');
    }
    kill 'CONT', $agent;
    end_process($holder);
};

# A session with early data, offered by who asks for a proof.
scenario early_data_proves_nothing => only => 'nginx', sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    my $hold = hold_tls($ca, $s->tls_port, 'a.test');
    my $dir = temp_dir();
    my %session = (sess_out => "$dir/early");
    $s->configure(ca => $ca, main => [ @alone ], nginx_http => 'ssl_early_data on; ssl_session_tickets on;', hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    ok($hold->{asked}->(60), 'the CA asks');
    ok(wait_for(20, sub { proof_of(look($s->tls_port, sni => 'a.test', @acme), 'a.test') }), 'the name is pending');
    ok(look($s->tls_port, sni => 'a.test', tls => '1.3', path => '/', %session)->{ok}, 'a session of the site');
    spew("$dir/request", "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    my @early = (sess_in => $session{sess_out}, extra => [ '-early_data', "$dir/request" ]);
    like(look($s->tls_port, sni => 'a.test', tls => '1.3', @early)->{text}, qr/Early data was accepted/, 'takes early data');
    my $l = look($s->tls_port, sni => 'a.test', tls => '1.3', @early, @acme);
    unlike($l->{text}, qr/Early data was accepted/, 'from a CA it is not taken');
    ok(!$l->{reused} && proof_of($l, 'a.test'), 'which is shown the proof');
    $hold->{release}->();
};

# Certificates are swapped and the proof comes and goes, while clients of both kinds come all the time.
scenario nobody_is_shown_the_others_certificate_during_swaps => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    my $hold = hold_tls($ca, $s->tls_port, 'a.test');
    my $site = make_ca('Site CA');
    my @leaves = map { make_leaf($site, [ 'a.test', 'b.test' ]) } 1 .. 6;
    my @files = map { my $folder = temp_dir() . "/swaps-$kind-$_"; [ write_pair($leaves[0], $folder), $folder ] } 'a', 'b';
    $s->configure(ca => $ca, main => [ @alone ], hosts => [
        { names => [ 'a.test' ], hotcert => 'on', pair => [ @{ $files[0] }[ 0, 1 ] ] },
        { names => [ 'b.test' ], hotcert => 'watch', pair => [ @{ $files[1] }[ 0, 1 ] ] } ]);
    $s->start;
    ok($hold->{asked}->(60), 'the CA asks');
    ok(wait_for(20, sub { proof_of(look($s->tls_port, sni => 'a.test', @acme), 'a.test') }), 'the name is pending');
    my %session = (sess_out => temp_dir() . "/session12-$kind");
    ok(look($s->tls_port, sni => 'a.test', tls => '1.2', path => '/', %session)->{ok}, 'a session of the site, TLS 1.2');
    ok(look($s->tls_port, sni => 'a.test', tls => '1.2', sess_in => $session{sess_out})->{reused}, 'is resumed there');
    my $resumed = look($s->tls_port, sni => 'a.test', tls => '1.2', sess_in => $session{sess_out}, @acme);
    ok(!$resumed->{reused} && proof_of($resumed, 'a.test'), 'and not by a CA');
    my (%seen, @wrong, $proved, $refused, $next);
    my $look = sub {
        for my $name ('a.test', 'b.test') {
            for my $tls ('1.2', '1.3') {
                my $l = look($s->tls_port, sni => $name, tls => $tls);
                push @wrong, "a visitor of $name saw $l->{text}" if $l->{text} =~ /hotcert challenge/ || !$l->{ok};
                $seen{$name}{ $l->{serial} // '' } = 1;
                $l = look($s->tls_port, sni => $name, tls => $tls, @acme);
                my $is_proof = $name eq 'a.test' && proof_of($l, $name);
                push @wrong, "a CA that asks for $name saw $l->{text}" if !$is_proof && @{ $l->{chain} };
                $is_proof ? $proved++ : $refused++;
            }
        }
    };
    my $swapped = wait_for(90, sub {
        my $leaf = $leaves[ ++$next % @leaves ];
        write_pair($leaf, $_->[2]) for @files;
        $look->();
        return keys %{ $seen{'a.test'} } >= 4 && keys %{ $seen{'b.test'} } >= 4 && $proved >= 8;
    });
    ok($swapped, 'both hosts were swapped again and again, while the proof was shown');
    $hold->{release}->();
    ok(wait_for(60, sub { $look->(); $ca->count_of('certificates') && !@{ look($s->tls_port, sni => 'a.test', @acme)->{chain} } }), 'until the order has ended');
    $look->();
    is(join("\n----\n", @wrong), '', 'nobody was shown what is not his');
    is(scalar(grep { @{ look($s->tls_port, sni => $_, @acme)->{chain} } } 'a.test', 'b.test'), 0, 'nothing is proved any more');
};

# A balancer in front hands on its clients' addresses.
scenario the_proxy_protocol_is_no_obstacle => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    my $hold = hold_tls($ca, $s->tls_port, 'a.test');
    my $port = free_port();
    my $extra = $kind eq 'nginx'
        ? "server { listen 127.0.0.1:$port ssl proxy_protocol; server_name b.test; hotcert on; }"
        : "Listen 127.0.0.1:$port\n<VirtualHost 127.0.0.1:$port>\nServerName b.test\nSSLEngine on\nHotCert on\nRemoteIPProxyProtocol On\n</VirtualHost>\n";
    $s->configure(ca => $ca, main => [ @alone ], hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ],
        httpd_modules => ['remoteip'], nginx_http => $extra, httpd_main => $extra);
    $s->start;
    ok($hold->{asked}->(60), 'the CA asks');
    my $want = wait_for(20, sub { my $l = look($s->tls_port, sni => 'a.test', @acme); proof_of($l, 'a.test') ? $l->{serial} : undef });
    my $got = split_client_hello($port, 'a.test', '1.3', 40, alpn => 'acme-tls/1', before => "PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n");
    is($got->(), $want, 'the proof is shown behind it');
    $hold->{release}->();
};

# Each server on the store shows the proofs of all.
scenario another_server_on_the_store_proves_it => sub {
    my ($kind) = @_;
    my $one = server($kind);
    my $two = server($kind eq 'nginx' ? 'httpd' : 'nginx', store => $one->{store}, secret => $one->{secret});
    my $ca = tls_only($two);
    $two->configure(ca => $ca, main => [ @alone ], hosts => [ { names => [ 'b.test' ], hotcert => 'on' } ]);
    $two->start;
    ok(wait_served($two->tls_port, 'b.test', $ca->root, seconds => 60), 'one server has its certificate');
    $one->configure(ca => $ca, main => [ @alone ], hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $one->start;
    ok(wait_served($one->tls_port, 'a.test', $ca->root, seconds => 60), 'and proves the name of another, whose port no CA can reach');
    is($ca->count_of('orders'), 2, 'at once');
};

# Two key types are two orders of one name, and a listener shows one proof at a time.
scenario two_key_types_take_turns => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = tls_only($s);
    $s->configure(ca => $ca, main => [ @alone ], hosts => [ { names => [ 'a.test' ], hotcert => 'on', set => [ [ key_type => 'ecdsa:256', 'rsa:2048' ] ] } ]);
    $s->start;
    for my $sigalgs ('ECDSA+SHA256', 'RSA-PSS+SHA256') {
        ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60, tls => '1.3', sigalgs => $sigalgs), "$sigalgs is served");
    }
    is($ca->count_of('orders'), 2, 'from two orders, neither of which failed');
};

done_testing;
