#!/usr/bin/perl
# dns-01 from the directive to the certificate: the CA is Pebble, which looks names up in a small
# Internet of BIND servers, and hotcert writes there by DNS updates.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Scenario;

HotCert::Dns::need_namespace();

my $others = <<'Z';
@ 300 IN A 127.0.0.1
www 300 IN A 127.0.0.1
mail 300 IN A 127.0.0.1
@ 300 IN TXT "v=spf1 -all"
_dmarc 300 IN TXT "v=DMARC1; p=reject"
sel._domainkey 300 IN TXT "v=DKIM1; p=MFww"
_acme-challenge 1 IN TXT "of somebody else"
Z

# A zone that takes updates of its challenge records, a writer for it, a CA that looks there.
sub world {
    my ($s, %opt) = @_;
    my $dns = HotCert::Dns->new(negative => 1);
    my $key = $dns->key('acme');
    my $policy = $opt{policy} // 'grant acme name _acme-challenge.one.test TXT; grant acme name _acme-challenge.www.one.test TXT; '
        . 'grant acme name _acme-challenge.mail.one.test TXT;';
    $dns->zone('one.test', $others . ($opt{records} // ''), ($opt{here} // 1) ? (update => $policy) : ());
    $dns->zone($_, @{ $opt{zones}{$_} }) for keys %{ $opt{zones} // {} };
    $dns->start;
    my $ca = pebble(http_port => $s->http_port, dns_server => $dns->resolver . ':53', env => $opt{env} // {}, %{ $opt{ports} // {} });
    my @writer = ([ type => 'rfc2136' ], [ server => $dns->ns_address('one.test', 2) ], [ key_file => $key ], [ propagation_timeout => '20s' ], [ ttl => '1s' ]);
    return ($dns, $ca, writers => { here => \@writer }, main => [ [ dns_use => 'here' ] ]);
}

# What is not ours stands as it did, and nothing of ours is left.
sub only_others_stand {
    my ($dns, $what) = @_;
    wait_for(45, sub { join(' ', $dns->txt('one.test', '_acme-challenge.one.test')) eq 'of somebody else' });
    is(join('|', map { $dns->txt('one.test', $_) } 'one.test', '_dmarc.one.test', 'sel._domainkey.one.test', '_acme-challenge.one.test'),
        'v=spf1 -all|v=DMARC1; p=reject|v=DKIM1; p=MFww|of somebody else', "$what: the TXT records of others stand, alone");
    is(join('|', map { $dns->txt('one.test', "_acme-challenge.$_.one.test") } qw(www mail)), '', 'none of ours is left');
    return;
}

scenario apex_and_wildcard_in_one_order => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s);
    $s->configure(ca => $ca, @conf, hosts => [ { names => [ 'one.test', '*.one.test' ], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'one.test', $ca->root, seconds => 60) or die 'never served';
    is("@{ $first->{names} }", '*.one.test one.test', 'the certificate has both names');
    is($ca->count_of('orders'), 1, 'from one order');
    ok($s->wait_log(qr/wrote TXT record _acme-challenge\.one\.test/, 5), 'the log says what was written') if $kind eq 'httpd';
    only_others_stand($dns, 'after the order');
    my ($code, $out) = $s->hotcert('renew', 'one.test', '--force');
    is($code, 0, 'a renewal is asked for') or diag($out);
    ok(wait_served($s->tls_port, 'any.one.test', $ca->root, not => $first->{serial}, seconds => 60), 'and made');
    only_others_stand($dns, 'after the renewal');
    unlike($s->log_text, qr/secret "/, 'no log has the key');
    $dns->stop;
};

scenario a_challenge_may_be_an_alias => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, here => 0, records => "_acme-challenge.www 300 IN CNAME www.acme.two.test.\n",
        zones => { 'two.test' => [ "\@ 300 IN A 127.0.0.1\n", update => 'grant acme zonesub TXT;' ] });
    $s->configure(ca => $ca, @conf, hosts => [ { names => ['www.one.test'], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'www.one.test', $ca->root, seconds => 60), 'served');
    ok(wait_for(20, sub { !$dns->txt('two.test', 'www.acme.two.test') }), 'the record of the other zone is removed');
    $dns->stop;
};

scenario one_of_three_names_fails => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, policy => 'grant acme name _acme-challenge.one.test TXT; grant acme name _acme-challenge.www.one.test TXT;');
    $s->configure(ca => $ca, @conf, hosts => [ { names => [ 'one.test', 'www.one.test', 'mail.one.test' ], hotcert => 'on',
        set => [ [ challenge => 'dns-01' ] ] } ]);
    $s->start;
    my $line = $s->wait_log(qr/dns-write-refused/, 60) // '';
    like($line, qr/_acme-challenge\.mail\.one\.test/, 'the name that cannot be written is named');
    like($line, qr/REFUSED/, 'with the word of the server');
    only_others_stand($dns, 'the others were written, and');
    $dns->stop;
};

# Both ports are closed to the CA, and nobody looks beforehand.
scenario closed_ports_give_way_to_the_next_method => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my %closed = (http_port => free_port(), tls_port => free_port());
    my ($dns, $ca, %conf) = world($s, ports => \%closed);
    $s->configure(ca => $ca, %conf, main => [ @{ $conf{main} }, [ preflight => 'off' ], [ challenge => 'http-01', 'tls-alpn-01', 'dns-01' ] ],
        hosts => [ { names => ['www.one.test'], hotcert => 'on' } ]);
    $s->start;
    my $mark = 0;
    for my $why (qr/www\.one\.test: the CA says: .*http:.*$closed{http_port}/, qr/www\.one\.test: the CA says: .*$closed{tls_port}.* tls-alpn-01/) {
        ok($s->wait_log($why, 60, $mark), "what fails is $why");
        $mark = $s->log_mark;
        my ($code, $out) = $s->hotcert('renew', 'www.one.test');
        is($code, 0, 'it is tried again') or diag $out;
    }
    my $first = wait_served($s->tls_port, 'www.one.test', $ca->root, seconds => 60);
    ok($first, 'dns-01 works');
    is($ca->count_of('orders'), 3, 'with an order for each method');
    my ($code, $out) = $s->hotcert('renew', 'www.one.test', '--force');
    is($code, 0, 'it is renewed') or diag $out;
    ok(wait_served($s->tls_port, 'www.one.test', $ca->root, not => $first ? $first->{serial} : '', seconds => 60), 'and comes');
    is($ca->count_of('orders'), 4, 'at the first try: what worked is remembered');
    only_others_stand($dns, 'after it');
    $dns->stop;
};

scenario an_agent_that_is_killed_leaves_nothing => crashes => 1, sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, env => { PEBBLE_VA_NOSLEEP => 0, PEBBLE_VA_SLEEPTIME => 2 });
    $s->configure(ca => $ca, @conf, hosts => [ { names => [ 'one.test', '*.one.test', 'www.one.test' ], hotcert => 'on' } ]);
    $s->start;
    my $kills = 0;
    for my $ms (map { 150 * $_ } 1 .. 8) {
        my $agent = $s->agent or last;
        sleep $ms / 1000;
        $kills += kill 'KILL', $agent;
        wait_for(20, sub { ($s->processes->{agent}[0] // $agent) != $agent }) or last;
    }
    cmp_ok($kills, '>=', 5, 'the agent was killed on its way');
    ok(wait_served($s->tls_port, 'any.one.test', $ca->root, seconds => 120), 'the order is finished all the same');
    only_others_stand($dns, 'after it');
    $dns->stop;
};

scenario a_reload_in_mid_order_goes_on => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, env => { PEBBLE_VA_NOSLEEP => 0, PEBBLE_VA_SLEEPTIME => 4 });
    $s->configure(ca => $ca, @conf, hosts => [ { names => [ 'one.test', '*.one.test' ], hotcert => 'on' } ]);
    $s->start;
    ok(wait_for(30, sub { 3 == (() = $dns->txt('one.test', '_acme-challenge.one.test')) }), 'both values stand beside the one of somebody else');
    $s->reload;
    ok(wait_served($s->tls_port, 'any.one.test', $ca->root, seconds => 60), 'served after a reload in between');
    is($ca->count_of('orders'), 1, 'from the same order');
    only_others_stand($dns, 'after it');
    $dns->stop;
};

