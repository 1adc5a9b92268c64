#!/usr/bin/perl
# `watch`: files that somebody else renews are followed; a torn pair is never served.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $root = make_ca('watch root');

# A watching server with a root-only pair: (server, leaf, certificate path, key path).
sub watching {
    my ($kind, %conf) = @_;
    my $s = server($kind);
    my $leaf = make_leaf($root, [ 'w.test' ]);
    my ($cert, $key) = write_pair($leaf, "$s->{dir}/live");
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ],
        hosts => [ { names => [ 'w.test' ], hotcert => 'watch', pair => [ $cert, $key ] } ], %conf);
    return ($s, $leaf, $cert, $key);
}

sub served { my ($s) = @_; return look($s->tls_port, sni => 'w.test')->{serial} // 'nothing' }

sub served_becomes {
    my ($s, $leaf, $name) = @_;
    return ok(wait_for(20, sub { served($s) eq $leaf->{serial} }, 0.1), $name);
}

# That it is still $leaf over so many looks of the timer (1 s each).
sub served_stays {
    my ($s, $leaf, $name, $ticks) = @_;
    my $other = wait_for($ticks // 3, sub { my $now = served($s); $now ne $leaf->{serial} && $now }, 0.1);
    return is($other // $leaf->{serial}, $leaf->{serial}, $name);
}

scenario root_only_files_are_served_and_followed => sub {
    my ($kind) = @_;
    my ($s, $leaf) = watching($kind);
    $s->start;
    is(served($s), $leaf->{serial}, 'the first handshake has the pair of the files');
    my @workers = $s->workers;
    my $load = load_start($s->tls_port, sni => 'w.test', lanes => 2, hold => 10, ca => $root->{cert});
    my $next;
    for (1 .. 3) {
        $next = make_leaf($root, [ 'w.test' ]);
        write_pair($next, "$s->{dir}/live");
        served_becomes($s, $next, 'renewed files are served');
    }
    my $r = load_stop($load);
    is($r->{failed} + $r->{wrong}, 0, 'no handshake failed meanwhile') or diag "@{ $r->{reasons} }";
    is($r->{dropped} + $r->{held_failed}, 0, 'no connection was dropped');
    is(join(' ', $s->workers), "@workers", 'the worker processes are the same');
};

scenario a_start_judges_its_pairs_once => sub {
    my ($kind) = @_;
    my ($s, $leaf, $cert, $key) = watching($kind, log_level => 'info');
    $s->start;
    is(served($s), $leaf->{serial}, 'the pair is served');
    like($s->log_text, qr/watched pairs unchanged since they were last judged: 1/,
        'what the start examined is not judged again when it is loaded');
    ok(wait_for(20, sub { glob "$s->{store}/records/verdict/*" }), 'the agent remembers the verdict, and has a copy');
    $s->stop;
    my $next = make_leaf($root, [ 'w.test' ]);
    write_pair($next, "$s->{dir}/live");
    spew($key, $leaf->{key_text}, 0600);
    $s->start; # the copy of the last good pair
    is(served($s), $leaf->{serial}, 'a pair that is torn at the next start is not served');
};

scenario many_hosts_are_listed_beside_the_loop => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $leaf = make_leaf($root, [ map { "h$_.test" } 1 .. 250 ]);
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ], hosts => [ map { { names => ["h$_.test"],
        hotcert => 'watch', pair => [ write_pair($leaf, "$s->{dir}/live$_") ] } } 1 .. 250 ]);
    $s->start;
    my $json = sub { (listed($s))[1] };
    ok(wait_for(120, sub { 250 == grep { $_->{state} eq 'ok' } @{ $json->()->{certificates} } }), 'all are listed, and well');
    my $list = $json->();
    is($list->{agents}[0]{pid}, $s->agent, 'in the name of the agent');
    ok((grep { $_->{name} eq 'list' } map { @{ $_->{activities} } } @{ $list->{loops} }), 'which, confined as it is, has a child do it');
};

