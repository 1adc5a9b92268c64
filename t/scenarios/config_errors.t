#!/usr/bin/perl
# Wrong directives are refused by the configuration test, with the directive in the server's own
# spelling, the value and what would be right; odd ones are warned of. A test has no side effects.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $url = 'https://127.0.0.1:1/dir';

sub good { return (issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ] ] }, main => [ [ use => 'pebble' ] ],
    hosts => [ { names => ['a.test'], hotcert => 'on' } ]) }

# [ what, configuration, directive that is named (undef: none), pattern of the reason ]
my @wrong = (
    [ 'a mode that is none', { hosts => [ { names => ['a.test'], hotcert => 'maybe' } ] }, '', qr/maybe/ ],
    [ 'a time that is none', { main => [ [ use => 'pebble' ], [ check_interval => 'soon' ] ] }, 'check_interval', qr/soon/ ],
    [ 'a time that is too long', { main => [ [ use => 'pebble' ], [ check_interval => '40d' ] ] }, 'check_interval', qr/40d/ ],
    [ 'no orders side by side', { main => [ [ use => 'pebble' ], [ parallel => '0' ] ] }, 'parallel', qr/\b0\b/ ],
    [ 'a key type that is none', { main => [ [ use => 'pebble' ], [ key_type => 'dsa:512' ] ] }, 'key_type', qr/dsa:512/ ],
    [ 'two key types of one kind', { main => [ [ use => 'pebble' ], [ key_type => 'rsa:2048', 'rsa:4096' ] ] }, 'key_type', qr/rsa/ ],
    [ 'a challenge that is none', { main => [ [ use => 'pebble' ], [ challenge => 'smoke-01' ] ] }, 'challenge', qr/smoke-01/ ],
    [ 'an issuer that is not defined', { main => [ [ use => 'nobody' ] ] }, undef,
        qr/nobody.*(?:hotcert_issuer in the http block|HotCertIssuer outside the virtual hosts), or use one of these: letsencrypt, .*zerossl.*pebble/ ],
    [ 'an issuer without its URL', { issuers => { pebble => [ [ terms_agreed => 'on' ] ] } }, undef,
        qr/pebble.*(?:hotcert_issuer|HotCertIssuer) \(at .*\) has no (?:directory_url|HotCertDirectoryUrl).*\(incomplete; set (?:directory_url|HotCertDirectoryUrl)/ ],
    [ 'terms that are not agreed to', { issuers => { pebble => [ [ directory_url => $url ] ] } }, undef, qr/terms/ ],
    [ 'plain http to a CA', { issuers => { pebble => [ [ directory_url => 'http://ca.example/dir' ], [ terms_agreed => 'on' ] ] } }, 'directory_url', qr{https} ],
    [ 'a contact that is no mail address', { main => [ [ use => 'pebble' ], [ contact => 'nobody' ] ] }, 'contact', qr/nobody/ ],
    [ 'a store that is given twice', { main => [ [ use => 'pebble' ], [ store => '/x' ], [ store => '/y' ] ] }, 'store', qr/already|twice/ ],
    [ 'a slug that is none', { main => [ [ use => 'pebble' ], [ accept => 'everything-wrong' ] ] }, 'accept', qr/everything-wrong/ ],
    [ 'a table that is too small', { main => [ [ use => 'pebble' ], [ table_size => '1' ] ] }, 'table_size', qr/\b1\b/ ],
    [ 'a name that is none', { hosts => [ { names => ['a.test'], hotcert => 'on', set => [ [ names => 'a..test' ] ] } ] }, undef, qr/a\.\.test/ ],
    [ 'letters that no name may have', { hosts => [ { names => ['a.test'], hotcert => 'on', set => [ [ names => "\xf0\x9f\x92\xa9.test" ] ] } ] }, undef,
        qr/\.test": this is not a host name: it cannot be written in ASCII: .*IDNA2008 forbids/ ],
    [ 'letters in another encoding than UTF-8', { hosts => [ { names => ['a.test'], hotcert => 'on', set => [ [ names => "b\xfccher.test" ] ] } ] }, undef,
        qr/cher\.test": this is not a host name: .*it is not in UTF-8/ ],
    [ 'a character that host names cannot have beside such letters', { hosts => [ { names => ['a.test'], hotcert => 'on', set => [ [ names => "b\xc3\xbc_cher.test" ] ] } ] },
        undef, qr/_cher\.test": this is not a host name: it has a character that host names cannot have/ ],
    [ 'an address with leading zeros', { hosts => [ { names => ['a.test'], hotcert => 'on', set => [ [ names => '192.0.2.010' ] ] } ] }, undef,
        qr/192\.0\.2\.010.*number/ ],
    [ 'a zone that is no name in any spelling', { main => [ [ use => 'pebble' ], [ dns_zone => "b\xc3\xbc..test" ] ] }, 'dns_zone', qr/\.\.test/ ],
    [ 'nothing to watch', { hosts => [ { names => ['a.test'], hotcert => 'watch' } ] }, undef, qr/watch|certificate/ ],
    [ 'roots that are not there', { main => [ [ use => 'pebble' ], [ trusted_certificate => '/nonexistent/roots.pem' ] ] }, undef,
        qr{/nonexistent/roots\.pem.*No such file.*(?:hotcert_trusted_certificate|HotCertTrustedCertificate)} ],
    [ 'a trust anchor that is not there', { main => [ [ use => 'pebble' ], [ dnssec_anchor => '/nonexistent/root.key' ] ] }, undef,
        qr{/nonexistent/root\.key.*No such file.*(?:hotcert_dnssec_anchor|HotCertDnssecAnchor)} ],
    [ 'two trust anchors', { main => [ [ use => 'pebble' ], [ dnssec_anchor => '/x', '/y' ] ] }, 'dnssec_anchor', qr/argument/ ],
    [ "a CA's roots that are not there", { issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ],
        [ ca_bundle => '/nonexistent/ca.pem' ] ] } }, undef, qr{/nonexistent/ca\.pem.*No such file.*(?:ca_bundle|HotCertCaBundle) \(pebble\)} ],
    [ 'a port of its own for a public CA', { issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ],
        [ network => 'public' ], [ http_port => '8080' ] ] } }, undef,
        qr/pebble.*connects to port 80 only.*(?:http_port|HotCertHttpPort) 8080.*(?:network|HotCertNetwork) public/ ],
    [ 'a profile that is none', { issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ],
        [ address_profile => 'a/b' ] ] } }, undef, qr/(?:address_profile|HotCertAddressProfile) "a\/b".*profile/ ],
    [ 'a word behind a profile', { main => [ [ use => 'pebble' ], [ profile => 'brief', 'please' ] ] }, 'profile', qr/"please".*`required`/ ],
    [ 'a word behind an issuer\'s profile', { issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ],
        [ profile => 'brief', 'please' ] ] } }, undef, qr/(?:profile|HotCertProfile) "please".*`required`/ ],
    [ 'a chain without a name', { issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ], [ preferred_chain => '' ] ] } }, undef,
        qr/(?:preferred_chain|HotCertPreferredChain).*common name/ ],
    [ 'a CA for customers only', { main => [ [ use => 'zerossl' ], [ terms_agreed => 'on' ] ] }, undef,
        qr{zerossl.*external account binding.*app\.zerossl\.com.*(?:eab_kid|HotCertEabKid).*(?:eab_key|HotCertEabKey)} ],
    [ 'half an external account', { issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ], [ eab_kid => 'kid-1' ] ] } }, undef,
        qr/pebble.*(?:eab_kid|HotCertEabKid).*not (?:eab_key|HotCertEabKey)/ ],
    [ 'an algorithm that is none', { issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ], [ eab_kid => 'kid-1' ],
        [ eab_key => '/nonexistent/eab' ], [ eab_algorithm => 'MD5' ] ] } }, undef, qr/(?:eab_algorithm|HotCertEabAlgorithm) "MD5".*HS256/ ],
    [ 'a method of an issuer that is none', { issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ],
        [ challenge => 'tls-alpn' ] ] } }, undef, qr/(?:challenge|HotCertChallenge) "tls-alpn".*tls-alpn-01/ ],
    [ 'an address from Let\'s Encrypt', { main => [ [ terms_agreed => 'on' ] ], hosts => [ { names => ['a.test'], hotcert => 'on',
        set => [ [ names => 'a.test', '192.0.2.1' ] ] } ] }, undef, qr/192\.0\.2\.1.*IP address/ ],
    [ 'a user that is not there', { main => [ [ use => 'pebble' ], [ user => 'no-such-user-is-here' ] ] }, 'user', qr/no-such-user-is-here/ ],
    [ 'a user that is no name', { main => [ [ use => 'pebble' ], [ user => '../x' ] ] }, 'user', qr{\.\./x} ],
    [ 'an agent of root\'s', { main => [ [ use => 'pebble' ], [ user => 'root' ] ] }, 'user', qr/not run as root/ ],
    [ 'an address without a port for the responder', { main => [ [ use => 'pebble' ], [ dns_listen => '127.0.0.1' ] ] }, 'dns_listen', qr/127\.0\.0\.1.*ADDR:PORT/ ],
    [ 'a name in place of an address', { main => [ [ use => 'pebble' ], [ dns_listen => 'ns.a.test:53' ] ] }, 'dns_listen', qr/ns\.a\.test:53/ ],
    [ 'an address of the responder twice', { main => [ [ use => 'pebble' ], [ dns_listen => '127.0.0.1:9953', '127.0.0.1:9953' ] ] }, 'dns_listen', qr/twice/ ],
    [ 'an address that is not this machine\'s', { main => [ [ use => 'pebble' ], [ dns_listen => '198.51.100.7:9953' ] ] }, undef,
        qr/198\.51\.100\.7:9953.*(?:hotcert_dns_listen|HotCertDnsListen)/ ],
    [ 'ranges of CDNs that are not there', { main => [ [ use => 'pebble' ], [ cdn_ranges => '/nonexistent/ranges' ] ] }, undef,
        qr{/nonexistent/ranges.*No such file.*(?:hotcert_cdn_ranges|HotCertCdnRanges)} ],
    [ 'ranges of CDNs with a mistake', { main => [ [ use => 'pebble' ], [ cdn_ranges => spew(temp_dir() . '/ranges', "192.0.2.0/24 X\n192.0.2.1/24 X\n") ] ] }, undef,
        qr{/ranges:2.*no range.*(?:hotcert_cdn_ranges|HotCertCdnRanges)} ],
    [ 'a zone that is no name', { main => [ [ use => 'pebble' ], [ dns_zone => 'a..test' ] ] }, 'dns_zone', qr/a\.\.test/ ],
    [ 'an address before its name server', { main => [ [ use => 'pebble' ], [ dns_ns => '192.0.2.1', 'ns.a.test' ] ] }, 'dns_ns', qr/192\.0\.2\.1.*follow/ ],
    [ 'a name server in its own zone without an address', { main => [ [ use => 'pebble' ], [ dns_zone => 'acme.a.test' ], [ dns_ns => 'ns.acme.a.test' ] ] }, undef,
        qr/ns\.acme\.a\.test.*addresses.*(?:hotcert_dns_ns|HotCertDnsNs)/ ],
    [ 'a DNS writer without a type', { writers => { w => [ [ server => '192.0.2.1' ] ] } }, undef, qr/\bw\b.*(?:type|HotCertType)/ ],
    [ 'a type of DNS writer that is none', { writers => { w => [ [ type => 'pigeon' ] ] } }, undef, qr/(?:type|HotCertType) "pigeon".*rfc2136/ ],
    [ 'a DNS writer without its server', { writers => { w => [ [ type => 'rfc2136' ] ] } }, undef, qr/\bw\b.*(?:server|HotCertServer), which type rfc2136 needs/ ],
    [ 'a server of DNS updates by its name', { writers => { w => [ [ type => 'rfc2136' ], [ server => 'ns.a.test' ] ] } }, undef, qr/ns\.a\.test.*ADDR/ ],
    [ 'an option of another type', { writers => { w => [ [ type => 'rfc2136' ], [ server => '192.0.2.1' ], [ program => '/bin/true' ] ] } }, undef,
        qr/(?:program|HotCertProgram) does not apply to type rfc2136/ ],
    [ 'a style that is none', { writers => { w => [ [ type => 'command' ], [ program => '/bin/true' ], [ style => 'free' ] ] } }, undef, qr/"free".*dehydrated/ ],
    [ 'a cleanup hook that is missing', { writers => { w => [ [ type => 'command' ], [ program => '/bin/true' ], [ style => 'certbot' ] ] } }, undef,
        qr/(?:cleanup|HotCertCleanup), which style certbot needs/ ],
    [ 'a secret in the configuration', { writers => { w => [ [ type => 'command' ], [ program => '/bin/true' ], [ style => 'lego' ],
        [ env => 'API_TOKEN', 'do-not-repeat-me' ] ] } }, undef, qr/API_TOKEN(?!.*do-not-repeat-me).*file:/ ],
    [ 'a variable without a name', { writers => { w => [ [ type => 'command' ], [ program => '/bin/true' ], [ style => 'lego' ], [ env => '1X', 'y' ] ] } }, undef, qr/"1X"/ ],
    [ 'a DNS writer that is not defined', { main => [ [ use => 'pebble' ], [ dns_use => 'nobody' ] ] }, undef,
        qr/nobody.*(?:hotcert_dns in the http block|HotCertDns outside the virtual hosts)/ ],
    [ 'a method that needs a DNS writer', { main => [ [ use => 'pebble' ], [ challenge => 'dns-01' ] ] }, undef, qr/dns-01, which needs (?:hotcert_dns_use|HotCertDnsUse)/ ],
    [ 'a DNS writer that is defined twice', { nginx_http => "hotcert_dns w { type rfc2136; server 192.0.2.1; }\n", httpd_main => "<HotCertDns w>\nHotCertType rfc2136\nHotCertServer 192.0.2.1\n</HotCertDns>\n",
        writers => { w => [ [ type => 'rfc2136' ], [ server => '192.0.2.1' ] ] } }, undef, qr/already defined/ ],
    [ 'a writer without its endpoint', { writers => { w => [ [ type => 'acme-dns' ] ] } }, undef, qr/(?:endpoint|HotCertEndpoint), which type acme-dns needs/ ],
    [ 'an endpoint without TLS', { writers => { w => [ [ type => 'httpreq' ], [ endpoint => 'http://dns.example/' ] ] } }, undef, qr{https} ],
    [ 'a writer without its credentials', { writers => { w => [ [ type => 'mydns' ] ] } }, undef, qr/(?:credentials|HotCertCredentials), which type mydns needs/ ],
    [ 'credentials that have no meaning', { writers => { w => [ [ type => 'acme-dns' ], [ endpoint => 'https://dns.example' ], [ credentials => '/x' ] ] } }, undef,
        qr/(?:credentials|HotCertCredentials) does not apply to type acme-dns/ ],
    [ 'a form that is none', { writers => { w => [ [ type => 'httpreq' ], [ endpoint => 'https://dns.example' ], [ form => 'soft' ] ] } }, undef, qr/soft/ ],
    [ 'a role that is none', { writers => { w => [ [ type => 'route53' ], [ role_arn => 'dns' ] ] } }, undef, qr/dns.*arn:/ ],
    [ 'a hosted zone that is no id', { writers => { w => [ [ type => 'route53' ], [ hosted_zone => 'a.test' ] ] } }, undef, qr/a\.test.*id of a hosted zone/ ],
    [ 'a passphrase of words where a switch belongs', { main => [ [ use => 'pebble' ], [ terms_agreed => 'perhaps' ] ] }, 'terms_agreed', qr/perhaps/ ],
);

