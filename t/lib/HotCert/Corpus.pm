package HotCert::Corpus;
# Every way to get a certificate file wrong, made by the openssl command when a test runs: never
# stored keys of anyone.
#
#   my $corpus = HotCert::Corpus->new("$dir/corpus");
#   for my $case ($corpus->cases) { $case->{name}, {args}, {findings}, {exit}, {serve} }
#
# A case: args of `hotcert check`; findings: slug => rank, exactly these; exit code; serve: what a
# server would be given, [certificate file, key file], where a TLS library can load it at all.
use strict;
use warnings;
use File::Path qw(make_path);
use HotCert::Rig qw(run spew slurp);
use POSIX qw(strftime);

my $host = 'www.example.org';

sub new {
    my ($class, $dir) = @_;
    my $self = bless { dir => $dir, count => 0 }, $class;
    make_path($dir);
    $self->authorities;
    $self->{plain} = $self->issue('leaf', by => $self->{mid});
    return $self;
}

sub host { return $host }
sub roots { return $_[0]{root}{cert} }

sub openssl {
    my ($self, @args) = @_;
    my ($code, $out) = run('openssl', @args);
    die "openssl @args: $out" if $code != 0;
    return $out;
}

sub path { my ($self, $name) = @_; return "$self->{dir}/$name" }

# Days from now as `openssl ca` wants them.
sub day { my ($self, $days) = @_; return strftime('%Y%m%d%H%M%SZ', gmtime(time + $days * 86400)) }

my %key_args = (
    'P-256' => [qw(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)],
    'ED25519' => [qw(-algorithm ED25519)],
    'ED448' => [qw(-algorithm ED448)],
    'X25519' => [qw(-algorithm X25519)],
    'RSA-PSS' => [qw(-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048)],
);

sub make_key {
    my ($self, $kind) = @_;
    my $file = $self->path('key' . ++$self->{count} . '.pem');
    my $args = $key_args{$kind} // ($kind =~ /^RSA:(\d+)$/
        ? [ qw(-algorithm RSA -pkeyopt), "rsa_keygen_bits:$1" ]
        : [ qw(-algorithm EC -pkeyopt), "ec_paramgen_curve:$kind" ]);
    $self->openssl('genpkey', @$args, '-out', $file);
    chmod 0600, $file;
    return $file;
}

