#!/usr/bin/perl
# From the directive to the certificate: what is ordered, for whom, how often, and who is served what.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

scenario several_hosts_get_their_own_certificates => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port, start => 0);
    my @hosts = ([ 'a.test' ], [ 'b.test', 'www.b.test' ], [ 'c.test' ]);
    $s->configure(ca => $ca, hosts => [ map { { names => $_, hotcert => 'on' } } @hosts ]);
    $s->start;
    ok(bootstrap_served($s->tls_port, 'a.test', $ca->bundle), 'a bootstrap certificate is served while the CA is down');
    $ca->start;
    my %serial;
    for my $names (@hosts) {
        my $l = wait_served($s->tls_port, $names->[0], $ca->root, seconds => 60);
        ok($l, "$names->[0] is served with a certificate of the CA") or next;
        is("@{ $l->{names} }", "@{[ sort @$names ]}", 'it covers exactly the names of its host');
        cmp_ok(@{ $l->{chain} }, '==', 2, 'leaf and intermediate come over the wire');
        $serial{ $l->{serial} }++;
        is(look($s->tls_port, sni => $names->[-1], path => '/')->{body}, "$names->[0]\n", 'and the host answers');
    }
    is(scalar keys %serial, 3, 'three hosts, three certificates');
    is(scalar keys %{ serials_of($s->tls_port, 12, sni => 'a.test') }, 1, 'every worker serves the same');
    is($ca->count_of('orders'), 3, 'three orders');
    is($ca->count_of('accounts'), 1, 'one account');
    my ($mode) = map { sprintf '%o', (stat $s->{store})[2] & 07777 } 1;
    is($mode, '700', 'the store is the worker user\'s alone');
    my @open = grep { (stat $_)[2] & 077 } files_below($s->{store});
    is("@open", '', 'and so is every file in it');
    is(sprintf('%o %d', (stat $s->{secret})[2] & 07777, (stat $s->{secret})[4]), '600 0', 'the secret is root\'s alone');
};

scenario the_same_names_share_one_certificate => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $second = free_port();
    $s->configure(ca => $ca, hosts => [
        { names => [ 'a.test', 'b.test' ], hotcert => 'on' },
        { names => [ 'b.test', 'a.test' ], hotcert => 'on', port => $second } ]);
    $s->start;
    my $one = wait_served($s->tls_port, 'a.test', $ca->root);
    my $two = wait_served($second, 'b.test', $ca->root);
    ok($one && $two, 'both are served');
    is($one->{serial}, $two->{serial}, 'with one certificate');
    is($ca->count_of('orders'), 1, 'from one order');
};

scenario one_name_has_two_issuers_on_two_ports => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $public = pebble(http_port => $s->http_port);
    my $internal = pebble(http_port => $s->http_port);
    my $second = free_port();
    my %block = HotCert::Server::issuers($s, ca => $internal);
    $s->configure(ca => $public, issuers => { internal => $block{pebble} }, hosts => [
        { names => [ 'a.test' ], hotcert => 'on' },
        { names => [ 'a.test' ], hotcert => 'on', port => $second, set => [ [ use => 'internal' ] ] } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $public->root), 'one port has the public certificate');
    ok(wait_served($second, 'a.test', $internal->root), 'the other the internal one');
};

scenario two_key_types_serve_both_kinds_of_client => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => [ 'a.test' ], hotcert => 'on', set => [ [ key_type => 'ecdsa:256', 'rsa:2048' ] ] } ]);
    $s->start;
    my %sigalgs = (ECDSA => 'ECDSA+SHA256', RSA => 'RSA-PSS+SHA256:RSA+SHA256');
    for my $type (sort keys %sigalgs) {
        for my $tls ('1.2', '1.3') {
            # In TLS 1.2 the list also rules the signatures in the chain: the CA signs with ECDSA.
            my $list = $type eq 'RSA' ? "$sigalgs{RSA}:ECDSA+SHA256" : $sigalgs{ECDSA};
            my %opt = (sigalgs => $tls eq '1.3' ? $sigalgs{$type} : $list, tls => $tls);
            $opt{ciphers} = "ECDHE-$type-AES128-GCM-SHA256" if $tls eq '1.2';
            my $l = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60, %opt);
            ok($l, "a client that knows only $type is served over TLS $tls") or next;
            like($l->{signature}, $type eq 'RSA' ? qr/^RSA/i : qr/^ECDSA/i, "with $type");
        }
    }
    is($ca->count_of('orders'), 2, 'one order for each key type');
};

