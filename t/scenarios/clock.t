#!/usr/bin/perl
# An agent whose clock is behind: noticed, said, and over when the clock is right again. And a CA whose
# clock is ahead: its certificates are held back, and nobody else pays for it.
use strict;
use warnings;
use lib 't/lib';
use HotCert::FaultCa;
use HotCert::Scenario;

# The program, run under a clock that is $offset away ("-30d"); the servers' own clocks are right.
sub program_at {
    my ($s, $offset) = @_;
    my ($library) = glob '/usr/lib/*/faketime/libfaketime.so.1';
    my $at = "$s->{dir}/hotcert-at";
    spew($at, "#!/bin/sh\nLD_PRELOAD=$library FAKETIME=$offset FAKETIME_DONT_FAKE_MONOTONIC=1 exec " . $s->program . " \"\$\@\"\n");
    chmod 0755, $at;
    return $at;
}

sub state_of {
    my ($s, $name) = @_;
    my ($code, $data) = listed($s);
    my ($found) = grep { $_->{names}[0] eq $name } @{ $data->{certificates} // [] };
    return $found ? $found->{state} : '';
}

scenario a_clock_that_is_behind => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my %conf = (ca => $ca, hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->configure(%conf);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'obtained');
    $s->stop;
    my $mark = $s->log_mark;
    $s->configure(%conf, main => [ [ agent => program_at($s, '-30d') ] ]);
    $s->start;
    ok($s->wait_log(qr/placing no orders: this machine's clock is behind.*\(clock-wrong; /, 20, $mark), 'the log says so');
    is(wait_for(20, sub { my $state = state_of($s, 'a.test'); $state eq 'clock-wrong' && $state }), 'clock-wrong', 'and `list`, though nothing is due');
    my ($code, $out) = $s->hotcert('renew', '--force', 'a.test');
    like($out, qr/clock-wrong/, 'and `renew`');
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'what is served goes on');
    $s->stop;
    $mark = $s->log_mark;
    $s->configure(%conf);
    $s->start;
    is(wait_for(20, sub { my $state = state_of($s, 'a.test'); $state eq 'ok' && $state }), 'ok', 'with the clock right all is well');
    unlike($s->log_since($mark), qr/clock-wrong/, 'and nothing is said');
};

# One issuer is 30 days ahead. The machine's clock is right: what that issuer signs waits, all else goes on.
scenario a_CA_that_issues_into_the_future_costs_nobody_else_a_turn => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $pebble = pebble(http_port => $s->http_port);
    my $ahead = make_ca('ahead');
    my $bad = HotCert::FaultCa->new($pebble)->rules("* /certZ future @{[ 30 * 86400 ]} $ahead->{cert} $ahead->{key}");
    my $roots = temp_dir() . "/roots-$kind.pem";
    spew($roots, slurp($pebble->root) . slurp($ahead->{cert}), 0644);
    my $issuer = sub { my ($ca) = @_; return [ [ directory_url => $ca->directory ], [ ca_bundle => $ca->bundle ], [ terms_agreed => 'on' ], [ http_port => $ca->{http_port} ] ] };
    $s->configure(issuers => { good => $issuer->($pebble), ahead => $issuer->($bad) },
        main => [ [ use => 'good' ], [ resolver => $pebble->dns_server ], [ trusted_certificate => $roots ] ],
        hosts => [ { names => ['future.test'], hotcert => 'on', set => [ [ use => 'ahead' ] ] }, { names => ['now.test'], hotcert => 'on' } ]);
    $s->start;
    my $now = wait_served($s->tls_port, 'now.test', $pebble->root);
    ok($now, 'the other issuer\'s host is served');
    ok($s->wait_log(qr/future\.test: no certificate from ahead: .*it is not valid before .*\(ca-wrong-certificate/, 30), 'the certificate of the future is named');
    ok(bootstrap_served($s->tls_port, 'future.test', $roots), 'and not served');
    unlike($s->log_text, qr/clock-wrong/, 'this machine\'s clock is not blamed');
    is(state_of($s, 'now.test'), 'ok', '`list`: the other host is well');
    my $state = state_of($s, 'future.test');
    unlike($state, qr/^(?:ok|clock-wrong|)$/, '`list`: that host is not') or diag $state;
    like((listed($s))[2], qr/it is not valid before [^;]+; the CA's clock, or this machine's, is wrong/, 'and why');

    # every turn after it: a renewal, a restart with another host
    is(($s->hotcert('renew', 'now.test', '--force'))[0], 0, 'a renewal elsewhere is ordered');
    $now = wait_served($s->tls_port, 'now.test', $pebble->root, not => $now->{serial});
    ok($now, 'and served');
    $s->reconfigure(hosts => [ @{ $s->{last}{hosts} }, { names => ['more.test'], hotcert => 'on' } ]);
    $s->restart;
    ok(wait_served($s->tls_port, 'more.test', $pebble->root), 'a new host after a restart is, too');
    is(look($s->tls_port, sni => 'now.test', ca => $roots)->{serial}, $now->{serial}, 'with what was stored');
    unlike($s->log_text, qr/clock-wrong/, 'and the clock is still not blamed');

    $bad->rules;
    is(($s->hotcert('renew', 'future.test'))[0], 0, 'when that CA\'s clock is right');
    ok(wait_served($s->tls_port, 'future.test', $pebble->root), 'its host is served');
    $bad->stop;
};

done_testing;
