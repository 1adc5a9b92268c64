#!/usr/bin/perl
# `hotcert check` on every way to get a certificate file wrong: slugs, ranks, exit codes, both forms of
# its report; folders, the store's among them; what the options refuse.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Corpus;
use HotCert::Rig qw(run spew slurp temp_dir build_dir);
use JSON::PP;
use Test::More;

my $program = build_dir() . '/hotcert';
my $corpus = HotCert::Corpus->new(temp_dir() . '/corpus');
my %verdict = (0 => 'fit', 1 => 'flawed', 2 => 'unusable');
my %seen;

sub check { my (@args) = @_; return run({ _seconds => 30 }, $program, 'check', @args) }

for my $case ($corpus->cases) {
    subtest $case->{name} => sub {
        my ($code, $out) = check(@{ $case->{args} }, '--json');
        is($code, $case->{exit}, 'its exit code') or diag($out);
        my $got = eval { decode_json($out) };
        ok($got, 'one JSON object') or return diag($out);
        my %found = map { $_->{slug} => $_->{rank} } @{ $got->{findings} };
        is_deeply(\%found, $case->{findings}, 'exactly these findings') or diag($out);
        is($got->{verdict}, $verdict{ $case->{exit} }, 'the verdict');
        $seen{$_}++ for keys %found;
        is(scalar(grep { $_->{hint} eq '' || $_->{message} eq '' } @{ $got->{findings} }), 0, 'each with a sentence and a hint');
        my ($text_code, $text) = check(@{ $case->{args} });
        is($text_code, $case->{exit}, 'the same exit code for the text');
        like($text, qr/^$verdict{$case->{exit}}: .*\n\z/m, 'and one closing line');
        like($text, qr/^    \Q$_\E(?:  |$)/m, "the text names $_") for sort keys %found;
        unlike($text, qr/[^\n\x20-\x7e]/, 'plain ASCII, no colours');
    };
}

