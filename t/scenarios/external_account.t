#!/usr/bin/perl
# A CA that takes only its customers: external account binding (RFC 8555 section 7.3.4), and what an
# operator sees when it lacks or is wrong.
use strict;
use warnings;
use lib 't/lib';
use MIME::Base64 qw(encode_base64url encode_base64);
use HotCert::Scenario;

my $bytes = join '', map { chr } 1 .. 40, 250 .. 255;
my $count = 0;
my %keys = (mac_keys => { 'kid-1' => encode_base64url($bytes) });

sub key_file {
    my ($text, $mode) = @_;
    return spew(temp_dir() . '/eab.key.' . ++$count, $text, $mode // 0600);
}

sub configure {
    my ($s, $ca, @lines) = @_;
    my %block = HotCert::Server::issuers($s, ca => $ca);
    return $s->configure(ca => $ca, issuers => { pebble => [ @{ $block{pebble} }, @lines ] },
        hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
}

# The error of the certificate in `hotcert list`, when it is this one.
sub error_is {
    my ($s, $slug) = @_;
    my $error = wait_for(40, sub {
        my (undef, $data) = listed($s);
        my ($c) = @{ ($data // {})->{certificates} // [] };
        return $c && ($c->{error}{problem} // '') eq $slug ? $c->{error} : undef;
    });
    ok($error, "list: $slug") or diag $s->log_text;
    return $error ? $error->{message} : '';
}

scenario a_bound_account_orders_and_the_key_may_go => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, %keys);
    my $file = key_file(encode_base64url($bytes) . "\n");
    configure($s, $ca, [ eab_kid => 'kid-1' ], [ eab_key => $file ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'the certificate is there');
    ok($s->wait_log(qr/account registered at .*bound to kid-1/, 20), 'the log says to what the account is bound');
    unlike($s->log_text, qr/\Q@{[ encode_base64url($bytes) ]}\E/, 'and not the key');
    unlink $file;
    $s->reload;
    my $before = look($s->tls_port, sni => 'a.test')->{serial};
    my ($code, $out) = $s->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'a renewal is asked for') or diag $out;
    ok(wait_for(40, sub { (look($s->tls_port, sni => 'a.test')->{serial} // $before) ne $before }),
        'without the key a registered account goes on ordering');
};

scenario the_key_may_be_written_as_base64 => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, %keys);
    configure($s, $ca, [ eab_kid => 'kid-1' ], [ eab_key => key_file(encode_base64($bytes, '')) ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'with padding and the other two letters');
};

scenario what_lacks_or_is_wrong_is_said => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, %keys);
    configure($s, $ca);
    $s->start;
    like(error_is($s, 'eab-required'), qr/pebble/, 'none');
    configure($s, $ca, [ eab_kid => 'kid-2' ], [ eab_key => key_file(encode_base64url($bytes)) ]);
    $s->reload;
    like(error_is($s, 'eab-refused'), qr/the CA says/, 'a key identifier that the CA does not know');
    configure($s, $ca, [ eab_kid => 'kid-1' ], [ eab_key => key_file('no key!') ]);
    $s->reload;
    like(error_is($s, 'eab-key-unusable'), qr/eab\.key.*not base64url/, 'a file without a key');
    configure($s, $ca, [ eab_kid => 'kid-1' ], [ eab_key => key_file(encode_base64url($bytes), 0644) ]);
    like(($s->configtest)[1] . $s->log_text, qr/(?:hotcert_issuer|HotCertIssuer) pebble: .*eab\.key.*secret-file-unsafe/, 'the test of the configuration warns');
    $s->reload;
    like(error_is($s, 'secret-file-unsafe'), qr/eab\.key.*0644/, 'a file that others can read');
    configure($s, $ca, [ eab_kid => 'kid-1' ], [ eab_key => key_file(encode_base64url($bytes)) ]);
    $s->reload;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'once it is right the order goes on at once');
};

scenario the_fifth_change_in_an_hour_waits_and_says_so => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, %keys);
    my $key = key_file(encode_base64url($bytes));
    my $is = sub {
        my ($kid) = @_;
        configure($s, $ca, [ eab_kid => $kid ], [ eab_key => $key ]);
        my $mark = $s->log_mark;
        $kid eq 'wrong-0' ? $s->start : $s->reload;
        return $mark;
    };
    for my $i (0 .. 4) {
        my $mark = $is->("wrong-$i");
        ok($s->wait_log(qr/no certificate.*eab-refused|issuer pebble: .*eab-refused/, 30, $mark), "wrong line $i is tried at once");
    }
    my $mark = $is->('kid-1');
    ok($s->wait_log(qr/issuer pebble: its settings changed.*waits.*reload in/, 20, $mark), 'the fifth change is not, as the log says');
    $s->hotcert('renew', '--failed');
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), '`hotcert renew` tries it at once, as that line says');
};

done_testing;