scenario a_torn_pair_is_never_served => sub {
    my ($kind) = @_;
    my ($s, $leaf, $cert, $key) = watching($kind);
    $s->start;
    is(served($s), $leaf->{serial}, 'served');
    my $next = make_leaf($root, [ 'w.test' ]);
    my $mark = $s->log_mark;
    spew($key, $next->{key_text}, 0600);
    ok($s->wait_log(qr/key-mismatch|does not belong/, 15, $mark), 'the log says that key and certificate are not a pair');
    served_stays($s, $leaf, 'the last good pair goes on being served');
    my @lines = grep { /does not belong/ } split /\n/, $s->log_since($mark);
    is(scalar @lines, 1, 'one line in all that time') or diag join "\n", @lines;
    like($lines[0] // '', qr/privkey|fullchain/, 'it names the file');
    spew($cert, $next->{fullchain}, 0600);
    served_becomes($s, $next, 'the complete pair is taken');
};

scenario every_order_of_writes_ends_with_the_new_pair => sub {
    my ($kind) = @_;
    my ($s, $leaf, $cert, $key) = watching($kind);
    $s->start;
    my $load = load_start($s->tls_port, sni => 'w.test', lanes => 1, ca => $root->{cert});
    my $current = $leaf;
    my $half = sub { my ($text) = @_; substr $text, 0, length($text) / 2 };
    my @orders = (
        [ 'certificate first', sub { [ $cert, $_[0]{fullchain} ], [ $key, $_[0]{key_text} ] } ],
        [ 'key first', sub { [ $key, $_[0]{key_text} ], [ $cert, $_[0]{fullchain} ] } ],
        [ 'the certificate half-written', sub { [ $key, $_[0]{key_text} ], [ $cert, $half->($_[0]{fullchain}) ], [ $cert, $_[0]{fullchain} ] } ],
        [ 'the key half-written', sub { [ $cert, $_[0]{fullchain} ], [ $key, $half->($_[0]{key_text}) ], [ $key, $_[0]{key_text} ] } ],
        [ 'emptied first', sub { [ $cert, '' ], [ $key, '' ], [ $cert, $_[0]{fullchain} ], [ $key, $_[0]{key_text} ] } ],
    );
    for my $order (@orders) {
        my ($name, $writes) = @$order;
        my $next = make_leaf($root, [ 'w.test' ]);
        my @writes = $writes->($next);
        my $last = pop @writes;
        for my $w (@writes) {
            spew(@$w, 0600);
            served_stays($s, $current, "$name: the old pair is served between the writes", 1.5);
        }
        spew(@$last, 0600);
        served_becomes($s, $next, "$name: then the new one");
        $current = $next;
    }
    my $r = load_stop($load);
    is($r->{failed} + $r->{wrong}, 0, 'no handshake failed in all that') or diag "@{ $r->{reasons} }";
};

scenario symlinks_switched_one_after_the_other => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($live, $archive) = ("$s->{dir}/live", "$s->{dir}/archive");
    mkdir $_, 0700 for $live, $archive;
    my @leaves = map { make_leaf($root, [ 'w.test' ]) } 1 .. 2;
    for my $n (1 .. 2) {
        spew("$archive/fullchain$n.pem", $leaves[ $n - 1 ]{fullchain}, 0600);
        spew("$archive/privkey$n.pem", $leaves[ $n - 1 ]{key_text}, 0600);
    }
    my $switch = sub {
        my ($what, $n) = @_;
        unlink "$live/$what.pem";
        symlink "../archive/$what$n.pem", "$live/$what.pem" or die "symlink: $!";
    };
    $switch->($_, 1) for qw(fullchain privkey);
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ], hosts => [ { names => [ 'w.test' ],
        hotcert => 'watch', pair => [ "$live/fullchain.pem", "$live/privkey.pem" ] } ]);
    $s->start;
    is(served($s), $leaves[0]{serial}, 'links are followed');
    $switch->('privkey', 2);
    served_stays($s, $leaves[0], 'one link switched: the old pair stays');
    $switch->('fullchain', 2);
    served_becomes($s, $leaves[1], 'both switched: the new pair');
};

scenario files_that_cannot_be_read_change_nothing => sub {
    my ($kind) = @_;
    my ($s, $leaf, $cert, $key) = watching($kind);
    $s->start;
    is(served($s), $leaf->{serial}, 'served');
    my %ways = (
        'the file is gone' => sub { unlink $cert },
        'a FIFO is in its place' => sub { unlink $cert; system('mkfifo', $cert) },
        'a folder is in its place' => sub { unlink $cert; mkdir $cert },
        'it is a link to nowhere' => sub { unlink $cert; symlink '/nonexistent/x', $cert },
        'it is a device' => sub { unlink $cert; symlink '/dev/zero', $cert },
    );
    for my $way (sort keys %ways) {
        my $mark = $s->log_mark;
        $ways{$way}->();
        ok($s->wait_log(qr/fullchain/, 15, $mark), "$way: the log names it");
        served_stays($s, $leaf, 'and the last good pair is served', 2);
        rmdir $cert;
        unlink $cert;
        $leaf = make_leaf($root, [ 'w.test' ]);
        write_pair($leaf, "$s->{dir}/live");
        served_becomes($s, $leaf, 'and the next good one taken');
    }
};

