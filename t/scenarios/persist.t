#!/usr/bin/perl
# dns-persist-01 (draft-ietf-acme-dns-persist): the operator adds a record once, which `hotcert
# persist` prints; the CA is Pebble, which looks names up in a small Internet of BIND servers.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Rig qw(run);
use HotCert::Scenario;

HotCert::Dns::need_namespace();

my $method = 'dns-persist-01';
my $issuer = 'pebble.letsencrypt.org';
my $records = "\@ 300 IN A 127.0.0.1\nwww 300 IN A 127.0.0.1\n\@ 300 IN TXT \"v=spf1 -all\"\n";

sub world {
    my ($s, %opt) = @_;
    my $dns = HotCert::Dns->new(negative => 1);
    $dns->zone('one.test', $records . ($opt{records} // ''));
    $dns->start;
    my $ca = pebble(http_port => $s->http_port, dns_server => $dns->resolver . ':53');
    return ($dns, $ca);
}

# What the command prints for these arguments, with the account in the server's store.
sub persist {
    my ($s, $ca, @args) = @_;
    my ($code, $out) = $s->hotcert('persist', @args, '--issuer', $ca->directory, '--caa-domain', $issuer,
        '--store', $s->{store}, '--secret', $s->{secret});
    is($code, 0, "persist @args") or diag($out);
    return $out;
}

scenario the_printed_record_is_what_lacks => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca) = world($s);
    $s->configure(ca => $ca, hosts => [ { names => [ 'one.test', '*.one.test' ], hotcert => 'on', set => [ [ challenge => $method ] ] } ]);
    $s->start;
    my $line = $s->wait_log(qr/dns-persist-missing/, 60) // '';
    like($line, qr/one\.test/, 'the name that lacks it is named');
    like($s->wait_log(qr/add: _validation-persist\.one\.test TXT/, 60), qr/dns-persist-missing/, 'as soon as there is an account, with the record to add');
    my $out = persist($s, $ca, 'one.test', '--wildcard');
    like($out, qr{^_validation-persist\.one\.test\. 300 IN TXT "\Q$issuer\E; accounturi=https://\S+; policy=wildcard"$}, 'a line for a zone file');
    $dns->change('one.test', $records . $out);
    $dns->forget;
    $s->hotcert('renew', 'one.test');
    ok(wait_served($s->tls_port, 'any.one.test', $ca->root, seconds => 90), 'with that record it is served');
    my $first = wait_served($s->tls_port, 'one.test', $ca->root, seconds => 20) or die 'never served';
    my ($code) = $s->hotcert('renew', 'one.test', '--force');
    is($code, 0, 'a renewal');
    ok(wait_served($s->tls_port, 'one.test', $ca->root, not => $first->{serial}, seconds => 60), 'needs no other record');
    is(join('|', $dns->txt('one.test', 'one.test')), 'v=spf1 -all', 'nobody wrote into the zone');
    $dns->stop;
};

scenario a_missing_record_costs_no_order_once_there_is_an_account => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca) = world($s);
    my $first = { names => ['one.test'], hotcert => 'on', set => [ [ challenge => 'http-01' ] ] };
    my $second = { names => ['www.one.test'], hotcert => 'on', set => [ [ challenge => $method ] ] };
    $s->configure(ca => $ca, hosts => [$first]);
    $s->start;
    ok(wait_served($s->tls_port, 'one.test', $ca->root, seconds => 60), 'a host has its certificate, and so there is an account');
    $s->stop;
    $s->configure(ca => $ca, main => [ [ check_interval => '10m' ] ], hosts => [ $first, $second ]);
    $s->start;
    my ($record) = persist($s, $ca, 'www.one.test') =~ /"(.*)"/;
    my $line = $s->wait_log(qr/dns-persist-missing/, 60) // '';
    like($line, qr/add: _validation-persist\.www\.one\.test\. 300 IN TXT .*\Q$record\E/, 'the record to add is told at once, with the account in the store');
    orders_stay($ca, 3, 'the CA is not asked');
    is($ca->count_of('orders'), 1, 'and was not');
    $dns->change('one.test', $records . persist($s, $ca, 'www.one.test'));
    $dns->forget;
    $s->hotcert('renew', 'www.one.test');
    ok(wait_served($s->tls_port, 'www.one.test', $ca->root, seconds => 60), 'with the record, renew does not wait for the next check');
    $dns->stop;
};

