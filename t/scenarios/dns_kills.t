#!/usr/bin/perl
# An agent that is killed at any moment leaves no record behind and takes none of others' away: every
# writer at once, each for a name and its wildcard, over many orders and many kills.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Rig qw(spawn end_process free_port slurp spew spew_secret temp_dir rig_dir track_log wait_for);
use HotCert::Scenario;

HotCert::Dns::need_namespace();

my $count = 0;
my $ns = HotCert::Dns::add_address('127.53.78.1'); # where hotcert answers itself
my @written = qw(aws jp req hook tsig);            # whose challenge names stand in the zone, beside others' values
my %secret = (jp => 'secret-of-mydns', req => 'secret-of-httpreq', dns => 'secret-of-acme-dns');

sub file { my ($name, $text) = @_; my $file = temp_dir() . "/$name." . ++$count; spew_secret($file, $text); return $file }

# The zone, in which others have values; services that write there; a CA that looks there, and takes its time.
sub world {
    my ($s) = @_;
    my $dns = HotCert::Dns->new(negative => 1);
    my $key = $dns->key('acme');
    $dns->zone('one.test', join("\n", "\@ 300 IN A 127.0.0.1", '@ 300 IN TXT "v=spf1 -all"', '_dmarc 300 IN TXT "v=DMARC1; p=reject"',
        'sel._domainkey 300 IN TXT "v=DKIM1; p=MFww"', (map { "$_ 300 IN A 127.0.0.1" } @written, 'dns', 'own'),
        (map { "_acme-challenge.$_ 1 IN TXT \"of somebody else\"" } @written), "_acme-challenge.own 300 IN NS own-ns", "own-ns 300 IN A $ns",
        '_acme-challenge.dns 300 IN CNAME 00000001-0000-4000-8000-000000000000.acme', ''), update => 'grant acme zonesub ANY;');
    $dns->start;
    my $ca = pebble(http_port => $s->http_port, dns_server => $dns->resolver . ':53', env => { PEBBLE_VA_NOSLEEP => 0, PEBBLE_VA_SLEEPTIME => 1 });
    my ($port, $info) = (free_port(), temp_dir() . '/dnsapi.' . ++$count);
    my $log = track_log("dnsapi $count", "$info.log");
    my $pid = spawn($log, '/usr/bin/python3', 't/lib/dnsapi.py', '--port', $port, '--info', $info, '--zone', 'one.test', '--moto', rig_dir() . '/moto',
        '--dns', $dns->ns_address('one.test', 2) . ':53', '--key', $key, '--login', "lego:$secret{req}", '--others', join(',', @written));
    wait_for(60, sub { -e $info }) or die 'dnsapi.py does not start: ' . slurp($log);
    my %says = map { /^([^=]+)=(.*)$/ ? ($1 => $2) : () } split /\n/, slurp($info);
    return { dns => $dns, ca => $ca, pid => $pid, url => "http://127.0.0.1:$port", says => \%says,
        writers => writers($dns, $key, "http://127.0.0.1:$port", \%says) };
}

# One of each type, by the label of its host.
sub writers {
    my ($dns, $key, $url, $says) = @_;
    my $login = file('httpreq', "lego:$secret{req}\n");
    my $hook = spew(temp_dir() . '/hook.' . ++$count, <<"SH", 0755);
#!/bin/sh
case \$1 in deploy_challenge) path=present ;; clean_challenge) path=cleanup ;; *) exit 0 ;; esac
printf 'user = "%s"\\n' "\$LOGIN" | curl -sf -K - -d "{\\"fqdn\\": \\"_acme-challenge.\$2.\\", \\"value\\": \\"\$4\\"}" $url/\$path
SH
    return {
        aws => [ [ type => 'route53' ], [ endpoint => $url ], [ ttl => '1s' ],
            [ credentials => file('aws', "[default]\naws_access_key_id = $says->{writer_id}\naws_secret_access_key = $says->{writer_secret}\n") ] ],
        jp => [ [ type => 'mydns' ], [ endpoint => "$url/directedit.html" ], [ credentials => file('mydns', "master:$secret{jp}\n") ] ],
        req => [ [ type => 'httpreq' ], [ endpoint => $url ], [ credentials => $login ] ],
        dns => [ [ type => 'acme-dns' ], [ endpoint => $url ] ],
        hook => [ [ type => 'command' ], [ style => 'dehydrated' ], [ program => $hook ], [ env => 'LOGIN', "file:$login" ] ],
        tsig => [ [ type => 'rfc2136' ], [ server => $dns->ns_address('one.test', 2) ], [ key_file => $key ] ],
        own => [ [ type => 'responder' ] ],
    };
}

