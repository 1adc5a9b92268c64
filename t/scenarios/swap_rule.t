#!/usr/bin/perl
# When a candidate replaces the pair that serves: every rank against every state of the current pair,
# on both servers, as docs/checks.md tells the rule. Each row is a virtual host of one server.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Corpus;
use HotCert::Scenario;

my $corpus = HotCert::Corpus->new(temp_dir() . '/corpus');
my ($root, $mid) = @$corpus{qw(root mid)};
my %options = (
    fit => {}, order => {}, incomplete => {}, mismatch => {}, corrupt => {}, root => {},
    expired => { from => -90, days => -1 },
    'last tenth' => { from => -95, days => 5 },
    name => { sans => 'DNS:other.test' },
    weak => { key => 'RSA:1024' },
    staple => { more => 'tlsfeature=status_request' },
    client => { eku => 'clientAuth' },
);

# A pair of this kind for this host: { chain, key, serial }.
sub pair_of {
    my ($kind, $name) = @_;
    my $by = $kind eq 'untrusted' ? $corpus->{other_mid} : $mid;
    my $leaf = $corpus->issue('leaf', by => $by, sans => "DNS:$name", %{ $options{$kind} // {} });
    my ($leaf_text, $mid_text, $root_text) = map { slurp($_->{cert}) } $leaf, $by, $root;
    my %chain = (incomplete => $leaf_text, order => $mid_text . $leaf_text, root => $leaf_text . $mid_text . $root_text,
        corrupt => $leaf_text . ($mid_text =~ s/\n(.{30})./\n$1*/r));
    return { serial => serial_of($leaf->{cert}), chain => $chain{$kind} // $leaf_text . $mid_text,
        key => slurp($kind eq 'mismatch' ? $corpus->{other_mid}{key} : $leaf->{key}) };
}

# Current, candidate, 1 if the candidate is served, what the log says of it, slugs that are accepted.
my @rows = (
    [ 'fit', 'fit', 1 ],
    [ 'fit', 'order', 1 ],
    [ 'fit', 'root', 1 ],
    [ 'fit', 'untrusted', 1 ],
    [ 'fit', 'staple', 1 ],
    [ 'fit', 'incomplete', 0, 'neither served with it nor a root' ],
    [ 'fit', 'expired', 0, 'it expired on' ],
    [ 'fit', 'name', 0, 'the certificate is for other\.test' ],
    [ 'fit', 'client', 0, 'excludes TLS servers' ],
    [ 'fit', 'mismatch', 0, 'belongs to no certificate' ],
    [ 'fit', 'corrupt', 0, 'PEM block is incomplete' ],
    [ 'fit', 'weak', 0, 'ee key too small' ],
    [ 'fit', 'incomplete', 1, undef, 'chain-incomplete' ],
    [ 'fit', 'mismatch', 0, 'belongs to no certificate', 'chain-incomplete' ],
    [ 'incomplete', 'fit', 1 ],
    [ 'incomplete', 'incomplete', 1 ],
    [ 'incomplete', 'expired', 0, 'it expired on' ],
    [ 'incomplete', 'mismatch', 0, 'belongs to no certificate' ],
    [ 'expired', 'fit', 1 ],
    [ 'expired', 'incomplete', 1 ],
    [ 'expired', 'expired', 1 ],
    [ 'expired', 'corrupt', 0, 'PEM block is incomplete' ],
    [ 'last tenth', 'incomplete', 1 ],
    [ 'last tenth', 'mismatch', 0, 'belongs to no certificate' ],
);

sub write_files {
    my ($host, $pair) = @_;
    for my $part ([ privkey => $pair->{key} ], [ fullchain => $pair->{chain} ]) {
        spew("$host->{dir}/$part->[0].new", $part->[1], 0600);
    }
    # as close together as two files can be
    rename "$host->{dir}/$_.new", "$host->{dir}/$_.pem" or die "rename: $!" for qw(privkey fullchain);
    return;
}

# A host for each row, its first pair in place.
sub host_of {
    my ($s, $n, $row) = @_;
    my ($current, $candidate, $taken, $log, $accept) = @$row;
    my $host = { name => "h$n.test", dir => "$s->{dir}/live$n", taken => $taken, log => $log, accept => $accept,
        title => "$current, then $candidate" . ($accept ? " with $accept accepted" : '') };
    mkdir $host->{dir}, 0700;
    $host->{first} = pair_of($current, $host->{name});
    $host->{second} = pair_of($candidate, $host->{name});
    write_files($host, $host->{first});
    return $host;
}

sub configure {
    my ($s, @hosts) = @_;
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ], hosts => [ map { {
        names => [ $_->{name} ], hotcert => 'watch', pair => [ "$_->{dir}/fullchain.pem", "$_->{dir}/privkey.pem" ],
        set => $_->{accept} ? [ [ accept => $_->{accept} ] ] : [] } } @hosts ]);
    return;
}