scenario a_restart_serves_the_stored_pair_without_the_CA => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    $ca->stop;
    ok($s->stop, 'it stops');
    my ($code) = $s->try_start;
    is($code, 0, 'it starts without the CA');
    my $l = wait_for(20, sub { my $l = look($s->tls_port, sni => 'a.test', ca => $ca->root); $l->{serial} ? $l : undef });
    is($l->{serial}, $first->{serial}, 'the first handshake is served with the stored pair');
};

scenario a_name_added_keeps_the_old_certificate_meanwhile => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    my $root = slurp($ca->root);
    $ca->stop;
    my $roots = spew(temp_dir() . '/old-root.pem', $root);
    $s->reconfigure(hosts => [ { names => [ 'a.test', 'new.test' ], hotcert => 'on' } ]);
    my ($code, $out) = $s->reload;
    is($code, 0, 'the reload is accepted') or diag $out;
    my $seen = serials_of($s->tls_port, 8, sni => 'a.test', ca => $roots);
    is(join(' ', keys %$seen), $first->{serial}, 'the old certificate goes on being served');
    $ca->start;
    my $l = wait_served($s->tls_port, 'new.test', $ca->root, seconds => 60);
    ok($l, 'the new name is covered when the CA is back');
    is("@{ $l ? $l->{names} : [] }", 'a.test new.test', 'by one certificate for both');
};

scenario names_in_another_order_are_no_new_certificate => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => [ 'a.test', 'b.test' ], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    $s->reconfigure(hosts => [ { names => [ 'b.test', 'a.test' ], hotcert => 'on' } ]);
    $s->reload;
    orders_stay($ca, 3, 'no new order');
    is(look($s->tls_port, sni => 'a.test')->{serial}, $first->{serial}, 'the same certificate');
};

scenario a_name_removed_is_ordered_without_it => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => [ 'a.test', 'b.test' ], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    $s->reconfigure(hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->reload;
    my $seen = look($s->tls_port, sni => 'a.test', ca => $ca->root);
    is($seen->{verify}, 0, 'a certificate of the CA is served all the time');
    my $l = wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 60);
    is("@{ $l ? $l->{names} : [] }", 'a.test', 'then one without the name');
};

scenario another_issuer_is_due_at_once => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $staging = pebble(http_port => $s->http_port);
    my $production = pebble(http_port => $s->http_port);
    my %block = HotCert::Server::issuers($s, ca => $production);
    $s->configure(ca => $staging, issuers => { production => $block{pebble} }, hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $staging->root), 'staging first');
    $s->reconfigure(main => [ [ use => 'production' ] ]);
    my ($code, $out) = $s->reload;
    is($code, 0, 'reloaded') or diag $out;
    ok(wait_served($s->tls_port, 'a.test', $production->root, seconds => 60), 'then production, by itself');
};

scenario a_host_without_TLS_orders_nothing => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $plain = free_port();
    $s->configure(ca => $ca, main => [ [ '' => 'on' ] ], hosts => [
        { names => [ 'plain.test' ], plain => 1, port => $plain }, { names => [ 'a.test' ] } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'the TLS host inherits "on"');
    orders_stay($ca, 2, 'nothing more is ordered');
    is($ca->count_of('orders'), 1, 'one order in all');
    unlike($ca->log_text, qr/plain\.test/, 'the CA never hears of the plain host');
};

scenario forced_renewal_swaps_under_load => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    my @before = $s->workers;
    my $load = load_start($s->tls_port, sni => 'a.test', lanes => 2, hold => 10, ca => $ca->root);
    my ($code, $out) = $s->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'renew --force is accepted') or diag $out;
    my $second = wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 60);
    ok($second, 'another certificate is served');
    sleep 1;
    my $r = load_stop($load);
    cmp_ok($r->{handshakes}, '>', 100, 'there was load');
    is($r->{failed}, 0, 'no handshake failed') or diag "@{ $r->{reasons} }";
    is($r->{wrong}, 0, 'no certificate was wrong');
    is($r->{dropped} + $r->{held_failed}, 0, 'no connection was dropped');
    is(scalar keys %{ $r->{serials} }, 2, 'the load saw the old and the new certificate, no third');
    is(join(' ', $s->workers), "@before", 'the worker processes are the same');
};

