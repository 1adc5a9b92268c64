#!/usr/bin/perl
# `hotcert diagnose` against real name servers: every finding, with the record as it stands in the zone
# and the line to add.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Rig qw(run spawn spew wait_for slurp temp_dir build_dir track_log);
use HotCert::Dns;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

HotCert::Dns::need_namespace();

# Addresses that count as public ones, all of them in this namespace.
my ($here, $here6, $elsewhere) = ('8.8.4.4', '2a00:1450:4001::4', '8.8.8.8');
HotCert::Dns::add_address($_) for $here, $here6;

my $label63 = 'l' x 63;
my $dns = HotCert::Dns->new;
$dns->zone('example.test', <<"Z");
\@ 300 IN A $here
www 300 IN A $here
two 300 IN A $here
two 300 IN AAAA $here6
alias 300 IN CNAME www
loop 300 IN CNAME loop2
loop2 300 IN CNAME loop
dangling 300 IN CNAME gone.other.test.
outward 300 IN CNAME www.other.test.
txt 300 IN TXT "no address"
inside 300 IN A 10.1.2.3
mixed 300 IN A 10.1.2.3
mixed 300 IN A $here
doc 300 IN A 203.0.113.7
elsewhere 300 IN A $elsewhere
xn--mnchen-3ya 300 IN A $here
$label63 300 IN A $here
deep.below.it 300 IN A $here
Z
# the zones of CAA: name => records; each has www
my %caa = (
    none => '',
    ours => '@ 300 IN CAA 0 issue "letsencrypt.org"',
    other => '@ 300 IN CAA 0 issue "other.test"',
    several => "\@ 300 IN CAA 0 issue \"other.test\"\n\@ 300 IN CAA 0 issue \"letsencrypt.org\"",
    nobody => '@ 300 IN CAA 0 issue ";"',
    mydns => '@ 300 IN CAA \# 8 0005697373756500',
    malformed => '@ 300 IN CAA 0 issue "%%%%%"',
    critical => '@ 300 IN CAA 128 tbs "Unknown"',
    flagone => '@ 300 IN CAA 1 tbs "Unknown"',
    iodef => '@ 300 IN CAA 0 iodef "mailto:security@other.test"',
    account => '@ 300 IN CAA 0 issue "letsencrypt.org; accounturi=https://ca.test/acct/1"',
    method => '@ 300 IN CAA 0 issue "letsencrypt.org; validationmethods=dns-01"',
    wild => "\@ 300 IN CAA 0 issue \"letsencrypt.org\"\n\@ 300 IN CAA 0 issuewild \";\"",
    case => '@ 300 IN CAA 0 ISSUE "letsencrypt.org"',
);
$dns->zone("$_.test", "$caa{$_}\nwww 300 IN A $here\na.b.c 300 IN A $here\n") for keys %caa;
$dns->zone('other.test', $dns->{zones}{'other.test'}{records} . "permits 300 IN CAA 0 issue \"letsencrypt.org\"\npermits 300 IN A $here\n");
# CAA at a name is nearer than at its zone; at a CNAME's target it counts; above the target it does not
$dns->zone('near.test', <<"Z");
\@ 300 IN CAA 0 issue "other.test"
www 300 IN CAA 0 issue "letsencrypt.org"
www 300 IN A $here
toother 300 IN CNAME www.other.test.
permitted 300 IN CNAME permits.other.test.
Z
$dns->zone('signed.test', "www 300 IN A $here\n", signed => 1);
$dns->zone('broken.test', "www 300 IN A 203.0.113.7\n", signed => 'broken');
$dns->zone('expired.test', "www 300 IN A $here\n", signed => 'expired');
my $value = 'LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0';
$dns->zone('challenge.test', <<"Z");
www 300 IN A $here
_acme-challenge.www 300 IN CNAME www.acme.other.test.
_acme-challenge.lost 300 IN CNAME lost.far.test.
_acme-challenge.loop 300 IN CNAME _acme-challenge.loop2
_acme-challenge.loop2 300 IN CNAME _acme-challenge.loop
_acme-challenge.stale 300 IN TXT "$value"
_acme-challenge.stale 300 IN TXT "a text of somebody else"
_acme-challenge.panel.challenge.test 300 IN TXT "$value"
_acme-challenge.panelalias.challenge.test 300 IN CNAME abc.acme.other.test.
bare 300 IN TXT "v=spf1 -all"
bare 300 IN TXT "$value"
_validation-persist.panel.challenge.test 300 IN TXT "letsencrypt.org; accounturi=https://ca.test/acct/1"
_acme-challenge.acmedns 300 IN CNAME abc.acme.other.test.
Z
$dns->zone('_acme-challenge.own.challenge.test', "\@ 300 IN TXT \"$value\"\n");
$dns->zone('deep.challenge.test', "www 300 IN A $here\n");
$dns->zone('differ.test', "_acme-challenge 300 IN TXT \"one\"\n", ns => [ 2, 3 ], three => "_acme-challenge 300 IN TXT \"two\"\n");
$dns->zone('far.test', "www 300 IN A $here\n", nowhere => 1);
# of the real Public Suffix List
$dns->zone($_, "\@ 300 IN A $here\nwww 300 IN A $here\n") for 'co.uk', 'github.io';
$dns->start;

