#!/usr/bin/perl
# hotcert_repair aia: a missing intermediate is fetched from where the certificate says, but only
# from a public address, and never without being told to.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Scenario;
use HotCert::Rig qw(spawn end_process wait_for slurp spew temp_dir run);
use HotCert::Pki qw(openssl make_ca make_leaf write_pair);

HotCert::Dns::need_namespace();

my $PUBLIC = HotCert::Dns::add_address('93.184.216.34');
my $PUBLIC2 = HotCert::Dns::add_address('93.184.216.35');
my $PRIVATE = HotCert::Dns::add_address('10.53.0.1');
my $root = make_ca('repair root');
my $mid = make_ca('repair intermediate', issuer => $root);
my $der = temp_dir() . '/mid.der';
openssl('x509', '-in', $mid->{cert}, '-outform', 'DER', '-out', $der);

# A watching server whose certificate file lacks the intermediate, and the Internet around it.
sub incomplete {
    my ($kind, $address, $repair) = @_;
    my $s = server($kind);
    my $dns = HotCert::Dns->new;
    $dns->zone('files.test', "www 300 IN A $address\n");
    $dns->start;
    my $web = { log => "$s->{dir}/web.requests" };
    $web->{pid} = spawn("$s->{dir}/web.log", $^X, 't/lib/one_file_http.pl', $address, 80, $der, $web->{log});
    my $leaf = make_leaf($mid, [ 'r.test' ], aia => 'http://www.files.test/mid.der');
    $leaf->{fullchain} = slurp($leaf->{cert});
    my ($cert, $key) = write_pair($leaf, "$s->{dir}/live");
    $s->configure(
        main => [ [ trusted_certificate => $root->{cert} ], [ resolver => $dns->resolver ] ],
        hosts => [ { names => [ 'r.test' ], hotcert => 'watch', pair => [ $cert, $key ], set => [ [ repair => $repair ] ] } ]);
    $s->start;
    return ($s, $dns, $web, $leaf);
}

sub requests { my ($web) = @_; return -e $web->{log} ? scalar(() = slurp($web->{log}) =~ /\n/g) : 0 }

# True if a client with nothing but the root can verify what is served.
sub verifies {
    my ($s) = @_;
    my ($code) = run({ _stdin => '' }, 'openssl', 's_client', '-connect', '127.0.0.1:' . $s->tls_port, '-servername', 'r.test',
        '-CAfile', $root->{cert}, '-verify_return_error', '-verify_hostname', 'r.test');
    return $code == 0;
}

scenario a_missing_intermediate_is_fetched_and_served => sub {
    my ($kind) = @_;
    my ($s, $dns, $web, $leaf) = incomplete($kind, $PUBLIC, 'aia');
    ok(wait_for(20, sub { verifies($s) }, 0.2), 'a client with the root alone verifies what is served');
    is(requests($web), 1, 'after one request');
    like(slurp($web->{log}), qr{^www\.files\.test GET /mid\.der }, 'for the URL in the certificate');
    ok($s->wait_log(qr{fetched the missing issuer of a chain from http://www\.files\.test/mid\.der}, 5), 'the log says so');
    end_process($web->{pid});
    $s->stop;
    $s->start;
    ok(verifies($s), 'after a restart the first handshake verifies, though nobody has the file any more');
    my $next = make_leaf($mid, [ 'r.test' ], aia => 'http://www.files.test/mid.der');
    $next->{fullchain} = slurp($next->{cert});
    write_pair($next, "$s->{dir}/live");
    ok(wait_for(20, sub { (look($s->tls_port, sni => 'r.test')->{serial} // '') eq $next->{serial} && verifies($s) }, 0.2),
        'the next certificate is mended with what is at hand');
    $dns->stop;
};

# Of a chain of two intermediates nothing is there: the second one is fetched from where the first says,
# and where the root's certificate is offered, nothing is missing any more.
scenario a_chain_is_mended_up_to_its_root => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $upper = make_ca('upper intermediate', issuer => $root, aia => 'http://top.files.test/root.der');
    my $lower = make_ca('lower intermediate', issuer => $upper, aia => 'http://upper.files.test/upper.der');
    my $dns = HotCert::Dns->new;
    $dns->zone('files.test', "www 300 IN A $PUBLIC\nupper 300 IN A $PUBLIC2\n");
    $dns->start;
    my @web = map {
        my ($address, $ca, $name) = @$_;
        my $file = temp_dir() . "/$kind-$name.der";
        openssl('x509', '-in', $ca->{cert}, '-outform', 'DER', '-out', $file);
        spawn("$s->{dir}/$name.log", $^X, 't/lib/one_file_http.pl', $address, 80, $file, "$s->{dir}/$name.requests");
    } [ $PUBLIC, $lower, 'lower' ], [ $PUBLIC2, $upper, 'upper' ];
    my $leaf = make_leaf($lower, [ 'r.test' ], aia => 'http://www.files.test/lower.der');
    $leaf->{fullchain} = slurp($leaf->{cert});
    my ($cert, $key) = write_pair($leaf, "$s->{dir}/live");
    $s->configure(
        main => [ [ trusted_certificate => $root->{cert} ], [ resolver => $dns->resolver ] ],
        hosts => [ { names => [ 'r.test' ], hotcert => 'watch', pair => [ $cert, $key ], set => [ [ repair => 'aia' ] ] } ]);
    $s->start;
    ok(wait_for(30, sub { verifies($s) }, 0.2), 'a client with the root alone verifies what is served');
    is(scalar @{ look($s->tls_port, sni => 'r.test')->{chain} }, 3, 'the leaf and both intermediates');
    end_process($_) for @web;
    $dns->stop;
};

scenario a_private_address_is_never_asked => sub {
    my ($kind) = @_;
    for my $address ($PRIVATE, '127.0.0.1') {
        my ($s, $dns, $web, $leaf) = incomplete($kind, $address, 'aia');
        ok($s->wait_log(qr/a chain stays incomplete.*\Q$address\E/, 20), "$address: the log says why the chain stays incomplete");
        is(requests($web), 0, "$address: nobody was asked");
        is(look($s->tls_port, sni => 'r.test')->{serial}, $leaf->{serial}, 'the certificate is served as it is');
        end_process($web->{pid});
        $s->stop;
        $dns->stop;
    }
};

scenario nothing_is_fetched_unless_it_is_asked_for => sub {
    my ($kind) = @_;
    my ($s, $dns, $web, $leaf) = incomplete($kind, $PUBLIC, 'off');
    ok($s->wait_log(qr/chain-incomplete/, 15), 'the log says that the chain is incomplete');
    ok(!wait_for(3, sub { requests($web) > 0 }, 0.2), 'and nothing is fetched');
    like($s->log_text, qr{http://www\.files\.test/mid\.der}, 'but it says where the intermediate is');
    end_process($web->{pid});
    $dns->stop;
};

done_testing;
