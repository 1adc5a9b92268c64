#!/usr/bin/perl
# The recipes of docs/prove.md, as they stand there: each server's configuration is taken from the page, only
# ports, addresses and paths are this machine's; then the outage, the check that the page names, and its end.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Rig qw(track_log);
use HotCert::Scenario;

HotCert::Dns::need_namespace();

my $ns = HotCert::Dns::add_address('127.53.79.1'); # 203.0.113.7 of the page
my $web = HotCert::Dns::add_address('8.8.4.4');    # public, and here
my $count = 0;

# { number => { nginx => text, httpd => text, page => all of it } }
my %recipe;
{
    my ($all) = slurp('docs/prove.md') =~ /^## Five outages(.*?)(?=^## |\z)/ms or die 'docs/prove.md has no recipes';
    for my $part ($all =~ /^### (\d\..*?)(?=^### |\z)/msg) {
        my ($number) = $part =~ /^(\d)/;
        my ($nginx) = $part =~ /^    # nginx\n((?:(?:    .*)?\n)*?)(?=    # Apache httpd\n)/m;
        my ($httpd) = $part =~ /^    # Apache httpd\n((?:(?:    .*)?\n)*)/m;
        my %block = (nginx => $nginx, httpd => $httpd);
        $recipe{$number} = { %block, page => $part =~ s/\s+/ /gr };
    }
}
is(join("\n", map { my $n = $_; "$n:" . join("+", grep { $recipe{$n}{$_} } qw(httpd nginx)) } sort keys %recipe), "1:httpd+nginx\n2:httpd+nginx\n3:httpd+nginx\n4:httpd+nginx\n5:httpd+nginx",
    "five recipes, each for both servers");

# The page's configuration with this machine's ports, addresses and paths.
sub with_recipe {
    my ($s, $number, %change) = @_;
    my $text = $recipe{$number}{ $s->{kind} };
    $text =~ s/listen 80;/listen 127.0.0.1:$s->{http_port};/g;
    $text =~ s/listen 443 ssl;/listen 127.0.0.1:$s->{tls_port} ssl;/g;
    $text =~ s/\*:80>/127.0.0.1:$s->{http_port}>/g;
    $text =~ s/\*:443>/127.0.0.1:$s->{tls_port}>/g;
    $text =~ s/203\.0\.113\.7/$ns/g;
    $text =~ s{\Q$_\E}{$change{$_}}g for sort keys %change;
    my @ports = ($s->{tls_port}, $number == 1 ? $s->{http_port} : ());    # httpd listens where it is told to, not where hosts are
    return (nginx_http => $text, httpd_main => join('', map { "Listen 127.0.0.1:$_\n" } @ports) . $text, no_plain_host => $number == 1);
}

# The page says this, but for what differs from machine to machine.
sub page_says { my ($number, $text) = @_; return ok(index($recipe{$number}{page}, $text =~ s/\s+/ /gr) >= 0, "the page says: $text") }

sub world {
    my ($s, %zones) = @_;
    my $dns = HotCert::Dns->new(negative => 1);
    my $key = $dns->key('acme');
    $dns->zone($_, $zones{$_}, update => 'grant acme zonesub ANY;') for keys %zones;
    $dns->start;
    my $ca = pebble(http_port => $s->http_port, dns_server => $dns->resolver . ':53');
    my %block = HotCert::Server::issuers($s, ca => $ca);
    return ($dns, $key, $ca, ca => $ca, issuers => { pebble => [ @{ $block{pebble} }, [ caa_domain => 'letsencrypt.org' ], [ network => 'private' ] ] });
}

# Changes the zone by a DNS update, and the resolver forgets.
sub change {
    my ($dns, $key, $zone, @lines) = @_;
    my ($code, $out) = run({ _stdin => join("\n", 'server ' . $dns->ns_address($zone, 2) . ' 53', (map { "update $_" } @lines), 'send', '') }, 'nsupdate', '-v', '-k', $key);
    is($code, 0, "the zone is changed: $lines[-1]") or diag($out);
    $dns->forget;
    return;
}

sub hotcert { my (@args) = @_; return run({ _seconds => 60, _stdin => '' }, build_dir() . '/hotcert', @args) }
sub diagnose { my ($dns, @args) = @_; my ($code, $text) = hotcert('diagnose', '--no-request', '--network', 'private', '--resolver', $dns->resolver, @args); return ($code, $text =~ s/\s+/ /gr) }

