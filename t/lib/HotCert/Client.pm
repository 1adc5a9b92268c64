package HotCert::Client;
# What a visitor sees: one TLS handshake by openssl's own client, and the load client in C.
use strict;
use warnings;
use Exporter 'import';
use HotCert::Rig qw(run spew slurp temp_dir build_dir spawn wait_for end_process);
use IO::Socket::INET;
use JSON::PP;
use Net::SSLeay;

our @EXPORT_OK = qw(look serials_of http_get load_start load_stop load_run wait_served pem_info split_client_hello);

Net::SSLeay::load_error_strings();
Net::SSLeay::SSLeay_add_ssl_algorithms();

# What a PEM certificate says of itself.
sub pem_info {
    my ($pem) = @_;
    my $bio = Net::SSLeay::BIO_new(Net::SSLeay::BIO_s_mem());
    Net::SSLeay::BIO_write($bio, $pem);
    my $x = Net::SSLeay::PEM_read_bio_X509($bio);
    Net::SSLeay::BIO_free($bio);
    return unless $x;
    my @san = Net::SSLeay::X509_get_subjectAltNames($x);
    my (@names, @addresses);
    while (my ($type, $value) = splice @san, 0, 2) {
        push @names, $value if $type == 2;
        push @addresses, join '.', unpack 'C*', $value if $type == 7;
    }
    my $info = {
        pem => $pem,
        serial => Net::SSLeay::P_ASN1_INTEGER_get_hex(Net::SSLeay::X509_get_serialNumber($x)),
        issuer => Net::SSLeay::X509_NAME_oneline(Net::SSLeay::X509_get_issuer_name($x)),
        subject => Net::SSLeay::X509_NAME_oneline(Net::SSLeay::X509_get_subject_name($x)),
        names => [ sort @names ],
        ips => [ sort @addresses ],
        not_after => Net::SSLeay::P_ASN1_TIME_get_isotime(Net::SSLeay::X509_get_notAfter($x)),
    };
    Net::SSLeay::X509_free($x);
    return $info;
}

