#!/usr/bin/perl
# What a server has stored tells `hotcert check` that a chain lacks an intermediate, where the file
# alone cannot tell that from an unknown root.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $root = make_ca('Known Root');
my $upper = make_ca('Known Upper', issuer => $root);
my $lower = make_ca('Known Lower', issuer => $upper);

# leaf and lower intermediate; the upper one is missing
sub gapped {
    my ($below, $name) = @_;
    my $leaf = make_leaf($below, [$name]);
    return (spew(temp_dir() . "/$name.pem", slurp($leaf->{cert}) . slurp($below->{cert}), 0644), $leaf->{key});
}

scenario an_issuer_in_the_store_is_missing_and_no_root => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my @pair = write_pair(make_leaf($lower, ['w.test']), "$s->{dir}/live");
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ], hosts => [ { names => ['w.test'], hotcert => 'watch', pair => \@pair } ]);
    $s->start;
    ok(wait_for(20, sub { grep { /\.pair$/ } files_below($s->{store}) }), 'a chain of two intermediates is stored');
    my ($file, $key) = gapped($lower, "gap-$kind.test");
    my $check = sub { $s->hotcert('check', $file, '--key', $key, '--roots', $root->{cert}, @_) };
    my ($code, $out) = $check->();
    is($code, 1, 'a file with the lower one alone is flawed');
    like($out, qr/^    untrusted-root /m, 'as if it led to a root that nobody knows');
    my @store = ('--store', $s->{store}, '--secret', $s->{secret});
    ($code, $out) = $check->(@store);
    is($code, 1, 'with the store, too');
    like($out, qr/^    chain-incomplete  certificate 2 \(Known Lower\)/m, 'but the intermediate is missing') or diag $out;
    like($out =~ s/\s+/ /gr, qr/its issuer, Known Upper, is neither served with it/, 'and named');
    unlike($out, qr/untrusted-root/, 'and no root is');

    my $other = make_ca('Other Lower', issuer => make_ca('Known Upper'));
    my ($strange, $its_key) = gapped($other, "other-$kind.test");
    ($code, $out) = $s->hotcert('check', $strange, '--key', $its_key, '--roots', $root->{cert}, @store);
    like($out, qr/^    untrusted-root /m, 'an issuer of the same name with another key is another') or diag $out;

    ($code, $out) = $check->('--store', "$s->{dir}/nowhere", '--secret', $s->{secret});
    is($code, 3, 'a store that is not there is told') or diag $out;
    like($out, qr{\Q$s->{dir}\E/nowhere}, 'by its name');
};

done_testing;
