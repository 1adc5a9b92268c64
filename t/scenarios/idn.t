#!/usr/bin/perl
# International names in directives, in either spelling: one name, compared and ordered as A-labels,
# shown in both forms.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my ($letters, $ascii) = ("b\xc3\xbccher.test", 'xn--bcher-kva.test');
my $both = "$ascii ($letters)";
$ENV{LC_ALL} = 'C.UTF-8';

scenario both_spellings_are_one_name => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $other = free_port();
    $s->configure(ca => $ca, hosts => [
        { names => [ 'first.test' ], hotcert => 'off', default => 1, pair => bootstrap() },
        { names => [ $letters, uc($ascii), 'a.test.' ], hotcert => 'on' },
        { names => [ 'a.test', $ascii ], hotcert => 'on', port => $other },
        { names => [ 'c.test' ], hotcert => 'on', set => [ [ names => "C.TEST", "fa\xc3\x9f.test", 'xn--fa-hia.test' ] ] } ]);
    $s->start;
    my $served = wait_served($s->tls_port, $ascii, $ca->root, seconds => 60);
    is("@{ $served ? $served->{names} : [] }", "a.test $ascii", 'it is ordered as the CA knows it');
    my $there = wait_served($other, $ascii, $ca->root, seconds => 60);
    is($there ? $there->{serial} : '', $served ? $served->{serial} : 'none', 'two hosts that spell it differently share one certificate');
    my $sharp = wait_served($s->tls_port, 'c.test', $ca->root, seconds => 60);
    is("@{ $sharp ? $sharp->{names} : [] }", 'c.test xn--fa-hia.test', 'a sharp s is a letter of its own, and both spellings are one name');
    is($ca->count_of('orders'), 2, 'from one order each');
    # httpd's own log escapes what is not ASCII
    my $known = $kind eq 'nginx' ? $both : $ascii;
    like($s->log_text, qr/(?<![-.\w])\Q$known\E[,:]/, 'the log shows ' . ($kind eq 'nginx' ? 'both forms' : 'the A-label'));
    shown_by_commands($s, $ca);
};

# A certificate of nobody.
sub bootstrap { my $leaf = make_leaf(make_ca('Some CA'), [ 'first.test' ]); return [ $leaf->{cert}, $leaf->{key} ] }

# Every command takes both spellings and shows both forms.
sub shown_by_commands {
    my ($s, $ca) = @_;
    for my $name ($letters, "B\xc3\x9cCHER.test.", $ascii) {
        my ($code, $out) = $s->hotcert('list', $name);
        like($out, qr/^    (?:.*, )?\Q$both\E/m, "list $name");
        ($code, $out) = $s->hotcert('wait', $name, '--timeout', '30s');
        is($code, 0, "wait $name") or diag $out;
    }
    my (undef, $data) = listed($s, $letters);
    my ($c) = @{ $data->{certificates} // [] };
    my %other;
    @other{ @{ $c->{names} // [] } } = @{ $c->{unicode_names} // [] };
    is($other{$ascii} // '', "b\x{fc}cher.test", 'JSON has the other form');
    is($other{'a.test'} // '', 'a.test', 'and what has none as it is');
    my ($code, $out) = $s->hotcert('renew', $letters, '--force');
    is($code, 0, 'renew') or diag $out;
    like($out, qr/^\Q$both\E: /m, 'says which');
    ($code, $out) = do { local $ENV{LC_ALL} = 'C'; $s->hotcert('list', $letters) };
    unlike($out, qr/[\x80-\xff]/, 'a terminal without these letters gets none');
    ($code, $out) = run({ _seconds => 30 }, HotCert::Server::program(), 'check', '--connect', "127.0.0.1:@{[ $s->tls_port ]}",
        '--sni', $letters, '--name', "b\xc3\xbccher.test", '--roots', $ca->root);
    unlike($out, qr/name-not-covered|name-mismatch/, 'check --name') or diag $out;
    like($out, qr/fit/, 'finds the certificate fit') or diag $out;
    ($code, $out) = run({ _seconds => 30 }, HotCert::Server::program(), 'diagnose', $letters, '--resolver', $ca->dns_server, '--network', 'private');
    like($out, qr/^\Q$both\E$/m, 'diagnose') or diag $out;
    ($code, $out) = run({ _seconds => 30 }, HotCert::Server::program(), 'persist', "*.$letters", '--account', 'https://ca.test/acct/1', '--caa-domain', 'ca.test');
    like($out, qr/^_validation-persist\.\Q$ascii\E\. .*ca\.test; accounturi=/m, 'persist prints a record to copy, as DNS has it') or diag $out;
    return;
}

# Clients send A-labels in SNI and Host, and neither server knows that they are the same name.
scenario a_host_in_letters_alone_is_reached_by_nobody => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $pair = bootstrap();
    my @others = ({ names => [ 'first.test' ], default => 1, pair => $pair });
    $s->configure(ca => $ca, hosts => [ @others, { names => [ $letters ], hotcert => 'on' } ]);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'the configuration is good');
    my $said = $kind eq 'nginx' ? qr/\Q$both\E: .*write that form in server_name/ : qr/\Q$ascii\E: .*write that form in ServerName/;
    like($out . $s->log_text, qr/$said/, 'the test of the configuration says so');
    $s->start;
    my ($c) = wait_for(60, sub { my (undef, $d) = listed($s, $letters); grep { $_->{state} eq 'ok' } @{ $d->{certificates} // [] } });
    ok($c, 'its certificate comes');
    my $l = look($s->tls_port, sni => $ascii, path => '/');
    is("@{ $l->{names} }|" . ($l->{body} // ''), "first.test|first.test\n", 'but a client is served another host');
    my $mark = $s->log_mark;
    $s->configure(ca => $ca, hosts => [ @others, { names => [ $letters, $ascii ], hotcert => 'on' } ]);
    $s->reload;
    ok(wait_served($s->tls_port, $ascii, $ca->root), 'with the other form beside it, it is reached');
    unlike($s->log_since($mark), qr/name-not-ascii/, 'and nothing is said');
    is($ca->count_of('orders'), 1, 'with the certificate that was there');
};

done_testing;
