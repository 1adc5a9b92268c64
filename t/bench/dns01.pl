#!/usr/bin/perl
# Names proved by dns-01 through DNS updates (rfc2136, TSIG), from the start to the certificate: hotcert, and
# lego and certbot with its plugin, as Debian has them, at the same work with the same CA (Pebble) and the same
# name server (BIND). Both tools wait as little as they can be told to: lego not at all (left alone, a minute after
# each name, and until the name servers have it), certbot a second for all names (a minute). hotcert is left as it
# is, and looks at the names before the order and asks the name servers for each value before the CA does.
#
# Work is interleaved: the three one after the other in each round, and of many certificates one of lego's, one
# of certbot's, and so on, between two runs of hotcert's. Figures are medians; ratios are to hotcert.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Pebble;
use HotCert::Rig qw(run spew_secret slurp temp_dir build_dir wait_for free_port);
use HotCert::Server;
use Time::HiRes qw(time);

if (!HotCert::Dns::enter_namespace()) {
    print "dns-01: needs a network namespace (root); left out\n";
    exit 0;
}
my ($names, $certificates, $rounds) = $ENV{BENCH_SMOKE} ? (3, 2, 1) : (100, 100, 2);
my $wrong = 0;
my $dns = HotCert::Dns->new(negative => 1);
my $key = $dns->key('acme');
my ($secret) = slurp($key) =~ /secret "([^"]+)"/;
my @rounds = map { my $r = $_; map { "$_$r.bench.test" } qw(hotcert lego certbot) } 0 .. $rounds + 2;
$dns->zone($_, "\@ 300 IN A 127.0.0.1\n* 300 IN A 127.0.0.1\n", update => 'grant acme zonesub ANY;') for @rounds;
$dns->zone('bench.test', "\@ 300 IN A 127.0.0.1\n");
$dns->start;
my $server_address = $dns->ns_address($rounds[0], 2);
my $kind = (HotCert::Server->kinds)[0];
my $ca = HotCert::Pebble->new(http_port => free_port(), dns_server => $dns->resolver . ':53');

sub names_of { my ($zone, $count) = @_; return map { "n$_.$zone" } 1 .. $count }
sub complain { $wrong++; print "  WRONG  @_\n"; return }

# { wall, cpu } of what this does; the CPU of what has ended by then, which is all that a tool is.
sub measure {
    my ($code) = @_;
    my ($began, @before) = (time, times);
    my $more = $code->() // 0;
    my @after = times;
    return { wall => time - $began, cpu => $after[2] + $after[3] - $before[2] - $before[3] + $more };
}

# User and system time of a process and of its children that ended, in seconds.
sub cpu_of {
    my ($stat) = slurp("/proc/$_[0]/stat") =~ /\) (.*)/ or return 0;
    my @field = split ' ', $stat;
    return ($field[11] + $field[12] + $field[13] + $field[14]) / 100;
}

# Each list of names is a host, and a certificate.
sub hotcert {
    my (@lists) = @_;
    my $server = HotCert::Server->make($kind);
    $server->configure(ca => $ca, writers => { here => [ [ type => 'rfc2136' ], [ server => $server_address ], [ key_file => $key ] ] },
        main => [ [ dns_use => 'here' ] ], hosts => [ map { { names => $_, hotcert => 'on' } } @lists ]);
    my $figure = measure(sub {
        $server->start;
        my ($code, $out) = $server->hotcert('wait', '--all', '--timeout', '140s');
        complain("hotcert: $out\n" . $server->log_text) if $code != 0;
        my $processes = $server->processes;
        my $sum = 0;
        $sum += cpu_of($_) for map { @$_ } values %$processes;
        return $sum;
    });
    $server->stop;
    return $figure;
}

my $lego_at = temp_dir() . '/lego';
sub lego {
    my (@names) = @_;
    return measure(sub {
        my ($code, $out) = run({ _seconds => 900, LEGO_CA_CERTIFICATES => $ca->bundle, RFC2136_NAMESERVER => "$server_address:53",
            RFC2136_TSIG_KEY => 'acme', RFC2136_TSIG_SECRET => $secret, RFC2136_TSIG_ALGORITHM => 'hmac-sha256.', RFC2136_TTL => 60,
            RFC2136_SEQUENCE_INTERVAL => 0, RFC2136_POLLING_INTERVAL => 1 },
            'lego', '--server', $ca->directory, '--email', 'a@bench.test', '--accept-tos', '--key-type', 'ec256', '--dns', 'rfc2136',
            '--dns.disable-cp', '--dns.resolvers', $dns->resolver . ':53', '--path', $lego_at, (map { ('--domains', $_) } @names), 'run');
        complain("lego: $out") if $code != 0 || !-s "$lego_at/certificates/$names[0].crt";
        return;
    });
}

