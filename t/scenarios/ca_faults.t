#!/usr/bin/perl
# A CA that is busy, cut off, or hands out what it must not: through a proxy that breaks what a real
# one says. What is served goes on; the log names the cause; patience is as long as the CA asks.
use strict;
use warnings;
use lib 't/lib';
use Time::Local qw(timegm);
use HotCert::FaultCa;
use HotCert::Scenario;
use HotCert::Pki qw(make_ca make_leaf);
use HotCert::Rig qw(wait_for spew slurp temp_dir);

# A server with one host whose CA is behind the proxy; not started yet.
sub behind {
    my ($kind, @rules) = @_;
    my $s = server($kind);
    my $pebble = pebble(http_port => $s->http_port);
    my $ca = HotCert::FaultCa->new($pebble)->rules(@rules);
    $s->configure(ca => $ca, hosts => [ { names => ['f.test'], hotcert => 'on' } ]);
    return ($s, $ca, $pebble);
}

sub seconds_between { my ($one, $other) = @_; return (split ' ', $other)[0] - (split ' ', $one)[0] }

scenario a_busy_CA_is_left_alone_for_as_long_as_it_asks => sub {
    my ($kind) = @_;
    for my $form ('12', 'date:12') {
        my ($s, $ca) = behind($kind, "1 ^POST./order-plz problem 429 rateLimited $form -- too many new orders");
        $s->start;
        ok(wait_served($s->tls_port, 'f.test', $ca->root, seconds => 60), "Retry-After $form: served in the end");
        my @orders = $ca->requests(qr{^POST /order-plz});
        is(scalar @orders, 2, 'the second order was the one');
        cmp_ok(seconds_between(@orders[ 0, 1 ]), '>=', 10.9, 'and not before the time that the CA named');
        like($s->log_text, qr/too many new orders/, 'the log has the words of the CA');
        $s->stop;
        $ca->stop;
    }
};

scenario broken_connections_cost_nothing_but_time => sub {
    my ($kind) = @_;
    my ($s, $ca, $pebble) = behind($kind, '1 /dir drop', '1 /nonce-plz status 503 1', '1 /sign-me-up lose',
        '1 /authZ cut', '1 /chalZ status 500', '1 ^POST./finalize lose', '1 /my-order cut 20', '1 /certZ cut 300');
    $s->start;
    ok(wait_served($s->tls_port, 'f.test', $ca->root, seconds => 60), 'served');
    is($pebble->count_of('orders'), 1, 'from one order');
    is($pebble->count_of('certificates'), 1, 'and one certificate');
};

scenario what_is_no_certificate_for_this_key_is_never_served => sub {
    my ($kind) = @_;
    my $stranger = make_ca('stranger');
    my $wrong = make_leaf($stranger, ['f.test']);
    my $file = temp_dir() . "/wrong-$kind.pem";
    spew($file, $wrong->{fullchain});
    my ($s, $ca) = behind($kind, "1 /certZ body $file");
    $s->start;
    ok($s->wait_log(qr/key-mismatch|does not belong|wrong-certificate|does not match the order/, 30), 'the log says that it is not for our key');
    isnt(look($s->tls_port, sni => 'f.test')->{serial}, $wrong->{serial}, 'it is not served');
    my ($code) = $s->hotcert('renew', 'f.test');
    is($code, 0, 'asked to try again');
    ok(wait_served($s->tls_port, 'f.test', $ca->root, seconds => 60), 'the right one is served');
};

scenario a_chain_in_the_wrong_order_is_put_right => sub {
    my ($kind) = @_;
    my ($s, $ca) = behind($kind, '* /certZ reverse');
    $s->start;
    my $l = wait_served($s->tls_port, 'f.test', $ca->root, seconds => 30);
    is("@{ $l ? $l->{names} : [] }", 'f.test', 'the leaf comes first');
    is(scalar @{ $l ? $l->{chain} : [] }, 2, 'the intermediate follows');
};