sub served { my ($s, $host) = @_; return look($s->tls_port, sni => $host->{name})->{serial} // 'nothing' }

scenario each_rank_against_each_current_state => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $n = 0;
    my @hosts = map { host_of($s, ++$n, $_) } @rows;
    configure($s, @hosts);
    $s->start;
    is(served($s, $_), $_->{first}{serial}, "what the operator starts with is served ($_->{title})") for @hosts;
    my $mark = $s->log_mark;
    write_files($_, $_->{second}) for @hosts;
    for my $host (grep { $_->{taken} } @hosts) {
        ok(wait_for(20, sub { served($s, $host) eq $host->{second}{serial} }, 0.2), "$host->{title}: it is taken");
    }
    for my $host (grep { !$_->{taken} } @hosts) {
        my $n = $host->{dir} =~ s/.*live//r;
        ok($s->wait_log(qr{(?:live$n/|h$n\.test).*$host->{log}}, 15, $mark), "$host->{title}: the log says why not");
    }
    sleep 2;
    is(served($s, $_), $_->{first}{serial}, "$_->{title}: the current pair goes on") for grep { !$_->{taken} } @hosts;
    # bad, and good again
    for my $host (grep { !$_->{taken} } @hosts) {
        $host->{third} = pair_of('fit', $host->{name});
        write_files($host, $host->{third});
    }
    for my $host (grep { !$_->{taken} } @hosts) {
        ok(wait_for(20, sub { served($s, $host) eq $host->{third}{serial} }, 0.2), "$host->{title}, then fit: it is taken");
    }
};

# The operator's word is what the start read, whenever the agent first looks.
scenario a_pair_written_right_after_the_start_is_none_of_the_starts => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $host = host_of($s, 1, [ 'fit', 'incomplete', 0 ]);
    configure($s, $host);
    $s->try_start;
    write_files($host, $host->{second}); # no pause: the agent is still starting
    my $accept = $kind eq 'nginx' ? 'hotcert_accept' : 'HotCertAccept';
    ok($s->wait_log(qr/holding back.*\(`$accept chain-incomplete` accepts it\).*chain-incomplete/, 30), 'it is held back, and what would take it is named');
    is(served($s, $host), $host->{first}{serial}, 'what was started with is served');
    $s->stop;
    write_files($host, $host->{first});
    my $mark = $s->log_mark;
    $s->start;
    my $agent = $s->agent;
    kill 'KILL', $agent;
    write_files($host, $host->{second});
    ok(wait_for(30, sub { my $now = $s->agent; $now && $now != $agent }), 'another agent after a kill');
    ok($s->wait_log(qr/holding back.*chain-incomplete/, 30, $mark), 'holds it back, too');
    is(served($s, $host), $host->{first}{serial}, 'what was started with is served');
    $mark = $s->log_mark;
    $s->stop;
    $s->start;
    ok(wait_for(20, sub { served($s, $host) eq $host->{second}{serial} }, 0.1), 'a start with the flawed one is the word for it');
};

scenario the_configuration_test_warns_of_flaws_and_remarks => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my %says = (incomplete => qr/chain-incomplete/, expired => qr/expired/, order => qr/chain-order/, root => qr/chain-root/);
    for my $what (sort keys %says) {
        my $host = host_of($s, $what, [ $what, 'fit', 1 ]);
        configure($s, $host);
        my ($code, $out) = $s->configtest;
        is($code, 0, "$what: the server would start") or diag($out);
        like($out, $says{$what}, 'and the test says what is wrong');
        unlike($out, qr/\[emerg\]|Syntax error/, 'as no error');
    }
    for my $what (qw(mismatch corrupt weak)) {
        my $host = host_of($s, $what, [ $what, 'fit', 1 ]);
        configure($s, $host);
        my ($code, $out) = $s->configtest;
        isnt($code, 0, "$what: the server would refuse, nothing being in the store") or diag($out);
        like($out, qr/live$what/, 'and the test names the file');
    }
    ok(!-e $s->{store}, 'nothing was made by all that');
};

