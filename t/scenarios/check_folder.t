#!/usr/bin/perl
# `hotcert check FOLDER` finds the pairs of every well-known tool where that tool keeps them, and says
# which file it took for what.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Corpus;
use HotCert::Rig qw(run spew slurp temp_dir build_dir);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use JSON::PP;
use Test::More;

my $program = build_dir() . '/hotcert';
my $corpus = HotCert::Corpus->new(temp_dir() . '/corpus');
my $leaf = slurp($corpus->{plain}{cert});
my $chain = slurp($corpus->{mid}{cert});
my $key = slurp($corpus->{plain}{key});
my %content = (leaf => $leaf, chain => $chain, key => $key, full => "$leaf$chain", all => "$leaf$chain$key", text => "x = 1\n");
my $n = $corpus->host;

# tool; the folder to check, below the tool's own; its files; which were taken: certificate, chain, key
my @tools = (
    [ certbot => 'live', { "live/$n/fullchain.pem" => 'full', "live/$n/privkey.pem" => 'key', "live/$n/cert.pem" => 'leaf', "live/$n/chain.pem" => 'chain' }, 'fullchain.pem', undef, 'privkey.pem' ],
    [ certbot => '.', { "live/$n/cert.pem" => 'leaf', "live/$n/chain.pem" => 'chain', "live/$n/privkey.pem" => 'key' }, 'cert.pem', 'chain.pem', 'privkey.pem' ],
    [ dehydrated => '.', { "certs/$n/fullchain.pem" => 'full', "certs/$n/privkey.pem" => 'key', "certs/$n/cert.csr" => 'text' }, 'fullchain.pem', undef, 'privkey.pem' ],
    [ 'acme.sh' => "${n}_ecc", { "${n}_ecc/fullchain.cer" => 'full', "${n}_ecc/$n.key" => 'key', "${n}_ecc/$n.cer" => 'leaf', "${n}_ecc/ca.cer" => 'chain', "${n}_ecc/$n.conf" => 'text' }, 'fullchain.cer', undef, "$n.key" ],
    [ 'mod_md' => '.', { "domains/$n/pubcert.pem" => 'full', "domains/$n/privkey.pem" => 'key', "domains/$n/md.json" => 'text' }, 'pubcert.pem', undef, 'privkey.pem' ],
    [ lego => '.', { "certificates/$n.crt" => 'full', "certificates/$n.key" => 'key', "certificates/$n.issuer.crt" => 'chain' }, "$n.crt", undef, "$n.key" ],
    [ Caddy => '.', { "certificates/acme-v02.api.letsencrypt.org-directory/$n/$n.crt" => 'full', "certificates/acme-v02.api.letsencrypt.org-directory/$n/$n.key" => 'key' }, "$n.crt", undef, "$n.key" ],
    [ uacme => '.', { "$n/cert.pem" => 'full', "private/$n/key.pem" => 'key' }, 'cert.pem', undef, 'key.pem' ],
    [ acmetool => 'live', { "live/$n/fullchain" => 'full', "live/$n/privkey" => 'key', "live/$n/cert" => 'leaf' }, 'fullchain', undef, 'privkey' ],
    [ getssl => '.', { "$n/fullchain.crt" => 'full', "$n/$n.key" => 'key', "$n/$n.crt" => 'leaf' }, 'fullchain.crt', undef, "$n.key" ],
    [ simp_le => '.', { 'fullchain.pem' => 'full', 'key.pem' => 'key' }, 'fullchain.pem', undef, 'key.pem' ],
    [ 'win-acme' => '.', { "$n-chain.pem" => 'full', "$n-key.pem" => 'key', "$n-crt.pem" => 'leaf' }, "$n-chain.pem", undef, "$n-key.pem" ],
    [ 'acme-client' => '.', { "$n.fullchain.pem" => 'full', "private/$n.key" => 'key' }, "$n.fullchain.pem", undef, "$n.key" ],
    [ Kubernetes => '.', { 'tls.crt' => 'full', 'tls.key' => 'key', 'ca.crt' => 'chain' }, 'tls.crt', undef, 'tls.key' ],
    [ Virtualmin => '.', { 'ssl.cert' => 'leaf', 'ssl.ca' => 'chain', 'ssl.key' => 'key' }, 'ssl.cert', 'ssl.ca', 'ssl.key' ],
    [ cPanel => '.', { "$n/combined" => 'all' }, 'combined', undef, undef ],
    [ 'Proxmox' => '.', { 'pveproxy-ssl.pem' => 'full', 'pveproxy-ssl.key' => 'key' }, 'pveproxy-ssl.pem', undef, 'pveproxy-ssl.key' ],
    [ ISPConfig => '.', { "$n-le.crt" => 'leaf', "$n-le.bundle" => 'chain', "$n-le.key" => 'key' }, "$n-le.crt", "$n-le.bundle", "$n-le.key" ],
    [ HAProxy => '.', { "$n.pem" => 'all', 'ca.pem' => 'chain' }, "$n.pem", undef, undef ],
);