scenario a_record_for_another_account_is_named => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca) = world($s, records => "_validation-persist.www 300 IN TXT \"$issuer; accounturi=https://ca.test/acct/other\"\n");
    $s->configure(ca => $ca, hosts => [ { names => ['www.one.test'], hotcert => 'on', set => [ [ challenge => $method ] ] } ]);
    $s->start;
    my $line = $s->wait_log(qr/dns-persist-account/, 60) // '';
    like($line, qr/www\.one\.test/, 'the name is named');
    my @ask = ('diagnose', '--method', $method, '--network', 'private', '--resolver', $dns->resolver, '--caa-domain', $issuer);
    my ($code, $text) = $s->hotcert(@ask, '--issuer', $ca->directory, '--store', $s->{store}, '--secret', $s->{secret}, 'www.one.test');
    is($code, 1, 'diagnose compares the account in the store') or diag($text);
    like($text, qr/dns-persist-account/, 'and says that it is another');
    ($code, $text) = $s->hotcert(@ask, 'www.one.test');
    is($code, 3, 'diagnose without an account does not know') or diag($text);
    like($text, qr/whether\s+that\s+account\s+will\s+order/, 'and says so');
    my $out = persist($s, $ca, 'www.one.test');
    $dns->change('one.test', $records . "_validation-persist.www 300 IN TXT \"$issuer; accounturi=https://ca.test/acct/other\"\n" . $out);
    $dns->forget;
    $s->hotcert('renew', 'www.one.test');
    ok(wait_served($s->tls_port, 'www.one.test', $ca->root, seconds => 90), 'beside ours it may stay');
    ($code, $text) = $s->hotcert(@ask, '--issuer', $ca->directory, '--store', $s->{store}, '--secret', $s->{secret}, 'www.one.test');
    is($code, 0, 'diagnose finds ours too') or diag($text);
    like($text, qr/allows\s+the\s+account\s+https:\S+,\s+that\s+in\s+\Q$s->{store}\E/, 'and whose it is');
    $dns->stop;
};

my $account = 'https://ca.test/acct/1';
my @cases = (
    # host, record, verdict, slug
    [ 'none', undef, 'would-fail', 'dns-persist-missing' ],
    [ 'right', "$issuer; accounturi=$account", 'ready', undef ],
    [ 'other', "$issuer; accounturi=$account-2", 'would-fail', 'dns-persist-account' ],
    [ 'broken', "$issuer; accounturi=$account;", 'would-fail', 'dns-persist-malformed' ],
    [ 'ended', "$issuer; accounturi=$account; persistUntil=1700000000", 'would-fail', 'dns-persist-expired' ],
    [ 'soon', "$issuer; accounturi=$account; persistUntil=" . int(time + 86400), 'ready', 'dns-persist-ends' ],
    [ 'foreign', "ca.example; accounturi=$account", 'would-fail', 'dns-persist-missing' ],
);

subtest diagnose_judges_the_record => sub {
    my $dns = HotCert::Dns->new(negative => 1);
    $dns->zone('one.test', "\@ 300 IN A 127.0.0.1\n" . join '',
        map { defined $_->[1] ? "_validation-persist.$_->[0] 300 IN TXT \"$_->[1]\"\n" : () } @cases);
    $dns->start;
    my @common = ('--method', $method, '--caa-domain', $issuer, '--account', $account, '--resolver', $dns->resolver, '--json');
    for my $case (@cases) {
        my ($host, undef, $verdict, $slug) = @$case;
        my ($code, $out) = run({ _seconds => 60 }, HotCert::Server::program(), 'diagnose', "$host.one.test", @common);
        is($code, $verdict eq 'ready' ? 0 : 1, "$host: $verdict") or diag($out);
        defined $slug ? like($out, qr/"$slug"/, "$host: $slug") : unlike($out, qr/dns-persist/, "$host: nothing is wrong");
    }
    my ($code, $out) = run({ _seconds => 60 }, HotCert::Server::program(), 'diagnose', '*.right.one.test', @common);
    is($code, 1, 'a wildcard');
    like($out, qr/dns-persist-no-wildcard/, 'needs its policy');
    like($out, qr/policy=wildcard/, 'which the record to add has');
    ($code, $out) = run({ _seconds => 60 }, HotCert::Server::program(), 'diagnose', 'none.one.test', @common, '--method', 'dns-01');
    is($code, 0, 'where another method can prove the name, it is a remark') or diag($out);
    like($out, qr/dns-persist-missing/, 'that this one cannot');
    $dns->stop;
};

subtest the_command_says_what_is_wrong => sub {
    my @acct = ('--account', $account, '--caa-domain', $issuer);
    for my $case (
        [ 0, qr{^_validation-persist\.a\.test\. 300 IN TXT "\Q$issuer; accounturi=$account\E"\n_validation-persist\.b\.test\. .*policy=wildcard"$}, 'a.test', '*.b.test', @acct ],
        [ 0, qr{_validation-persist\.xn--bcher-kva\.test\.}, "b\xc3\xbccher.test", @acct ],
        [ 0, qr{persistUntil=\d+"$}, 'a.test', '--until', '90d', @acct ],
        [ 64, qr{neither a time}, 'a.test', '--until', 'soon', @acct ],
        [ 64, qr{name the unit: 30d, 30h}, 'a.test', '--until', '30', @acct ],
        [ 64, qr{less than a day}, 'a.test', '--until', '23h', @acct ],
        [ 0, qr{persistUntil=\d+"$}, 'a.test', '--until', '24h', @acct ],
        [ 64, qr{in the past}, 'a.test', '--until', '2001-01-01', @acct ],
        [ 64, qr{IP address}, '192.0.2.1', @acct ],
        [ 64, qr{give the names}, @acct ],
        [ 64, qr{--issuer or --account}, 'a.test', '--caa-domain', $issuer ],
        [ 64, qr{needs a value}, 'a.test', '--until' ],
        [ 64, qr{/nonexistent}, 'a.test', '--store', '/nonexistent' ],
    ) {
        my ($want, $like, @args) = @$case;
        my ($code, $out) = run({ _seconds => 60 }, HotCert::Server::program(), 'persist', @args);
        is($code, $want, "persist @args") or diag($out);
        like($out, $like, 'and it says so');
    }
};

done_testing;