# Directives as the other server writes them.
my %foreign = (nginx => qr/HotCert|SSL[A-Z]|ServerName/,
    httpd => qr{(?<![\w/.-])(?:hotcert_|ssl_|server_name|(?:ca_bundle|directory_url|http_port)\b|network (?:public|private)|hotcert (?:on|off|watch)\b)});

scenario wrong_directives_are_refused_with_their_name_and_value => sub {
    my ($kind) = @_;
    for my $case (@wrong) {
        my ($what, $change, $directive, $reason) = @$case;
        my $s = server($kind);
        $s->configure(good(), %$change);
        my ($code, $out) = $s->configtest;
        isnt($code, 0, "$what is refused") or diag slurp($s->{conf});
        like($out, $reason, 'with the value or the reason');
        if (defined $directive) {
            my $spelled = $s->spelled($directive eq '' ? 'hotcert' : $s->name eq 'nginx' && $directive eq 'directory_url' ? $directive : "hotcert_$directive");
            like($out, qr/\b\Q$spelled\E\b/, "and the directive's own name, $spelled");
        }
        unlike($out, $foreign{$kind}, "in $kind\'s spelling alone");
        ok(!-e $s->{state}, 'nothing was made');
    }
};

scenario a_good_configuration_passes_and_makes_nothing => sub {
    my ($kind) = @_;
    my $s = server($kind);
    $s->configure(good());
    my ($code, $out) = $s->configtest;
    is($code, 0, 'it passes') or diag $out;
    ok(!-e $s->{state} && !-e $s->{control}, 'nothing was made');
};