my $certbot_at = temp_dir() . '/certbot';
my $certbot_ini = spew_secret(temp_dir() . '/certbot.ini', "dns_rfc2136_server = $server_address\ndns_rfc2136_port = 53\ndns_rfc2136_name = acme\n"
    . "dns_rfc2136_secret = $secret\ndns_rfc2136_algorithm = HMAC-SHA256\n");
sub certbot {
    my (@names) = @_;
    return measure(sub {
        my ($code, $out) = run({ _seconds => 900, REQUESTS_CA_BUNDLE => $ca->bundle }, 'certbot', 'certonly', '--non-interactive', '--agree-tos',
            '--email', 'a@bench.test', '--dns-rfc2136', '--dns-rfc2136-credentials', $certbot_ini, '--dns-rfc2136-propagation-seconds', 1,
            '--server', $ca->directory, '--key-type', 'ecdsa', '--config-dir', "$certbot_at/c", '--work-dir', "$certbot_at/w", '--logs-dir', "$certbot_at/l",
            map { ('--domain', $_) } @names);
        complain("certbot: $out") if $code != 0 || !-s "$certbot_at/c/live/$names[0]/fullchain.pem";
        return;
    });
}

sub median { my @s = sort { $a <=> $b } @_; return ($s[ $#s / 2 ] + $s[ @s / 2 ]) / 2 }

# Of each tool a list of figures of the same rounds.
sub print_ratios {
    my ($what, $figures) = @_;
    my $of = sub { my ($tool, $part) = @_; return map { $_->{$part} } @{ $figures->{$tool} } };
    my @parts = ('hotcert 1 ' . sprintf '(%.1f s; %.2f s of CPU)', median($of->('hotcert', 'wall')), median($of->('hotcert', 'cpu')));
    for my $tool (qw(lego certbot)) {
        my %ratio = map { my $part = $_; my @own = $of->('hotcert', $part); my @their = $of->($tool, $part); ($part => median(map { $their[$_] / $own[$_] } 0 .. $#their)) } qw(wall cpu);
        push @parts, sprintf '%s %.1f, CPU %.1f (%.1f s; %.2f s)', $tool, $ratio{wall}, $ratio{cpu}, median($of->($tool, 'wall')), median($of->($tool, 'cpu'));
    }
    printf "  %s: %s\n", $what, join ', ', @parts;
    return;
}

# The accounts first: that is no part of the work.
lego(names_of("lego0.bench.test", 1));
certbot(names_of("certbot0.bench.test", 1));
my %one;
for my $round (1 .. $rounds) {
    push @{ $one{hotcert} }, hotcert([ names_of("hotcert$round.bench.test", $names) ]);
    push @{ $one{lego} }, lego(names_of("lego$round.bench.test", $names));
    push @{ $one{certbot} }, certbot(names_of("certbot$round.bench.test", $names));
}
print_ratios("$names names in one certificate", \%one);

my $last = $rounds + 1;
my @lists = map { my $l = $_; [ map { "n$_.$l$last.bench.test" } 1 .. $certificates ] } qw(lego certbot);
my @own = hotcert(map { [$_] } names_of("hotcert$last.bench.test", $certificates));
my %sum = map { $_ => { wall => 0, cpu => 0 } } qw(lego certbot);
for my $i (0 .. $certificates - 1) {
    my %now = (lego => lego($lists[0][$i]), certbot => certbot($lists[1][$i]));
    for my $tool (keys %now) { $sum{$tool}{$_} += $now{$tool}{$_} for qw(wall cpu) }
}
push @own, hotcert(map { [$_] } names_of('hotcert' . ($last + 1) . '.bench.test', $certificates));
my $own = { map { my $part = $_; ($part => median(map { $_->{$part} } @own)) } qw(wall cpu) };
print_ratios("$certificates certificates", { hotcert => [$own], lego => [ $sum{lego} ], certbot => [ $sum{certbot} ] });
print "  (in hotcert's figures $kind starts as well; lego and certbot run once for each certificate)\n";
$ca->stop;
$dns->stop;
exit($wrong ? 1 : 0);
