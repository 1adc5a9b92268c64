#!/usr/bin/perl
# The look before the order, from the directive to the certificate: one bad name does not stop the
# rest, what CAA forbids is not ordered, and what only looks bad from here is ordered all the same.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::FaultCa;
use HotCert::Scenario;

HotCert::Dns::need_namespace();

# A small Internet, and a CA that looks names up there and calls itself ca.test in CAA records.
sub world {
    my ($s, %zones) = @_;
    my $dns = HotCert::Dns->new(negative => 1);
    $dns->zone($_, $zones{$_}) for keys %zones;
    $dns->start;
    my $ca = pebble(http_port => $s->http_port, dns_server => $dns->resolver . ':53');
    my %block = HotCert::Server::issuers($s, ca => $ca);
    return ($dns, $ca, issuers => { pebble => [ @{ $block{pebble} }, [ caa_domain => 'ca.test' ] ] });
}

scenario one_name_without_a_record_does_not_stop_the_others => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, 'one.test' => "\@ 300 IN A 127.0.0.1\nwww 300 IN A 127.0.0.1\n");
    $s->configure(ca => $ca, @conf, hosts => [ { names => [ 'one.test', 'www.one.test', 'new.one.test' ], hotcert => 'on' } ]);
    $s->start;
    my $l = wait_served($s->tls_port, 'one.test', $ca->root) or die 'never served';
    is("@{ $l->{names} }", 'one.test www.one.test', 'the two others have their certificate');
    is($ca->count_of('orders'), 1, 'from one order, which had no bad name in it');
    my $line = $s->wait_log(qr/dns-no-such-name|does not exist/, 5) // '';
    like($s->log_text, qr/new\.one\.test\. does not exist/, 'the log says which name and why');
    like($s->log_text, qr/add: new\.one\.test\. 300 IN A 127\.0\.0\.1/, 'and what to add');
    like($s->log_text, qr/new\.one\.test \(dns-no-such-name\) left out; next try at \d{4}-/, 'and until when it is left out');
    orders_stay($ca, 3, 'no further order is placed while it does not exist');
    my @workers = sort $s->workers;
    $dns->change('one.test', "\@ 300 IN A 127.0.0.1\nwww 300 IN A 127.0.0.1\nnew 300 IN A 127.0.0.1\n");
    $l = wait_served($s->tls_port, 'new.one.test', $ca->root, seconds => 30);
    is("@{ $l ? $l->{names} : [] }", 'new.one.test one.test www.one.test', 'the record appears, and all three are served');
    is("@{[ sort $s->workers ]}", "@workers", 'by the same workers: no reload');
    is($ca->count_of('orders'), 2, 'from one more order');
    $dns->stop;
};

