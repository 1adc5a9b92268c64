#!/usr/bin/perl
# The figures. Ratios come from interleaved rounds of one run, so that a busy machine spoils all sides
# alike; times are printed and never judged. What is judged (the exit code) is correctness: no failed
# handshake, no wrong pair, no dropped connection, no name ordered twice.
#
#   BENCH_SMOKE=1   a short run of everything, for CI
#   BENCH_ONLY=word handshakes, swaps, memory, start, issuance, checks, names, hosts, dns01
use strict;
use warnings;
use lib 't/lib';
use HotCert::Client qw(look wait_served load_start load_stop load_run);
use HotCert::Pebble;
use HotCert::Pki qw(make_ca make_leaf write_pair);
use HotCert::Rig qw(temp_dir build_dir run spew slurp wait_for spawn end_process cpu_seconds alive);
use HotCert::Server;
use JSON::PP;
use Time::HiRes qw(time sleep);

$| = 1;
my $smoke = $ENV{BENCH_SMOKE};
my $tool = build_dir() . '/benchtool';
my $wrong = 0;

sub say_line { printf "%s\n", join '', @_; return }

sub judge {
    my ($good, $text) = @_;
    $wrong++ unless $good;
    say_line(($good ? '  ok     ' : '  WRONG  '), $text);
    return $good;
}