# One handshake. Options: sni (undef: none), ca (roots), tls => '1.2'|'1.3', sigalgs, ciphers, alpn,
# sess_out, sess_in, cert, key, path (asks for a page), host, extra => [s_client arguments].
# Returns { ok, serial, issuer, names, chain => [infos], verify (0 is good), reused, protocol, alpn,
# signature, body, status, text }; ok is false when the handshake failed.
sub look {
    my ($port, %opt) = @_;
    my @cmd = ('openssl', 's_client', '-connect', "127.0.0.1:$port", '-showcerts');
    push @cmd, defined $opt{sni} ? ('-servername', $opt{sni}) : '-noservername';
    push @cmd, $opt{tls} eq '1.2' ? '-tls1_2' : '-tls1_3' if $opt{tls};
    push @cmd, '-CAfile', $opt{ca} if $opt{ca};
    for my $o (qw(sigalgs alpn sess_out sess_in cert key)) { push @cmd, "-$o", $opt{$o} if defined $opt{$o} }
    push @cmd, '-cipher', $opt{ciphers} if $opt{ciphers};
    push @cmd, @{ $opt{extra} // [] };
    my $input = '';
    if (defined $opt{path}) {
        my $host = $opt{host} // $opt{sni} // 'none.invalid';
        $input = "GET $opt{path} HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n\r\n";
        push @cmd, '-ign_eof';
    }
    my ($code, $text) = run({ _seconds => $opt{seconds} // 15, _stdin => $input }, @cmd);
    return parse_look($text, $code);
}

sub parse_look {
    my ($text, $code) = @_;
    my @chain = map { pem_info($_) } $text =~ /(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n)/gs;
    my ($how, $protocol) = $text =~ /^(New|Reused), (TLSv[\d.]+), Cipher is [A-Z]/m;
    my ($verify) = $text =~ /Verify return code: (\d+)/;
    my ($alpn) = $text =~ /^ALPN protocol: (\S+)/m;
    my ($signature) = $text =~ /^Peer signature type: (\S+)/m;
    my ($status, $headers, $body) = $text =~ m{HTTP/1\.[01] (\d+)(.*?)\r\n\r\n(.*)}ms;
    if (defined $body) {
        my ($length) = $headers =~ /^Content-Length: (\d+)/mi;
        $body = substr $body, 0, $length if defined $length;
    }
    my ($leaf) = @chain;
    return { ok => defined $how && $text !~ /alert handshake failure|no peer certificate available\n---\nNo client.*New, \(NONE\)/s,
        serial => $leaf ? $leaf->{serial} : undef, issuer => $leaf ? $leaf->{issuer} : '',
        names => $leaf ? $leaf->{names} : [], ips => $leaf ? $leaf->{ips} : [], chain => \@chain, verify => $verify // -1,
        reused => defined $how && $how eq 'Reused', protocol => $protocol, alpn => $alpn,
        signature => $signature // '', status => $status, body => $body, text => $text, code => $code };
}

# Sends the first $bytes of a ClientHello and stops. Calling what it returns sends the rest, and gives
# the serial of the certificate that came, or undef if the handshake failed.
# alpn: the one protocol that it offers; before: what is sent ahead of it; records: the message comes
# in so many of TLS's records.
sub split_client_hello {
    my ($port, $sni, $tls, $bytes, %opt) = @_;
    my $ctx = Net::SSLeay::CTX_new();
    my $version = $tls eq '1.2' ? Net::SSLeay::TLS1_2_VERSION() : Net::SSLeay::TLS1_3_VERSION();
    Net::SSLeay::CTX_set_min_proto_version($ctx, $version);
    Net::SSLeay::CTX_set_max_proto_version($ctx, $version);
    Net::SSLeay::CTX_set_alpn_protos($ctx, [ $opt{alpn} ]) if $opt{alpn};
    my $ssl = Net::SSLeay::new($ctx);
    my ($in, $out) = map { Net::SSLeay::BIO_new(Net::SSLeay::BIO_s_mem()) } 1 .. 2;
    Net::SSLeay::set_bio($ssl, $in, $out);
    Net::SSLeay::set_tlsext_host_name($ssl, $sni);
    Net::SSLeay::set_connect_state($ssl);
    Net::SSLeay::do_handshake($ssl);
    my $hello = Net::SSLeay::BIO_read($out);
    $hello = in_records($hello, $opt{records}) if $opt{records};
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5) or die "connect: $!";
    syswrite $socket, $opt{before} if $opt{before};
    syswrite $socket, substr $hello, 0, $bytes, '';
    return sub {
        syswrite $socket, $hello;
        for (1 .. 50) {
            last if Net::SSLeay::state($ssl) == 1;    # TLS_ST_OK
            my $ready = '';
            vec($ready, fileno $socket, 1) = 1;
            last unless select $ready, undef, undef, 10;
            sysread $socket, my $part, 16384 or last;
            Net::SSLeay::BIO_write($in, $part);
            my $done = Net::SSLeay::do_handshake($ssl);
            my $reply = Net::SSLeay::BIO_read($out);
            syswrite $socket, $reply if defined $reply && length $reply;
            if ($done == 1) {
                my $x = Net::SSLeay::get_peer_certificate($ssl);
                return Net::SSLeay::P_ASN1_INTEGER_get_hex(Net::SSLeay::X509_get_serialNumber($x));
            }
        }
        return undef;
    };
}

# One record as so many, each with a part of its content.
sub in_records {
    my ($record, $count) = @_;
    my ($head, $body) = (substr($record, 0, 3), substr($record, 5));
    my $each = int(length($body) / $count) + 1;
    return join '', map { $head . pack('n/a*', $_) } unpack "(a$each)*", $body;
}

# The serials that a number of handshakes see: { serial => count }.
sub serials_of {
    my ($port, $times, %opt) = @_;
    my %seen;
    for (1 .. $times) { my $l = look($port, %opt); $seen{ $l->{serial} // 'none' }++ }
    return \%seen;
}

# Waits until $name is served with a certificate that verifies against $ca and covers it (and is not
# $opt{not}); the look, or undef.
sub wait_served {
    my ($port, $name, $ca, %opt) = @_;
    my $seconds = delete $opt{seconds} // 30;
    my $not = delete $opt{not} // '';
    return wait_for($seconds, sub {
        my $l = look($port, sni => $name, ca => $ca, extra => [ '-verify_hostname', $name ], %opt);
        return $l->{ok} && $l->{verify} == 0 && $l->{serial} ne $not ? $l : undef;
    }, 0.1);
}

# A plain HTTP request over TCP: { status, headers, body }.
sub http_get {
    my ($port, $host, $path, %opt) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5) or return { status => 0 };
    my $method = $opt{method} // 'GET';
    print {$s} "$method $path HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n" . ($opt{headers} // '') . "\r\n";
    local $SIG{ALRM} = sub { die "no answer\n" };
    my $text = eval { alarm 10; local $/; my $t = <$s>; alarm 0; $t } // '';
    alarm 0;
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my ($status) = ($head // '') =~ m{^HTTP/1\.\d (\d+)};
    return { status => $status // 0, headers => $head // '', body => $body // '' };
}

# ---- load ----

# Runs the load client until load_stop(); options are its own (lanes => 2, hold => 20, sni => [..]).
sub load_command {
    my ($port, %opt) = @_;
    my @names = ref $opt{sni} ? @{ delete $opt{sni} } : delete $opt{sni};
    return (build_dir() . '/handshakes', '--port', $port, (map { ('--sni', $_) } @names),
        map { ("--$_", $opt{$_}) } sort keys %opt);
}

my $loads = 0;

sub load_start {
    my ($port, %opt) = @_;
    my $out = temp_dir() . '/load' . ++$loads;
    return { out => $out, pid => spawn($out, load_command($port, %opt)) };
}

sub load_stop {
    my ($load) = @_;
    end_process($load->{pid}, 60);
    return load_report($load->{out});
}

# A run of its own, with count or seconds.
sub load_run {
    my ($port, %opt) = @_;
    my ($code, $text) = run({ _seconds => 300 }, load_command($port, %opt));
    my ($json) = $text =~ /^(\{.*\})$/m or die "the load client said: $text";
    return decode_json($json);
}

sub load_report {
    my ($out) = @_;
    my ($json) = slurp($out) =~ /^(\{.*\})$/m or die 'the load client said: ' . slurp($out);
    return decode_json($json);
}

1;