scenario a_name_that_is_served_is_not_dropped => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, 'two.test' => "\@ 300 IN A 127.0.0.1\nwww 300 IN A 127.0.0.1\n");
    $s->configure(ca => $ca, @conf, hosts => [ { names => [ 'two.test', 'www.two.test' ], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'www.two.test', $ca->root) or die 'never served';
    $dns->change('two.test', "\@ 300 IN A 127.0.0.1\n");
    $dns->forget;
    my ($code) = $s->hotcert('renew', 'two.test', '--force');
    is($code, 0, 'a renewal is asked for while one name does not exist any more');
    ok($s->wait_log(qr/www\.two\.test.*the certificate in use covers it, so it stays in use/, 20), 'the log says that the certificate stays');
    orders_stay($ca, 3, 'no order without the name is placed');
    my $l = look($s->tls_port, sni => 'www.two.test', ca => $ca->root);
    is($l->{serial}, $first->{serial}, 'and both names are served as before');
    $dns->change('two.test', "\@ 300 IN A 127.0.0.1\nwww 300 IN A 127.0.0.1\n");
    $l = wait_served($s->tls_port, 'www.two.test', $ca->root, not => $first->{serial}, seconds => 30);
    ok($l, 'the record is back, and the renewal is made');
    $dns->stop;
};

scenario what_caa_forbids_is_not_ordered => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, 'forbidden.test' => "www 300 IN A 127.0.0.1\n\@ 300 IN CAA \\# 8 0005697373756500\n",
        'fine.test' => "www 300 IN A 127.0.0.1\n");
    $s->configure(ca => $ca, @conf, hosts => [ { names => ['www.forbidden.test'], hotcert => 'on' },
        { names => [ 'www.fine.test' ], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'www.fine.test', $ca->root), 'the host beside it has its certificate');
    ok($s->wait_log(qr/replace it with: forbidden\.test\. IN CAA 0 issue "ca\.test"/, 10), 'the log has the line to put there');
    like($s->log_text, qr/forbidden\.test\. 300 IN CAA 0 issue "\\+000"/, 'and the record as it stands');
    orders_stay($ca, 3, 'the CA is not asked for it');
    is($ca->count_of('orders'), 1, 'and was not');
    $dns->change('forbidden.test', "www 300 IN A 127.0.0.1\n\@ 300 IN CAA 0 issue \"ca.test\"\n");
    ok(wait_served($s->tls_port, 'www.forbidden.test', $ca->root, seconds => 30), 'the record is corrected, and it is ordered and served');

    # an account: the one in the store is known to whoever may read it
    my $with = sub { $dns->change('fine.test', "www 300 IN A 127.0.0.1\n\@ 300 IN CAA 0 issue \"ca.test; accounturi=$_[0]\"\n"); $dns->forget };
    my $ask = sub {
        return $s->hotcert('diagnose', '--no-request', '--network', 'private', '--resolver', $dns->resolver, '--caa-domain', 'CA.test',
            @_, 'www.fine.test');
    };
    $with->('https://ca.test/nobody');
    my ($code, $text) = $ask->();
    is($code, 3, 'diagnose: whether CAA names the account that will order is not known');
    ($code, $text) = $ask->('--issuer', $ca->directory, '--store', $s->{store});
    is($code, 1, 'diagnose: CAA names another account than that in the store');
    my ($account) = $text =~ /(https:\S+), the account in \Q$s->{store}\E, may not order/;
    ok($account, 'the account in the store is named') or diag($text);
    like(join(' ', split ' ', $text), qr/change it to: .*accounturi=\Q$account\E"/, 'and stands in the line to put there');
    $with->($account);
    ($code, $text) = $ask->('--issuer', $ca->directory, '--store', $s->{store});
    is($code, 0, 'diagnose: and with that line, it may order') or diag($text);
    $dns->stop;
};

scenario an_address_among_the_names_does_not_stop_the_others => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, 'addr.test' => "\@ 300 IN A 127.0.0.1\n");
    my @host = (hosts => [ { names => [ 'addr.test', '127.0.0.1' ], hotcert => 'on' } ]);

    # a CA that is said to be public: the address would take the order down
    my @block = grep { $_->[0] !~ /^(?:network|http_port)$/ } @{ $conf[1]{pebble} };
    $s->configure(ca => $ca, issuers => { pebble => [ @block, [ network => 'public' ] ] }, main => [ [ preflight => 'off' ] ], @host);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'beside a public CA it is a remark') or diag $out;
    like($out, qr/127\.0\.0\.1: .*it is an IP address.*name-not-ordered/, 'that names it');
    $s->start;
    my $l = wait_served($s->tls_port, 'addr.test', $ca->root) or die 'never served';
    is("@{ $l->{names} }", 'addr.test', 'the name is ordered without it');
    $s->stop;

    # Pebble stands at 127.0.0.1, so it is inside: it is asked for the address as well
    $s->configure(ca => $ca, @conf, main => [ [ preflight => 'off' ] ], @host);
    $s->start;
    my $served = wait_for(30, sub {
        my $got = look($s->tls_port, sni => 'addr.test', ca => $ca->root);
        return $got && "@{ $got->{ips} }" =~ /127\.0\.0\.1/ ? $got : undef;
    });
    ok($served, 'a CA inside of the network is asked for the address too');
    $dns->stop;
};

# The second try comes after a minute; who cannot wait asks for it.
sub second_try {
    my ($s, $name, $root) = @_;
    ok($s->wait_log(qr/no certificate from pebble; retrying in/, 40), 'the CA refuses the order');
    ok(bootstrap_served($s->tls_port, $name, $root), 'nothing but the bootstrap serves');
    my ($code, $out) = $s->hotcert('renew', $name);
    is($code, 0, 'it is tried again') or diag $out;
    return;
}

scenario a_name_that_the_CA_cannot_validate_does_not_stop_a_new_host => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, 'part.test' => "\@ 300 IN A 127.0.0.1\nwww 300 IN A 127.0.0.3\n");
    my $elsewhere = spawn("$s->{dir}/elsewhere.log", $^X, '-MIO::Socket::INET', '-e', <<'CODE', $s->http_port);
my $l = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.3', LocalPort => $ARGV[0], ReuseAddr => 1) or die $!;
while (my $c = $l->accept) { sysread $c, my $r, 4096; print {$c} "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nConnection: close\r\n\r\nnope\n"; close $c }
CODE
    $s->configure(ca => $ca, @conf, hosts => [ { names => [ 'part.test', 'www.part.test' ], hotcert => 'on' } ]);
    $s->start;
    second_try($s, 'part.test', $ca->root);
    my $l = wait_served($s->tls_port, 'part.test', $ca->root, seconds => 60) or die 'never served';
    is("@{ $l->{names} }", 'part.test', 'after two tries the rest is served');
    ok($s->wait_log(qr/www\.part\.test \([a-z-]+\) left out; next try at/, 10), 'the log says what is left out, and until when');
    my ($code, $data) = listed($s);
    is_deeply($data->{certificates}[0]{left_out}, ['www.part.test'], 'and so does list');
    $dns->change('part.test', "\@ 300 IN A 127.0.0.1\nwww 300 IN A 127.0.0.1\n");
    $dns->forget;
    ok(wait_served($s->tls_port, 'www.part.test', $ca->root, seconds => 60), 'once it leads here, at two looks later, it is served, too');
    end_process($elsewhere);
    $dns->stop;
};

