package HotCert::Pebble;
# Pebble, the ACME test CA, and its DNS server, in which every name leads to 127.0.0.1.
#
#   my $ca = HotCert::Pebble->new(http_port => 10080);   # where it asks for http-01
#   $ca->directory, $ca->bundle (roots of its own TLS), $ca->root (of what it issues)
use strict;
use warnings;
use File::Temp ();
use HTTP::Tiny;
use HotCert::Pki qw(make_ca make_leaf openssl);
use HotCert::Rig qw(temp_dir rig_dir free_port spawn spew slurp wait_for end_process track_log);
use JSON::PP;

my $count = 0;

# env => { PEBBLE_WFE_NONCEREJECT => 30 }, retry_after => seconds, validity => seconds of issued
# certificates, http_port => N, address and port => where it listens itself (127.0.0.1, a free one),
# start => 0 to start later, dns_server => "ADDR:PORT" that it asks in place of the one of its own
# (see HotCert::Dns).
sub new {
    my ($class, %opt) = @_;
    my $self = bless { address => '127.0.0.1', port => free_port(), %opt, n => ++$count, management => free_port(),
        dns => free_port(), dns_management => free_port() }, $class;
    $self->{dir} = temp_dir() . "/pebble$count";
    mkdir $self->{dir} or die "$self->{dir}: $!";
    my $tls = make_ca("Pebble $count TLS root");
    my $leaf = make_leaf($tls, [ 'localhost', $self->{address} ]);
    $self->{bundle} = $tls->{cert};
    $self->{log} = track_log("pebble $count", "$self->{dir}/pebble.log");
    $self->{dns_log} = "$self->{dir}/dns.log";
    chmod 0644, $tls->{cert};
    spew("$self->{dir}/config.json", encode_json({ pebble => {
        listenAddress => "$self->{address}:$self->{port}",
        managementListenAddress => "127.0.0.1:$self->{management}",
        certificate => $leaf->{cert}, privateKey => $leaf->{key},
        httpPort => $opt{http_port} + 0, tlsPort => ($opt{tls_port} // 5001) + 0,
        ocspResponderURL => '',
        externalAccountBindingRequired => $opt{mac_keys} ? JSON::PP::true : JSON::PP::false,
        ($opt{mac_keys} ? (externalAccountMACKeys => $opt{mac_keys}) : ()),    # key identifier => key in base64url
        domainBlocklist => [ 'blocked.test' ],
        retryAfter => { authz => $opt{retry_after} // 1, order => $opt{retry_after} // 1 },
        keyAlgorithm => 'ecdsa',
        profiles => { default => { description => 'the default',
            validityPeriod => ($opt{validity} // 90 * 86400) + 0 },
            map { $_ => { description => $_, validityPeriod => $opt{profiles}{$_} + 0 } } keys %{ $opt{profiles} // {} } },
    } }));
    $self->start_dns unless $opt{dns_server};
    $self->start unless defined $opt{start} && !$opt{start};
    return $self;
}

sub start_dns {
    my ($self) = @_;
    my $behind = $self->{dns_behind} = '127.0.0.1:' . free_port();    # Pebble itself asks over TCP
    $self->{dns_pid} = spawn($self->{dns_log}, $^X, 't/lib/dnsrelay.pl', "127.0.0.1:$self->{dns}", $behind,
        rig_dir() . '/usr/bin/pebble-challtestsrv',
        '-defaultIPv4', '127.0.0.1', '-defaultIPv6', '', '-http01', '', '-https01', '', '-doh', '',
        '-tlsalpn01', '', '-dnsserver', $behind,
        '-management', "127.0.0.1:$self->{dns_management}");
    wait_for(10, sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{dns_management}) })
        or die "pebble-challtestsrv does not start: " . slurp($self->{dns_log});
    return;
}

# Starts with an empty database: a new root, no accounts.
sub start {
    my ($self) = @_;
    my %env = (PEBBLE_WFE_NONCEREJECT => 0, PEBBLE_VA_NOSLEEP => 1, PEBBLE_AUTHZREUSE => 0, %{ $self->{env} // {} });
    $self->{pid} = spawn($self->{log}, { %env }, rig_dir() . '/usr/bin/pebble',
        '-config', "$self->{dir}/config.json", '-dnsserver', $self->{dns_behind} // $self->dns_server, '-strict=false');
    my $root = wait_for(20, sub { $self->manage('/roots/0') }) or die 'Pebble does not start: ' . slurp($self->{log});
    my $intermediate = $self->manage('/intermediates/0');
    $self->{root} = "$self->{dir}/root.pem";
    spew($self->{root}, $root, 0644);
    spew("$self->{dir}/intermediate.pem", $intermediate, 0644);
    return $self;
}

sub stop {
    my ($self) = @_;
    end_process(delete $self->{pid}) if $self->{pid};
    return $self;
}

# The database is in memory: this loses it.
sub lose_database { my ($self) = @_; $self->stop; return $self->start }

# Where it looks names up, and so do our servers.
sub dns_server { my ($self) = @_; return $self->{dns_server} // "127.0.0.1:$self->{dns}" }

sub directory { return "https://$_[0]{address}:$_[0]{port}/dir" }
sub bundle { return $_[0]{bundle} }
sub root { return $_[0]{root} }
sub log_text { return slurp($_[0]{log}) }

sub manage {
    my ($self, $path) = @_;
    my $r = HTTP::Tiny->new(timeout => 5, verify_SSL => 0)->get("https://127.0.0.1:$self->{management}$path");
    return $r->{success} ? $r->{content} : undef;
}

# What it answers from now on when it is asked when to renew this certificate.
sub set_renewal_info {
    my ($self, $pem, $answer) = @_;
    my $r = HTTP::Tiny->new(timeout => 5, verify_SSL => 0)->post("https://127.0.0.1:$self->{management}/set-renewal-info/",
        { content => encode_json({ Certificate => $pem, ARIResponse => $answer }) });
    return $r->{success};
}

# What the challenge test server's management knows: set_default_ipv4 is done; add-a, clear-a, ..
sub dns_set {
    my ($self, $what, $data) = @_;
    my $r = HTTP::Tiny->new(timeout => 5)->post("http://127.0.0.1:$self->{dns_management}/$what",
        { content => encode_json($data) });
    die "$what: $r->{status} $r->{content}" unless $r->{success};
    return;
}

sub no_such_name { my ($self, $name) = @_; return $self->dns_set('set-servfail', { host => $name }) }
sub name_is_back { my ($self, $name) = @_; return $self->dns_set('clear-servfail', { host => $name }) }

# How many orders were placed, accounts made, certificates issued, in all the log's time.
sub count_of {
    my ($self, $what) = @_;
    my %pattern = (
        orders => qr/Added order "/, accounts => qr/There are now \d+ accounts/,
        certificates => qr/Issued certificate serial/, requests => qr{POST /},
    );
    my $p = $pattern{$what} or die "count of what: $what";
    return scalar(() = $self->log_text =~ /$p/g);
}

1;
