#!/usr/bin/perl
# Whatever stock nginx or stock httpd load and serve, `watch` takes on that server, and what it does not
# load is refused: some two hundred mutations of PEM files, judged by the stock server itself, by
# the server with hotcert and by `hotcert check`.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Mutations;
use HotCert::Scenario;

my $root = make_ca('pem root');
my $middle = make_ca('pem intermediate', issuer => $root);
my $leaf = make_leaf($middle, [ '*.pem.test' ]);
my $folder = temp_dir() . '/mutations';
mkdir $folder, 0700;

my @cases = HotCert::Mutations::all($leaf->{fullchain}, $leaf->{key_text});
for my $n (0 .. $#cases) {
    my $case = $cases[$n];
    $case->{host} = "c$n.pem.test";
    $case->{pair} = [ spew("$folder/$n.pem", $case->{cert}, 0600), spew("$folder/$n.key", $case->{key}, 0600) ];
}
cmp_ok(scalar @cases, '>', 150, 'there are enough of them');

# One server of each kind, stock or with hotcert, for all that is asked: with these cases now.
my %server;

sub with {
    my ($kind, $stock, @with) = @_;
    my $s = $server{"$kind $stock"} //= server($kind);
    $s->configure(no_module => $stock, main => [ [ trusted_certificate => $root->{cert} ] ],
        hosts => [ map { { names => [ $_->{host} ], pair => $_->{pair}, $stock ? () : (hotcert => 'watch') } } @with ]);
    return $s;
}

# Whether the stock server loads it. nginx tells by its configuration test; httpd looks at files in a
# start alone.
sub stock_loads {
    my ($kind, $case) = @_;
    my $s = with($kind, 1, $case);
    my ($code) = $kind eq 'nginx' ? $s->configtest : $s->try_start;
    $s->stop if $s->master;
    return $code == 0;
}

# [leaf as it was sent, whether the chain verifies] of a host.
sub sent {
    my ($s, $case) = @_;
    my (undef, $text) = run({ _stdin => '' }, 'openssl', 's_client', '-connect', '127.0.0.1:' . $s->tls_port, '-servername',
        $case->{host}, '-showcerts', '-CAfile', $root->{cert});
    my ($first) = $text =~ /(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----)/s;
    return [ $first // 'nothing', $text =~ /Verify return code: 0 / ? 1 : 0 ];
}

sub check_code {
    my ($case) = @_;
    my ($code) = run({}, build_dir() . '/hotcert', 'check', $case->{pair}[0], '--key', $case->{pair}[1], '--roots', $root->{cert});
    return $code;
}

# Starts one server with all of them; if that is refused, the ones that it refuses by themselves are named.
sub start_all {
    my ($kind, $stock, @with) = @_;
    my $s = with($kind, $stock, @with);
    my ($code, $out) = $s->try_start;
    return $s if is($code, 0, ($stock ? 'stock ' : 'hotcert in ') . "$kind starts with all that it takes");
    diag(substr $out . tail_of($s->log_path, 5), 0, 2000);
    return;
}

my %stock;    # kind => host => loads

scenario what_a_stock_server_serves_is_watched => sub {
    my ($kind) = @_;
    my @nginx = grep { $stock{nginx}{ $_->{host} } //= stock_loads('nginx', $_) ? 1 : 0 } @cases;
    my %by_nginx = map { $_->{host} => 1 } @nginx;
    # what nginx loads is tried in httpd at once, what it refuses one by one
    my @loads = $kind eq 'nginx' ? @nginx : grep { $by_nginx{ $_->{host} } || stock_loads($kind, $_) } @cases;
    my $stock = start_all($kind, 1, @loads) or return;
    my %want = map { $_->{host} => sent($stock, $_) } @loads;
    $stock->stop;
    cmp_ok(scalar @loads, '>', 80, 'it takes many');
    cmp_ok(scalar @loads, '<', @cases - 40, 'and refuses many');

    my $s = start_all($kind, 0, @loads) or return;
    my (@wrong, @worse);
    for my $case (@loads) {
        my $got = sent($s, $case);
        push @wrong, $case->{name} if $got->[0] ne $want{ $case->{host} }[0];
        push @worse, $case->{name} if $got->[1] < $want{ $case->{host} }[1];
    }
    is(join("\n", @wrong), '', 'hotcert serves the certificate that the stock server serves');
    is(join("\n", @worse), '', 'with a chain that verifies wherever the stock server\'s does');
    $s->stop;

    my %loads = map { $_->{host} => 1 } @loads;
    my @taken = grep { !$_->{sorts} && !$loads{ $_->{host} } && (with($kind, 0, $_)->configtest)[0] == 0 } @cases;
    is(join("\n", map { $_->{name} } @taken), '', 'what the stock server refuses is refused');
    ok((with($kind, 0, $_)->configtest)[0] == 0, "$_->{name}: mended, since the order alone is wrong") for grep { $_->{sorts} } @cases;
};

# Stock servers load them, and the linked OpenSSL serves them; ML-DSA since 3.5.
my $algorithms = (run('openssl', 'list', '-signature-algorithms'))[1];
for my $type ('ed448', $algorithms =~ /ML-DSA-65/ ? 'ml-dsa-65' : ()) {
    scenario "a_pair_of_${type}_is_watched" => sub {
        my ($kind) = @_;
        my $s = server($kind);
        my $odd = make_leaf($middle, ['odd.test'], key_type => $type);
        my @pair = write_pair($odd, "$s->{dir}/live");
        $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ], hosts => [ { names => ['odd.test'], hotcert => 'watch', pair => \@pair } ]);
        my (undef, $said) = $s->configtest;
        like($said, qr/key-uncommon/, 'the configuration test has a remark');
        $s->start;
        is(look($s->tls_port, sni => 'odd.test')->{serial}, $odd->{serial}, 'it is served');
        my $next = make_leaf($middle, ['odd.test'], key_type => $type);
        write_pair($next, "$s->{dir}/live");
        ok(wait_for(20, sub { (look($s->tls_port, sni => 'odd.test')->{serial} // '') eq $next->{serial} }, 0.2), 'and followed');
    };
}

subtest 'check calls unusable what nginx refuses, and nothing else' => sub {
    my @wrong;
    for my $case (@cases) {
        my $loads = $case->{sorts} || ($stock{nginx}{ $case->{host} } //= stock_loads('nginx', $case) ? 1 : 0);
        my $code = check_code($case);
        push @wrong, "$case->{name}: exit $code" if $loads ? $code > 1 : $code != 2;
    }
    is(join("\n", @wrong), '', 'for each of them');
};

done_testing;