scenario a_start_with_a_broken_pair_serves_the_last_good_one => sub {
    my ($kind) = @_;
    my ($s, $leaf, $cert, $key) = watching($kind);
    $s->start;
    is(served($s), $leaf->{serial}, 'served');
    my $kept = wait_for(15, sub { grep { -s $_ } files_below($s->{store}) });
    ok($kept, 'the store keeps a copy');
    sleep 1;
    $s->stop;
    spew($key, make_leaf($root, [ 'w.test' ])->{key_text}, 0600);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'the configuration test passes') or diag $out;
    my $mark = $s->log_mark;
    ($code, $out) = $s->try_start;
    is($code, 0, 'it starts') or diag $out;
    my $now = wait_for(20, sub { my $x = served($s); $x ne 'nothing' && $x });
    is($now, $leaf->{serial}, 'with the pair from the store');
    ok($s->wait_log(qr/\berror\b.*(?:does not belong|key-mismatch)|(?:does not belong|key-mismatch)/, 10, $mark), 'and says why in the log');
};

scenario a_start_with_a_broken_pair_and_no_store_is_refused => sub {
    my ($kind) = @_;
    my ($s, $leaf, $cert, $key) = watching($kind);
    spew($key, make_leaf($root, [ 'w.test' ])->{key_text}, 0600);
    my ($code, $out) = $s->configtest;
    isnt($code, 0, 'the configuration test fails');
    like($out . $s->log_text, qr/\Q$cert\E/, 'it names the certificate');
    like($out . $s->log_text, qr/\Q$key\E/, 'and the key');
    ok(!-e $s->{state}, 'it made nothing');
    ($code, $out) = $s->try_start;
    my $said = $out . $s->log_text;
    ok($code != 0 || !wait_for(3, sub { $s->master && look($s->tls_port, sni => 'w.test')->{serial} }), 'the start is refused');
    like($said, qr/\Q$cert\E/, 'naming the certificate');
    like($said, qr/\Q$key\E/, 'and the key');
};

scenario a_configuration_test_changes_nothing => sub {
    my ($kind) = @_;
    my ($s) = watching($kind);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'a good configuration passes') or diag $out;
    ok(!-e $s->{state}, 'no state folder');
    ok(!-e $s->{control}, 'no control socket');
    is(scalar(() = $s->all_pids), 0, 'no process stays');
};

scenario hotcert_files_names_the_pair => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $leaf = make_leaf($root, [ 'w.test' ]);
    my ($cert, $key) = write_pair($leaf, "$s->{dir}/live");
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ],
        hosts => [ { names => [ 'w.test' ], hotcert => 'watch', set => [ [ files => $cert, $key ] ] } ]);
    $s->start;
    is(served($s), $leaf->{serial}, 'served from hotcert_files');
    my $next = make_leaf($root, [ 'w.test' ]);
    write_pair($next, "$s->{dir}/live");
    served_becomes($s, $next, 'and followed');
};

scenario both_kinds_of_key_are_watched => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my %leaf = map { $_ => make_leaf($root, [ 'w.test' ], key_type => $_) } 'ecdsa:256', 'rsa:2048';
    my @ec = write_pair($leaf{'ecdsa:256'}, "$s->{dir}/ec");
    my @rsa = write_pair($leaf{'rsa:2048'}, "$s->{dir}/rsa");
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ],
        hosts => [ { names => [ 'w.test' ], hotcert => 'watch', pair => [ @ec, @rsa ] } ]);
    $s->start;
    is(look($s->tls_port, sni => 'w.test', tls => '1.2', ciphers => 'ECDHE-RSA-AES128-GCM-SHA256')->{serial}, $leaf{'rsa:2048'}{serial}, 'RSA');
    is(look($s->tls_port, sni => 'w.test', tls => '1.2', ciphers => 'ECDHE-ECDSA-AES128-GCM-SHA256')->{serial}, $leaf{'ecdsa:256'}{serial}, 'ECDSA');
    my $next = make_leaf($root, [ 'w.test' ], key_type => 'rsa:2048');
    write_pair($next, "$s->{dir}/rsa");
    ok(wait_for(20, sub { (look($s->tls_port, sni => 'w.test', tls => '1.2', ciphers => 'ECDHE-RSA-AES128-GCM-SHA256')->{serial} // '') eq $next->{serial} }), 'one of them renewed');
    is(look($s->tls_port, sni => 'w.test', tls => '1.2', ciphers => 'ECDHE-ECDSA-AES128-GCM-SHA256')->{serial}, $leaf{'ecdsa:256'}{serial}, 'the other as before');
};

scenario variables_in_ssl_certificate_are_refused => only => 'nginx', sub {
    my ($kind) = @_;
    my $s = server($kind);
    $s->configure(hosts => [ { names => [ 'w.test' ], hotcert => 'watch', pair => [ '/etc/x/$ssl_server_name.pem', '/etc/x/$ssl_server_name.key' ] } ]);
    my ($code, $out) = $s->configtest;
    isnt($code, 0, 'refused');
    like($out, qr/variable/i, 'with the reason');
};

done_testing;