scenario what_is_odd_is_a_warning => sub {
    my ($kind) = @_;
    my $s = server($kind);
    $s->configure(good(), hosts => [ { names => [ 'a.test', '*.wild.test' ], hotcert => 'on' } ]);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'a wildcard beside a name is accepted') or diag $out;
    like($out . $s->log_text, qr/\*\.wild\.test/, 'and named as left out');
};

scenario a_start_and_a_reload_tell_each_remark_once => sub {
    my ($kind) = @_;
    my $s = server($kind);
    $s->configure(good(), httpd_main => "SSLUseStapling on\nSSLStaplingCache shmcb:$s->{dir}/staples(65536)\n",
        hosts => [ { names => [ 'a.test', '*.wild.test' ], hotcert => 'on' }, { names => ['plain.test'], plain => 1, hotcert => 'on' } ]);
    my @remarks = ([ 'a name that is left out', qr/\*\.wild\.test: .*name-not-ordered/ ], [ 'a host without TLS', qr/no-tls/ ],
        $kind eq 'httpd' ? [ 'staples', qr/SSLUseStapling has no effect/ ] : ());
    for my $what (qw(start reload)) {
        my $mark = $s->log_mark;
        # `nginx -s reload` reads the configuration itself before it sends this
        $what eq 'start' ? $s->start : $kind eq 'nginx' ? kill(HUP => $s->master) : $s->reload;
        for my $remark (@remarks) {
            ok($s->wait_log($remark->[1], 10, $mark), "a $what tells of $remark->[0]");
            is(scalar(grep { $_ =~ $remark->[1] } split /\n/, $s->log_since($mark)), 1, 'once');
        }
    }
};