scenario a_CA_that_leaves_https_is_not_followed => sub {
    my ($kind) = @_;
    my ($s, $ca, $pebble) = behind($kind, '* ^POST./order-plz http');
    $s->start;
    ok($s->wait_log(qr/does not follow a URL that the CA sent/, 30), 'the log says so');
    $ca->rules;
    ok(wait_served($s->tls_port, 'f.test', $ca->root, seconds => 60), 'and when it is right again, it is served');
};

scenario nonsense_and_floods_are_survived => sub {
    my ($kind) = @_;
    my ($s, $ca, $pebble) = behind($kind, '2 /dir huge 3000000', '1 /order-plz huge 2000000', '1 /certZ huge 300000');
    $s->start;
    ok($s->wait_log(qr/larger than \d+ bytes/, 30), 'the log says that a reply was too large');
    ok(wait_served($s->tls_port, 'f.test', $ca->root, seconds => 90), 'served in the end');
    is($pebble->count_of('certificates'), 1, 'with the certificate that was issued, not another');
};

# It failed of this, and is tried again in a day.
sub fails_for_a_day {
    my ($s, $slug) = @_;
    my $c = wait_for(30, sub { my (undef, $l) = listed($s); my $c = $l && $l->{certificates}[0]; $c && $c->{state} eq 'failed' && $c }) || {};
    is($c->{error}{problem}, $slug, "list: failed, $slug");
    my ($y, $mo, $d, $h, $mi, $sec) = ($c->{next_try} // '') =~ /(\d+)/g;
    my $left = $y ? timegm($sec, $mi, $h, $d, $mo - 1, $y) - time : 0;
    ok($left > 23 * 3600 && $left < 25 * 3600, 'tried again in a day') or diag "next_try in $left s";
    return $c->{error}{message} // '';
}

scenario the_address_that_a_person_must_open_is_told_whole => sub {
    my ($kind) = @_;
    my $url = 'https://ca.test/sfe/v1/unpause?jwt=eyJhbGciOiJIUzI1NiJ9.' . 'Ab3dEf6hIj9lMn0pQr5tUv8x' x 30 . '.sIgNaTuRe-0123456789_AbC';
    my ($s, $ca) = behind($kind, "* ^POST./order-plz problem 429 rateLimited -- Your account is temporarily prevented from "
        . "requesting certificates for f.test and possibly others. Please visit: $url");
    $s->start;
    ok($s->wait_log(qr/\Q$url\E /, 30), 'the log has all of it');
    my $message = fails_for_a_day($s, 'ca-paused');
    like($message, qr/\Q$url\E /, 'and list --json');
    my (undef, $table) = $s->hotcert('list');
    like($table, qr/^\s*\Q$url\E$/m, 'and list, on a line of its own');
    is(scalar(() = $ca->requests(qr{^POST /order-plz})), 1, 'the CA was asked once');
    $ca->rules;
    my ($code, $out) = $s->hotcert('renew', 'f.test');
    is($code, 0, 'once it was opened, it is tried again');
    like($out, qr/\Q$url\E/, 'the address is told again');
    ok(wait_served($s->tls_port, 'f.test', $ca->root, seconds => 30), 'and served');
};

scenario a_deactivated_account_is_replaced_on_demand => sub {
    my ($kind) = @_;
    my ($s, $ca) = behind($kind);
    $s->start;
    my $first = wait_served($s->tls_port, 'f.test', $ca->root, seconds => 30);
    $ca->rules('* ^POST./order-plz problem 403 unauthorized -- Account is not valid, has status "deactivated"');
    is(($s->hotcert('renew', 'f.test', '--new-account'))[0], 1, 'a good account is not given up');
    is(($s->hotcert('renew', 'f.test', '--force'))[0], 0, 'a renewal is asked for');
    like(fails_for_a_day($s, 'account-deactivated'), qr/renew NAME --new-account/, 'with the way out');
    is(scalar(() = $ca->requests(qr{^POST /order-plz 403})), 1, 'the CA was asked once');
    $ca->rules;
    my ($code, $out) = $s->hotcert('renew', 'f.test', '--new-account');
    is($code, 0, 'which is gone') or diag $out;
    ok(wait_served($s->tls_port, 'f.test', $ca->root, not => $first->{serial}, seconds => 30), 'renewed');
    is(scalar(() = $ca->requests(qr{^POST /sign-me-up 201})), 2, 'under a second account');
};

scenario a_directory_that_moved_at_its_server => sub {
    my ($kind) = @_;
    my ($s, $ca) = behind($kind, '* ^GET./dir$ redirect 301 /dir?moved');
    $s->start;
    ok(wait_served($s->tls_port, 'f.test', $ca->root, seconds => 30), 'is followed');
};

scenario a_directory_that_moved_elsewhere => sub {
    my ($kind) = @_;
    my ($s, $ca) = behind($kind, '* ^GET./dir$ redirect 302 https://other.test/dir');
    $s->start;
    ok($s->wait_log(qr{HTTP 302 redirects to https://other\.test/dir}, 30), 'is named');
    fails_for_a_day($s, 'ca-moved');
    is(scalar(() = $ca->requests(qr{^POST })), 0, 'and nothing is sent');
};

# A newOrder that the CA has taken and whose reply never comes.
sub killed_at_new_order {
    my ($kind, @rules) = @_;
    my ($s, $ca, $pebble) = behind($kind, '1 ^POST./order-plz stall 60', @rules);
    $s->start;
    ok(wait_for(30, sub { $ca->requests(qr{^POST /order-plz 201 stall}) }), 'the CA has an order');
    my $agent = $s->agent(10);
    kill 'KILL', $agent;
    ok(wait_for(20, sub { my $a = $s->agent(1); $a && $a != $agent }), 'the agent was killed before it knew');
    ok(wait_served($s->tls_port, 'f.test', $ca->root, seconds => 60), 'the next one obtains it');
    is($pebble->count_of('certificates'), 1, 'one certificate');
    my @names = map { /names=(\S+)/ } $ca->requests(qr{^POST /order-plz 201});
    is("@names", 'f.test f.test', 'it asks for the same names again');
    return $pebble;
}

scenario an_agent_killed_at_newOrder_goes_on_with_the_order_of_a_CA_that_gives_it_again => (crashes => 1, sub {
    my $pebble = killed_at_new_order($_[0], '* ^POST./order-plz reuse');
    is($pebble->count_of('orders'), 1, 'which gives the order that it has');
});

scenario an_agent_killed_at_newOrder_leaves_one_order_at_a_CA_that_does_not => (crashes => 1, sub {
    my $pebble = killed_at_new_order($_[0]);
    is($pebble->count_of('orders'), 2, 'the first stays pending, unused, as docs/operations.md says');
});

scenario a_lost_reply_to_newOrder_is_no_second_order_where_the_CA_gives_it_again => sub {
    my ($s, $ca, $pebble) = behind($_[0], '1 ^POST./order-plz lose', '* ^POST./order-plz reuse');
    $s->start;
    ok(wait_served($s->tls_port, 'f.test', $ca->root, seconds => 60), 'served');
    is($pebble->count_of('orders'), 1, 'from one order');
};

scenario by_hand_while_the_CA_is_away_and_when_it_is_back => sub {
    my ($kind) = @_;
    my ($s, $ca) = behind($kind, '* . drop');
    $s->start;
    ok(wait_for(30, sub { my (undef, $l) = listed($s); $l && $l->{certificates}[0]{state} eq 'waiting-for-ca' }), 'the CA is away');
    for my $try (1 .. 6) {
        my ($code, $out) = $s->hotcert('renew', '--failed');
        is($code, 0, "try $try of more than four") or diag $out;
        wait_for(30, sub { my (undef, $l) = listed($s); $l && $l->{certificates}[0]{state} eq 'waiting-for-ca' });
    }
    $ca->rules;
    my ($code, $out) = $s->hotcert('renew', 'f.test', 'unknown.test');
    is($code, 1, 'one name of two is not known');
    like($out, qr/unknown\.test: no such name is configured/, 'which is told');
    ok(wait_served($s->tls_port, 'f.test', $ca->root, seconds => 30), 'the other is obtained');
    like(($s->hotcert('renew', '--failed'))[1], qr/^nothing has failed$/m, 'nothing is left for --failed');
    like(($s->hotcert('renew', '--all'))[1], qr/^1 host: 0 ordered now, 1 not due/m, 'nor for --all');
};

done_testing;