subtest 'every slug of the pki rows is provoked here or in a unit test' => sub {
    # these need a public root, the agent, a running server or a reply to a repair
    my %elsewhere = map { $_ => 1 } qw(wire-differs lifetime-long name-left-out name-not-asked chain-from-store repair-useless handshake-failed);
    my @slugs = slurp('core/base/problem_pki.def') =~ /HC_PROBLEM\(\w+, "([\w-]+)"/g;
    ok(@slugs > 30, 'the rows are found');
    ok($seen{$_} || $elsewhere{$_}, $_) for @slugs;
};

subtest 'the picture shows who signed whom, dates and the place of each fault' => sub {
    my (undef, $text) = check($corpus->path('fit.pem'), '--key', $corpus->{plain}{key}, '--roots', $corpus->roots);
    like($text, qr/`-- 1  leaf  ECDSA P-256  \d{4}-\d\d-\d\d \.\. \d{4}-\d\d-\d\d  \[[#.]{20}\]\n/, 'the leaf');
    like($text, qr/^      `-- 2  Corpus Intermediate /m, 'below it who signed it');
    like($text, qr/^          `-- root  Corpus Root /m, 'below that the root');
    like($text, qr/^fit: nothing to fix$/m, 'the closing line');
    (undef, $text) = check($corpus->path('leaf-only.pem'), '--key', $corpus->{plain}{key}, '--roots', $corpus->roots);
    like($text, qr/`-- 1  leaf .*  <- chain-incomplete$/m, 'the fault at its place');
    like($text, qr/`-- \?  Corpus Intermediate  neither served nor trusted/, 'and what is missing');
    like($text, qr/^      \Q$_\E +\S/m, "what $_ says") for qw(OpenSSL curl Python Java browsers);
    (undef, $text) = check($corpus->path('aia.pem'), '--key', $corpus->{aia}{key}, '--roots', $corpus->roots);
    like($text =~ s/\s+/ /gr, qr{curl -s http://ca\.example\.org/mid\.der \| openssl x509 -inform DER}, 'the command that fetches it');
};

subtest 'the key may lie beside the certificate, under its name' => sub {
    my $dir = temp_dir() . '/srv.d';
    mkdir $dir;
    spew("$dir/example.edu.pem", slurp($corpus->path('leaf-only.pem')));
    my @ask = ("$dir/example.edu.pem", '--roots', $corpus->roots);
    my ($code, $text) = check(@ask);
    is($code, 2, 'without a key it cannot be served');
    like($text, qr/key-missing/, 'and that is said');
    chmod 0600, spew("$dir/example.edu.key", slurp($corpus->{plain}{key}));
    ($code, $text) = check(@ask);
    is($code, 1, 'NAME.key is found beside NAME.pem') or diag($text);
    like($text, qr/chain-incomplete/, 'and what else is wrong is said');
    unlike($text, qr/key-/, 'of the key nothing');
    chmod 0644, "$dir/example.edu.key";
    like((check(@ask))[1], qr/\Q$dir\E\/example\.edu\.key/, 'it is judged as any other key file');
    spew("$dir/example.edu.key", slurp($corpus->{aia}{key}));
    ($code, $text) = check(@ask);
    is($code, 2, 'the key of another certificate');
    like($text, qr/key-mismatch/, 'is named');
    ($code, $text) = check(@ask, '--key', $corpus->{plain}{key});
    is($code, 1, 'a key that is named comes first') or diag($text);
};

subtest 'several pairs are judged one by one, the worst counts' => sub {
    my ($code, $out) = check($corpus->path('both.pem'), $corpus->path('live'), '--roots', $corpus->roots, '--json');
    is($code, 0, 'both fit');
    is(scalar(split /\n/, $out), 2, 'an object each');
    ($code) = check($corpus->path('both.pem'), '/nonexistent', '--roots', $corpus->roots);
    is($code, 3, 'a file that is not there');
    ($code, $out) = check('/', '--roots', $corpus->roots);
    is($code, 3, 'a folder without pairs');
    like($out, qr{^hotcert: /: the folder holds no certificate with its key: .* \(no-pair; name the files: }m, 'and it says so');
    ($code) = check($corpus->path('both.pem'), '--roots', '/nonexistent');
    is($code, 3, 'no roots');
    ($code) = check('/dev/zero', '--roots', $corpus->roots);
    is($code, 3, 'a device is not read');
};

subtest 'an empty file is not one to be converted' => sub {
    my (undef, $out) = check(spew(temp_dir() . '/empty.pem', ''), '--roots', $corpus->roots);
    like($out, qr/the file is empty/, 'it is called empty');
    unlike($out, qr/convert it/, 'and no command is given that cannot help');
};

subtest 'a file over the limit is unusable, and the limit is named' => sub {
    my %large = ('pem-damaged' => slurp($corpus->path('fit.pem')) . "x\n" x 600_000, 'pem-not-pem' => "x\n" x 600_000);
    for my $slug (sort keys %large) {
        my $file = spew(temp_dir() . "/large-$slug.pem", $large{$slug});
        my ($code, $out) = check($file, '--key', $corpus->{plain}{key}, '--roots', $corpus->roots);
        is($code, 2, "$slug: unusable") or diag($out);
        like($out, qr/^    \Q$slug\E  \Q$file\E/m, 'by that name, for that file');
        like($out =~ s/\s+/ /gr, qr/larger than 1048576 bytes, the most that is read/, 'with the limit');
    }
};

subtest 'foreign text is escaped' => sub {
    my $evil = $corpus->issue("evil\e[31m\nname", by => $corpus->{mid});
    my $file = $corpus->file('evil.pem', $evil, $corpus->{mid});
    for my $json ([], ['--json']) {
        my (undef, $out) = check($file, '--key', $evil->{key}, '--roots', $corpus->roots, @$json);
        unlike($out, qr/\e/, 'no escape sequence');
        like($out, qr/evil\\+x1b/, 'but its name');
    }
};

subtest 'what the options refuse' => sub {
    my %wrong = ('nothing' => [], 'an unknown option' => ['--frob'], 'no value' => [ 'x', '--key' ],
        'a time that is none' => [ 'x', '--at', 'tomorrow' ], 'an unknown slug' => [ 'x', '--accept', 'frob' ],
        'accepting the unusable' => [ 'x', '--accept', 'key-mismatch' ], 'a name that is none' => [ 'x', '--name', 'a b' ],
        'files and --connect' => [ 'x', '--connect', 'h:1' ], '--sni alone' => [ 'x', '--sni', 'h' ],
        'a port that is none' => [ '--connect', 'localhost:99999' ], 'another starttls' => [ '--connect', 'h:1', '--starttls', 'imap' ]);
    for my $what (sort keys %wrong) {
        my ($code, $out) = check(@{ $wrong{$what} });
        is($code, 64, $what);
        like($out, qr/usage: hotcert check/, 'and how it reads');
        like($out, qr/^Try `hotcert check --help`/m, 'where to read on');
        unlike($out, qr/directives\.md/, 'which is not in the reference of directives');
    }
};

subtest 'neither zone nor locale nor the trust store of the machine changes a verdict' => sub {
    my @args = ($corpus->path('both.pem'), '--roots', $corpus->roots, '--json', '--at', '2026-01-01T00:00:00Z');
    my (undef, $plain) = check(@args);
    local @ENV{qw(TZ LC_ALL LANG SSL_CERT_FILE)} = ('Pacific/Kiritimati', 'tr_TR.UTF-8', 'tr_TR.UTF-8', '/dev/null');
    my (undef, $other) = check(@args);
    is($other, $plain, 'byte for byte the same');
};

done_testing;