sub diagnose {
    my (@args) = @_;
    my $start = time;
    my ($code, $text) = run({ _seconds => 60 }, build_dir() . '/hotcert', 'diagnose', '--json', '--no-request',
        '--resolver', $dns->resolver, @args);
    my $list = eval { decode_json($text) };
    if (!$list) { fail("@args: no report"); diag($text); return ({}, $code) }
    my %by;
    for my $name (@$list) {
        $by{ $name->{name} } = { verdict => $name->{verdict}, text => encode_json($name),
            slugs => { map { $_->{slug} => $_ } @{ $name->{findings} } } };
    }
    return (\%by, $code, time - $start);
}

# One name: its verdict, and the slugs it must have (none else, but for remarks that are said).
sub expect {
    my ($all, $name, $verdict, $words, @slugs) = @_;
    my $got = $all->{$name};
    is($got->{verdict}, $verdict, "$words: $verdict") or diag(JSON::PP->new->encode($got // {}));
    # the test's own top-level domain is none of the Internet's: a remark about nearly each name
    is(join(' ', grep { $_ ne 'name-internal' } sort keys %{ $got->{slugs} }), join(' ', sort @slugs), "$words: " . (@slugs ? "@slugs" : 'nothing is found'))
        or diag($got->{text});
    return $got->{slugs}{ $slugs[0] // '' } // {};
}

my @names = map { "$_.example.test" } 'www', 'two', 'alias', 'loop', 'dangling', 'outward', 'txt', 'nope', 'inside', 'mixed',
    'doc', 'elsewhere', 'xn--mnchen-3ya', $label63, 'deep.below.it', 'below.it';
my ($all, $code) = diagnose(@names, 'example.test', 'EXAMPLE.test.');
is($code, 1, 'one bad name of many: exit code 1');
expect($all, 'www.example.test', 'ready', 'a name that leads here');
expect($all, 'example.test', 'ready', 'the zone itself, also with a trailing dot and in capitals');
expect($all, 'two.example.test', 'ready', 'IPv4 and IPv6');
expect($all, 'alias.example.test', 'ready', 'a CNAME');
expect($all, 'xn--mnchen-3ya.example.test', 'ready', 'an international name');
expect($all, "$label63.example.test", 'ready', 'a label of 63 octets');
expect($all, 'deep.below.it.example.test', 'ready', 'a name below empty ones');
expect($all, 'loop.example.test', 'unknown', 'a CNAME loop', 'dns-failed');
my $f = expect($all, 'nope.example.test', 'would-fail', 'no such name', 'dns-no-such-name');
like($f->{message}, qr/^nope\.example\.test\. does not exist: 127\.53\.1\.2, a name server of example\.test\., says NXDOMAIN$/,
    'the zone\'s own server is named');
like($f->{hint}, qr/^add: nope\.example\.test\. 300 IN A \Q$here\E /, 'with the line to add');
is($f->{rank}, 'flawed', 'flawed');
$f = expect($all, 'below.it.example.test', 'would-fail', 'a name with nothing but names below it', 'dns-no-address');
$f = expect($all, 'txt.example.test', 'would-fail', 'no address', 'dns-no-address');
like($f->{hint}, qr/^add: txt\.example\.test\. 300 IN A \Q$here\E/, 'with the line to add');
$f = expect($all, 'dangling.example.test', 'would-fail', 'a CNAME to nowhere', 'dns-cname-dangling');
like($f->{message}, qr/gone\.other\.test\., which does not exist/, 'its target is named');
$f = expect($all, 'inside.example.test', 'would-fail', 'a private address', 'dns-reserved-address', 'dns-not-here');
like($f->{message}, qr/^inside\.example\.test\. 300 IN A 10\.1\.2\.3: this address is private/, 'with the record and the reason');
$f = expect($all, 'mixed.example.test', 'ready', 'a private address beside a public one', 'dns-reserved-address', 'dns-not-here');
is($f->{rank}, 'remark', 'is a remark');
$f = expect($all, 'doc.example.test', 'would-fail', 'a documentation address', 'dns-reserved-address', 'dns-not-here');
like($f->{message}, qr/is documentation/, 'and called so');
$f = expect($all, 'elsewhere.example.test', 'ready', 'an address of another machine', 'dns-not-here');
is($f->{rank}, 'remark', 'is a remark');

($all, $code) = diagnose('--network', 'private', 'inside.example.test');
is($code, 0, 'for a CA inside of the network a private address is fine');

# ---- names for which no CA issues ----
($all, $code) = diagnose('--method', 'dns-01', 'co.uk', '*.co.uk', 'www.co.uk', '*.github.io', 'www.zone.nonexistent', '8.8.in-addr.arpa');
is($code, 1, 'public suffixes: exit code 1');
$f = expect($all, 'co.uk', 'would-fail', 'a public suffix', 'name-public-suffix');
like($f->{hint}, qr/names that you registered below it/, 'what to order instead');
$f = expect($all, '*.co.uk', 'would-fail', 'a wildcard below one', 'name-public-suffix');
like($f->{message}, qr/^\*\.co\.uk would cover every name that anybody registers below co\.uk$/, 'says why');
expect($all, 'www.co.uk', 'ready', 'a name below one');
expect($all, '*.github.io', 'ready', 'a wildcard below a private suffix');
$f = $all->{'www.zone.nonexistent'}{slugs}{'name-internal'} // {};
is($all->{'www.zone.nonexistent'}{verdict}, 'would-fail', 'a top-level domain that does not exist');
is($f->{message}, 'there is no top-level domain nonexistent in the DNS', 'is named');
is($f->{rank}, 'flawed', 'as a flaw');
is($all->{'8.8.in-addr.arpa'}{verdict}, 'would-fail', 'a reverse name');
($all, $code) = diagnose('www.example.test');
is($all->{'www.example.test'}{slugs}{'name-internal'}{rank}, 'remark', 'one that only the DNS here knows is a remark');
($all, $code) = diagnose('--network', 'private', 'www.example.test');
ok(!exists $all->{'www.example.test'}{slugs}{'name-internal'}, 'and nothing for a CA inside of the network');

# ---- CAA ----
($all, $code) = diagnose((map { "www.$_.test" } keys %caa), 'a.b.c.other.test');
expect($all, "www.$_.test", 'ready', "CAA $_") for qw(none ours several iodef case wild);
$f = expect($all, 'www.other.test', 'would-fail', 'CAA for another CA', 'caa-other-issuer');
like($f->{message}, qr/^other\.test\. 300 IN CAA 0 issue "other\.test": /, 'the record as it stands, at its owner');
is($f->{hint}, 'add to it: other.test. IN CAA 0 issue "letsencrypt.org"', 'the line to add');
$f = expect($all, 'a.b.c.other.test', 'would-fail', 'the climb reaches the zone', 'caa-other-issuer');
$f = expect($all, 'www.nobody.test', 'would-fail', 'CAA for nobody', 'caa-empty');
is($f->{hint}, 'replace it with: nobody.test. IN CAA 0 issue "letsencrypt.org"', 'the line to put there');
$f = expect($all, 'www.mydns.test', 'would-fail', 'the record \# 8 0005697373756500', 'caa-malformed');
like($f->{message}, qr/^mydns\.test\. 300 IN CAA 0 issue "\\000": its value is malformed/, 'in presentation form, backslash and all');
$f = expect($all, 'www.malformed.test', 'would-fail', 'a malformed value', 'caa-malformed');
$f = expect($all, 'www.critical.test', 'would-fail', 'an unknown critical tag', 'caa-unknown-critical');
like($f->{message}, qr/^critical\.test\. 300 IN CAA 128 tbs "Unknown"/, 'with the record');
$f = expect($all, 'www.flagone.test', 'would-fail', 'flag 1, which some take for critical', 'caa-unknown-critical');
$f = expect($all, 'www.account.test', 'unknown', 'an account, and which will order is not known', 'caa-account');
is($f->{rank}, 'flawed', 'is more than a remark');
like($f->{hint}, qr/--account/, 'and the hint says how to name it');
$f = expect($all, 'www.method.test', 'would-fail', 'another method', 'caa-method');
is($f->{hint}, 'change it to: method.test. IN CAA 0 issue "letsencrypt.org; validationmethods=dns-01,http-01"', 'what it becomes');

($all, $code) = diagnose('--account', 'https://ca.test/acct/2', 'www.account.test');
$f = expect($all, 'www.account.test', 'would-fail', 'another account', 'caa-account');
is($f->{hint}, 'change it to: account.test. IN CAA 0 issue "letsencrypt.org; accounturi=https://ca.test/acct/2"', 'what it becomes');
($all, $code) = diagnose('--account', 'https://ca.test/acct/1', '--method', 'dns-01', 'www.account.test', 'www.method.test');
is($code, 0, 'the right account and the right method: exit code 0');
($all, $code) = diagnose('--caa-domain', 'other.test', 'www.other.test', 'www.ours.test');
expect($all, 'www.other.test', 'ready', 'asked for the other CA');
expect($all, 'www.ours.test', 'would-fail', 'and the other way round', 'caa-other-issuer');
($all, $code) = diagnose('--caa-domain', 'OTHER.Test.', 'www.other.test');
expect($all, 'www.other.test', 'ready', 'its name in capitals and with a dot');

($all, $code) = diagnose('--method', 'dns-01', '*.wild.test', '*.ours.test', 'nope.example.test');
expect($all, '*.wild.test', 'would-fail', 'a wildcard that issuewild forbids', 'caa-empty');
like($all->{'*.wild.test'}{slugs}{'caa-empty'}{hint}, qr/IN CAA 0 issuewild "letsencrypt\.org"/, 'and what issuewild becomes');
expect($all, '*.ours.test', 'ready', 'a wildcard that issue allows');
$f = expect($all, 'nope.example.test', 'ready', 'dns-01 does not need the name to exist', 'dns-no-such-name');
is($f->{rank}, 'remark', 'which is a remark');
($all, $code) = diagnose('*.ours.test');
like($all->{'*.ours.test'}{slugs}{'wildcard-needs-dns'}{hint} // '', qr/`hotcert diagnose --method dns-01 '\*\.ours\.test'` checks/, 'a wildcard needs a DNS method, and how to check that is told');

# ---- the challenge record ----
($all, $code) = diagnose('--method', 'dns-01', 'www.challenge.test', '*.www.challenge.test', 'new.challenge.test', 'stale.challenge.test');
is($code, 0, 'nothing stands against these names');
my (undef, $tree) = run({ _seconds => 60 }, build_dir() . '/hotcert', 'diagnose', '--no-request', '--resolver', $dns->resolver, '--method', 'dns-01', 'www.challenge.test');
like($tree, qr/_acme-challenge\.www\.challenge\.test\. is an alias \(CNAME\) of www\.acme\.other\.test\./, 'an alias is told');
like($tree, qr/www\.acme\.other\.test\. belongs to the zone other\.test\./, 'and the zone that it leads to');
(undef, $tree) = run({ _seconds => 60 }, build_dir() . '/hotcert', 'diagnose', '--no-request', '--resolver', $dns->resolver, '--method', 'dns-01',
    'own.challenge.test', 'www.deep.challenge.test');
like($tree, qr/ belongs to the zone _acme-challenge\.own\.challenge\.test\./, 'a label that is a zone of its own');
like($tree, qr/_acme-challenge\.www\.deep\.challenge\.test\. belongs to the zone deep\.challenge\.test\./, 'a zone below the first one');
expect($all, 'new.challenge.test', 'ready', 'a name that does not exist', 'dns-no-such-name');
my $stale = $all->{'stale.challenge.test'}{slugs}{'dns-stale-record'} // {};
is($stale->{rank}, 'remark', 'the value of a former run is a remark');
like($stale->{message}, qr/\Q$value\E/, 'with the record');
unlike($stale->{message} // '', qr/somebody else/, 'and not the one of somebody else');
($all, $code) = diagnose('--method', 'dns-01', 'lost.challenge.test', 'loop.challenge.test', 'differ.test');
is($all->{'lost.challenge.test'}{verdict}, 'unknown', 'an alias to a zone whose servers do not answer');
like($all->{'lost.challenge.test'}{slugs}{'dns-failed'}{message} // '', qr/_acme-challenge\.lost\.challenge\.test|lost\.far\.test/, 'is named');
is($all->{'loop.challenge.test'}{verdict}, 'unknown', 'aliases in a circle');
like($all->{'loop.challenge.test'}{slugs}{'dns-failed'}{message} // '', qr/loop/, 'are called so');
like($all->{'differ.test'}{slugs}{'dns-servers-differ'}{message} // '', qr/127\.53\.1\.2 and 127\.53\.1\.3 have different TXT records|127\.53\.1\.3 and 127\.53\.1\.2/,
    'servers that disagree are named');

# what a panel makes of a name that was entered whole, and what was entered without a label
($all, $code) = diagnose('--method', 'dns-01', 'panel.challenge.test', 'panelalias.challenge.test', 'bare.challenge.test');
is($code, 0, 'records in the wrong place are remarks');
$f = expect($all, 'panel.challenge.test', 'ready', 'a record with the zone twice in its name', 'dns-zone-doubled', 'dns-no-such-name');
like($f->{message}, qr/^_acme-challenge\.panel\.challenge\.test\.challenge\.test\. 300 IN TXT "\Q$value\E"$/, 'is shown');
like($f->{hint}, qr/enter _acme-challenge\.panel as the record's name there/, 'with what to enter');
$f = expect($all, 'panelalias.challenge.test', 'ready', 'an alias with the zone twice in its name', 'dns-zone-doubled', 'dns-no-such-name');
like($f->{message}, qr/IN CNAME abc\.acme\.other\.test\./, 'is shown');
$f = expect($all, 'bare.challenge.test', 'ready', 'a value at the name itself', 'dns-label-missing');
like($f->{message}, qr/\Q$value\E/, 'is shown, and not the others');
like($f->{hint}, qr/move it to _acme-challenge\.bare\.challenge\.test\./, 'with where it belongs');
($all, $code) = diagnose('--method', 'dns-persist-01', '--account', 'https://ca.test/acct/1', 'panel.challenge.test');
$f = expect($all, 'panel.challenge.test', 'would-fail', 'a record that stays, with the zone twice', 'dns-zone-doubled', 'dns-persist-missing', 'dns-no-such-name');
like($f->{hint}, qr/enter _validation-persist\.panel as/, 'with what to enter');
# the account's own label
($all, $code) = diagnose('--method', 'dns-account-01', '--account', 'https://example.com/acme/acct/ExampleAccount', 'www.challenge.test');
expect($all, 'www.challenge.test', 'ready', 'dns-account-01');
(undef, $tree) = run({ _seconds => 60 }, build_dir() . '/hotcert', 'diagnose', '--no-request', '--resolver', $dns->resolver, '--method', 'dns-account-01',
    '--account', 'https://example.com/acme/acct/ExampleAccount', 'www.challenge.test');
like($tree, qr/_ujmmovf2vn55tgye\._acme-challenge\.www\.challenge\.test\. belongs to the zone challenge\.test\./, 'is looked for at its label');
($all, $code) = diagnose('--method', 'dns-account-01', '--caa-domain', 'letsencrypt.org', 'www.challenge.test');
is($code, 3, 'dns-account-01 without an account: exit code 3');
$f = expect($all, 'www.challenge.test', 'unknown', 'dns-account-01 without an account', 'account-unknown');
like($f->{hint}, qr/--account/, 'and how to name one');
# the alias that an acme-dns server asks for
($all, $code) = diagnose('--method', 'dns-01', '--dns-target', 'abc.acme.other.test', 'acmedns.challenge.test', 'new.challenge.test', 'www.challenge.test');
is($code, 1, 'the alias that must be there');
expect($all, 'acmedns.challenge.test', 'ready', 'is there');
$f = expect($all, 'new.challenge.test', 'would-fail', 'is missing', 'dns-alias-missing', 'dns-no-such-name');
is($f->{hint}, 'add: _acme-challenge.new.challenge.test. 300 IN CNAME abc.acme.other.test.', 'the record to add');
is($f->{rank}, 'flawed', 'it is a flaw');
$f = expect($all, 'www.challenge.test', 'would-fail', 'leads elsewhere', 'dns-alias-missing');
like($f->{hint}, qr/^replace it with: _acme-challenge\.www\.challenge\.test\. 300 IN CNAME abc/, 'what becomes of it');

($all, $code) = diagnose('www.near.test', 'toother.near.test', 'permitted.near.test', 'outward.example.test');
expect($all, 'www.near.test', 'ready', 'CAA at the name is nearer than at the zone');
$f = expect($all, 'toother.near.test', 'would-fail', 'a CNAME: its target has no CAA, above the target is not asked', 'caa-other-issuer');
like($f->{message}, qr/^near\.test\. /, 'but above the name is');
expect($all, 'permitted.near.test', 'ready', 'a CNAME to a name of another zone with CAA there');
expect($all, 'outward.example.test', 'ready', 'CAA above a CNAME\'s target does not count');

# ---- DNSSEC, servers that cannot be reached ----
($all, $code) = diagnose('www.signed.test', 'www.broken.test', 'www.expired.test');
expect($all, 'www.signed.test', 'ready', 'a signed zone');
for my $zone (qw(broken expired)) {
    my $got = $all->{"www.$zone.test"};
    is($got->{verdict}, 'would-fail', "a zone whose signatures are $zone: would-fail");
    ok(exists $got->{slugs}{'dns-dnssec-broken'}, "a zone whose signatures are $zone: dns-dnssec-broken") or diag($got->{text});
}

# ---- names that are none, addresses ----
($all, $code) = diagnose("m\xc3\xbcnchen.example.test", "M\xc3\x9cNCHEN.example.test", 'xn--zzzzzz.example.test', 'ab--cd.example.test', "\xff.test");
expect($all, 'xn--mnchen-3ya.example.test', 'ready', 'a name in umlauts is looked at in its ASCII form');
is(scalar keys %$all, 4, 'capitals or not, it is one name');
ok(exists $all->{$_}{slugs}{'name-invalid'}, "\"$_\": name-invalid") for 'xn--zzzzzz.example.test', 'ab--cd.example.test';
($all, $code) = diagnose('--method', 'dns-01', '8.8.4.4');
expect($all, '8.8.4.4', 'would-fail', 'an IP address by dns-01', 'address-needs-http');
($all, $code) = diagnose('no space.test', 'ours_.test.', 'www.ours.test', '8.8.4.4', '10.0.0.1', "l$label63.test");
is($code, 1, 'a name that is none would fail');
ok(exists $all->{$_}{slugs}{'name-invalid'}, "\"$_\": name-invalid") for 'no space.test', "l$label63.test";
expect($all, '8.8.4.4', 'ready', 'an IP address has no CAA');
expect($all, '10.0.0.1', 'would-fail', 'a private IP address', 'dns-reserved-address', 'dns-not-here');

# ---- stale caches neither block nor permit ----
$dns->dig('@' . $dns->resolver, "late.example.test", $_) for qw(A AAAA);
$dns->dig('@' . $dns->resolver, "www.example.test", $_) for qw(A AAAA);
$dns->dig('@' . $dns->resolver, "example.test", 'CAA');
$dns->change('example.test', "late 300 IN A $here\nother 300 IN A $here\n\@ 300 IN CAA 0 issue \"other.test\"\nlate 300 IN CAA 0 issue \"letsencrypt.org\"\n");
like($dns->dig('@' . $dns->resolver, 'late.example.test', 'A'), qr/NXDOMAIN/, 'the resolver still says that the new name does not exist');
($all, $code) = diagnose('late.example.test', 'www.example.test');
expect($all, 'late.example.test', 'ready', 'a name that the zone has by now');
ok(exists $all->{'www.example.test'}{slugs}{'dns-no-such-name'}, 'a name that the zone has no more, though it is cached');
ok(exists $all->{'www.example.test'}{slugs}{'caa-other-issuer'}, 'a CAA record that is new');

# ---- the zone's own servers cannot be reached; the resolver cannot ----
my $took;
($all, $code, $took) = diagnose('www.far.test');
is($all->{'www.far.test'}{verdict}, 'unknown', 'a zone whose servers do not answer: unknown');
ok(exists $all->{'www.far.test'}{slugs}{'dns-failed'}, 'dns-failed');
is($code, 3, 'exit code 3');
cmp_ok($took, '<', 15, 'in bounded time');
$dns->stop_authority;
($all, $code) = diagnose('late.example.test', 'nope.example.test');
isnt($code, 0, 'with every zone\'s server gone');
($code, my $text) = run({ _seconds => 30 }, build_dir() . '/hotcert', 'diagnose', '--no-request', '--resolver', '127.99.99.99', 'www.ours.test');
is($code, 3, 'no resolver: exit code 3');
like($text, qr/dns-failed.*127\.99\.99\.99/s, 'and it is named');

# ---- usage ----
for my $case ([ [], 'give the names' ], [ [ '--method', 'x', 'a.test' ], 'not one of http-01' ], [ [ '--resolver', 'nowhere', 'a.test' ], 'IP address' ],
    [ [ '--dns-endpoint', 'https://dns.test', 'a.test' ], 'needs a --method' ], [ [ '--dns-target', 'a b', 'a.test' ], 'a b' ],
    [ [ '--method', 'dns-account-01', '--dns-endpoint', 'https://dns.test', 'a.test' ], '--account URL' ],
    [ [ '--cdn-ranges', '/nonexistent/ranges', 'a.test' ], '/nonexistent/ranges' ],
    [ [ '--issuer', 'nobody', 'a.test' ], '--caa-domain' ], [ [ '--network', 'x', 'a.test' ], 'neither' ]) {
    ($code, $text) = run(build_dir() . '/hotcert', 'diagnose', @{ $case->[0] });
    is($code, 64, "@{ $case->[0] }: exit code 64");
    like($text, qr/\Q$case->[1]\E/, "and it says why");
}
done_testing;
