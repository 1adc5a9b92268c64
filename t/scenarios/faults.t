#!/usr/bin/perl
# A CA that is down, forgetful, picky or wrong: what is served goes on, the log names the cause, and
# nothing is asked of the CA that it need not be asked.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

scenario a_CA_that_is_down_at_start_is_asked_again_by_itself => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, start => 0);
    $s->configure(ca => $ca, hosts => [ map { { names => ["$_.test"], hotcert => 'on' } } qw(a b c) ]);
    my $began = time;
    $s->start;
    cmp_ok(time - $began, '<', 10, 'the start waits for no CA');
    ok($s->wait_log(qr/cannot be reached|ca-unreachable/, 20), 'the log says that the CA cannot be reached');
    ok(bootstrap_served($s->tls_port, 'a.test', $ca->bundle), 'a bootstrap certificate is served');
    $ca->start;
    ok(wait_served($s->tls_port, "$_.test", $ca->root, seconds => 60), "$_.test is served when the CA is back") for qw(a b c);
    is($ca->count_of('orders'), 3, 'no certificate lost its turn, none was ordered twice');
};

scenario one_in_three_nonces_is_rejected => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, env => { PEBBLE_WFE_NONCEREJECT => 30 });
    $s->configure(ca => $ca, hosts => [ map { { names => ["n$_.test"], hotcert => 'on' } } 1 .. 4 ]);
    $s->start;
    ok(wait_served($s->tls_port, "n$_.test", $ca->root, seconds => 60), "n$_.test is served") for 1 .. 4;
    like($ca->log_text, qr/reject 30% of good nonces/, 'the CA did reject some');
    is($ca->count_of('orders'), 4, 'four orders');
    unlike($s->log_text, qr/\[error\].*nonce|hotcert:error.*nonce/i, 'nobody needs to hear of it');
};

scenario an_account_lost_at_the_CA_is_registered_again_with_its_key => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    $ca->lose_database;
    my $mark = $s->log_mark;
    my ($code) = $s->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'renew is accepted');
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 90), 'a certificate of the new database is served');
    ok($s->wait_log(qr/account/, 5, $mark), 'the log says that the account was registered again');
};

scenario one_of_three_names_fails_and_is_named => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    # A name whose port 80 is another machine's: the CA gets a wrong answer.
    my $hold = spawn(temp_dir() . "/wrong-$kind.log", $^X, '-MIO::Socket::INET', '-e', <<'CODE', $s->http_port);
my $l = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.3', LocalPort => $ARGV[0], ReuseAddr => 1) or die $!;
while (my $c = $l->accept) { sysread $c, my $r, 4096; print {$c} "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nConnection: close\r\n\r\nnope\n"; close $c }
CODE
    $ca->dns_set('add-a', { host => 'bad.test.', addresses => ['127.0.0.3'] });
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ] ], hosts => [
        { names => [ 'good.test', 'bad.test', 'fine.test' ], hotcert => 'on' },
        { names => ['other.test'], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'other.test', $ca->root, seconds => 60), 'another host is served all the same');
    my $line = $s->wait_log(qr/bad\.test/, 40);
    ok($line, 'the log names the name at fault');
    ok(scalar(grep { /bad\.test/ && /404|[Ii]nvalid response|unauthorized/ } split /\n/, $s->log_text), "with the CA's own words");
    my ($code, $json, $out) = listed($s);
    like($out, qr/bad\.test/, 'and so does list');
    my $before = $ca->count_of('orders');
    ok(!wait_for(4, sub { $ca->count_of('orders') > $before + 1 }), 'it is not tried again and again');
    end_process($hold);
};

scenario a_name_the_CA_refuses_is_named_with_its_words => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ] ], hosts => [
        { names => ['sub.blocked.test'], hotcert => 'on' }, { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'the other host is served');
    ok($s->wait_log(qr/blocked\.test.*(?:rejectedIdentifier|policy|forbid)/i, 30), "the log has the CA's own words")
        or diag grep { /blocked/ } map { "$_\n" } split /\n/, $s->log_text;
    orders_stay($ca, 4, 'and it is not asked again at once');
};

scenario a_certificate_near_its_end_is_renewed_by_itself => sub {
    my ($kind) = @_;
    my $s = server($kind);
    # Half of 20 seconds left: due soon after it came. (Below ten days it is half of the lifetime.)
    my $ca = pebble(http_port => $s->http_port, validity => 24);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    my $next = wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 40);
    ok($next, 'another is served before the first has expired');
    cmp_ok($ca->count_of('orders'), '<=', 4, 'and not many more were ordered');
};

scenario a_reload_in_mid_order_with_names_changed => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $hold = hold_http($ca, $s->http_port, 'a.test');
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ] ], hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    ok($hold->{token}->(), 'an order is in progress');
    $s->reconfigure(hosts => [ { names => ['a.test'], hotcert => 'on' }, { names => ['more.test'], hotcert => 'on' } ]);
    is(($s->reload)[0], 0, 'a host is added');
    ok(wait_served($s->tls_port, 'more.test', $ca->root, seconds => 60), 'it is served while the other order waits');
    $hold->{release}->();
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'the order in progress comes to its end');
    is($ca->count_of('orders'), 2, 'two orders in all');
    $s->reconfigure(hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    is(($s->reload)[0], 0, 'the host is removed');
    orders_stay($ca, 2, 'nothing is ordered');
};

scenario the_CAs_own_certificate_is_verified => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $stranger = make_ca('a stranger');
    $s->configure(ca => $ca, ca_bundle => $stranger->{cert}, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    ok($s->wait_log(qr/not trusted|ca-not-trusted/, 20), 'a CA whose TLS certificate is not trusted is named');
    is($ca->count_of('requests'), 0, 'and sent nothing');
};

done_testing;