scenario a_leaf_that_expires_while_it_is_served => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $host = { name => 'soon.test', dir => "$s->{dir}/live" };
    mkdir $host->{dir}, 0700;
    my $leaf = $corpus->issue('leaf', by => $mid, sans => 'DNS:soon.test', from => -1, days => 15 / 86400);
    write_files($host, { key => slurp($leaf->{key}), chain => slurp($leaf->{cert}) . slurp($mid->{cert}) });
    configure($s, $host);
    $s->start;
    ok($s->wait_log(qr/soon\.test.*expires-soon/, 15), 'before its end the log says expires-soon');
    ok($s->wait_log(qr/error.*soon\.test.*it expired on/, 30), 'when it has expired, the log has an error');
    is(served($s, $host), serial_of($leaf->{cert}), 'it goes on being served: there is nothing better');
    my $next = pair_of('incomplete', 'soon.test');
    write_files($host, $next);
    ok(wait_for(20, sub { served($s, $host) eq $next->{serial} }, 0.2), 'and anything that is better is taken');
};

# OpenSSL's security level is each server's own: the cipher list may set it.
scenario a_pair_too_weak_for_the_servers_security_level => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $host = host_of($s, 'strict', [ 'fit', 'fit', 1 ]);
    my %strict = (nginx_http => 'ssl_ciphers DEFAULT@SECLEVEL=3;', httpd_main => 'SSLCipherSuite DEFAULT@SECLEVEL=3');
    configure($s, $host);
    $s->reconfigure(%strict);
    $s->start;
    is(served($s, $host), $host->{first}{serial}, 'a P-256 pair has the 128 bits that are asked for');
    my $mark = $s->log_mark;
    my $leaf = $corpus->issue('leaf', by => $mid, sans => "DNS:$host->{name}", key => 'RSA:2048');
    write_files($host, { key => slurp($leaf->{key}), chain => slurp($leaf->{cert}) . slurp($mid->{cert}) });
    ok($s->wait_log(qr/livestrict.*(?:ee key too small|tls-refused)/, 20, $mark), 'an RSA-2048 pair has not, which the log says');
    is(served($s, $host), $host->{first}{serial}, 'the pair before goes on');
    my $fresh = server($kind);
    my $other = { %$host, dir => "$fresh->{dir}/live" };
    mkdir $other->{dir}, 0700;
    write_files($other, { key => slurp($leaf->{key}), chain => slurp($leaf->{cert}) . slurp($mid->{cert}) });
    configure($fresh, $other);
    $fresh->reconfigure(%strict);
    my ($code, $out) = $fresh->try_start;
    isnt($code, 0, 'a start with it is refused, as without hotcert');
    like($out . $fresh->log_text, qr/tls-refused/, 'with the reason') or diag $out;
};

# What serves and what lies in the store, in the eyes of the command.
scenario the_command_judges_the_server_and_its_store => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my @hosts = map { host_of($s, $_, [ $_, 'fit', 1 ]) } qw(fit order incomplete);
    configure($s, @hosts);
    $s->start;
    my @more = ('--roots', $root->{cert}, '--json');
    my %exit = (fit => 0, order => 0, incomplete => 1);
    for my $host (@hosts) {
        my $what = $host->{dir} =~ s/.*live//r;
        my ($code, $out) = run(build_dir() . '/hotcert', 'check', '--connect', '127.0.0.1:' . $s->tls_port, '--sni', $host->{name}, @more);
        is($code, $exit{$what}, "$what: what the server sends is judged") or diag($out);
        my $got = decode_json($out);
        is($got->{served}[0]{serial}, lc $host->{first}{serial}, 'by the pair that it serves');
        # disorder in the file is no disorder on the wire
        is(scalar(@{ $got->{findings} }), $exit{$what}, 'what is served is clean');
    }
    my ($code, $out);
    ok(wait_for(15, sub {
        ($code, $out) = run(build_dir() . '/hotcert', 'check', $s->{store}, @more);
        return $code != 3 && 3 == split /\n/, $out;
    }), 'the copies in the store are judged') or diag($out);
    is($code, 1, 'one of them is flawed');
    is(join(' ', sort map { decode_json($_)->{verdict} } split /\n/, $out), 'fit fit flawed', 'each by itself');
    ($code, $out) = run(build_dir() . '/hotcert', 'check', $s->{store}, @more, '--secret', '/nonexistent');
    is($code, 3, 'without the secret it cannot be looked at');
};

done_testing;