scenario one_name_without_a_record => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $key, $ca, @conf) = world($s, 'example.life' => "\@ 300 IN A 127.0.0.1\n");
    $s->configure(@conf, main => [ [ challenge => 'http-01' ], [ preflight => 'on' ] ], with_recipe($s, 1));
    my ($code, $text) = diagnose($dns, 'example.life', 'www.example.life');
    is($code, 1, 'diagnose says that it would fail');
    like($text, qr/dns-no-such-name www\.example\.life this name does not exist in the DNS: .* -> add: www\.example\.life\. 300 IN A 127\.0\.0\.1 \(or the public address that leads here\); or remove the name from the host/, 'and what to add');
    $s->start;
    my $first = wait_served($s->tls_port, 'example.life', $ca->root, seconds => 60) or return fail('never served');
    is("@{ $first->{names} }", 'example.life', 'the other name has its certificate');
    ok($s->wait_log(qr/www\.example\.life \(dns-no-such-name\) left out; next try at/, 30), 'the log says what is left out');
    page_says(1, 'www.example.life (dns-no-such-name) left out; next try at');
    change($dns, $key, 'example.life', 'add www.example.life. 300 A 127.0.0.1');
    my $both = wait_served($s->tls_port, 'www.example.life', $ca->root, seconds => 60);
    is("@{ $both ? $both->{names} : [] }", 'example.life www.example.life', 'with the record there, both');
    $dns->stop;
};

scenario a_pair_that_does_not_belong_together => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $root = make_ca("root of the recipes $kind");
    my @leaf = map { make_leaf($root, ['example.org']) } 1, 2;
    my ($cert, $key) = write_pair($leaf[0], "$s->{dir}/live");
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ], with_recipe($s, 2, '/srv/tls/example.org.pem' => $cert, '/srv/tls/example.org.key' => $key));
    $s->start;
    my $serial = sub { return look($s->tls_port, sni => 'example.org')->{serial} // '' };
    is($serial->(), $leaf[0]{serial}, 'the first pair is served');
    spew($cert, $leaf[1]{fullchain});
    ok($s->wait_log(qr/key-mismatch/, 20), 'between two files the log says key-mismatch');
    my ($code, $out) = hotcert('check', $cert, '--key', $key, '--roots', $root->{cert});
    is($code, 2, 'so does the check, which exits with 2');
    like($out, qr/key-mismatch/, 'by the same word');
    is((listed($s))[1]{certificates}[0]{state}, 'files-broken', 'the list says files-broken');
    is($serial->(), $leaf[0]{serial}, 'the site is as before');
    spew($key, $leaf[1]{key_text});
    ok(wait_for(20, sub { $serial->() eq $leaf[1]{serial} }), 'with the second file the new pair is served');
    ok($s->wait_log(qr/now served: serial/, 30), 'and the log says so');
};

scenario a_caa_record_that_forbids_every_ca => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $others = "\@ 300 IN A 127.0.0.1\n\@ 300 IN TXT \"v=spf1 -all\"\n_dmarc 300 IN TXT \"v=DMARC1; p=reject\"\nsel._domainkey 300 IN TXT \"v=DKIM1; p=MFww\"\n";
    my ($dns, $key, $ca, @conf) = world($s, 'example.net' => "$others\@ 300 IN CAA \\# 8 0005697373756500\n");
    my ($port, $info) = (free_port(), temp_dir() . '/dnsapi.' . ++$count);
    my $log = track_log("dnsapi $count", "$info.log");
    my $pid = spawn($log, '/usr/bin/python3', 't/lib/dnsapi.py', '--port', $port, '--info', $info, '--zone', 'example.net', '--dns', $dns->ns_address('example.net', 2) . ':53', '--key', $key);
    wait_for(60, sub { -e $info }) or die 'dnsapi.py does not start: ' . slurp($log);
    my $login = spew_secret("$s->{dir}/mydns", "master:secret-of-mydns\n");
    my ($how, $end) = $kind eq 'nginx' ? ('endpoint', ';') : ('HotCertEndpoint', '');
    $s->configure(@conf, with_recipe($s, 3, '/etc/hotcert/mydns' => $login, ($kind eq 'nginx' ? 'type mydns;' : 'HotCertType mydns') =>
        ($kind eq 'nginx' ? 'type mydns;' : 'HotCertType mydns') . "\n$how http://127.0.0.1:$port/directedit.html$end"));
    my ($code, $text) = diagnose($dns, '--method', 'dns-01', 'example.net');
    is($code, 1, 'diagnose says that it would fail');
    my ($finding) = $text =~ /(caa-malformed example\.net .* IN CAA 0 issue "letsencrypt\.org")/;
    page_says(3, $finding // $text);
    $s->start;
    ok($s->wait_log(qr/example\.net.*caa-malformed|caa-malformed.*example\.net/, 30), 'the log has the same finding') or diag($s->log_text);
    is($ca->count_of('orders'), 0, 'and no order is placed');
    change($dns, $key, 'example.net', 'delete example.net. CAA', 'add example.net. 300 CAA 0 issue "letsencrypt.org"');
    $s->hotcert('renew', 'example.net');
    ok(wait_served($s->tls_port, 'any.example.net', $ca->root, seconds => 90), 'with another record both names are served') or diag($s->log_text);
    ok(wait_for(45, sub { join('|', $dns->txt('example.net', '_acme-challenge.example.net')) !~ /\S{43}/ }), 'nothing of hotcert is left');
    is(join('|', map { $dns->txt('example.net', $_) } 'example.net', '_dmarc.example.net', 'sel._domainkey.example.net'), 'v=spf1 -all|v=DMARC1; p=reject|v=DKIM1; p=MFww', 'SPF, DMARC and DKIM stay');
    end_process($pid);
    $dns->stop;
};

