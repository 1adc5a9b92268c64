#!/usr/bin/perl
# DNSSEC validated by hotcert itself: real zones, signed from a root of the test's own, behind a resolver that
# does not validate. What is good, what is not signed, and each way to be broken, by its name.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Rig qw(run spawn spew slurp wait_for temp_dir build_dir track_log);
use HotCert::Dns;
use JSON::PP;
use Test::More;

HotCert::Dns::need_namespace();

my $here = HotCert::Dns::add_address('8.8.4.4');
my $www = "www 300 IN A $here\n";
my $dns = HotCert::Dns->new(chain => 1, validates => 0);

# Takes lines out of a signed zone.
sub without {
    my ($pattern) = @_;
    return sub { my ($text) = @_; $text =~ s/$pattern.*\n//mg or die "nothing to take out: $pattern"; return $text };
}

$dns->zone('test', '', signed => 1);
$dns->zone('opt', '', signed => 1, nsec3 => [ '-3', 'ab', '-H', '2', '-A' ]);

# ---- good ----
my %good = (
    'www.good.test' => 'an address', 'alias.good.test' => 'a CNAME', 'any.wild.good.test' => 'a wildcard', 'deep.any.wild.good.test' => 'one two labels below',
    'outward.good.test' => 'a CNAME to another zone', 'wildalias.good.test' => 'a CNAME to a wildcard', 'x.tree.good.test' => 'a DNAME',
    'www.nsec3.test' => 'NSEC3', 'any.wild.nsec3.test' => 'a wildcard with NSEC3', 'a.b.c.nsec3.test' => 'names in between',
    'www.signed.opt' => 'a signed zone below one with opt-out', 'www.sub.good.test' => 'a signed zone below a signed one',
    'www.rsa.test' => 'RSA', 'www.p384.test' => 'ECDSA P-384', 'www.ed25519.test' => 'Ed25519', 'www.ed448.test' => 'Ed448',
);
my $records = <<"Z";
$www
alias 300 IN CNAME www
*.wild 300 IN A $here
wildalias 300 IN CNAME x.wild
a.b.c 300 IN A $here
Z
$dns->zone('good.test', "${records}outward 300 IN CNAME www.nsec3.test.\ninto 300 IN CNAME www.expired.test.\nunsigned 300 IN CNAME www.plain.test.\ntree 300 IN DNAME good.test.\nx 300 IN A $here\n\@ 300 IN CAA 0 issue \"letsencrypt.org\"\n",
    signed => 1);
$dns->zone('sub.good.test', $www, signed => 1);
$dns->zone('nsec3.test', $records, signed => 1, nsec3 => [ '-3', 'cafe', '-H', '5' ]);
$dns->zone('signed.opt', $www, signed => 1);
my %algorithm = (rsa => 'RSASHA256', p384 => 'ECDSAP384SHA384', ed25519 => 'ED25519', ed448 => 'ED448');
$dns->zone("$_.test", $www, signed => 1, algorithm => $algorithm{$_}) for sort keys %algorithm;

# ---- not signed, and that is proved ----
my %insecure = (
    'www.plain.test' => 'no DS record', 'www.plain.opt' => 'opt-out', 'www.island.test' => 'signed, without a DS record',
    'www.plain.nsec3.test' => 'no DS record, by NSEC3', 'unsigned.good.test' => 'a CNAME to such a zone',
    'www.newer.test' => 'an algorithm that nobody knows', 'www.digest.test' => 'a digest that nobody knows',
);
$dns->zone($_, $www) for qw(plain.test plain.opt plain.nsec3.test);
$dns->zone('island.test', $www, signed => 1, ds => sub { '' });
$dns->zone('newer.test', $www, signed => 1, ds => sub { $_[0] =~ s/ DS (\d+) 13 / DS $1 123 /r });
$dns->zone('digest.test', $www, signed => 1, ds => sub { $_[0] =~ s/ DS (\d+) 13 2 / DS $1 13 99 /r });

# ---- broken ----
my %broken = (
    'www.expired.test' => qr/the signature of \S+ of \S*expired\.test\. expired on 2024-02-01T00:00:00Z/,
    'into.good.test' => qr/ of \S*expired\.test\. expired on/,
    'www.early.test' => qr/the signature of \S+ of \S*early\.test\. is not valid before 2040-01-01T00:00:00Z/,
    'www.forged.test' => qr/the signature of A of www\.forged\.test\. by the key \d+ does not match its records/,
    'www.nosig.test' => qr/A of www\.nosig\.test\. has no signature \(RRSIG\), although the zone nosig\.test\. is signed/,
    'www.wrongds.test' => qr/the DS record of wrongds\.test\. at the parent \(key \d+\) matches no key of wrongds\.test\./,
    'www.nokeys.test' => qr/the parent has a DS record of nokeys\.test\., but nokeys\.test\. has no keys \(DNSKEY\)/,
    'www.keysig.test' => qr/DNSKEY of keysig\.test\. has no signature/,
    'www.caa.test' => qr/the signature of CAA of caa\.test\. by the key \d+ does not match its records/,
    'nope.unproved.test' => qr/the reply that there is no A record of nope\.unproved\.test\. has a proof \(NSEC or NSEC3\) of the zone unproved\.test\. that does not show it/,
    'xx.proofsig.test' => qr/the signature of NSEC of \S+proofsig\.test\. by the key \d+ does not match its records/,
    'any.wild.unproved.test' => qr/the reply that there is no name any\.wild\.unproved\.test\. \(a wildcard answers for it\) has no proof/,
    'www.revoked.test' => qr/the DS record of revoked\.test\. at the parent names the key \d+, which is revoked/,
    'www.below.wrongds.test' => qr/the DS record of wrongds\.test\. at the parent/,
);
$dns->zone('expired.test', $www, signed => 'expired');
$dns->zone('early.test', $www, signed => 'early');
$dns->zone('forged.test', "www 300 IN A 203.0.113.7\n", signed => 'broken');
$dns->zone('nosig.test', $www, signed => 1, edit => without('^www\..*RRSIG\s+A '));
my $flip = sub { my ($ds) = @_; $ds =~ s/([0-9A-F])$/$1 eq '0' ? '1' : '0'/em or die $ds; return $ds };
$dns->zone('wrongds.test', "$www\nwww.below 300 IN A $here\n", signed => 1, ds => $flip);
$dns->zone('nokeys.test', $www, signed => 1, served => 'unsigned');
$dns->zone('keysig.test', $www, signed => 1, edit => without('^.*RRSIG\s+DNSKEY '));
$dns->zone('caa.test', "$www\@ 300 IN CAA 0 issue \"letsencrypt.org\"\n", signed => 1, edit => sub { $_[0] =~ s/"letsencrypt\.org"/"elsewhere.test"/r });
$dns->zone('unproved.test', "${records}txt 300 IN TXT x\n", signed => 1, edit => without('^(?!unproved\.).*\sNSEC\s'));
$dns->zone('proofsig.test', $www, signed => 1, edit => sub { $_[0] =~ s/(\sNSEC\s+\S+ )A RRSIG NSEC/$1A TXT RRSIG NSEC/mgr });
$dns->zone('revoked.test', $www, signed => 1, edit => sub { $_[0] =~ s/DNSKEY\s+257/DNSKEY 385/r });

# ---- the records of the challenges ----
$dns->zone('challenge.test', "${www}new 300 IN A $here\nlost 300 IN A $here\n_acme-challenge.www 300 IN CNAME www.acme.good.test.\n_acme-challenge.lost 300 IN CNAME lost.expired.test.\n", signed => 1);
$dns->zone('turned.test', "${www}_acme-challenge.www 300 IN CNAME www.acme.good.test.\n", signed => 1, edit => sub { $_[0] =~ s/CNAME\s+www\.acme\.good/CNAME www.evil.good/r });
$dns->zone('persist.test', "${www}_validation-persist.www 300 IN TXT \"letsencrypt.org; accounturi=https://ca.test/acct/1\"\n", signed => 1,
    edit => sub { $_[0] =~ s{acct/1}{acct/2}r });

$dns->start;

sub diagnose {
    my ($resolver, @args) = @_;
    my ($code, $text) = run({ _seconds => 60 }, build_dir() . '/hotcert', 'diagnose', '--json', '--no-request', '--resolver', $resolver, @args);
    my $list = eval { decode_json($text) } or BAIL_OUT("no JSON from diagnose (exit code $code): $text");
    return { map { $_->{name} => $_ } @$list };
}
my @anchor = ('--dnssec-anchor', $dns->anchor);

# Nobody registers names below .test, and that is said.
sub slugs { my ($one) = @_; return join ' ', sort grep { $_ ne 'name-internal' } map { $_->{slug} } @{ $one->{findings} } }

sub messages { my ($one) = @_; return join "\n", map { "$_->{slug}: $_->{message}" } @{ $one->{findings} } }

my $all = diagnose($dns->resolver, @anchor, keys %good, keys %insecure, keys %broken);
for my $name (sort keys %good) {
    is("$all->{$name}{dnssec} " . slugs($all->{$name}), 'secure ', "$good{$name} ($name): signed, and valid") or diag(messages($all->{$name}));
}
for my $name (sort keys %insecure) {
    is($all->{$name}{dnssec}, 'insecure', "$insecure{$name} ($name): not signed") or diag(messages($all->{$name}));
}
for my $name (sort keys %broken) {
    my ($found) = grep { $_->{slug} eq 'dns-dnssec-broken' } @{ $all->{$name}{findings} };
    is("$all->{$name}{dnssec} $all->{$name}{verdict}", 'broken would-fail', "$name: broken");
    like($found->{message} // '', $broken{$name}, '.. and how') or diag(messages($all->{$name}));
}

# ---- the records of the challenges ----
$all = diagnose($dns->resolver, @anchor, '--method', 'dns-01', map { "$_.test" } qw(www.challenge new.challenge lost.challenge www.turned));
is($all->{'www.challenge.test'}{dnssec}, 'secure', 'a challenge record that is an alias') or diag(messages($all->{'www.challenge.test'}));
is($all->{'new.challenge.test'}{dnssec}, 'secure', 'one that does not exist yet') or diag(messages($all->{'new.challenge.test'}));
unlike($dns->dig('@' . $dns->resolver, '+norecurse', '_acme-challenge.new.challenge.test', 'TXT'), qr/NXDOMAIN/,
    'which the resolver was not asked for: it would remember that');
for my $case ([ 'lost.challenge.test', qr/ of \S*expired\.test\. expired on/, 'an alias to a zone that is broken' ],
    [ 'www.turned.test', qr/the signature of CNAME of _acme-challenge\.www\.turned\.test\. by the key \d+ does not match/, 'an alias that was changed' ]) {
    is("$all->{ $case->[0] }{dnssec} $all->{ $case->[0] }{verdict}", 'broken would-fail', $case->[2]);
    like(messages($all->{ $case->[0] }), $case->[1], '.. and how');
}
$all = diagnose($dns->resolver, @anchor, '--method', 'dns-persist-01', '--account', 'https://ca.test/acct/2', 'www.persist.test');
is("$all->{'www.persist.test'}{dnssec} $all->{'www.persist.test'}{verdict}", 'broken would-fail', 'a _validation-persist record that was changed');
like(messages($all->{'www.persist.test'}), qr/the signature of TXT of _validation-persist\.www\.persist\.test\. by the key/, '.. and how');

# ---- a resolver that validates says less, and the same comes of it ----
my $validator = $dns->validator;
$all = diagnose($validator, @anchor, 'www.good.test', 'www.plain.test', 'www.forged.test', 'into.good.test');
is($all->{'www.good.test'}{dnssec}, 'secure', 'a resolver that validates: a good zone');
is($all->{'www.plain.test'}{dnssec}, 'insecure', 'one that is not signed');
is($all->{$_}{dnssec}, 'broken', "$_, for which it answers SERVFAIL") for 'www.forged.test', 'into.good.test';
like(messages($all->{'www.forged.test'}), $broken{'www.forged.test'}, 'hotcert says what is broken, which the resolver does not');
$all = diagnose($validator, '--dnssec-anchor', 'off', 'www.good.test', 'www.forged.test');
is($all->{'www.good.test'}{dnssec}, 'unchecked', 'without an anchor nothing is validated');
is($all->{'www.forged.test'}{dnssec}, 'broken', 'but its SERVFAIL counts');
like(messages($all->{'www.forged.test'}), qr/answers SERVFAIL for \S+ of www\.forged\.test\., and answers it with checking disabled/, 'which is all that is known then');

# ---- nothing can be said: then nothing is said of any zone ----
my $router = HotCert::Dns::add_address($dns->address(7));
spawn(track_log('dnsstrip', temp_dir() . '/dnsstrip.log'), $^X, 't/lib/dnsstrip.pl', $router, 53, $dns->resolver);
wait_for(10, sub { $dns->dig('@' . $router, '.', 'NS') =~ /status: NOERROR/ }, 0.1) or BAIL_OUT('the forwarder does not answer');
my $other = spew(temp_dir() . '/other.key', ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n");
my %unchecked = (
    'a forwarder without DNSSEC' => [ [ $router, @anchor ], qr/not checked: the resolver \Q$router\E leaves out keys or signatures/ ],
    'another root' => [ [ $dns->resolver, '--dnssec-anchor', $other ], qr/not checked: the trust anchor matches none of the 1 keys of the zone \. \(trust anchor: \Q$other\E\)/ ],
    'off' => [ [ $dns->resolver, '--dnssec-anchor', 'off' ], qr/./ ],
);
for my $why (sort keys %unchecked) {
    my ($args, $words) = @{ $unchecked{$why} };
    my ($resolver, @args) = @$args;
    $all = diagnose($resolver, @args, 'www.good.test', 'www.forged.test', 'www.plain.test');
    is($all->{$_}{dnssec}, 'unchecked', "$why, $_: not checked") for sort keys %$all;
    unlike(join("\n", map { messages($_) } values %$all), qr/dnssec/, 'and nothing called broken');
    my (undef, $tree) = run({ _seconds => 30 }, build_dir() . '/hotcert', 'diagnose', '--no-request', '--resolver', $resolver, @args, 'www.good.test');
    like($tree, $words, 'the report says why');
}

# ---- the file of the anchor ----
my ($key) = slurp($dns->anchor) =~ /DNSKEY\s+257 3 13 (.*)$/m or die 'no key';
my (undef, $ds) = run('dnssec-dsfromkey', '-2', $dns->anchor);
(my $plain = $key) =~ tr/ //d;
my ($tag, $digest) = $ds =~ /DS (\d+) 13 2 (\S+)/ or die $ds;
my %file = (
    'a DS record' => "; the root\n$ds",
    'several, the right one last' => slurp($other) . $ds,
    'a DNSKEY record over several lines' => ". 86400 IN DNSKEY 257 3 13 (\n  $key ) ;{id = $tag (ksk)} ;;state=2 [  VALID  ]\n",
    'trust-anchors with a key' => "# BIND\ntrust-anchors {\n  /* the root */ . static-key 257 3 13 \"" . substr($plain, 0, 20) . "\n    " . substr($plain, 20) . "\";\n};\n",
    'trust-anchors with a digest' => "trust-anchors { \".\" initial-ds $tag 13 2 \"$digest\"; };\n",
    'trusted-keys' => "trusted-keys { . 257 3 13 \"$plain\"; };\n",
);
for my $what (sort keys %file) {
    my $file = spew(temp_dir() . '/anchor', $file{$what});
    $all = diagnose($dns->resolver, '--dnssec-anchor', $file, 'www.good.test');
    is($all->{'www.good.test'}{dnssec}, 'secure', "an anchor: $what");
}
my %wrong = ('' => 'it has no DS or DNSKEY record', ". IN DNSKEY 257 3\n" => 'line 1 is neither', ". IN NS ns1.\n" => 'neither DS nor DNSKEY', "a\0b" => 'not a text file',
    'trust-anchors { . static-key 257; };' => 'has 3 words', 'trust-anchors { . static-key 257 3 8 "AwEAAQ=="' => 'malformed');
for my $text (sort keys %wrong) {
    my $file = spew(temp_dir() . '/anchor', $text);
    my ($code, $out) = run(build_dir() . '/hotcert', 'diagnose', '--dnssec-anchor', $file, 'www.good.test');
    is($code, 64, 'a file that is none: wrong usage') or diag($text);
    like($out, qr/\Q$file\E.*\Q$wrong{$text}\E/s, 'it says so');
}
my ($code, $out) = run(build_dir() . '/hotcert', 'diagnose', '--dnssec-anchor', '/nowhere/root.key', 'www.good.test');
is($code, 64, 'a file that is not there: wrong usage');
like($out, qr{/nowhere/root\.key}, 'it is named');
done_testing;
