#!/usr/bin/perl
# Renewal information (RFC 9773): the CA says when, and both servers on a store agree.
use strict;
use warnings;
use lib 't/lib';
use JSON::PP qw(encode_json);
use File::Path qw(remove_tree);
use POSIX qw(strftime);
use HotCert::Scenario;

sub iso { return strftime '%Y-%m-%dT%H:%M:%SZ', gmtime $_[0] }

# Tells Pebble what to answer about the certificate that is served.
sub suggest {
    my ($ca, $l, $from, $to, $why) = @_;
    my %answer = (suggestedWindow => { start => iso($from), end => iso($to) }, $why ? (explanationURL => $why) : ());
    return $ca->set_renewal_info($l->{chain}[0]{pem}, encode_json(\%answer));
}

# The certificate in `hotcert list --json`, once the code is happy with it.
sub wait_listed {
    my ($s, $code) = @_;
    return wait_for(60, sub {
        my (undef, $data) = listed($s);
        my ($c) = @{ ($data // {})->{certificates} // [] };
        return $c && $code->($c) ? $c : undef;
    });
}

scenario the_window_is_asked_for_and_shown => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'a certificate is there');
    my $c = wait_listed($s, sub { $_[0]{renewal_window} }) or return fail('no window');
    ok($c->{renew_at} ge $c->{renewal_window}{start} && $c->{renew_at} lt $c->{renewal_window}{end},
        'the renewal is due within the window of the CA');
    my $at = $c->{renew_at};
    ok($s->stop, 'the server stops');
    $s->start;
    my $again = wait_listed($s, sub { $_[0]{renewal_window} });
    is($again->{renew_at}, $at, 'a restart draws no other instant');
};

scenario a_certificate_that_the_CA_wants_back_is_replaced => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, validity => 300);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60) or return fail('never served');
    ok(wait_listed($s, sub { $_[0]{renewal_window} }), 'the CA was asked');
    ok($s->stop, 'the server stops');
    my $now = time;
    ok(suggest($ca, $first, $now - 7200, $now - 3600, 'https://ca.test/incident'), 'the CA wants the certificate back');
    remove_tree("$s->{store}/records/renewal");    # else it would be asked in six hours
    $s->start;
    my $l = wait_for(120, sub { my $l = look($s->tls_port, sni => 'a.test', ca => $ca->root); $l->{serial} && $l->{serial} ne $first->{serial} ? $l : undef });
    ok($l, 'another certificate is served, well before half of the lifetime is over');
    ok($s->wait_log(qr{the CA wants the certificate renewed between .*https://ca\.test/incident}, 20), 'the log says why');
    is($ca->count_of('orders'), 2, 'by one order');
};

scenario servers_on_one_store_agree => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $other = server($kind eq 'nginx' ? 'httpd' : 'nginx', store => $s->{store}, secret => $s->{secret});
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $other->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'a certificate is there');
    $other->start;
    my ($one, $two) = map { wait_listed($_, sub { $_[0]{renewal_window} }) } $s, $other;
    is($two->{renew_at}, $one->{renew_at}, 'both renew at the same instant');
    is($ca->count_of('orders'), 1, 'of the one order');
};

done_testing;