scenario a_name_that_newOrder_refuses_does_not_stop_a_new_host => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $pebble, %conf) = world($s, 'part.test' => "\@ 300 IN A 127.0.0.1\nwww 300 IN A 127.0.0.1\n");
    my $ca = HotCert::FaultCa->new($pebble);
    $ca->rules('2 ^POST./order-plz problem 403 rejectedIdentifier www.part.test=rejectedIdentifier -- a policy forbids it');
    my %block = HotCert::Server::issuers($s, ca => $ca);
    $s->configure(ca => $ca, issuers => { pebble => [ @{ $block{pebble} }, [ caa_domain => 'ca.test' ] ] },
        hosts => [ { names => [ 'part.test', 'www.part.test' ], hotcert => 'on' } ]);
    $s->start;
    second_try($s, 'part.test', $ca->root);
    my $l = wait_served($s->tls_port, 'part.test', $ca->root, seconds => 60) or die 'never served';
    ok(scalar(grep { $_ eq 'part.test' } @{ $l->{names} }), 'after two refusals the rest is served');
    ok($s->wait_log(qr/www\.part\.test \([a-z-]+\) left out/, 10), 'the log says what was left out');
    $ca->stop;
    $dns->stop;
};

scenario hold_waits_for_every_name => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, 'hold.test' => "\@ 300 IN A 127.0.0.1\n");
    $s->configure(ca => $ca, @conf, hosts => [ { names => [ 'hold.test', 'www.hold.test' ], hotcert => 'on', set => [ [ bad_names => 'hold' ] ] } ]);
    $s->start;
    ok($s->wait_log(qr/(?:hotcert_bad_names|HotCertBadNames) is hold/, 15), 'the log says that it is held');
    orders_stay($ca, 2, 'no order is placed');
    is($ca->count_of('orders'), 0, 'none at all');
    $dns->change('hold.test', "\@ 300 IN A 127.0.0.1\nwww 300 IN A 127.0.0.1\n");
    ok(wait_served($s->tls_port, 'www.hold.test', $ca->root, seconds => 30), 'until the name exists');
    $dns->stop;
};

for my $mode ('advise', 'off') {
    scenario "preflight_${mode}_orders_all_the_same" => sub {
        my ($kind) = @_;
        my $s = server($kind);
        my ($dns, $ca, @conf) = world($s, 'bad.test' => "\@ 300 IN A 127.0.0.1\n\@ 300 IN CAA 0 issue \"other.test\"\n");
        $s->configure(ca => $ca, @conf, main => [ [ preflight => $mode ] ], hosts => [ { names => ['bad.test'], hotcert => 'on' } ]);
        $s->start;
        ok(wait_served($s->tls_port, 'bad.test', $ca->root), 'it is ordered (this CA does not look at CAA)');
        my $said = $s->log_text =~ /add to it: bad\.test\. IN CAA 0 issue "ca\.test"/;
        is($said ? 1 : 0, $mode eq 'advise' ? 1 : 0, 'the log ' . ($mode eq 'advise' ? 'has' : 'has not') . ' the finding');
        $dns->stop;
    };
}

scenario a_resolver_that_is_down_stops_nothing => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, 'plain.test' => "\@ 300 IN A 127.0.0.1\n");
    $s->configure(ca => $ca, @conf, main => [ [ resolver => '127.53.200.200' ] ], hosts => [ { names => ['plain.test'], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'plain.test', $ca->root, seconds => 40), 'the order is placed, and the CA sees the name');
    ok($s->wait_log(qr/127\.53\.200\.200/, 1), 'the log names the resolver');
    $dns->stop;
};

scenario an_ipv6_address_that_leads_elsewhere_is_named => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $six = HotCert::Dns::add_address(sprintf('fd00:53::%x', 1 + int rand 60000));
    my ($dns, $ca, @conf) = world($s, 'six.test' => "\@ 300 IN A 127.0.0.1\n\@ 300 IN AAAA $six\n");
    my $pages = spew("$s->{dir}/pages", "* 404 somebody else\n");
    spawn("$s->{dir}/web.log", $^X, 't/lib/webhere.pl', $six, $s->http_port, $pages);
    wait_for(5, sub { slurp("$s->{dir}/web.log") =~ /ready/ }) or die 'the web server does not start';
    $s->configure(ca => $ca, @conf, hosts => [ { names => ['six.test'], hotcert => 'on' } ]);
    $s->start;
    ok($s->wait_log(qr/over IPv6, \Q$six\E gives status 404.*over IPv4, 127\.0\.0\.1 gives our own answer/, 20), 'the log says what each family gives');
    ok($s->wait_log(qr/six\.test\. IN AAAA \Q$six\E/, 5), 'and which record to look at');
    ok($s->wait_log(qr/the CA says/i, 20), 'the CA refuses too, and both are said');
    unlike($s->log_text, qr/somebody else/, 'the page is not in the log');
    $dns->stop;
};

done_testing;
