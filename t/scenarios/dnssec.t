#!/usr/bin/perl
# DNSSEC before an order: the resolver does not validate, so hotcert does. A zone that is broken is named with
# what is broken in it; once it is mended, nothing is said any more. Under another root nothing is held against
# anybody.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Scenario;

HotCert::Dns::need_namespace();

# A signed Internet, and a CA in it that calls itself ca.test in CAA records.
sub world {
    my ($s, $signed, %zones) = @_;
    my $dns = HotCert::Dns->new(negative => 1, chain => $signed, validates => 0);
    $dns->zone('test', '', signed => $signed);
    $dns->zone($_, @{ $zones{$_} }) for sort keys %zones;
    $dns->start;
    my $ca = pebble(http_port => $s->http_port, dns_server => $dns->resolver . ':53');
    my %block = HotCert::Server::issuers($s, ca => $ca);
    return ($dns, $ca, issuers => { pebble => [ @{ $block{pebble} }, [ caa_domain => 'ca.test' ] ] });
}

my $records = "\@ 300 IN A 127.0.0.1\n\@ 300 IN CAA 0 issue \"ca.test\"\n";

scenario a_broken_zone_is_named_until_it_is_mended => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $forged = sub { $_[0] =~ s/CAA\s+0 issue "ca\.test"/CAA 0 issue "ca.test; accounturi=https:\/\/ca.test\/1"/r };
    my ($dns, $ca, @conf) = world($s, 1, 'broken.test' => [ $records, signed => 1, edit => $forged ], 'good.test' => [ $records, signed => 1 ]);
    my @hosts = (hosts => [ { names => ['broken.test'], hotcert => 'on' }, { names => ['good.test'], hotcert => 'on' } ]);
    $s->configure(ca => $ca, @conf, @hosts, main => [ [ dnssec_anchor => $dns->anchor ] ]);
    $s->start;
    my $line = $s->wait_log(qr/dns-dnssec-broken/, 30) // '';
    like($line, qr/broken\.test: flawed: the signature of CAA of broken\.test\. by the key \d+ does not match its records/,
        'the log says which signature of which zone is wrong');
    ok(wait_served($s->tls_port, 'good.test', $ca->root), 'the host beside it has its certificate');
    unlike($s->log_text, qr/good\.test: DNSSEC/, 'and its zone is not called broken');
    unlike($s->log_text, qr/DNSSEC is not checked/, 'DNSSEC is checked');
    my $diagnose = sub {
        my ($code, $text) = $s->hotcert('diagnose', '--no-request', '--network', 'private', '--resolver', $dns->resolver, '--caa-domain', 'ca.test',
            '--dnssec-anchor', $dns->anchor, 'broken.test');
        return $code, $text;
    };
    my ($code, $text) = $diagnose->();
    is($code, 1, 'diagnose: a CA would refuse it') or diag($text);

    delete $dns->{zones}{'broken.test'}{edit};
    $dns->change('broken.test', $records);
    $dns->forget;
    ($code, $text) = $diagnose->();
    is($code, 0, 'mended: diagnose finds nothing against it') or diag($text);
    like($text, qr/DNSSEC: the answers are signed, and valid/, 'and that it is signed');
    my $first = wait_served($s->tls_port, 'broken.test', $ca->root, seconds => 60) or die 'never served';
    my $mark = $s->log_mark;
    ($code, $text) = $s->hotcert('renew', 'broken.test', '--force');
    is($code, 0, 'it is checked once more') or diag($text);
    ok(wait_served($s->tls_port, 'broken.test', $ca->root, not => $first->{serial}, seconds => 60), 'and ordered');
    unlike($s->log_since($mark), qr/dns-dnssec-broken/, 'without a word of DNSSEC');
    $dns->stop;
};

scenario what_cannot_be_checked_is_held_against_nobody => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $ca, @conf) = world($s, 0, 'one.test' => [ $records ], 'two.test' => [ $records ]);
    # a CA that is said to be public, of which the root's own anchor holds; this root has no keys
    my @block = grep { $_->[0] !~ /^(?:network|http_port)$/ } @{ $conf[1]{pebble} };
    @conf = (issuers => { pebble => [ @block, [ network => 'public' ] ] });
    my @hosts = (hosts => [ map { { names => ["$_.test"], hotcert => 'on' } } qw(one two) ]);
    $s->configure(ca => $ca, @conf, @hosts);
    $s->start;
    ok(wait_served($s->tls_port, "$_.test", $ca->root, seconds => 60), "$_.test is ordered") for qw(one two);
    my @lines = grep { /DNSSEC/ } split /\n/, $s->log_text;
    is(scalar @lines, 1, 'the log says one thing on DNSSEC') or diag("@lines");
    like($lines[0] // '', qr/DNSSEC is not checked: .*for \. it has no DNSKEY records/, 'that it is not checked, and why');
    $s->stop;

    my $mark = $s->log_mark;
    $s->configure(ca => $ca, @conf, @hosts, main => [ [ dnssec_anchor => 'off' ] ]);
    $s->start;
    my ($code, $text) = $s->hotcert('renew', 'one.test', '--force');
    ok($s->wait_log(qr/one\.test: now served/, 60, $mark), 'off: a renewal is made');
    unlike($s->log_since($mark), qr/DNSSEC/, 'and DNSSEC is not spoken of');
    $dns->stop;
};

scenario an_anchor_that_is_none_is_refused => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $file = spew("$s->{dir}/anchor", ". IN NS ns1.\n");
    my @conf = (issuers => { ca => [ [ directory_url => 'https://127.0.0.1:1/dir' ], [ terms_agreed => 'on' ] ] },
        hosts => [ { names => ['a.test'], hotcert => 'on', set => [ [ use => 'ca' ] ] } ]);
    my $directive = $kind eq 'nginx' ? 'hotcert_dnssec_anchor' : 'HotCertDnssecAnchor';
    for my $case ([ $file, qr/it has a record that is neither DS nor DNSKEY; \Q$directive\E names it/ ], [ '/nonexistent/root.key', qr/No such file.*\Q$directive\E/ ]) {
        $s->configure(@conf, main => [ [ dnssec_anchor => $case->[0] ] ]);
        my ($code, $out) = $s->configtest;
        isnt($code, 0, "$case->[0]: refused");
        like($out, qr/\Q$case->[0]\E.*$case->[1]/s, 'by its name, with the reason and the directive');
    }
    spew($file, ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n");
    $s->configure(@conf, main => [ [ dnssec_anchor => $file ] ]);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'one that is right is taken') or diag($out);
    chmod 0600, $file or die "$file: $!";
    ($code, $out) = $s->configtest;
    isnt($code, 0, 'one that only root can read is refused: the agent reads it');
    like($out, qr/\Q$file\E.*Permission denied.*\Q$directive\E/s, 'for that reason');
};

done_testing;