sub lay_out {
    my ($files) = @_;
    my $home = temp_dir() . '/tool' . ++(our $count);
    for my $path (sort keys %$files) {
        make_path(dirname("$home/$path"));
        chmod 0600, spew("$home/$path", $content{ $files->{$path} });
    }
    return $home;
}

sub check { return run({ _seconds => 30 }, $program, 'check', '--roots', $corpus->roots, @_) }

for my $row (@tools) {
    my ($tool, $below, $files, @took) = @$row;
    my $home = lay_out($files);
    subtest "$tool: $took[0]" => sub {
        my ($code, $out) = check('--json', "$home/$below");
        is($code, 0, 'the pair is found and fit') or diag($out);
        is(scalar(split /\n/, $out), 1, 'it alone');
        my $got = eval { decode_json($out) } or return diag($out);
        like($got->{files}{tool}, qr/\Q$tool\E/, 'the tool is named');
        my @base = map { defined $_ ? s{.*/}{}r : undef } @{ $got->{files} }{qw(certificate chain key)};
        is_deeply(\@base, \@took, 'and what was taken for what');
        (undef, $out) = check("$home/$below");
        like($out, qr/^  found in the layout of [^\n]*\Q$tool\E[^\n]*: certificate \Q$took[0]\E/m, 'the text says so');
    };
}

subtest 'of mod_md, the pair of each kind of key' => sub {
    my $rsa = $corpus->issue($n, by => $corpus->{mid}, key => 'RSA:2048');
    my $home = lay_out({ "$n/pubcert.pem" => 'full', "$n/privkey.pem" => 'key' });
    spew("$home/$n/pubcert.rsa2048.pem", slurp($rsa->{cert}) . $chain);
    chmod 0600, spew("$home/$n/privkey.rsa2048.pem", slurp($rsa->{key}));
    my ($code, $out) = check('--json', "$home/$n");
    is($code, 0, 'both fit') or diag($out);
    is_deeply([ map { decode_json($_)->{files}{key} =~ s{.*/}{}r } split /\n/, $out ], [ 'privkey.pem', 'privkey.rsa2048.pem' ], 'each with its own key');
};

subtest 'a damaged pair of a tool is judged, a folder of something else is not' => sub {
    my $home = lay_out({ "${n}_ecc/fullchain.cer" => 'leaf', "${n}_ecc/$n.key" => 'key' });
    my ($code, $out) = check("$home");
    is($code, 1, 'flawed') or diag($out);
    like($out, qr/chain-incomplete/, 'by name');
    ($code, $out) = check(lay_out({ 'a.crt' => 'full', 'b.key' => 'key' }));
    is($code, 3, 'a key of another name is nobody\'s');
    like($out, qr/\(no-pair; /, 'and that is said');
};

done_testing;
