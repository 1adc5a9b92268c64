#!/usr/bin/perl
# What httpd sends behind a leaf that stands alone in its file: from SSLCertificateChainFile, which is
# followed as the pair's own files are, or from the CA certificates that OpenSSL completes chains from.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $root = make_ca('store root');
my $top = make_ca('store upper', issuer => $root);
my $middle = make_ca('store intermediate', issuer => $top);
my $other = make_ca('another intermediate', issuer => $root);

sub bare { my ($ca) = @_; my $l = make_leaf($ca, ['w.test']); $l->{fullchain} = slurp($l->{cert}); return $l }

# A server whose host watches this leaf, with something beside it.
sub beside {
    my ($leaf, %opt) = @_;
    my $s = server('httpd');
    my @pair = write_pair($leaf, "$s->{dir}/live");
    my ($host, $main) = map { my $text = $_ // ''; $text =~ s/DIR/$s->{dir}/g; $text } @opt{qw(host main)};
    for my $file (keys %{ $opt{files} // {} }) { spew("$s->{dir}/$file", $opt{files}{$file}, $opt{mode} // 0644) }
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ], httpd_main => $main, no_module => $opt{stock},
        hosts => [ { names => ['w.test'], hotcert => 'watch', pair => \@pair, httpd => $host } ]);
    return $s;
}

sub sent {
    my ($s) = @_;
    my $l = look($s->tls_port, sni => 'w.test', ca => $root->{cert}, tls => '1.3');
    return join ' ', map({ s/.*CN\s*=\s*//r } map { $_->{subject} } @{ $l->{chain} // [] }), "verify $l->{verify}";
}

my $both = slurp($root->{cert}) . slurp($top->{cert}) . slurp($other->{cert}) . slurp($middle->{cert});

# [ what, options, what is sent by hotcert; stock httpd sends the root as well where it knows it ]
my @stores = (
    [ 'a file of the host', { host => 'SSLCACertificateFile DIR/cas.pem', files => { 'cas.pem' => $both } } ],
    [ 'a file that root alone reads, at the main level', { main => 'SSLCACertificateFile DIR/cas.pem', files => { 'cas.pem' => $both }, mode => 0600 } ],
    [ "OpenSSL's chain store", { host => "SSLCACertificateFile $other->{cert}\nSSLOpenSSLConfCmd ChainCAFile DIR/cas.pem", files => { 'cas.pem' => $both } } ],
);

scenario a_chain_is_completed_from_the_ca_store_as_in_stock => (only => 'httpd', sub {
    for my $case (@stores) {
        my ($what, $opt) = @$case;
        my $leaf = bare($middle);
        my $stock = beside($leaf, %$opt, stock => 1);
        $stock->start;
        like(sent($stock), qr/^w\.test store intermediate store upper.* verify 0$/, "stock completes it from $what");
        $stock->stop;
        my $s = beside($leaf, %$opt);
        $s->start;
        is(sent($s), 'w.test store intermediate store upper verify 0', 'so do we, without the root');
        my $next = bare($middle);
        write_pair($next, "$s->{dir}/live");
        ok(wait_for(10, sub { look($s->tls_port, sni => 'w.test')->{serial} eq $next->{serial} }), 'a new pair is swapped in');
        is(sent($s), 'w.test store intermediate store upper verify 0', 'with its chain');
        my ($code, $out) = $s->configtest;
        like($out, qr/remark: hotcert completes the chain.*store intermediate and its issuers come from \S+cas\.pem.*chain-from-store|chain-from-store/, 'which is a remark');
        unlike($s->log_text . $out, qr/chain-incomplete|file-replaced/, 'and nothing is missing');
        $s->stop;
    }
});

scenario a_folder_with_hashed_names_is_a_store_too => (only => 'httpd', sub {
    my $leaf = bare($other);
    my $s = beside($leaf, host => 'SSLCACertificatePath DIR/cas');
    mkdir "$s->{dir}/cas" or die;
    chmod 0755, "$s->{dir}/cas";
    spew("$s->{dir}/cas/other.pem", slurp($other->{cert}), 0644);
    openssl('rehash', "$s->{dir}/cas");
    $s->start;
    is(sent($s), 'w.test another intermediate verify 0', 'completed from the folder');
    my $next = bare($middle);
    write_pair($next, "$s->{dir}/live");
    ok($s->wait_log(qr/holding back/, 15), 'a leaf whose issuer is not there is held back');
    for my $ca ($middle, $top) { spew("$s->{dir}/cas/" . ($ca->{name} =~ tr/ /_/r) . '.pem', slurp($ca->{cert}), 0644) }
    openssl('rehash', "$s->{dir}/cas");
    ok(wait_for(15, sub { sent($s) eq 'w.test store intermediate store upper verify 0' }), 'until it is put there') or diag sent($s);
});

scenario a_chain_in_the_file_itself_is_not_touched => (only => 'httpd', sub {
    my $leaf = make_leaf($middle, ['w.test']);
    $leaf->{fullchain} = slurp($leaf->{cert}) . slurp($middle->{cert}) . slurp($top->{cert});
    my $s = beside($leaf, host => 'SSLCACertificateFile DIR/cas.pem', files => { 'cas.pem' => $both });
    $s->start;
    is(sent($s), 'w.test store intermediate store upper verify 0', 'served as it is');
    my ($code, $out) = $s->configtest;
    unlike($out, qr/chain-from-store/, 'without a remark');
});

scenario a_chain_file_is_followed => (only => 'httpd', sub {
    my $s = beside(bare($other), host => 'SSLCertificateChainFile DIR/chain.pem', files => { 'chain.pem' => slurp($other->{cert}) }, mode => 0600);
    $s->start;
    is(sent($s), 'w.test another intermediate verify 0', 'its certificates are sent');
    my ($code, $data) = listed($s);
    is(scalar @{ $data->{certificates}[0]{files} }, 3, 'three files are listed');
    # as tools write them: the key first, the chain last
    my $next = bare($middle);
    write_pair($next, "$s->{dir}/live");
    ok($s->wait_log(qr/holding back/, 15), 'a new leaf without its chain is held back');
    is(sent($s), 'w.test another intermediate verify 0', 'the whole pair before serves');
    spew("$s->{dir}/chain.pem", slurp($middle->{cert}) . slurp($top->{cert}) . slurp($root->{cert}), 0600);
    ok(wait_for(15, sub { sent($s) eq 'w.test store intermediate store upper verify 0' }), 'until the chain is there') or diag sent($s);
    $s->reload;
    is(sent($s), 'w.test store intermediate store upper verify 0', 'and after a graceful restart');
    rename "$s->{dir}/chain.pem", "$s->{dir}/gone.pem" or die;
    ($code, my $out) = $s->configtest;
    isnt($code, 0, 'without the file the test fails');
    like($out, qr/chain\.pem/, 'and names it');
});

done_testing;