scenario the_account_has_a_label_of_its_own => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, policy => 'grant acme zonesub TXT;');
    $s->configure(ca => $ca, @conf, hosts => [ { names => [ 'one.test', '*.one.test' ], hotcert => 'on', set => [ [ challenge => 'dns-account-01' ] ] } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'any.one.test', $ca->root, seconds => 60), 'served, proved by dns-account-01');
    only_others_stand($dns, 'after it');
    $dns->stop;
};

scenario a_key_that_others_can_read_is_not_used => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s);
    my $key = $dns->key('acme');
    chmod 0644, $key;
    $s->configure(ca => $ca, @conf, hosts => [ { names => [ 'one.test', '*.one.test' ], hotcert => 'on' } ]);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'the configuration is good');
    like($out . $s->log_text, qr/\Q$key\E.*secret-file-unsafe/, 'but the test warns of the file');
    my $mark = $s->log_mark;
    $s->start;
    my $line = $s->wait_log(qr/no certificate.*secret-file-unsafe/, 40, $mark) // '';
    like($line, qr/\Q$key\E.*mode is 0644/, 'the file is named, and its mode');
    chmod 0600, $key;
    $s->hotcert('renew', '--failed');
    ok(wait_served($s->tls_port, 'any.one.test', $ca->root, seconds => 60), 'once it is mended, the order is made: without a reload');
    $dns->stop;
};

done_testing;