scenario wait_and_list_tell_the_state => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => [ 'a.test', 'www.a.test' ], hotcert => 'on' } ]);
    $s->start;
    my ($code, $out) = $s->hotcert('wait', '--all', '--timeout', '60');
    is($code, 0, 'wait returns when all are served') or diag $out;
    is(look($s->tls_port, sni => 'a.test', ca => $ca->root)->{verify}, 0, 'and then they are');
    my $text;
    ($code, $text) = $s->hotcert('list');
    is($code, 0, 'list succeeds');
    like($text, qr/a\.test/, 'it names the host');
    my $json;
    ($code, $json, $out) = listed($s);
    ok($json, 'list --json is JSON') or diag $out;
    like($out, qr/"www\.a\.test"/, 'with every name');
    my ($loop) = @{ $json->{loops} };
    ok(scalar @{ $loop->{activities} } > 5 && defined $loop->{over_10ms} && $loop->{disk}{waits} > 0,
        'and what its agent spent its time with') or diag $out;
    ($code, $out) = $s->hotcert('wait', 'nobody.test', '--timeout', '2');
    isnt($code, 0, 'wait for a name that is not configured fails');
    $s->stop;
    ($code, $out) = $s->hotcert('list');
    like($out, qr/a\.test/, 'list reads the store when no agent runs');
};

scenario only_root_may_renew => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    my ($code, $out) = run('setpriv', '--reuid=www-data', '--regid=www-data', '--clear-groups',
        HotCert::Server::program(), 'renew', $s->command_options('renew'), 'a.test', '--force');
    isnt($code, 0, 'the worker user is refused');
    like($out, qr/root/, 'and told that only root may');
    orders_stay($ca, 2, 'nothing is ordered');
};

# Connects so often as that user, and stays; returns when it has.
sub crowd {
    my ($s, $user, $count) = @_;
    my $log = "$s->{dir}/crowd.$user";
    my $pid = spawn($log, 'setpriv', "--reuid=$user", "--regid=" . (getpwnam $user)[3], '--clear-groups', $^X, '-MIO::Socket::UNIX', '-e',
        '$| = 1; my @all = map { IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$!" } 1 .. $ARGV[1]; print "there\n"; sleep 300',
        $s->{control}, $count);
    wait_for(20, sub { slurp($log) =~ /there/ }) or die 'no crowd: ' . slurp($log);
    return $pid;
}

scenario nobody_keeps_root_out_of_the_control_socket => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my @pair = write_pair(make_leaf(make_ca('r'), ['a.test']), "$s->{dir}/live");
    $s->configure(hosts => [ { names => [ 'a.test' ], hotcert => 'watch', pair => \@pair } ]);
    $s->start;
    wait_for(20, sub { my ($code) = $s->hotcert('list'); $code == 0 }) or die 'no agent answers';
    my ($others, $workers);
    $others = crowd($s, 'nobody', 40);
    my ($code, $out) = $s->hotcert('list', '--json');
    is($code, 0, 'answered beside forty connections of a stranger') or diag $out;
    like($out, qr/"served"/, 'by the agent') or diag $out;
    $workers = crowd($s, 'www-data', 40);
    ($code, $out) = $s->hotcert('renew', 'a.test');
    is($code, 0, 'and beside forty of the worker user') or diag $out;
    ($code, $out) = run('setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups',
        HotCert::Server::program(), 'renew', '--control', $s->{control}, 'a.test');
    is($code, 77, 'the stranger is refused');
    like($out, qr/only root and the agent's user may ask/, 'and told why');
    end_process($_) for $others, $workers;
};

scenario the_server_runs_without_root => sub {
    my ($kind) = @_;
    my $s = server($kind, as_user => 'www-data');
    my $ca = pebble(http_port => $s->http_port);
    chown scalar getpwnam('www-data'), -1, $s->{dir};
    $s->configure(ca => $ca, hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'it is served');
};

done_testing;
