package HotCert::Pki;
# Certificates of the tests' own, made by the openssl command: a CA, leaves below it, pairs on disk
# as certbot and ssl-cert write them.
use strict;
use warnings;
use Exporter 'import';
use File::Path qw(make_path);
use HotCert::Rig qw(run spew slurp temp_dir);

our @EXPORT_OK = qw(openssl make_ca make_leaf make_key write_pair serial_of);

our $shift = 0;    # seconds that openssl's clock is off, for certificates of another time

sub openssl {
    my (@args) = @_;
    my @clock = $shift ? ('faketime', '-f', sprintf '%+ds', $shift) : ();
    my ($code, $out) = run(@clock, 'openssl', @args);
    die "openssl @args: $out" if $code != 0;
    return $out;
}

my %key_args = (
    'ed448' => [qw(-algorithm ED448)],
    'ml-dsa-65' => [qw(-algorithm ML-DSA-65)],
    'ecdsa:256' => [qw(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)],
    'ecdsa:384' => [qw(-algorithm EC -pkeyopt ec_paramgen_curve:P-384)],
    'rsa:2048'  => [qw(-algorithm RSA -pkeyopt rsa_keygen_bits:2048)],
    'ed25519'   => [qw(-algorithm ED25519)],
);

sub make_key {
    my ($path, $type) = @_;
    openssl('genpkey', @{ $key_args{ $type // 'ecdsa:256' } }, '-out', $path);
    chmod 0600, $path;
    return $path;
}

my $count = 0;
my $serial = int(rand 1e9) + 1_000_000_000;

# A CA: { key => file, cert => file, name => text }. Below $issuer if one is given.
sub make_ca {
    my ($name, %opt) = @_;
    my $base = temp_dir() . '/ca' . ++$count;
    my $ca = { name => $name, key => "$base.key", cert => "$base.pem", issuer => $opt{issuer} };
    make_key($ca->{key}, $opt{key_type});
    sign($ca, $opt{issuer} // $ca, "/CN=$name", $opt{days} // 3650,
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
            . "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
            . ($opt{aia} ? "authorityInfoAccess=caIssuers;URI:$opt{aia}\n" : ''));
    return $ca;
}

sub sign {
    my ($what, $issuer, $subject, $days, $extensions) = @_;
    my $base = temp_dir() . '/sign' . ++$count;
    spew("$base.ext", $extensions);
    openssl('req', '-new', '-key', $what->{key}, '-subj', $subject, '-out', "$base.csr");
    my @by = $issuer == $what
        ? ('-signkey', $what->{key})
        : ('-CA', $issuer->{cert}, '-CAkey', $issuer->{key});
    openssl('x509', '-req', '-in', "$base.csr", @by, '-set_serial', ++$serial, '-days', $days,
        '-sha256', '-extfile', "$base.ext", '-out', $what->{cert});
    unlink "$base.ext", "$base.csr";
    return $what;
}

# A leaf for names: { key, cert, fullchain => text, serial }. aia: where its issuer is to
# be had. at => seconds from now that it begins.
sub make_leaf {
    my ($ca, $names, %opt) = @_;
    local $shift = $opt{at} // 0;
    my $base = temp_dir() . '/leaf' . ++$count;
    my $leaf = { key => "$base.key", cert => "$base.pem" };
    make_key($leaf->{key}, $opt{key_type});
    my $san = join ',', map { /^[\d.]+$/ ? "IP:$_" : "DNS:$_" } @$names;
    sign($leaf, $ca, '/CN=' . substr($names->[0], 0, 60), $opt{days} // 90,
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
            . "extendedKeyUsage=" . ($opt{usage} // 'serverAuth') . "\nsubjectAltName=$san\n"
            . "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
            . ($opt{aia} ? "authorityInfoAccess=caIssuers;URI:$opt{aia}\n" : ''));
    my $chain = slurp($leaf->{cert});
    for (my $up = $ca; $up && $up->{issuer}; $up = $up->{issuer}) { $chain .= slurp($up->{cert}) }
    $leaf->{fullchain} = $chain;
    $leaf->{key_text} = slurp($leaf->{key});
    $leaf->{serial} = serial_of($leaf->{cert});
    return $leaf;
}

sub serial_of {
    my ($file) = @_;
    my ($hex) = openssl('x509', '-in', $file, '-noout', '-serial') =~ /serial=([0-9A-F]+)/;
    return $hex;
}

# A pair where only root reads: files 0600 in a folder 0700. Returns (certificate, key) paths.
sub write_pair {
    my ($leaf, $folder, %opt) = @_;
    make_path($folder, { mode => 0700 });
    chmod 0700, $folder;
    my ($cert, $key) = ("$folder/fullchain.pem", "$folder/privkey.pem");
    for my $part ([ $key, $leaf->{key_text} ], [ $cert, $leaf->{fullchain} ]) {
        spew("$part->[0].new", $part->[1], 0600);
        rename "$part->[0].new", $part->[0] or die "rename: $!";
    }
    return ($cert, $key);
}

1;
