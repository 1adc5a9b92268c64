#!/usr/bin/perl
# What http-01 and tls-alpn-01 have in common: the servers give the answers, whatever becomes of the
# agent meanwhile. (The methods by DNS: dns01.t, dns_kills.t, responder.t.)
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my @methods = ('http-01', 'tls-alpn-01');
my @acme = (alpn => 'acme-tls/1');

# A CA that has one way in.
sub ca_for {
    my ($method, $s, %opt) = @_;
    return pebble(http_port => $method eq 'http-01' ? $s->http_port : free_port(), tls_port => $method eq 'http-01' ? free_port() : $s->tls_port, %opt);
}

# Answers that are laid out: in the store, and for the names on the listener.
sub left {
    my ($s, @names) = @_;
    my @proved = grep { @{ look($s->tls_port, sni => $_, @acme)->{chain} } } @names;
    return join ' ', @proved, map { s{.*/}{}r } files_below("$s->{store}/challenges");
}

scenario an_agent_that_is_killed_leaves_no_answer => (crashes => 1, sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, tls_port => $s->tls_port, env => { PEBBLE_VA_NOSLEEP => 0, PEBBLE_VA_SLEEPTIME => 2 });
    my %names = ('http-01' => [ 'a.test', 'b.test' ], 'tls-alpn-01' => [ 'c.test', 'd.test' ]);
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ] ],
        hosts => [ map { { names => $names{$_}, hotcert => 'on', set => [ [ challenge => $_ ] ] } } @methods ]);
    $s->start;
    my $kills = 0;
    for my $ms (map { 200 * $_ } 1 .. 5) {
        my $agent = $s->agent or last;
        sleep $ms / 1000;
        $kills += kill 'KILL', $agent;
        wait_for(40, sub { ($s->processes->{agent}[0] // $agent) != $agent }) or last;
    }
    cmp_ok($kills, '>=', 5, 'the agent was killed on its way');
    ok(wait_served($s->tls_port, $names{$_}[1], $ca->root, seconds => 120), "$_: the order is finished all the same") for @methods;
    ok(wait_for(90, sub { left($s, map { @$_ } values %names) eq '' }), 'no answer is left') or diag left($s, map { @$_ } values %names);
});

scenario a_reload_in_mid_order_goes_on => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = ca_for('tls-alpn-01', $s);
    my $hold = hold_tls($ca, $s->tls_port, 'a.test');
    $s->configure(ca => $ca, main => [ [ challenge => 'tls-alpn-01' ], [ preflight => 'off' ] ], hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    ok($hold->{asked}->(60), 'the CA asks');
    my ($code, $out) = $s->reload;
    is($code, 0, 'reload in the middle of an order') or diag $out;
    ok(wait_for(10, sub { left($s, 'a.test') =~ /a\.test/ }), 'the new workers prove the name');
    $hold->{release}->();
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'the certificate comes');
    is($ca->count_of('orders'), 1, 'from the same order');
    # the agent before left one, with a key of its own
    ok(wait_for(90, sub { left($s, 'a.test') eq '' }), 'and no answer is left');
};

# One of three leads to a machine where nothing listens. (By DNS: dns01.t; with a wrong answer: faults.t.)
scenario one_of_three_names_fails => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = ca_for('tls-alpn-01', $s);
    $ca->dns_set('add-a', { host => 'c.test.', addresses => ['127.0.0.3'] });
    $s->configure(ca => $ca, main => [ [ challenge => 'tls-alpn-01' ], [ preflight => 'off' ] ],
        hosts => [ { names => [qw(a.test b.test c.test)], hotcert => 'on' }, { names => ['d.test'], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'd.test', $ca->root, seconds => 60), 'another host has its certificate');
    ok($s->wait_log(qr/c\.test: the CA says: .*tls-alpn-01/, 60), 'the name that fails is named');
    unlike($s->log_text, qr/[ab]\.test: the CA says/, 'it alone');
    $ca->dns_set('clear-a', { host => 'c.test.' });
    my ($code, $out) = $s->hotcert('renew', 'c.test');
    is($code, 0, 'once it leads here it is tried again') or diag $out;
    my $whole = wait_served($s->tls_port, 'c.test', $ca->root, seconds => 60);
    is("@{ $whole ? $whole->{names} : [] }", 'a.test b.test c.test', 'and all three are certified');
    ok(wait_for(20, sub { left($s, qw(a.test b.test c.test)) eq '' }), 'no answer is left');
};

# Hosts of two servers on one store, of which the CA reaches one.
scenario every_server_on_the_store_answers => sub {
    my ($kind) = @_;
    for my $method (@methods) {
        my $one = server($kind);
        my $two = server($kind eq 'nginx' ? 'httpd' : 'nginx', store => $one->{store}, secret => $one->{secret});
        my $ca = ca_for($method, $two);
        my @main = ([ challenge => $method ], [ preflight => 'off' ]);
        $two->configure(ca => $ca, main => [ @main ], hosts => [ { names => ['b.test'], hotcert => 'on' } ]);
        $two->start;
        ok(wait_served($two->tls_port, 'b.test', $ca->root, seconds => 60), "$method: one server has its certificate");
        $one->configure(ca => $ca, main => [ @main ], hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
        $one->start;
        ok(wait_served($one->tls_port, 'a.test', $ca->root, seconds => 60), 'and answers for the other, whose ports no CA can reach');
        is($ca->count_of('orders'), 2, 'at the first try');
        $_->stop for $one, $two;
    }
};

done_testing;
