#!/usr/bin/perl
# The DNS server inside: what it answers, to whom, over reloads and the end of an agent, behind the
# forwarders of people who have no public address; and what is told of a delegation that lacks.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;
use HotCert::Dns;
use HotCert::Rig qw(run spawn end_process free_port slurp spew wait_for temp_dir track_log alive build_dir);
use JSON::PP;
use Time::HiRes qw(sleep);

HotCert::Dns::need_namespace();

# A small Internet; $ns is where hotcert answers, $front a machine that forwards to it.
my ($ns, $front, $other) = map { HotCert::Dns::add_address($_) } '127.53.77.1', '127.53.77.2', '127.53.77.3';
my $dns = HotCert::Dns->new(negative => 1);
my $delegated = join "\n", (map { "_acme-challenge.$_ 300 IN NS acme-ns" } 'a', 'b'), "acme-ns 300 IN A $ns",
    '_acme-challenge.front 300 IN NS front-ns', "front-ns 300 IN A $front", '_acme-challenge.dead 300 IN NS dead-ns', "dead-ns 300 IN A $other",
    'acme 300 IN NS ns.acme', "ns.acme 300 IN A $ns", '_acme-challenge.zoned 300 IN CNAME zoned.example.test.acme',
    '_acme-challenge.wrong 300 IN CNAME elsewhere',
    map({ "$_ 300 IN A 127.0.0.1" } qw(a b front dead zoned wrong plain)), '';
$dns->zone('example.test', $delegated);
$dns->start;

# A question; header and sections as dig prints them.
sub dig { my ($server, @args) = @_; return $dns->dig("\@$server", '+norec', @args) }
sub answers { my ($server, @args) = @_; return $dns->dig("\@$server", '+norec', '+short', @args) }