scenario an_inherited_mode_leaves_hosts_that_it_does_not_fit_as_they_are => sub {
    my ($kind) = @_;
    my $ca = make_ca('own');
    my $s = server($kind);
    my $leaf = make_leaf($ca, ['own.test']);
    my @pair = write_pair($leaf, "$s->{dir}/own");
    my %off = (names => ['own.test'], pair => \@pair, hotcert => undef);
    my %good = good();
    $s->configure(%good, main => [ [ use => 'pebble' ], [ '' => 'on' ] ], hosts => [ { names => ['a.test'], default => 1 }, \%off ]);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'on for all, one host has files of its own: it passes') or diag $out;
    my ($word) = $s->directive('', 'off') =~ /^([^;\n]+)/;
    like($out, qr/\Q$s->{conf}\E:\d+: this host keeps the certificate that it names.*\Q$word\E/, 'which is told with its place, and how to silence it')
        if $kind eq 'httpd'; # nginx's terminal shows warnings only
    $s->start;
    is(look($s->tls_port, sni => 'own.test', ca => $ca->{cert})->{serial}, $leaf->{serial}, 'the host serves them');
    ok(bootstrap_served($s->tls_port, 'a.test', $ca->{cert}), 'the other host waits for its own');
    ok($s->wait_log(qr/own\.test|\d+: this host keeps the certificate that it names/, 5), 'the log says so');
};