sub median { my @s = sort { $a <=> $b } @_; return @s ? ($s[ $#s / 2 ] + $s[ @s / 2 ]) / 2 : 0 }

# CPU of processes in seconds, to the nanosecond where the kernel tells (all threads).
sub cpu_of {
    my ($sum) = 0;
    for my $pid (@_) {
        for my $task (glob "/proc/$pid/task/*/schedstat") {
            $sum += (split ' ', slurp($task))[0] // 0;
        }
    }
    return $sum / 1e9;
}

sub stop_all { $_->stop for @_; return }

# ---- handshakes ----

# One server for each way of serving the same pair.
sub ways_of {
    my ($kind, $leaf, $pair, $root) = @_;
    my %server;
    my %host = (names => ['a.test'], pair => $pair);
    $server{static} = HotCert::Server->make($kind);
    $server{static}->configure(no_module => 1, hosts => [ {%host} ]);
    $server{hotcert} = HotCert::Server->make($kind);
    $server{hotcert}->configure(main => [ [ trusted_certificate => $root->{cert} ], [ check_interval => '60s' ] ],
        hosts => [ { %host, hotcert => 'watch' } ]);
    if ($kind eq 'nginx') {
        # Workers read these files at every handshake, as their user.
        my $dir = temp_dir() . '/var-' . $leaf->{serial};
        mkdir $dir, 0755;
        spew("$dir/a.test.pem", $leaf->{fullchain}, 0644);
        spew("$dir/a.test.key", $leaf->{key_text}, 0644);
        $server{variable} = HotCert::Server->make($kind);
        $server{variable}->configure(no_module => 1, hosts => [ { names => ['a.test'],
            pair => [ "$dir/\$ssl_server_name.pem", "$dir/\$ssl_server_name.key" ] } ]);
    }
    $_->start for values %server;
    return \%server;
}

sub bench_handshakes {
    my ($rounds, $count) = $smoke ? (1, 100) : (21, 400); # short ones: what disturbs one round spoils that one alone
    say_line("Worker CPU per full handshake, as a ratio to a static certificate (median of $rounds interleaved rounds of $count handshakes; higher is better)");
    my $root = make_ca('bench root');
    for my $kind (HotCert::Server->kinds) {
        for my $type ('ecdsa:256', 'rsa:2048') {
            my $leaf = make_leaf($root, ['a.test'], key_type => $type);
            my @pair = write_pair($leaf, temp_dir() . "/pair-$leaf->{serial}");
            my $server = ways_of($kind, $leaf, \@pair, $root);
            for my $tls ('1.3', '1.2') {
                my (%cpu, %ratio);
                for my $round (0 .. $rounds) {    # the first warms up and is not counted
                    my %now;
                    for my $way (sort keys %$server) {
                        my @workers = $server->{$way}->workers;
                        my $before = cpu_of(@workers);
                        my $r = load_run($server->{$way}->tls_port, sni => 'a.test', lanes => 1,
                            count => $round ? $count : 50, tls => $tls, ca => $root->{cert});
                        $now{$way} = (cpu_of($server->{$way}->workers) - $before) / ($r->{handshakes} || 1);
                        judge(0, "$kind $way: $r->{failed} handshakes failed, $r->{wrong} wrong: @{ $r->{reasons} }") if $r->{failed} || $r->{wrong};
                    }
                    next unless $round;
                    push @{ $cpu{$_} }, $now{$_} for keys %now;
                    push @{ $ratio{$_} }, $now{static} / $now{$_} for grep { $now{$_} } keys %now;
                }
                my $text = sprintf '  %-5s %-9s TLS %s  static 1 (%.0f us)  hotcert %.3f', $kind, $type, $tls,
                    1e6 * median(@{ $cpu{static} }), median(@{ $ratio{hotcert} });
                $text .= sprintf '  ssl_certificate $variable %.3f', median(@{ $ratio{variable} }) if $ratio{variable};
                say_line($text);
            }
            stop_all(values %$server);
        }
    }
    return;
}

# ---- swaps ----

sub bench_swaps {
    my $seconds = $smoke ? 4 : 30;
    my $reload_seconds = $smoke ? 2 : 10;
    say_line("50 swaps a second for $seconds s under full load, two workers, 20 held connections; beside it the same by reload / graceful restart for $reload_seconds s");
    my $root = make_ca('swap root');
    my @leaf = map { make_leaf($root, ['a.test']) } 1 .. 2;
    for my $kind (HotCert::Server->kinds) {
        my $server = HotCert::Server->make($kind);
        my @files = map { [ write_pair($leaf[$_], "$server->{dir}/pair$_") ] } 0 .. 1;
        my @live = write_pair($leaf[0], "$server->{dir}/live");
        $server->configure(main => [ [ trusted_certificate => $root->{cert} ], [ check_interval => '1h' ] ],
            hosts => [ { names => ['a.test'], hotcert => 'watch', pair => \@live } ]);
        $server->start;
        my @workers = $server->workers;
        my $agent = $server->agent;
        my %load = (sni => 'a.test', lanes => 2, hold => 20, ca => $root->{cert}, pause => 20);
        my $load = load_start($server->tls_port, %load);
        sleep 1;
        my ($code, $out) = run({ _seconds => $seconds * 3 + 30 }, $tool, 'swap', "/proc/$agent/fd/5", 50 * $seconds, 50, map { @$_ } @files);
        judge($code == 0, "$kind: the table was written") if $code != 0 and say_line($out);
        my $r = load_stop($load);
        my @now = $server->workers;
        say_line(sprintf '  %-5s %d swaps: %d handshakes, %d requests on held connections', $kind, 50 * $seconds, $r->{handshakes}, $r->{requests});
        judge($r->{failed} == 0 && $r->{handshakes} > 0, "$kind: failed handshakes $r->{failed}" . ($r->{failed} ? " (@{ $r->{reasons} })" : ''));
        judge($r->{wrong} == 0, "$kind: wrong pairs $r->{wrong}");
        judge($r->{dropped} + $r->{held_failed} == 0, "$kind: dropped connections $r->{dropped}");
        judge(keys %{ $r->{serials} } == 2, "$kind: both pairs were seen");
        judge("@now" eq "@workers", "$kind: worker processes unchanged");
        $server->stop;
        reload_side($kind, $root, \@leaf, $reload_seconds, %load);
    }
    return;
}

# The same changes as a stock server takes them: write the files, reload.
sub reload_side {
    my ($kind, $root, $leaf, $seconds, %load) = @_;
    my $server = HotCert::Server->make($kind);
    my @live = write_pair($leaf->[0], "$server->{dir}/live");
    $server->configure(no_module => 1, hosts => [ { names => ['a.test'], pair => \@live } ]);
    $server->start;
    my $load = load_start($server->tls_port, %load);
    my ($end, $reloads) = (time + $seconds, 0);
    while (time < $end) {
        write_pair($leaf->[ ++$reloads & 1 ], "$server->{dir}/live");
        kill $kind eq 'nginx' ? 'HUP' : 'USR1', $server->master;
        sleep 0.02;
    }
    my $r = load_stop($load);
    say_line(sprintf '  %-5s stock, %d %s: %d handshakes, failed %d, dropped connections %d', $kind, $reloads,
        $kind eq 'nginx' ? 'reloads' : 'graceful restarts', $r->{handshakes}, $r->{failed}, $r->{dropped});
    $server->stop;
    return;
}

# ---- memory and configuration ----

sub anonymous_kb {
    my ($sum, $n) = (0, 0);
    for my $pid (@_) {
        my ($kb) = slurp("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m;
        $sum += $kb // 0;
        $n++;
    }
    return $n ? $sum / $n : 0;
}

sub many_hosts {
    my ($dir, $count, $mode) = @_;
    return [ map { { names => ["$_.many.test"], pair => [ "$dir/$_.pem", "$dir/$_.key" ], ($mode ? (hotcert => $mode) : ()) } } 1 .. $count ];
}

sub bench_memory {
    my ($few, $many) = $smoke ? (5, 20) : (100, 1000);
    say_line('Memory for each additional certificate (P-256, watched files; after every host was asked once)');
    my $dir = temp_dir() . '/many';
    mkdir $dir, 0700;
    my ($code, $out) = run({ _seconds => 120 }, $tool, 'pairs', $dir, $many, 'many.test');
    die $out if $code != 0;
    my $roots = spew(temp_dir() . '/many-ca.pem', slurp("$dir/ca.pem"), 0644); # the agent reads them
    for my $kind (HotCert::Server->kinds) {
        for my $mode ('', 'watch') {
            my (%memory, $table);
            for my $n ($few, $many) {
                my $server = HotCert::Server->make($kind, workers => 1);
                my @how = $mode ? (main => [ [ trusted_certificate => $roots ] ]) : (no_module => 1);
                $server->configure(@how, hosts => many_hosts($dir, $n, $mode));
                $server->start;
                my @names = map { "$_.many.test" } 1 .. $n;
                my $r = load_run($server->tls_port, sni => \@names, lanes => 1, count => $n, ca => "$dir/ca.pem");
                judge($r->{wrong} == 0 && $r->{failed} == 0, "$kind: $n hosts, wrong $r->{wrong}, failed $r->{failed}: @{ $r->{reasons} }")
                    if $r->{wrong} || $r->{failed};
                judge(keys %{ $r->{serials} } == $n, "$kind " . ($mode || 'stock') . ": every one of $n hosts serves its own pair");
                $memory{$n} = anonymous_kb($server->workers);
                if ($mode) {
                    my ($c, $json) = run($tool, 'stats', '/proc/' . $server->agent . '/fd/5');
                    my $s = eval { decode_json($json) };
                    $table = $s->{bytes} / $s->{slots} if $s && $s->{slots};
                }
                $server->stop;
            }
            say_line(sprintf '  %-5s %-8s worker %.1f KiB each%s', $kind, $mode ? 'hotcert' : 'stock',
                ($memory{$many} - $memory{$few}) / ($many - $few), $table ? sprintf(', live table %.1f KiB each', $table / 1024) : '');
        }
    }
    my ($agent) = (run({ _seconds => 300 }, build_dir() . '/t/unit/agent_memory_test'))[1] =~ /^# (.*)/m;
    judge(defined $agent, 'the agent: its memory test tells') if !defined $agent;
    say_line("  the agent, $agent") if defined $agent;
    return;
}

# ---- start ----

sub bench_start {
    my ($count, $rounds) = $smoke ? (20, 1) : (1000, 5);
    say_line("A start with $count watched hosts (P-256), beside a start without hotcert (median of $rounds interleaved rounds; at most 1.5 is the aim)");
    my ($code, $out) = run({ _seconds => 3600 }, $^X, 't/bench/start.pl', $count, $rounds);
    say_line($out);
    judge($code == 0, 'start: the store remembers every verdict');
    return;
}

# ---- issuance ----

sub issuing {
    my ($kind, $count, %opt) = @_;
    my $server = HotCert::Server->make($kind);
    my $ca = HotCert::Pebble->new(http_port => $server->http_port, retry_after => 1, %opt);
    $server->configure(ca => $ca, hosts => [ map { { names => ["h$_.test"], hotcert => 'on' } } 1 .. $count ]);
    return ($server, $ca, [ map { "h$_.test" } 1 .. $count ]);
}

# Waits until `hotcert wait` says that all is served; then every name is asked: the seconds until it
# was so, or undef.
sub all_served {
    my ($server, $names, $roots, $seconds) = @_;
    my $began = time;
    return unless wait_returns($server, $seconds);
    my $took = time - $began;
    return all_serve_their_own($server, $names, $roots) ? $took : undef;
}

sub wait_returns {
    my ($server, $seconds) = @_;
    my ($code, $out) = $server->hotcert('wait', '--all', '--timeout', int $seconds);
    return $code == 0 || judge(0, "hotcert wait: $out");
}

sub all_serve_their_own {
    my ($server, $names, $roots) = @_;
    my $bundle = spew(temp_dir() . '/roots.pem', join('', map { slurp($_) } @$roots), 0644);
    my $r = load_run($server->tls_port, sni => $names, lanes => 2, count => scalar @$names, ca => $bundle);
    return 1 if $r->{wrong} == 0 && $r->{failed} == 0 && $r->{handshakes} >= @$names;
    return judge(0, "wrong $r->{wrong}, failed $r->{failed} of $r->{handshakes}: @{ $r->{reasons} }");
}

sub bench_issuance {
    my $count = $smoke ? 10 : 100;
    say_line("$count virtual hosts, one name each, P-256, from the start of the server until all serve a certificate of Pebble's");
    for my $kind (HotCert::Server->kinds) {
        my ($server, $ca, $names) = issuing($kind, $count);
        my $began = time;
        $server->start;
        wait_returns($server, 120);
        my $all = time - $began;
        my $p = $server->processes;
        my $cpu = cpu_of(map { @$_ } @$p{qw(agent worker keeper helper)});
        my $agent = cpu_of(@{ $p->{agent} });
        if (judge(all_serve_their_own($server, $names, [ $ca->root ]), "$kind: all served")) {
            say_line(sprintf '  %-5s %.1f s, %.1f ms of CPU a certificate (agent %.1f)', $kind, $all, 1000 * $cpu / $count, 1000 * $agent / $count);
        }
        judge($ca->count_of('accounts') == 1, "$kind: one account");
        judge($ca->count_of('orders') == $count, "$kind: orders at the CA: " . $ca->count_of('orders'));
        $server->stop;
        $ca->stop;
        lost_database($kind, $count);
        killed_agent($kind, $count);
    }
    return;
}

sub half_way {
    my ($ca, $count) = @_;
    return wait_for(60, sub { $ca->count_of('certificates') >= $count / 2 }, 0.02);
}

sub lost_database {
    my ($kind, $count) = @_;
    my ($server, $ca, $names) = issuing($kind, $count);
    $server->start;
    half_way($ca, $count);
    my $old = spew(temp_dir() . '/old-root.pem', slurp($ca->root), 0644);
    $ca->lose_database;
    my $took = all_served($server, $names, [ $ca->root, $old ], 120);
    judge(defined $took, sprintf "$kind: the CA's database lost half-way: all served %s after its return, without help", defined $took ? sprintf '%.1f s', $took : 'NOT');
    $server->stop;
    $ca->stop;
    return;
}

sub killed_agent {
    my ($kind, $count) = @_;
    my ($server, $ca, $names) = issuing($kind, $count);
    $server->start;
    half_way($ca, $count);
    kill 'KILL', $server->agent;
    my $took = all_served($server, $names, [ $ca->root ], 120);
    judge(defined $took, sprintf "$kind: the agent killed -9 half-way: all served %s later", defined $took ? sprintf '%.1f s', $took : 'NOT');
    my $certificates = $ca->count_of('certificates');
    judge($certificates == $count, "$kind: certificates issued for $count names: $certificates, orders placed: " . $ca->count_of('orders'));
    $server->stop;
    $ca->stop;
    return;
}

# ---- the check ----

sub bench_checks {
    say_line('CPU of a full check (3 certificates, 10 names): under 5 ms is the aim');
    my $root = make_ca('check root');
    my $middle = make_ca('check intermediate', issuer => $root);
    my $low = make_ca('check issuer', issuer => $middle);
    my @names = map { "n$_.check.test" } 1 .. 10;
    my $leaf = make_leaf($low, \@names);
    my $chain = spew(temp_dir() . '/check.pem', slurp($leaf->{cert}) . slurp($low->{cert}) . slurp($middle->{cert}));
    my ($code, $out) = run({ _seconds => 120 }, $tool, 'check', $chain, $leaf->{key}, $root->{cert}, $smoke ? 20 : 300, @names);
    chomp $out;
    judge($code == 0, "it is fit: $out") if $code != 0;
    say_line("  $out ms");
    return;
}

# ---- names ----

# In a process of its own: it enters a network namespace.
sub bench_names {
    my ($code, $out) = run({ _seconds => 120 }, $^X, 't/bench/names.pl');
    say_line($out);
    judge($code == 0, 'names: every figure is as it should be');
    return;
}

# ---- hosts ----

sub bench_hosts {
    my ($count, $rounds) = $smoke ? (400, 1) : (100_000, 3);
    say_line("CPU of the configuration test of $count hosts, with hotcert and without ($rounds interleaved rounds)");
    my ($code, $out) = run({ _seconds => 3600 }, $^X, 't/bench/hosts.pl', $count, $rounds);
    say_line($out);
    judge($code == 0, 'hosts: linear in their number');
    return;
}

# ---- dns-01 ----

# In a process of its own, for the same reason.
sub bench_dns01 {
    say_line('dns-01 by DNS updates (rfc2136) from nothing to the certificate, beside lego and certbot, as ratios to hotcert (higher: hotcert is faster)');
    my ($code, $out) = run({ _seconds => 7200 }, $^X, 't/bench/dns01.pl');
    say_line($out);
    judge($code == 0, 'dns01: every certificate was obtained');
    return;
}

my %bench = (handshakes => \&bench_handshakes, swaps => \&bench_swaps, memory => \&bench_memory, start => \&bench_start,
    issuance => \&bench_issuance, checks => \&bench_checks, names => \&bench_names, hosts => \&bench_hosts, dns01 => \&bench_dns01);
for my $name (qw(checks names hosts start swaps issuance dns01 memory handshakes)) {
    next if $ENV{BENCH_ONLY} && $name !~ /$ENV{BENCH_ONLY}/;
    my $began = time;
    $bench{$name}->();
    say_line(sprintf "  (%s took %.0f s)\n", $name, time - $began);
}
say_line($wrong ? "$wrong figures are WRONG" : 'every correctness figure is as it should be');
exit($wrong ? 1 : 0);