sub host { my ($w, $s, $label) = @_; return wait_served($s->tls_port, "any.$label.one.test", $w->{ca}->root, seconds => 120) }

scenario a_killed_agent_leaves_nothing_with_any_writer => crashes => 1, sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $w = world($s);
    my @labels = sort keys %{ $w->{writers} };
    my @secrets = (values %secret, $w->{says}{writer_secret}, slurp($w->{writers}{tsig}[2][1]) =~ /secret "([^"]+)"/);
    is(scalar @secrets, 5, 'every writer that needs a secret has one');
    $s->configure(ca => $w->{ca}, writers => $w->{writers}, main => [ [ challenge => 'dns-01' ], [ preflight => 'off' ], [ dns_listen => "$ns:53" ], [ dns_ns => 'own-ns.one.test' ] ],
        hosts => [ map { { names => [ "$_.one.test", "*.$_.one.test" ], hotcert => 'on', set => [ [ dns_use => $_ ] ] } } @labels ]);
    $s->start;
    # an account of acme-dns whose making nobody heard of is another one's: that is before the kills
    ok($s->wait_log(qr/registered dns\.one\.test at/, 90), 'acme-dns is registered with');
    my (%seen, %first, $kills);
    for my $turn (1 .. 12) {
        my $agent = $s->agent or last;
        sleep 0.12 * $turn;
        $seen{$_} = 1 for secret_places($s, @secrets);
        $kills += kill 'KILL', $agent;
        $s->reload if $turn % 2 == 0;    # the pause before the next start doubles with each kill, and begins anew
        wait_for(20, sub { ($s->processes->{agent}[0] // $agent) != $agent }) or last;
        if ($turn == 6) {    # one order of each ends; then renewals are disturbed
            $first{$_} = host($w, $s, $_) or fail("$_: the order ends after six kills") for @labels;
            my ($code, $out) = $s->hotcert('renew', '--force', map { "$_.one.test" } @labels);
            is($code, 0, 'renewals are asked for') or diag($out);
        }
    }
    is($kills, 12, 'the agent was killed on its way, so many times');
    for my $label (@labels) {
        my $again = wait_served($s->tls_port, "any.$label.one.test", $w->{ca}->root, not => $first{$label}{serial}, seconds => 120);
        ok($again, "$label: the renewal is made all the same");
    }
    my $at = sub { return join '|', $w->{dns}->txt('one.test', $_[0]) };
    for my $label (@written) {
        wait_for(60, sub { $at->("_acme-challenge.$label.one.test") eq 'of somebody else' });
        is($at->("_acme-challenge.$label.one.test"), 'of somebody else', "$label: nothing of ours is left, and what somebody else had there is");
    }
    my $own = sub { return $w->{dns}->dig("\@$ns", '+norec', '+tcp', '+short', '_acme-challenge.own.one.test', 'TXT') };
    ok(wait_for(60, sub { $own->() !~ /"/ }), 'own: our own server gives nothing any more') or diag($own->());
    is(join('|', map { $at->($_) } 'one.test', '_dmarc.one.test', 'sel._domainkey.one.test'), 'v=spf1 -all|v=DMARC1; p=reject|v=DKIM1; p=MFww',
        'SPF, DMARC and DKIM stand');
    $seen{$_} = 1 for secret_places($s, @secrets);
    is(join("\n", sort keys %seen), '', 'no log, no file, no command line and no environment had a secret');
    end_process($w->{pid});
    $w->{dns}->stop;
};

done_testing;