# A server that answers DNS there; nothing is ordered.
sub responder {
    my ($kind, $listen, %opt) = @_;
    my $s = server($kind, ($opt{as_user} ? (as_user => $opt{as_user}) : ()));
    chown scalar getpwnam($opt{as_user}), -1, $s->{dir} if $opt{as_user};
    $s->configure(issuers => { pebble => [ [ directory_url => 'https://127.0.0.1:1/dir' ], [ terms_agreed => 'on' ] ] },
        main => [ [ use => 'pebble' ], [ preflight => 'off' ], [ resolver => $dns->resolver ], (defined $listen ? [ dns_listen => @$listen ] : ()), @{ $opt{main} // [] } ],
        hosts => [ map { { names => ["$_.example.test"], hotcert => 'on' } } @{ $opt{names} // [ 'a', 'b', 'front' ] } ]);
    return $s;
}

sub answering { my ($server, @args) = @_; return wait_for(20, sub { dig($server, @args, '_acme-challenge.a.example.test', 'SOA') =~ /flags: qr aa/ }) }

scenario it_answers_for_the_labels_of_its_names_and_for_nothing_else => sub {
    my ($kind) = @_;
    my $s = responder($kind, ["$ns:53", '[::1]:53'])->start;
    ok(answering($ns), 'it answers');
    for my $way ([], ['+tcp'], ['+bufsize=4096', '+nsid', '+cookie'], ['+dnssec'], ['+noedns']) {
        my $text = dig($ns, @$way, '_acme-challenge.a.example.test', 'TXT');
        like($text, qr/NOERROR.*flags: qr aa;.*ANSWER: 0, AUTHORITY: 1.*\tSOA\t\S+ hostmaster\./s, "no text yet: @$way");
        unlike($text, qr/COOKIE|NSID/, 'with no option that was asked for');
        is($text =~ /EDNS: version: 0/ ? 1 : 0, "@$way" eq '+noedns' ? 0 : 1, 'and EDNS if it was asked with it');
    }
    like(dig($ns, '_acme-challenge.a.example.test', 'NS'), qr/NOERROR.*ANSWER: 0, AUTHORITY: 1/s, 'resolvers are told no name server that nobody configured');
    like($dns->dig("\@$ns", '_aCmE-cHallenge.A.exAmple.tEst', 'NS'), qr/^_aCmE-cHallenge\.A\.exAmple\.tEst\.\s+0\s+IN\s+NS\s+\S+\.example\.test\.$/m, 'letters come back as they were');
    like(dig($ns, '_acme-challenge.a.example.test', 'CAA'), qr/NOERROR.*ANSWER: 0, AUTHORITY: 1/s, 'CAA: none');
    like(dig($ns, 'x._acme-challenge.a.example.test', 'TXT'), qr/NXDOMAIN.*AUTHORITY: 1/s, 'nothing below it');
    like(dig($ns, $_, 'TXT'), qr/status: REFUSED/, "$_ is refused") for 'a.example.test', '_acme-challenge.c.example.test', 'example.test', '.';
    like(dig($ns, '_acme-challenge.a.example.test', 'AXFR'), qr/Transfer failed/, 'no zone is given away');
    like(dig($ns, '-c', 'CH', 'version.bind', 'TXT'), qr/status: REFUSED/, 'nor a version');
    like(dig($ns, '+opcode=UPDATE', '_acme-challenge.a.example.test', 'SOA'), qr/status: NOTIMP/, 'nothing can be written');
    like(dig('::1', '_acme-challenge.b.example.test', 'SOA'), qr/flags: qr aa/, 'over IPv6 as well');
    like($dns->dig('@' . $dns->resolver, '_acme-challenge.a.example.test', 'SOA'), qr/NOERROR.*ANSWER: 1/s, 'a resolver finds it by the delegation');
};

# A good question with octets changed, cut off, repeated or added; or octets of chance alone.
sub odd_packet {
    my ($i) = @_;
    my $label = sub { join('', map { chr(length) . $_ } split /\./, $_[0]) . "\0" };
    my $good = pack('n6', $i % 65536, 0, 1, 0, 0, 1) . $label->([ '_acme-challenge.a.example.test', '_acme-challenge.c.example.test', 'example.test', '' ]->[ rand 4 ])
        . pack('nn', [ 16, 6, 2, 257, 255, 252, int rand 65536 ]->[ rand 7 ], rand 8 < 7 ? 1 : 3) . "\0" . pack('nnNn', 41, 1232, 0, 12) . pack('nn', 10, 8) . 'abcdefgh';
    my $way = $i % 5;
    return join '', map { chr rand 256 } 1 .. 1 + rand 600 if $way == 0;
    substr($good, 2 + rand(length($good) - 2), 1) = chr rand 256 for 1 .. ($way == 1 ? 1 + rand 4 : 0);
    return substr $good, 0, 1 + rand length $good if $way == 2;
    return $good . join '', map { chr rand 256 } 1 .. rand 700 if $way == 3;
    return $good;
}

scenario ten_thousand_random_and_malformed_packets => sub {
    my ($kind) = @_;
    my @names = map { join '.', "$_" . 'x' x 60, 'y' x 50, 'acme.example.test' } 1 .. 4;
    my $s = responder($kind, ["$ns:53"], main => [ [ dns_zone => 'acme.example.test' ], [ dns_ns => map { ($_, $ns) } @names ] ])->start;
    ok(wait_for(20, sub { dig($ns, 'acme.example.test', 'SOA') =~ /flags: qr aa/ }), 'it answers');
    my $agent = $s->agent;
    like(dig($ns, '+ignore', 'acme.example.test', 'NS'), qr/flags: qr aa tc;.*ANSWER: 0/, 'what has no room in 512 octets is cut to nothing');
    like(dig($ns, '+tcp', 'acme.example.test', 'NS'), qr/flags: qr aa;.*ANSWER: 4/, 'and is whole over TCP');
    my $seed = srand($ENV{HOTCERT_SEED} // 20261128);
    my ($sent, $strange, $answered) = (0, 0, 0);
    my $udp = IO::Socket::INET->new(PeerAddr => $ns, PeerPort => 53, Proto => 'udp') or die "UDP: $!";
    for my $i (1 .. 7000) {
        $sent += defined $udp->send(odd_packet($i));
        my $mask = '';
        vec($mask, fileno $udp, 1) = 1;
        while (select(my $ready = $mask, undef, undef, $i % 20 ? 0 : 0.01) > 0) {
            last if !defined $udp->recv(my $reply, 65535);
            $answered++;
            $strange++ if length $reply > 512 || length $reply < 12 || !(ord(substr $reply, 2, 1) & 0x80);
        }
    }
    for my $round (1 .. 60) { # fifty questions in a stream, then one with a length that is not its own
        my $tcp = IO::Socket::INET->new(PeerAddr => $ns, PeerPort => 53, Timeout => 5) or die "TCP: $!";
        local $SIG{PIPE} = 'IGNORE';
        for (1 .. 50) {
            my $packet = odd_packet(int rand 65536);
            $sent += defined $tcp->send(pack('n', length $packet) . $packet);
        }
        $tcp->send(pack('n', int rand 65536) . 'x');
        shutdown $tcp, 1;
        my $mask = '';
        vec($mask, fileno $tcp, 1) = 1;
        while (select(my $ready = $mask, undef, undef, 5) > 0) { last if !sysread $tcp, my $reply, 65536 }
    }
    cmp_ok($sent, '>=', 9000, 'ten thousand were sent, as far as the server took them');
    is($strange, 0, "of $answered answers over UDP none is anything but a short answer (seed $seed)");
    ok(wait_for(20, sub { dig($ns, '+tcp', 'acme.example.test', 'SOA') =~ /flags: qr aa/ }), 'it still answers over TCP');
    ok(wait_for(20, sub { dig($ns, 'acme.example.test', 'SOA') =~ /flags: qr aa;/ }), 'and over UDP');
    is($s->agent, $agent, 'it is the same agent');
    my (undef, $list, $out) = listed($s);
    my $c = $list->{agents}[0]{counters}{responder} // {};
    cmp_ok($c->{$_} // -1, '>', 0, "counted: $_") or diag $out for qw(questions refused malformed truncated rate_limited dropped);
    cmp_ok($c->{questions}, '>=', $answered, 'no question is lost on the way');
};

scenario one_zone_has_its_name_servers_and_their_addresses => sub {
    my ($kind) = @_;
    my $s = responder($kind, ["$ns:53"], main => [ [ dns_zone => 'acme.example.test' ], [ dns_ns => 'ns.acme.example.test', $ns ] ])->start;
    ok(wait_for(20, sub { answers($ns, 'acme.example.test', 'NS') eq "ns.acme.example.test.\n" }), 'NS of the zone');
    is(answers($ns, 'ns.acme.example.test', 'A'), "$ns\n", 'with its address');
    like(dig($ns, 'acme.example.test', 'CAA'), qr/NOERROR.*ANSWER: 0, AUTHORITY: 1/s, 'no CAA');
    like(dig($ns, '_acme-challenge.a.example.test', 'TXT'), qr/status: REFUSED/, 'no label');
    like($dns->dig('@' . $dns->resolver, '_acme-challenge.zoned.example.test', 'TXT'), qr/CNAME\s+zoned\.example\.test\.acme\.example\.test\./, 'a CNAME leads into it');
};

scenario questions_wait_for_the_next_agent => sub {
    my ($kind) = @_;
    my $s = responder($kind, ["$ns:53"])->start;
    ok(answering($ns), 'it answers');
    my $agent = $s->agent;
    kill 'KILL', $agent;
    like(dig($ns, '+time=10', '_acme-challenge.a.example.test', 'SOA'), qr/flags: qr aa/, 'what is asked while no agent lives is answered by the next');
    isnt($s->agent, $agent, 'which is another one');
    $s->reload;
    like(dig($ns, '+time=10', '_acme-challenge.b.example.test', 'SOA'), qr/flags: qr aa/, 'and over a reload');
    like(dig($ns, '+time=10', '+tcp', '_acme-challenge.b.example.test', 'SOA'), qr/flags: qr aa/, 'over TCP, too');
    my $lost = 0;
    for my $turn (1 .. 3) {
        my $log = "$s->{dir}/dig$turn";
        my @pids = map { spawn("$log.$_", 'dig', "\@$ns", '+norec', '+time=10', '+tries=1', '_acme-challenge.a.example.test', 'SOA') } 1 .. 6;
        $s->reload;
        wait_for(15, sub { !grep { alive($_) } @pids }, 0.1);
        $lost += grep { slurp("$log.$_") !~ /flags: qr aa/ } 1 .. 6;
    }
    is($lost, 0, 'no question of eighteen is lost in reloads');
};

scenario addresses_come_and_go_with_a_reload => sub {
    my ($kind) = @_;
    my $s = responder($kind, ["$ns:53"])->start;
    ok(answering($ns), 'it answers');
    my ($code, $out) = $s->configtest;
    is($code, 0, 'the test of what runs is good') or diag $out;
    responder_says($s, "$ns:53", "$front:53");
    ($code, $out) = $s->configtest;
    is($code, 0, 'with another address as well') or diag $out;
    $s->reload;
    ok(answering($front), 'it answers there') or diag $s->log_text;
    ok(answering($ns), 'and where it did');
    responder_says($s, '0.0.0.0:53');
    # the name servers of this test are at port 53 of other addresses
    ($code, $out) = $s->configtest;
    isnt($code, 0, 'all addresses cannot be had beside another server');
    like($out, qr/0\.0\.0\.0:53.*already listens.*named, process \d+/, 'which is named');
    responder_says($s, "$front:53");
    $s->reload;
    ok(wait_for(20, sub { dig($ns, '_acme-challenge.a.example.test', 'SOA') =~ /connection refused|timed out|no servers/ }), 'what is gone is not answered any more');
    ok(answering($front), 'and the other one still is');
};

sub responder_says { my ($s, @listen) = @_; return $s->reconfigure(main => [ map { $_->[0] eq 'dns_listen' ? [ dns_listen => @listen ] : $_ } @{ $s->{last}{main} } ]) }

scenario a_busy_port_refuses_start_and_test => sub {
    my ($kind) = @_;
    my $busy = $dns->resolver . ':53';
    my $s = responder($kind, [$busy]);
    for my $how (qw(configtest try_start)) {
        my ($code, $out) = $s->$how;
        $out .= slurp($s->{log});
        isnt($code, 0, "$how is refused");
        like($out, qr/\Q$busy\E.*already listens.*named, process \d+/, 'with who is in the way');
    }
};

scenario two_servers_cannot_have_one_address => sub {
    my ($kind) = @_;
    my $mine = responder($kind, ["$ns:53"])->start;
    my $second = responder($kind, ["$ns:53"]);
    my ($code, $out) = $second->configtest;
    isnt($code, 0, 'a second server cannot have what the first has');
    like($out, qr/\Q$ns\E:53.*already listens/, 'and says so');
};

# The way of a question: UDP and TCP at $front, port 53.
my $keys = temp_dir() . '/ssh';
sub ssh_forward {
    my ($port) = @_;
    my $log = track_log('ssh', temp_dir() . '/ssh.log');
    if (!-d $keys) {
        mkdir $keys;
        run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', "$keys/$_") for qw(host user);
        rename "$keys/user.pub", "$keys/authorized_keys";
        spew("$keys/sshd_config", join "\n", "HostKey $keys/host", "AuthorizedKeysFile $keys/authorized_keys", "ListenAddress $other:2222", 'PidFile none', 'StrictModes no',
            'UsePAM no', 'PermitRootLogin yes', 'GatewayPorts clientspecified', '');
    }
    mkdir '/run/sshd' if !-d '/run/sshd';
    my @pids = spawn($log, '/usr/sbin/sshd', '-D', '-e', '-f', "$keys/sshd_config");
    wait_for(10, sub { IO::Socket::INET->new(PeerAddr => $other, PeerPort => 2222) }) or die slurp($log);
    push @pids, spawn($log, 'ssh', '-N', '-F', 'none', '-i', "$keys/user", '-p', 2222, '-o', 'StrictHostKeyChecking=no', '-o', "UserKnownHostsFile=$keys/known",
        '-o', 'ExitOnForwardFailure=yes', '-R', "$front:$port:127.0.0.1:9953", "root\@$other");
    wait_for(10, sub { IO::Socket::INET->new(PeerAddr => $front, PeerPort => $port) }) or die slurp($log);
    return @pids;
}
sub tool { my ($name, @args) = @_; return spawn(track_log($name, temp_dir() . "/$name.log"), $name, @args) }

my @ways = (
    [ 'socat, over UDP and TCP', sub { tool('socat', "UDP4-RECVFROM:53,bind=$front,reuseaddr,fork", 'UDP4-SENDTO:127.0.0.1:9953'),
        tool('socat', "TCP4-LISTEN:53,bind=$front,fork,reuseaddr", 'TCP4:127.0.0.1:9953') }, [ [], ['+tcp'] ] ],
    [ 'socat, over UDP alone', sub { tool('socat', "UDP4-RECVFROM:53,bind=$front,reuseaddr,fork", 'UDP4-SENDTO:127.0.0.1:9953') }, [ [] ] ],
    [ 'stone, that makes TCP of UDP', sub { tool('stone', '127.0.0.1:9953/tcp', "$front:53/udp") }, [ [] ] ],
    [ 'ssh -R, over TCP alone', sub { ssh_forward(53) }, [ ['+tcp'] ] ],
    [ 'stone on both ends of ssh -R', sub { tool('stone', '127.0.0.1:9954/udp', '127.0.0.1:9953/tcp'), ssh_forward(9953), tool('stone', "$front:9953/tcp", "$front:53/udp") },
        [ [] ], '127.0.0.1:9954' ],
);

scenario it_works_behind_forwarders => sub {
    my ($kind) = @_;
    for my $way (@ways) {
        my ($what, $open, $how, $listen) = @$way;
        my $s = responder($kind, [ $listen // '127.0.0.1:9953' ])->start;
        my @pids = $open->();
        for my $args (@$how) {
            ok(wait_for(15, sub { dig($front, @$args, '_acme-challenge.front.example.test', 'SOA') =~ /flags: qr aa/ }), "$what: it answers @$args")
                or diag dig($front, @$args, '_acme-challenge.front.example.test', 'SOA'), $s->log_text;
            my @logs = map { "$s->{dir}/six.$_" } 1 .. 6;
            my @six = map { spawn($_, 'dig', "\@$front", '+norec', '+time=5', '+tries=2', @$args, '_acme-challenge.front.example.test', 'SOA') } @logs;
            wait_for(20, sub { !grep { alive($_) } @six }, 0.1);
            is(scalar(grep { slurp($_) =~ /flags: qr aa/ } @logs), 6, "$what: six at once");
        }
        end_process($_) for reverse map { ($_, descendants($_)) } @pids;
        $s->stop;
    }
};

scenario a_new_nginx_takes_the_sockets_over => sub {
    my ($kind) = @_;
    return pass('httpd has no such thing') if $kind ne 'nginx';
    my $s = responder($kind, ["$ns:53"])->start;
    ok(answering($ns), 'it answers');
    my $old = $s->master;
    kill 'USR2', $old;
    ok(wait_for(20, sub { my $new = $s->master; $new && $new != $old }), 'a new master runs') or diag $s->log_text;
    ok(answering($ns), 'somebody answers');
    kill 'QUIT', $old;
    ok(wait_for(20, sub { !alive($old) }), 'the old one ends');
    ok(answering($ns), 'and the new one answers') or diag $s->log_text;
    ok(answering($ns, '+tcp'), 'over TCP, too');
};

# ---- what lacks ----

sub diagnose {
    my (@args) = @_;
    my ($code, $text) = run({ _seconds => 60 }, build_dir() . '/hotcert', 'diagnose', '--json', '--resolver', $dns->resolver, '--method', 'dns-01', @args);
    my $list = eval { decode_json($text) } or return { verdict => "no report: $text" };
    my $name = $list->[0];
    $name->{all} = join '|', map { "$_->{slug}: $_->{message} ($_->{hint})" } grep { $_->{slug} =~ /deleg/ } @{ $name->{findings} };
    return $name;
}

scenario a_delegation_that_lacks_is_told_as_records_to_add => sub {
    my ($kind) = @_;
    my $s = responder($kind, ["$ns:53"], names => [ 'a', 'front', 'dead', 'plain', 'wrong' ])->start;
    ok(answering($ns), 'it answers');
    my @by = ('--dns-ns', 'acme-ns.example.test');
    is(diagnose(@by, 'a.example.test')->{verdict}, 'ready', 'a label that leads here is good') or diag explain(diagnose(@by, 'a.example.test'));
    my $d = diagnose(@by, 'plain.example.test');
    is($d->{verdict}, 'would-fail', 'one that leads nowhere is not');
    like($d->{all}, qr/^dns-not-delegated: .*_acme-challenge\.plain\.example\.test\. 300 IN NS acme-ns\.example\.test\./, 'and the record to add is told');
    $d = diagnose(@by, 'wrong.example.test');
    like($d->{all}, qr/^dns-not-delegated: .*alias of elsewhere\.example\.test\..*replace the CNAME record; add: _acme-challenge\.wrong\.example\.test\. 300 IN NS acme-ns/, 'an alias of something else');
    $d = diagnose(@by, 'dead.example.test');
    is($d->{verdict}, 'unknown', 'where nobody answers') or diag explain($d);
    like($d->{all}, qr/^dns-delegation-silent: .*_acme-challenge\.dead\.example\.test\..*port 53 \(UDP and TCP\).*hotcert_dns_listen/, 'the port to open is told');
    @by = ('--dns-zone', 'acme.example.test', '--dns-ns', 'ns.acme.example.test', '--dns-ns', $ns);
    $s->reconfigure(main => [ @{ $s->{last}{main} }, [ dns_zone => 'acme.example.test' ], [ dns_ns => 'ns.acme.example.test', $ns ] ]);
    $s->reload;
    ok(wait_for(20, sub { answers($ns, 'acme.example.test', 'SOA') ne '' }), 'one zone instead');
    $d = diagnose(@by, 'zoned.example.test');
    is($d->{verdict}, 'ready', 'a CNAME that leads into it is good') or diag explain($d);
    $d = diagnose(@by, 'plain.example.test');
    like($d->{all}, qr/_acme-challenge\.plain\.example\.test\. 300 IN CNAME plain\.example\.test\.acme\.example\.test\./, 'one that lacks is told');
    @by = ('--dns-zone', 'nowhere.example.test', '--dns-ns', 'ns.nowhere.example.test', '--dns-ns', $ns);
    $d = diagnose(@by, 'plain.example.test');
    like($d->{all}, qr/zone nowhere\.example\.test\. is not delegated.*nowhere\.example\.test\. 300 IN NS ns\.nowhere\.example\.test\. and ns\.nowhere\.example\.test\. 300 IN A \Q$ns\E/,
        'a zone that nobody delegates: NS and the address beside it');
};

scenario without_root_port_53_is_told => sub {
    my ($kind) = @_;
    my $s = responder($kind, ["$ns:53"], as_user => 'www-data');
    for my $how (qw(configtest try_start)) {
        my ($code, $out) = $s->$how;
        $out .= slurp($s->{log});
        isnt($code, 0, "$how is refused");
        like($out, qr/\Q$ns\E:53.*only root.*9953.*forward port 53/, 'with what to do');
    }
};

scenario without_root_another_port_will_do => sub {
    my ($kind) = @_;
    my $s = responder($kind, ["$ns:9953"], as_user => 'www-data')->start;
    ok(answering($ns, '-p', 9953), 'at a port above it answers');
    my ($code, $out) = $s->configtest;
    is($code, 0, 'and the test of what runs is good') or diag $out;
};

# ---- proofs ----

my %own = (nginx_http => 'hotcert_dns own { type responder; }', httpd_main => "<HotCertDns own>\nHotCertType responder\n</HotCertDns>");

# A server that orders these names, each a host, and proves them by what it answers in DNS.
sub orders {
    my ($kind, $ca, $names, %opt) = @_;
    my $s = server($kind);
    $s->configure(ca => $ca, %own, main => [ [ challenge => 'dns-01' ], [ dns_use => 'own' ], [ dns_listen => "$ns:53" ],
            @{ $opt{main} // [ [ dns_ns => 'acme-ns.example.test' ] ] } ],
        hosts => [ map { { names => (ref $_ ? $_ : [$_]), hotcert => 'on' } } @$names ]);
    return $s;
}
sub ca { return pebble(http_port => free_port(), dns_server => $dns->resolver . ':53', @_) }
sub texts { my ($name, $at) = @_; return grep { /"/ } split /\n/, answers($at // $ns, '+tcp', $name, 'TXT') }

scenario a_wildcard_and_its_name_are_proved_by_two_values_at_one_label => sub {
    my ($kind) = @_;
    my $ca = ca();
    my $s = orders($kind, $ca, [ [ 'a.example.test', '*.a.example.test' ], 'b.example.test' ], main => [])->start;    # nobody says who the name servers are
    ok(wait_served($s->tls_port, $_, $ca->root), "$_ is served") or diag $s->log_text for 'a.example.test', 'any.a.example.test', 'b.example.test';
    ok(wait_for(20, sub { !texts('_acme-challenge.a.example.test') && !texts('_acme-challenge.b.example.test') }), 'nothing is left at the labels');
    my ($code, $out) = $s->hotcert('renew', '--force', 'a.example.test');
    is($code, 0, 'and once more') or diag $out;
};

scenario a_zone_that_cnames_lead_to_proves_names => sub {
    my ($kind) = @_;
    my $ca = ca();
    my $s = orders($kind, $ca, ['zoned.example.test'], main => [ [ dns_zone => 'acme.example.test' ], [ dns_ns => 'ns.acme.example.test', $ns ] ])->start;
    ok(wait_served($s->tls_port, 'zoned.example.test', $ca->root), 'it is served') or diag $s->log_text;
};

scenario a_label_that_nobody_delegates_is_told_before_the_order => sub {
    my ($kind) = @_;
    my $ca = ca();
    my $s = orders($kind, $ca, [ 'plain.example.test', 'a.example.test' ])->start;
    ok(wait_served($s->tls_port, 'a.example.test', $ca->root), 'the other name is served') or diag $s->log_text;
    like($s->wait_log(qr/dns-not-delegated/) // '', qr/plain\.example\.test.*_acme-challenge\.plain\.example\.test\. 300 IN NS acme-ns\.example\.test\./, 'the record to add is in the log') or diag $s->log_text;
    unlike($ca->log_text, qr/plain\.example\.test/, 'the CA is not asked');
    $dns->change('example.test', $delegated . "_acme-challenge.plain 300 IN NS acme-ns\n");
    my ($code, $out) = $s->hotcert('renew', 'plain.example.test');
    is($code, 0, 'with the record there') or diag $out;
    ok(wait_served($s->tls_port, 'plain.example.test', $ca->root), 'it is ordered and served') or diag $s->log_text;
    $dns->change('example.test', $delegated);
    $dns->forget; # the other server's turn begins without the record
};

scenario a_killed_agent_leaves_no_value_behind => sub {
    my ($kind) = @_;
    my $ca = ca(env => { PEBBLE_VA_NOSLEEP => 0, PEBBLE_VA_SLEEPTIME => 12 });
    my $s = orders($kind, $ca, ['a.example.test'])->start;
    ok(wait_for(30, sub { texts('_acme-challenge.a.example.test') }), 'a value stands while the CA takes its time') or diag $s->log_text;
    kill 'KILL', $s->agent;
    ok(wait_served($s->tls_port, 'a.example.test', $ca->root), 'the order goes on and ends') or diag $s->log_text;
    ok(wait_for(30, sub { !texts('_acme-challenge.a.example.test') }), 'and leaves nothing behind') or diag $s->log_text;
};

scenario every_server_on_the_store_gives_the_values => sub {
    my ($kind) = @_;
    my $ca = ca();
    my @zone = ([ dns_zone => 'acme.example.test' ], [ dns_ns => 'ns.acme.example.test', $ns ]);
    my $one = orders($kind, $ca, ['b.example.test'], main => [ @zone ]);
    my $two = orders($kind, $ca, ['zoned.example.test'], main => [ @zone, [ store => $one->{store} ], [ secret => $one->{secret} ] ]);
    # the zone is delegated to the first server; the second one answers nowhere
    $one->reconfigure(hosts => [ { names => ['b.example.test'], hotcert => 'on', set => [ [ challenge => 'http-01' ] ] } ]);
    $two->reconfigure(main => [ grep { $_->[0] ne 'dns_listen' } @{ $two->{last}{main} } ]);
    $one->start;
    ok(wait_for(20, sub { answers($ns, 'acme.example.test', 'SOA') ne '' }), 'the first server answers');
    $two->start;
    ok(wait_served($two->tls_port, 'zoned.example.test', $ca->root), 'what the second one orders is proved by the first') or diag $two->log_text, $one->log_text;
    my @masters = map { $_->master } $one, $two;    # both at once: each would wait for the other's keeper
    kill 'TERM', @masters;
    ok(wait_for(20, sub { !grep { alive($_) } @masters }), 'both end');
};

# Outage 4: a wildcard without a DNS API, by a machine that nobody can reach.
scenario a_machine_behind_stone_and_ssh_proves_a_wildcard => sub {
    my ($kind) = @_;
    my $ca = ca();
    my $s = orders($kind, $ca, [ [ 'front.example.test', '*.front.example.test' ] ], main => [ [ dns_ns => 'front-ns.example.test' ] ]);
    $s->reconfigure(main => [ map { $_->[0] eq 'dns_listen' ? [ dns_listen => '127.0.0.1:9954' ] : $_ } @{ $s->{last}{main} } ]);
    my @pids = (tool('stone', '127.0.0.1:9954/udp', '127.0.0.1:9953/tcp'), ssh_forward(9953), tool('stone', "$front:9953/tcp", "$front:53/udp"));
    $s->start;
    ok(wait_served($s->tls_port, 'any.front.example.test', $ca->root), 'the wildcard is served') or diag $s->log_text;
    end_process($_) for reverse map { ($_, descendants($_)) } @pids;
    my $d = diagnose('--dns-ns', 'front-ns.example.test', 'front.example.test');
    like($d->{all}, qr/dns-delegation-silent/, 'without them nobody answers, and that is told') or diag explain($d);
};

scenario six_resolvers_get_the_value_at_once => sub {
    my ($kind) = @_;
    my $ca = ca(env => { PEBBLE_VA_NOSLEEP => 0, PEBBLE_VA_SLEEPTIME => 12 });
    my $s = orders($kind, $ca, ['front.example.test'], main => [ [ dns_ns => 'front-ns.example.test' ] ]);
    $s->reconfigure(main => [ map { $_->[0] eq 'dns_listen' ? [ dns_listen => '127.0.0.1:9953' ] : $_ } @{ $s->{last}{main} } ]);
    my @pids = tool('socat', "UDP4-RECVFROM:53,bind=$front,reuseaddr,fork", 'UDP4-SENDTO:127.0.0.1:9953');
    $s->start;
    my @logs = map { "$s->{dir}/value.$_" } 1 .. 6;
    my $all = wait_for(40, sub {
        my @six = map { spawn($_, 'dig', "\@$front", '+norec', '+short', '+time=5', '+tries=1', '_acme-challenge.front.example.test', 'TXT') } @logs;
        wait_for(10, sub { !grep { alive($_) } @six }, 0.05);
        return 6 == grep { slurp($_) =~ /^"\S{43}"$/m } @logs;
    });
    ok($all, 'all six have it') or diag $s->log_text;
    ok(wait_served($s->tls_port, 'front.example.test', $ca->root), 'and so has the CA') or diag $s->log_text;
    end_process($_) for reverse map { ($_, descendants($_)) } @pids;
};

scenario a_writer_without_a_server_is_refused => sub {
    my ($kind) = @_;
    my $s = server($kind);
    $s->configure(issuers => { pebble => [ [ directory_url => 'https://127.0.0.1:1/dir' ], [ terms_agreed => 'on' ] ] }, %own,
        main => [ [ use => 'pebble' ], [ dns_use => 'own' ] ], hosts => [ { names => ['a.example.test'], hotcert => 'on' } ]);
    my ($code, $out) = $s->configtest;
    isnt($code, 0, 'type responder that answers nowhere');
    like($out, qr/own.*(?:hotcert_dns_listen|HotCertDnsListen), which type responder needs/, 'is told what lacks') or diag $out;
};

done_testing;
