#!/usr/bin/perl
# `on` beside certificate lines: they are the first certificate, served and followed until the
# obtained one is there, and then not needed any more.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $root = make_ca('first root');

# Roots that carry these CAs.
sub roots { my ($s, @files) = @_; return spew("$s->{dir}/roots.pem", join('', map { slurp($_) } @files), 0644) && "$s->{dir}/roots.pem" }

# A server with `on` beside the lines of $pair, and its CA, whose question is held: (server, ca, hold).
sub waiting {
    my ($kind, $pair_of, %opt) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $hold = hold_http($ca, $s->http_port, 'a.test');
    my @pair = $pair_of->($s);
    my $roots = roots($s, $root->{cert}, $opt{staging} ? () : $ca->root);
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ], [ trusted_certificate => $roots ] ],
        hosts => [ { names => ['a.test'], hotcert => 'on', pair => \@pair } ]);
    return ($s, $ca, $hold);
}

sub seen { my ($s, %opt) = @_; return look($s->tls_port, sni => 'a.test', %opt) }
sub serial { my ($s, %opt) = @_; return seen($s, %opt)->{serial} // 'nothing' }
sub serves { my ($s, $leaf, $name) = @_; return ok(wait_for(20, sub { serial($s) eq $leaf->{serial} }, 0.1), $name) }

# The states that `list` tells: of the lines, and of what is obtained.
sub states {
    my ($s) = @_;
    my (undef, $data) = listed($s);
    my %state = map { $_->{mode} => $_->{state} } @{ $data->{certificates} // [] };
    return join ' ', map { $state{$_} // '-' } qw(lines on);
}

scenario lines_serve_and_are_followed_until_the_obtained_one_is_there => (crashes => 1, sub {
    my ($kind) = @_;
    my $leaf = make_leaf($root, ['a.test']);
    my $rsa = make_leaf($root, ['a.test'], key_type => 'rsa:2048');
    my @rsa_only = (tls => '1.2', ciphers => 'ECDHE-RSA-AES128-GCM-SHA256');
    my ($s, $ca, $hold) = waiting($kind, sub { (write_pair($leaf, "$_[0]{dir}/live"), write_pair($rsa, "$_[0]{dir}/rsa")) });
    $s->start;
    is(serial($s), $leaf->{serial}, 'the first handshake has the pair of the lines');
    is(serial($s, @rsa_only), $rsa->{serial}, 'and the other key type theirs');
    ok($hold->{token}->(), 'an order is under way');
    my $load = load_start($s->tls_port, sni => 'a.test', lanes => 2);
    my $next = make_leaf($root, ['a.test']);
    write_pair($next, "$s->{dir}/live");
    serves($s, $next, 'a renewal by another tool is followed');
    like(states($s), qr/^first (?:ordering|queued|looking)/, 'list says what serves and what is awaited');
    my ($code, $out) = $s->reload;
    is($code, 0, 'a reload passes') or diag $out;
    is(serial($s), $next->{serial}, 'they serve after a reload');
    kill 'KILL', $s->agent;
    ok(wait_for(20, sub { states($s) =~ /^first/ }), 'a new agent tells the same');
    is(serial($s), $next->{serial}, 'after a killed agent');
    my $mark = $s->log_mark;
    $hold->{release}->();
    my $obtained = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60);
    ok($obtained, 'then the obtained certificate serves');
    ok(!seen($s, @rsa_only)->{ok}, 'and no key type of the lines beside it');
    ok($s->wait_log(qr/you can remove the certificate lines/, 10, $mark), 'the log says that the lines can go');
    is(states($s), 'not-needed ok', 'so does list');
    my $r = load_stop($load);
    is($r->{failed} + $r->{dropped}, 0, 'no handshake failed in all that') or diag "@{ $r->{reasons} }";
    my $orders = $ca->count_of('orders');
    $s->restart;
    is(serial($s), $obtained->{serial}, 'a restart serves it at once');
    # mod_ssl itself refuses lines whose files are not there
    $kind eq 'nginx' ? unlink(glob "$s->{dir}/live/*") : spew("$s->{dir}/live/fullchain.pem", 'gone', 0600);
    ($code, $out) = $s->configtest;
    is($code, 0, 'the files are gone: the configuration test passes') or diag $out;
    like($out . $s->log_text, qr/\[?warn.*\Q$s->{dir}\E\/live/, 'with a warning');
    $s->reconfigure(hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->reload;
    is(serial($s), $obtained->{serial}, 'without the lines it serves the same');
    is($ca->count_of('orders'), $orders, 'and orders nothing more');
});

scenario a_staging_certificate_does_not_replace_a_trusted_one => sub {
    my ($kind) = @_;
    my $leaf = make_leaf($root, ['a.test']);
    my ($s, $ca, $hold) = waiting($kind, sub { write_pair($leaf, "$_[0]{dir}/live") }, staging => 1);
    $s->start;
    $hold->{release}->();
    ok($s->wait_log(qr/their certificate leads to a trusted root, the obtained one does not/, 60), 'the log says that it waits, and why');
    is(serial($s), $leaf->{serial}, 'the lines go on serving');
    is(states($s), 'first ok', 'list tells both');
    $s->restart;
    is(serial($s), $leaf->{serial}, 'also after a restart');
    ok($s->agent, 'the agent runs');
    ok(wait_for(20, sub { states($s) eq 'first ok' }), 'and knows it');
    is(serial($s), $leaf->{serial}, 'and they serve');
    roots($s, $root->{cert}, $ca->root);
    $s->restart;
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'when the roots carry it, it serves');
};

scenario lines_that_cannot_be_served_refuse_no_start => sub {
    my ($kind) = @_;
    my $leaf = make_leaf($root, ['a.test']);
    my @pair;
    my ($s, $ca, $hold) = waiting($kind, sub { @pair = write_pair($leaf, "$_[0]{dir}/live") });
    my %broken = ('a cut certificate' => sub { spew($pair[0], substr($leaf->{fullchain}, 0, 200), 0600) },
        "another's key" => sub { spew($pair[1], make_leaf($root, ['a.test'])->{key_text}, 0600) });
    # on httpd mod_ssl itself refuses these
    $broken{'no files'} = sub { unlink @pair } if $kind eq 'nginx';
    my ($code, $out);
    for my $what (sort keys %broken) {
        write_pair($leaf, "$s->{dir}/live");
        $broken{$what}->();
        my $mark = $s->log_mark;
        ($code, $out) = $s->configtest;
        is($code, 0, "$what: the configuration test passes") or diag $out;
        like($out . $s->log_since($mark), qr/warn.*certificate lines beside.*\Q$s->{dir}\E\/live/, 'with a warning that names it');
    }
    my $mark = $s->log_mark;
    $s->start;
    ok(bootstrap_served($s->tls_port, 'a.test', $root->{cert}), 'the bootstrap certificate serves');
    ok($s->wait_log(qr/warn.*certificate lines beside.*\Q$s->{dir}\E\/live/, 20, $mark), 'the log warns as well');
    write_pair($leaf, "$s->{dir}/live");
    serves($s, $leaf, 'until the files are good');
    $hold->{release}->();
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'or the obtained certificate is there');
};

scenario self_signed_lines_give_way_at_once => sub {
    my ($kind) = @_;
    my $snakeoil = make_ca('snakeoil');
    my ($s, $ca, $hold) = waiting($kind, sub {
        my ($cert, $key) = ("$_[0]{dir}/snakeoil.pem", "$_[0]{dir}/snakeoil.key");
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', $key, '-out', $cert, '-days', 3650, '-subj', '/CN=snakeoil', '-addext', 'subjectAltName=DNS:a.test');
        return ($cert, $key);
    }, staging => 1);
    $s->start;
    my $first = serial($s);
    is(lc $first, lc serial_of("$s->{dir}/snakeoil.pem"), 'they serve');
    $hold->{release}->();
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'and give way to a certificate that no trusted root carries');
};

scenario lines_and_on_of_the_level_above_go_together => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $hold = hold_http($ca, $s->http_port, 'a.test');
    my $leaf = make_leaf($root, ['a.test']);
    my @pair = write_pair($leaf, "$s->{dir}/live");
    $s->configure(ca => $ca, main => [ [ '' => 'on' ], [ preflight => 'off' ], [ trusted_certificate => roots($s, $root->{cert}, $ca->root) ] ],
        nginx_http => "ssl_certificate $pair[0]; ssl_certificate_key $pair[1];",
        httpd_main => "SSLCertificateFile $pair[0]\nSSLCertificateKeyFile $pair[1]",
        hosts => [ { names => ['a.test'] } ]);
    $s->start;
    is(serial($s), $leaf->{serial}, 'a host that inherits both serves the lines first');
    $hold->{release}->();
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'then the obtained certificate');
};