# { key, cert } by these options: by (issuer; none: self-signed), ca, key (kind), key_file, from, days,
# eku ('' none), sans, md, ids (0: none), more (lines of extensions).
sub issue {
    my ($self, $name, %o) = @_;
    my $n = ++$self->{count};
    my $key = $o{key_file} // $self->make_key($o{key} // 'P-256');
    my $cert = $self->path("cert$n.pem");
    my $me = { key => $key, cert => $cert, name => $name };
    my $by = $o{by} // $me;
    my $ca = $o{ca};
    my @ext = ('basicConstraints=critical,CA:' . ($ca ? 'TRUE' : 'FALSE'),
        'keyUsage=critical,' . ($o{usage} // ($ca ? 'keyCertSign,cRLSign' : 'digitalSignature')));
    push @ext, $o{ids} // 1 ? ('subjectKeyIdentifier=hash', 'authorityKeyIdentifier=' . ($o{aki} // 'keyid'))
        : ('subjectKeyIdentifier=none', 'authorityKeyIdentifier=none');
    my $eku = $o{eku} // ($ca ? '' : 'serverAuth');
    push @ext, "extendedKeyUsage=$eku" if $eku ne '';
    my $sans = $o{sans} // ($ca ? '' : "DNS:$host");
    push @ext, "subjectAltName=$sans" if $sans ne '';
    push @ext, $o{more} if $o{more};
    my $base = $self->path("ca$n");
    make_path($base);
    spew("$base/index", '');
    my $md = $o{md} // 'sha256';
    spew("$base/conf", join "\n", '[ca]', 'default_ca=d', '[d]', "database=$base/index", "new_certs_dir=$base",
        "default_md=$md", 'policy=p', 'rand_serial=yes', 'unique_subject=no', 'email_in_dn=no', '[p]',
        'commonName=optional', '[req]', 'distinguished_name=n', 'prompt=no', '[n]', '[e]', @ext, '');
    $self->openssl('req', '-new', '-key', $key, '-subj', "/CN=$name", '-utf8', '-config', "$base/conf", '-out', "$base/csr");
    $self->openssl('ca', '-batch', '-notext', '-config', "$base/conf", '-extensions', 'e', '-in', "$base/csr",
        '-startdate', $self->day($o{from} // -1), '-enddate', $self->day($o{days} // ($ca ? 900 : 90)),
        '-keyfile', $by->{key}, ($o{by} ? ('-cert', $by->{cert}) : ('-selfsign')), '-out', $cert);
    return $me;
}

sub authorities {
    my ($self) = @_;
    $self->{root} = $self->issue('Corpus Root', ca => 1);
    $self->{mid} = $self->issue('Corpus Intermediate', ca => 1, by => $self->{root});
    $self->{other_root} = $self->issue('Another Root', ca => 1);
    $self->{other_mid} = $self->issue('Another Intermediate', ca => 1, by => $self->{other_root});
    return;
}

# A file of these texts or certificates, with this mode.
sub file {
    my ($self, $name, @pieces) = @_;
    my $file = $self->path($name);
    spew($file, join '', map { ref $_ ? slurp($_->{cert}) : $_ } @pieces);
    chmod 0600, $file;
    return $file;
}

sub key_text { my ($self, $who) = @_; return slurp($who->{key}) }

# ---- the cases ----

# Certificate and key in two files below the root; args, findings and exit are filled in.
sub pair_case {
    my ($self, $name, $cert, $key, %more) = @_;
    my $findings = $more{findings} // {};
    my %ranks = map { $_ => 1 } values %$findings;
    return { name => $name, findings => $findings,
        args => [ $cert, '--key', $key, '--roots', $more{roots} // $self->roots, '--name', $more{host} // $host, @{ $more{args} // [] } ],
        exit => $more{exit} // ($ranks{unusable} ? 2 : $ranks{flawed} ? 1 : 0),
        roots => $more{roots} // $self->roots, host => $more{host} // $host,
        serve => $more{no_serve} ? undef : [ $cert, $key ], passes => $more{passes},
        refuses => $more{refuses} };
}

# A leaf of its own with the chain that belongs to it.
sub leaf_case {
    my ($self, $name, $findings, $options, %more) = @_;
    my $leaf = $self->issue('leaf', by => $self->{mid}, %$options);
    (my $base = $name) =~ s/\W+/-/g;
    return $self->pair_case($name, $self->file("$base.pem", $leaf, $self->{mid}), $leaf->{key},
        findings => $findings, %more);
}

sub chain_cases {
    my ($self) = @_;
    my ($leaf, $mid, $root, $other, $other_root) = @$self{qw(plain mid root other_mid other_root)};
    my $old_mid = $self->issue('Corpus Intermediate', ca => 1, by => $root, key_file => $mid->{key}, from => -400, days => -10);
    my $foreign = $self->issue('leaf', by => $other);
    my $sha1_root = $self->issue('Weak Stranger', ca => 1, md => 'sha1');
    my $key = $leaf->{key};
    return (
        $self->pair_case('a fit pair', $self->file('fit.pem', $leaf, $mid), $key),
        $self->pair_case('leaf only', $self->file('leaf-only.pem', $leaf), $key,
            findings => { 'chain-incomplete' => 'flawed' }),
        $self->pair_case('leaf only, and the URL of its issuer is known',
            do {
                my $l = $self->{aia} = $self->issue('leaf', by => $mid, more => 'authorityInfoAccess=caIssuers;URI:http://ca.example.org/mid.der');
                $self->file('aia.pem', $l);
            }, $self->{aia}{key},
            findings => { 'chain-incomplete' => 'flawed' }),
        $self->pair_case('out of order', $self->file('order.pem', $mid, $leaf), $key, findings => { 'chain-order' => 'remark' }, no_serve => 1),
        $self->pair_case('a stranger', $self->file('stranger.pem', $leaf, $mid, $other), $key,
            findings => { 'chain-stranger' => 'remark' }),
        $self->pair_case('a duplicate', $self->file('duplicate.pem', $leaf, $mid, $mid), $key,
            findings => { 'chain-duplicate' => 'remark' }),
        $self->pair_case('the root included', $self->file('root.pem', $leaf, $mid, $root), $key,
            findings => { 'chain-root' => 'remark' }),
        $self->pair_case('a stranger signed with SHA-1', $self->file('sha1-stranger.pem', $leaf, $mid, $sha1_root), $key,
            findings => { 'chain-stranger' => 'remark', 'signature-weak-unneeded' => 'remark' }),
        $self->pair_case('an expired intermediate', $self->file('old-mid.pem', $leaf, $old_mid), $key,
            findings => { 'chain-expired' => 'flawed' }),
        $self->pair_case('an expired intermediate before the fresh one', $self->file('both-mids.pem', $leaf, $old_mid, $mid), $key,
            findings => { 'chain-edition' => 'remark' }),
        $self->pair_case('a root that is not trusted', $self->file('foreign.pem', $foreign, $other), $foreign->{key},
            findings => { 'untrusted-root' => 'flawed' }),
        $self->legacy_case, $self->namesake_case, $self->self_signed_cases, $self->issuer_cases, $self->gap_cases,
    );
}

# 2021: a fresh root, cross-signed by one that has expired since, both in the clients' stores.
sub legacy_case {
    my ($self) = @_;
    my $old = $self->issue('Old Root', ca => 1, from => -4000, days => -10);
    my $new = $self->issue('New Root', ca => 1);
    my $cross = $self->issue('New Root', ca => 1, by => $old, key_file => $new->{key}, from => -100, days => 400);
    my $mid = $self->issue('New Intermediate', ca => 1, by => $new);
    my $leaf = $self->issue('leaf', by => $mid);
    return $self->pair_case('an expired cross-sign', $self->file('cross.pem', $leaf, $mid, $cross), $leaf->{key},
        roots => $self->file('cross-roots.pem', $old, $new), findings => { 'chain-legacy-path' => 'remark' });
}

# Without key identifiers only the signature tells which of two CAs of one name it was.
sub namesake_case {
    my ($self) = @_;
    my $real = $self->issue('Namesake', ca => 1, by => $self->{root}, ids => 0);
    my $fake = $self->issue('Namesake', ca => 1, by => $self->{root}, ids => 0);
    my $leaf = $self->issue('leaf', by => $real, ids => 0);
    return $self->pair_case('another CA of the same name', $self->file('namesake.pem', $leaf, $fake), $leaf->{key},
        findings => { 'chain-invalid' => 'flawed', 'chain-incomplete' => 'flawed', 'chain-stranger' => 'remark' });
}

# Issuers that are odd themselves.
sub issuer_cases {
    my ($self) = @_;
    my @cases;
    for my $curve (qw(secp256k1 brainpoolP256r1)) {
        my $mid = $self->issue("On $curve", ca => 1, by => $self->{root}, key => $curve);
        my $leaf = $self->issue('leaf', by => $mid);
        push @cases, $self->pair_case("an intermediate on $curve", $self->file("$curve-mid.pem", $leaf, $mid), $leaf->{key},
            findings => { 'chain-curve' => 'flawed' }, passes => [qw(openssl curl python)]);
    }
    my $mid = $self->issue('On P-521', ca => 1, by => $self->{root}, key => 'P-521');
    my $leaf = $self->issue('leaf', by => $mid);
    push @cases, $self->pair_case('an intermediate on P-521', $self->file('p521-mid.pem', $leaf, $mid), $leaf->{key});
    # Whoever writes 9999 means for ever; the issuers have years left.
    my $old = $self->issue('Ten years', ca => 1, by => $self->{root}, from => -2500, days => 1100);
    my $ever = $self->issue('leaf', by => $old, days => 2_900_000);
    push @cases, $self->pair_case('for ever below an issuer with years left', $self->file('ever.pem', $ever, $old), $ever->{key},
        findings => {});
    return @cases;
}

# A chain of two intermediates, of which the upper one is missing.
sub gap_cases {
    my ($self) = @_;
    my $second = $self->issue('Second Intermediate', ca => 1, by => $self->{mid});
    my $leaf = $self->issue('leaf', by => $second);
    my $telling = $self->issue('Telling Intermediate', ca => 1, by => $self->{mid}, aki => 'keyid,issuer:always');
    my $told = $self->issue('leaf', by => $telling);
    return (
        $self->pair_case('two intermediates', $self->file('two-mids.pem', $leaf, $second, $self->{mid}), $leaf->{key}),
        $self->pair_case('the upper intermediate is missing below its root', $self->file('gap-root.pem', $leaf, $second, $self->{root}), $leaf->{key},
            findings => { 'chain-incomplete' => 'flawed', 'chain-stranger' => 'remark' }),
        $self->pair_case('the upper intermediate is missing, and the lower one tells whose it is', $self->file('gap-told.pem', $told, $telling),
            $told->{key}, findings => { 'chain-incomplete' => 'flawed' }),
        $self->pair_case('the upper intermediate is missing, or it is a root', $self->file('gap.pem', $leaf, $second), $leaf->{key},
            findings => { 'untrusted-root' => 'flawed' }),
    );
}

sub self_signed_cases {
    my ($self) = @_;
    my $self_signed = $self->issue('self');
    return (
        $self->pair_case('self-signed and unknown', $self_signed->{cert}, $self_signed->{key},
            findings => { 'self-signed' => 'remark', 'untrusted-root' => 'flawed' }),
        $self->pair_case('self-signed by intent', $self_signed->{cert}, $self_signed->{key}, roots => $self_signed->{cert},
            findings => { 'self-signed' => 'remark' }),
    );
}

sub leaf_cases {
    my ($self) = @_;
    my $sct = '1.3.6.1.4.1.11129.2.4.2=DER:04:02:00:00';
    return (
        $self->leaf_case('expired', { expired => 'flawed' }, { from => -90, days => -1 }),
        $self->leaf_case('not yet valid', { 'not-yet-valid' => 'flawed' }, { from => 2, days => 90 }),
        $self->leaf_case('expires soon', { 'expires-soon' => 'remark' }, { from => -70, days => 20 }),
        $self->leaf_case('a name that is not covered', { 'name-not-covered' => 'flawed' }, { sans => 'DNS:other.example.org' }),
        $self->leaf_case('a wildcard one label too deep', { 'name-not-covered' => 'flawed' }, { sans => 'DNS:*.example.org' },
            host => 'a.www.example.org'),
        $self->leaf_case('a wildcard that fits', {}, { sans => 'DNS:*.example.org' }),
        $self->leaf_case('a name in the subject only', { 'name-not-covered' => 'flawed' }, { sans => 'DNS:x.example.org' },
            host => 'leaf.example.org'),
        $self->leaf_case('an international name', {}, { sans => 'DNS:xn--bcher-kva.example' }, host => 'xn--bcher-kva.example'),
        $self->leaf_case('an address', {}, { sans => 'IP:127.0.0.1' }, host => '127.0.0.1'),
        $self->leaf_case('an address that is not covered', { 'name-not-covered' => 'flawed' }, { sans => 'IP:192.0.2.1' }, host => '127.0.0.1'),
        $self->leaf_case('four hundred names', {}, { sans => join ',', map({ "DNS:h$_.example.org" } 1 .. 399), "DNS:$host" }),
        $self->leaf_case('for clients only', { 'usage-not-server' => 'flawed' }, { eku => 'clientAuth' }),
        $self->leaf_case('no extended key usage', { 'usage-missing' => 'remark' }, { eku => '' }),
        $self->leaf_case('a CA as leaf', { 'ca-as-leaf' => 'flawed' },
            { more => "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature,keyCertSign" },
            passes => [qw(openssl curl python java)]),
        $self->leaf_case('a wildcard of a part of a label', { 'name-not-covered' => 'flawed' }, { sans => 'DNS:w*.example.org' },
            passes => [qw(openssl java)]),
        $self->leaf_case('an RSA key that may not sign', { 'usage-no-signature' => 'flawed' }, { key => 'RSA:2048', usage => 'keyEncipherment' },
            passes => [qw(openssl curl python)]),
        $self->leaf_case('an EC key that may not sign', { 'usage-no-signature' => 'flawed' }, { usage => 'keyAgreement' },
            passes => [qw(openssl curl python)]),
        $self->leaf_case('Ed448', { 'key-uncommon' => 'remark' }, { key => 'ED448' }),
        $self->leaf_case('RSA of 1024 bits', { 'key-weak' => 'flawed', 'tls-refused' => 'unusable' }, { key => 'RSA:1024' },
            passes => ['java']),
        $self->leaf_case('RSA of 2048 bits', {}, { key => 'RSA:2048' }),
        $self->leaf_case('P-384', {}, { key => 'P-384' }),
        $self->leaf_case('P-521', { 'key-uncommon' => 'remark' }, { key => 'P-521' }),
        $self->leaf_case('Ed25519', { 'key-uncommon' => 'remark' }, { key => 'ED25519' }),
        $self->leaf_case('RSA-PSS', { 'key-uncommon' => 'remark' }, { key => 'RSA-PSS' }),
        $self->leaf_case('secp256k1', { 'curve-unsupported' => 'flawed' }, { key => 'secp256k1' }),
        $self->leaf_case('secp224r1', { 'curve-unsupported' => 'flawed' }, { key => 'secp224r1' }),
        $self->sha1_case,
        $self->leaf_case('must-staple', { 'must-staple' => 'flawed' }, { more => 'tlsfeature=status_request' },
            passes => [qw(openssl curl python java)]),
        $self->leaf_case('an empty list of SCTs', { 'scts-few' => 'remark' }, { more => $sct }),
        $self->leaf_case('no key identifiers', { 'chain-lax' => 'remark' }, { ids => 0 }, refuses => ['python-strict']),
    );
}

# OpenSSL 3.0 does not even load it at Debian's security level, 3.5 does: clients alone refuse it there.
sub sha1_case {
    my ($self) = @_;
    my $case = $self->leaf_case('signed with SHA-1', { 'signature-weak' => 'flawed' }, { md => 'sha1' }, passes => ['java']);
    return $case if $self->loads(@{ $case->{serve} });
    @$case{qw(findings exit)} = ({ %{ $case->{findings} }, 'tls-refused' => 'unusable' }, 2);
    return $case;
}

# Whether OpenSSL takes this pair for TLS: the command loads it before it connects, to a port where
# nobody listens.
sub loads {
    my ($self, $cert, $key) = @_;
    my (undef, $out) = run('openssl', 's_client', '-connect', '127.0.0.1:1', '-cert', $cert, '-key', $key);
    $out =~ /md too weak|key too (?:small|weak)/ and return 0;
    $out =~ /connect/i or die "openssl s_client: $out";
    return 1;
}

sub key_cases {
    my ($self) = @_;
    my ($leaf, $mid) = @$self{qw(plain mid)};
    my $chain = $self->file('keys.pem', $leaf, $mid);
    my $rsa = $self->issue('rsa', by => $mid, key => 'RSA:2048');
    my $rsa_chain = $self->file('rsa-keys.pem', $rsa, $mid);
    my %form;
    for my $who ([ sec1 => $leaf ], [ pkcs1 => $rsa ]) {
        $form{ $who->[0] } = $self->path("$who->[0].key");
        $self->openssl('pkey', '-in', $who->[1]{key}, '-traditional', '-out', $form{ $who->[0] });
    }
    my $words = $self->file('words', "no\nsecret words\n");
    my $closed = $self->path('closed.key');
    $self->openssl('pkcs8', '-topk8', '-in', $leaf->{key}, '-out', $closed, '-passout', 'pass:secret words');
    my $dsa_like = $self->file('openssh.key', "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
    my $x25519 = $self->make_key('X25519');
    my $open = $self->file('open.key', slurp($leaf->{key}));
    chmod 0644, $_ for $open;
    chmod 0600, $closed, values %form;
    my $parameters = $self->openssl('ecparam', '-name', 'prime256v1');
    return (
        $self->pair_case('SEC1 behind EC parameters', $chain, $self->file('parameters.key', $parameters, slurp($form{sec1}))),
        $self->pair_case('PKCS#1', $rsa_chain, $form{pkcs1}),
        $self->pair_case('an encrypted key and its passphrase', $chain, $closed, args => [ '--passphrase', $words ], no_serve => 1),
        $self->pair_case('an encrypted key', $chain, $closed, findings => { 'key-encrypted' => 'unusable' }, no_serve => 1),
        $self->pair_case("the intermediate's key", $chain, $mid->{key}, findings => { 'key-mismatch' => 'unusable' }),
        $self->pair_case("another's key", $chain, $rsa->{key}, findings => { 'key-mismatch' => 'unusable' }),
        $self->pair_case('no key', $chain, $chain, findings => { 'key-missing' => 'unusable' }),
        $self->pair_case('an OpenSSH key', $chain, $dsa_like, findings => { 'key-unsupported' => 'unusable' }),
        $self->pair_case('a key that cannot sign', $chain, $x25519, findings => { 'key-unsupported' => 'unusable' }),
        $self->pair_case('a key on a token', $chain, 'pkcs11:object=www', findings => { 'key-unsupported' => 'unusable' }, no_serve => 1),
        $self->pair_case('a key that others read', $chain, $open, findings => { 'key-permissions' => 'remark' }),
    );
}

sub file_cases {
    my ($self) = @_;
    my ($leaf, $mid) = @$self{qw(plain mid)};
    my $key = $leaf->{key};
    my ($leaf_text, $mid_text) = map { slurp($_->{cert}) } $leaf, $mid;
    my $good = $leaf_text . $mid_text;
    my %bad = (
        'truncated' => [ substr($good, 0, length($good) - 100), 'pem-damaged' ],
        'END and BEGIN on one line' => [ ($leaf_text =~ s/\n\z//r) . $mid_text, 'pem-damaged' ],
        'a corrupt intermediate' => [ $leaf_text . ($mid_text =~ s/\n(.{30})./\n$1*/r), 'pem-damaged' ],
        'UTF-16' => [ join('', map { "$_\0" } split //, $good), 'pem-not-pem' ],
        'indented' => [ $good =~ s/^/  /mgr, 'pem-not-pem' ],
        'empty' => [ '', 'pem-not-pem' ],
        'a damaged leaf behind its intermediate' => [ $mid_text . ($leaf_text =~ s/\n(.{30})./\n$1*/r), 'pem-damaged' ],
        'text only' => [ "certificate follows\n", 'pem-not-pem' ],
    );
    my %odd = (
        'an END line too many' => "$good-----END CERTIFICATE-----\n",
        'NUL bytes behind the blocks' => $good . "\0" x 700,
        'ended in a BEGIN line' => "$good-----BEGIN CERTIF",
        'a byte order mark' => "\xef\xbb\xbf$good",
        'CRLF' => $good =~ s/\n/\r\n/gr,
        'text around' => "Bag Attributes\n$good",
    );
    my @cases;
    my $n = 0;
    push @cases, $self->pair_case($_, $self->file('bad' . ++$n . '.pem', $bad{$_}[0]), $key,
        findings => { $bad{$_}[1] => 'unusable' }) for sort keys %bad;
    push @cases, $self->pair_case($_, $self->file('odd' . ++$n . '.pem', $odd{$_}), $key,
        findings => { 'pem-noise' => 'remark' }) for sort keys %odd;
    push @cases, $self->pair_case('a private key in the chain file', $self->file('with-key.pem', $good, slurp($self->{other_mid}{key})), $key,
        findings => { 'pem-key-in-chain' => 'remark' });
    push @cases, $self->pair_case('no certificate', $self->file('key-only.pem', slurp($key)), $key,
        findings => { 'certificate-missing' => 'unusable' });
    push @cases, $self->form_cases($good);
    return @cases;
}

# What the command reads and no server does, and the ways to name files.
sub form_cases {
    my ($self, $good) = @_;
    my ($leaf, $mid) = @$self{qw(plain mid)};
    my @more = ('--roots', $self->roots, '--name', $host);
    my ($der, $p12, $p7) = map { $self->path($_) } qw(leaf.der pair.p12 chain.p7b);
    $self->openssl('x509', '-in', $leaf->{cert}, '-outform', 'DER', '-out', $der);
    $self->openssl('pkcs12', '-export', '-in', $leaf->{cert}, '-certfile', $mid->{cert}, '-inkey', $leaf->{key}, '-out', $p12, '-passout', 'pass:');
    $self->openssl('crl2pkcs7', '-nocrl', '-certfile', $leaf->{cert}, '-out', $p7);
    chmod 0600, $der, $p12, $p7;
    my $both = $self->file('both.pem', $good, slurp($leaf->{key}));
    my $chain = $self->file('apart.pem', $good);
    make_path($self->path('live/www'));
    symlink $chain, $self->path('live/www/fullchain.pem');
    symlink $leaf->{key}, $self->path('live/www/privkey.pem');
    my %unusable = ('pem-not-pem' => 'unusable');
    return (
        $self->pair_case('DER', $der, $leaf->{key}, findings => { %unusable, 'chain-incomplete' => 'flawed' }),
        { name => 'PKCS#12', args => [ $p12, @more ], findings => {%unusable}, exit => 2 },
        { name => 'PKCS#7', args => [ $p7, '--key', $leaf->{key}, @more ],
            findings => { 'pem-noise' => 'remark', 'certificate-missing' => 'unusable' }, exit => 2 },
        { name => 'one file', args => [ $both, @more ], findings => {}, exit => 0 },
        { name => 'two files', args => [ $chain, $leaf->{key}, @more ], findings => {}, exit => 0 },
        { name => 'the key first', args => [ $leaf->{key}, $chain, @more ], findings => {}, exit => 0 },
        { name => "certbot's folder", args => [ $self->path('live'), @more ], findings => {}, exit => 0 },
        { name => 'a flaw that is accepted', args => [ $self->path('leaf-only.pem'), '--key', $leaf->{key}, @more, '--accept', 'chain-incomplete' ],
            findings => { 'chain-incomplete' => 'remark' }, exit => 0 },
        { name => 'later', args => [ $chain, $leaf->{key}, @more, '--at', strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 100 * 86400)) ],
            findings => { expired => 'flawed' }, exit => 1 },
    );
}

sub cases {
    my ($self) = @_;
    return ($self->chain_cases, $self->leaf_cases, $self->key_cases, $self->file_cases);
}

1;