scenario an_inherited_watch_leaves_a_host_without_files => sub {
    my ($kind) = @_;
    my $ca = make_ca('default');
    my $s = server($kind);
    my $leaf = make_leaf($ca, ['w.test', 'bare.test']);
    my @pair = write_pair($leaf, "$s->{dir}/live");
    my $bare = { names => ['bare.test'], hotcert => undef, ($kind eq 'httpd' ? (plain => 1) : ()) };
    $s->configure(main => [ [ '' => 'watch' ], [ trusted_certificate => $ca->{cert} ] ],
        hosts => [ { names => ['w.test'], pair => \@pair, default => 1 }, $bare ]);
    $s->start;
    is(look($s->tls_port, sni => 'w.test', ca => $ca->{cert})->{serial}, $leaf->{serial}, 'files are watched');
    is(look($s->tls_port, sni => 'bare.test', ca => $ca->{cert})->{serial}, $leaf->{serial}, 'a host without serves those of the default host, as ever');
    my $next = make_leaf($ca, ['w.test', 'bare.test']);
    write_pair($next, "$s->{dir}/live");
    ok(wait_for(10, sub { look($s->tls_port, sni => 'bare.test')->{serial} eq $next->{serial} }), 'and their swap');
};

scenario on_counts_more_than_a_certificate_of_the_level_above => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = make_ca('level above');
    my @pair = write_pair(make_leaf($ca, ['a.test']), "$s->{dir}/above");
    my %above = (nginx_http => "ssl_certificate $pair[0]; ssl_certificate_key $pair[1];",
        httpd_main => "SSLCertificateFile $pair[0]\nSSLCertificateKeyFile $pair[1]");
    $s->configure(good(), %above, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'the host says on, the level above has a certificate: it passes') or diag $out;
    like($out . $s->log_text, qr/\Q$pair[0]\E/, 'and the certificate that is passed over is named');
    $s->configure(good(), %above, hosts => [ { names => ['a.test'], hotcert => 'on', set => [ [ files => @pair ] ] } ]);
    ($code, $out) = $s->configtest;
    isnt($code, 0, 'on does not follow files that are named beside it');
    my $files = $s->spelled('hotcert_files');
    like($out, qr/\b$files needs/, 'which is said');
    unlike($out, $foreign{$kind}, 'in its spelling alone');
    $s->configure(good(), hosts => [ { names => ['a.test'], hotcert => 'watch', pair => \@pair, set => [ [ files => @pair ] ] } ]);
    ($code, $out) = $s->configtest;
    isnt($code, 0, 'nor does watch with two sources of one host');
    like($out, qr/$files and ssl_?certificate\w* both name what to watch/i, 'which is said');
    unlike($out, $foreign{$kind}, 'in its spelling alone');
    $s->configure(good(), %above, hosts => [ { names => ['a.test'], hotcert => 'watch', set => [ [ files => @pair ] ] } ]);
    ($code, $out) = $s->configtest;
    is($code, 0, 'a certificate of the level above is none of the host') or diag $out;
};