scenario a_host_moves_from_certbot_without_a_bad_moment => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $leaf = make_leaf($root, ['a.test']);
    my @pair = write_pair($leaf, "$s->{dir}/live");
    my %conf = (ca => $ca, main => [ [ preflight => 'off' ], [ trusted_certificate => roots($s, $root->{cert}, $ca->root) ] ]);
    $s->configure(%conf, hosts => [ { names => ['a.test'], hotcert => 'watch', pair => \@pair } ]);
    $s->start;
    my $roots = "$s->{dir}/roots.pem";
    my $load = load_start($s->tls_port, sni => 'a.test', lanes => 2, ca => $roots);
    $s->configure(%conf, hosts => [ { names => ['a.test'], hotcert => 'on', pair => \@pair } ]);
    $s->reload;
    my $obtained = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60);
    ok($obtained, '`on` is said: it obtains a certificate');
    my ($code) = $s->hotcert('wait', 'a.test', '--timeout', '30s');
    is($code, 0, 'wait says so');
    $s->configure(%conf, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->reload;
    unlink @pair;
    is(serial($s), $obtained->{serial}, 'the lines and files go');
    my $r = load_stop($load);
    is($r->{failed} + $r->{wrong}, 0, 'every handshake had a trusted certificate') or diag "@{ $r->{reasons} }";
};

done_testing;