scenario a_wildcard_where_the_dns_cannot_be_written => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $zone = "\@ 300 IN A 127.0.0.1\nns 300 IN A $ns\n";
    my ($dns, $key, $ca, @conf) = world($s, 'example.com' => $zone);
    $s->configure(@conf, with_recipe($s, 4));
    $s->start;
    my @how = ('--method', 'dns-01', '--dns-ns', 'ns.example.com', 'example.com', '*.example.com');
    my ($code, $text) = diagnose($dns, @how);
    like($text, qr/dns-not-delegated.*-> add: _acme-challenge\.example\.com\. 300 IN NS ns\.example\.com\./, 'the record that lacks is told');
    my ($line) = $text =~ /(add: _acme-challenge\.example\.com\. 300 IN NS ns\.example\.com\.)/;
    page_says(4, $line // $text);
    change($dns, $key, 'example.com', 'add _acme-challenge.example.com. 300 NS ns.example.com.');
    ($code, $text) = diagnose($dns, @how);
    is($code, 0, 'with it all is ready') or diag($text);
    $s->hotcert('renew', 'example.com');
    ok(wait_served($s->tls_port, 'any.example.com', $ca->root, seconds => 90), 'the wildcard is served') or diag($s->log_text);
    like($dns->dig("\@$ns", '+norec', '_acme-challenge.example.com', 'SOA'), qr/flags: qr aa/, 'dig shows the flag');
    cmp_ok((listed($s))[1]{agents}[0]{counters}{responder}{questions} // 0, '>', 0, 'the list counts the questions');
    $dns->stop;
};

scenario a_chain_that_is_incomplete => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $root = make_ca("chain root $kind");
    my $mid = make_ca("chain intermediate $kind", issuer => $root);
    my $dns = HotCert::Dns->new;
    $dns->zone('files.test', "www 300 IN A $web\n");
    $dns->start;
    my $leaf = make_leaf($mid, ['example.edu'], aia => 'http://www.files.test/mid.der');
    $leaf->{fullchain} = slurp($leaf->{cert});
    my ($cert, $key) = write_pair($leaf, "$s->{dir}/live");
    my @paths = ('/srv/tls/example.edu.pem' => $cert, '/srv/tls/example.edu.key' => $key);
    my @main = ([ trusted_certificate => $root->{cert} ], [ resolver => $dns->resolver ]);
    my ($code, $out) = hotcert('check', $cert, '--key', $key, '--roots', $root->{cert});
    is($code, 1, 'the check of the file exits with 1');
    like($out, qr/chain-incomplete/, 'and names the flaw');
    my $connect = sub { return hotcert('check', '--connect', '127.0.0.1:' . $s->tls_port, '--sni', 'example.edu', '--roots', $root->{cert}) };
    $s->configure(main => [@main], with_recipe($s, 5, @paths, ($kind eq 'nginx' ? 'hotcert_repair aia' : 'HotCertRepair aia') => $kind eq 'nginx' ? 'hotcert_repair off' : 'HotCertRepair off'));
    $s->start;
    ($code, $out) = $connect->();
    is($code, 1, 'so does the check of the server');
    like($out, qr/chain-incomplete/, 'which names it, too');
    ok($s->wait_log(qr/chain-incomplete/, 15), 'the log names the flaw');
    like($s->log_text, qr{http://www\.files\.test/mid\.der}, 'and the URL of what lacks');
    my $der = "$s->{dir}/mid.der";
    openssl('x509', '-in', $mid->{cert}, '-outform', 'DER', '-out', $der);
    my $pid = spawn("$s->{dir}/web.log", $^X, 't/lib/one_file_http.pl', $web, 80, $der, "$s->{dir}/requests");
    $s->configure(main => [@main], with_recipe($s, 5, @paths));
    $s->reload;
    ok(wait_for(30, sub { ($connect->())[0] == 0 }, 0.5), 'with the repair the check exits with 0') or diag($s->log_text);
    ok($s->wait_log(qr{fetched the missing issuer of a chain from http://}, 30), 'and the log says what was fetched');
    page_says(5, 'fetched the missing issuer of a chain from');
    end_process($pid);
    $dns->stop;
};

done_testing;