scenario the_test_says_of_the_store_what_the_start_would => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $theirs = "$s->{dir}/theirs";
    mkdir $theirs, 0755;
    chown scalar getpwnam('www-data'), -1, $theirs;
    for my $case ([ "$theirs/store", qr/can be written by the worker user/ ], [ "$s->{conf}/store", qr/is not a folder/ ]) {
        $s->configure(good(), main => [ [ use => 'pebble' ], [ store => $case->[0] ] ]);
        my ($code, $out) = $s->configtest;
        isnt($code, 0, "$case->[0]: the test refuses it");
        like($out, $case->[1], 'with the reason');
        ($code, $out) = $s->try_start;
        isnt($code, 0, 'as the start does');
        like($out . $s->log_text, $case->[1], 'in the same words');
    }
    is(join(' ', glob "$theirs/*"), '', 'nothing was made');
};

scenario aliases_that_no_ca_certifies_cost_no_start => sub {
    my ($kind) = @_;
    my $s = server($kind);
    $s->configure(good(), hosts => [ { names => [ 'a.test', 'www', '*.wild.test' ], hotcert => 'on' } ]);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'the start is not refused') or diag $out;
    like($out . $s->log_text, qr/\bwww: .*one label.*\Q$s->{conf}\E:\d+/, 'the alias is named with its place');
    $s->configure(good(), hosts => [ { names => ['www'], hotcert => 'on' } ]);
    ($code, $out) = $s->configtest;
    isnt($code, 0, 'a host that has nothing to order is refused');
    like($out . $s->log_text, qr/\bwww: .*one label/, 'with the reason of each name');
};

scenario without_the_module_directives_the_server_is_untouched => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = make_ca('r');
    my $leaf = make_leaf($ca, ['a.test']);
    my @pair = write_pair($leaf, "$s->{dir}/live");
    $s->configure(hosts => [ { names => ['a.test'], pair => \@pair } ]);
    $s->start;
    my $l = look($s->tls_port, sni => 'a.test', ca => $ca->{cert}, path => '/');
    is($l->{serial}, $leaf->{serial}, 'it serves its own certificate');
    is($l->{body}, "a.test\n", 'and its page');
};

done_testing;
