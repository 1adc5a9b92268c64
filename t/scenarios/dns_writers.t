#!/usr/bin/perl
# The DNS writers that ask a service, from the directive to the certificate. The services are the
# tests' own (t/lib/dnsapi.py; Route 53 is moto), and write into the BIND that Pebble asks.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Rig qw(spawn end_process free_port slurp spew spew_secret temp_dir rig_dir track_log run wait_for);
use HotCert::Scenario;

HotCert::Dns::need_namespace();

my $count = 0;

# A zone, a CA that looks there, a service that writes there.
sub world {
    my ($s, %opt) = @_;
    my $dns = HotCert::Dns->new(negative => 1);
    my $key = $dns->key('acme');
    $dns->zone('one.test', "\@ 300 IN A 127.0.0.1\nwww 300 IN A 127.0.0.1\n\@ 300 IN TXT \"v=spf1 -all\"\n", update => 'grant acme zonesub ANY;');
    $dns->start;
    my $ca = pebble(http_port => $s->http_port, dns_server => $dns->resolver . ':53');
    my $port = free_port();
    my $info = temp_dir() . '/dnsapi.' . ++$count;
    my $log = track_log("dnsapi $count", "$info.log");
    my $pid = spawn($log, '/usr/bin/python3', 't/lib/dnsapi.py', '--port', $port, '--info', $info, '--zone', 'one.test',
        '--dns', $dns->ns_address('one.test', 2) . ':53', '--key', $key, @{ $opt{args} // [] });
    wait_for(60, sub { -e $info }) or die 'dnsapi.py does not start: ' . slurp($log);
    my %says = map { /^([^=]+)=(.*)$/ ? ($1 => $2) : () } split /\n/, slurp($info);
    return { dns => $dns, ca => $ca, key => $key, url => "http://127.0.0.1:$port", pid => $pid, says => \%says };
}

sub end_world {
    my ($w) = @_;
    end_process($w->{pid});
    $w->{dns}->stop;
    return;
}

sub ask { my ($w, $path) = @_; my (undef, $text) = run('curl', '-s', "$w->{url}$path"); return $text }

sub secret_file {
    my ($name, $text) = @_;
    my $file = temp_dir() . "/$name." . ++$count;
    spew_secret($file, $text);
    return $file;
}

# Both names, then a renewal; nothing of ours is left, and the secret was to be seen nowhere.
sub issue_and_renew {
    my ($s, $w, $secret) = @_;
    my %seen;
    wait_for(90, sub { $seen{$_} = 1 for secret_places($s, $secret); look($s->tls_port, sni => 'any.one.test', ca => $w->{ca}->root)->{verify} == 0 });
    my $first = wait_served($s->tls_port, 'any.one.test', $w->{ca}->root, seconds => 90) or die 'never served';
    is("@{ $first->{names} }", '*.one.test one.test', 'both names are in the certificate');
    my ($code, $out) = $s->hotcert('renew', 'one.test', '--force');
    is($code, 0, 'a renewal is asked for') or diag($out);
    ok(wait_served($s->tls_port, 'any.one.test', $w->{ca}->root, not => $first->{serial}, seconds => 90), 'and made');
    ok(wait_for(45, sub { !$w->{dns}->txt('one.test', '_acme-challenge.one.test') || $w->{others} }), 'nothing of ours is left');
    $seen{$_} = 1 for secret_places($s, $secret);
    is(join("\n", sort keys %seen), '', 'no log, no file, no command line and no environment has the secret');
    return;
}

# SPF, DMARC and DKIM, and a value of somebody else's at the very name, at the service and in the DNS.
sub only_others_are_left {
    my ($w) = @_;
    ok(wait_for(45, sub { join('|', $w->{dns}->txt('one.test', '_acme-challenge.one.test')) eq 'of somebody else' }), 'nothing of ours is left');
    is(ask($w, "/_stands?name=$_->[0]&value=$_->[1]"), 'yes', "of others: $_->[0]")
        for [ 'one.test', 'v%3Dspf1%20-all' ], [ '_dmarc.one.test', 'v%3DDMARC1%3B%20p%3Dreject' ], [ 'sel._domainkey.one.test', 'v%3DDKIM1%3B%20p%3DMFww' ],
        [ '_acme-challenge.one.test', 'of%20somebody%20else' ];
    return;
}

my @both = (hosts => [ { names => [ 'one.test', '*.one.test' ], hotcert => 'on' } ]);

scenario route53_writes => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $w = world($s, args => [ '--moto', rig_dir() . '/moto' ]);
    my $keys = secret_file('aws', "[default]\naws_access_key_id = $w->{says}{writer_id}\naws_secret_access_key = $w->{says}{writer_secret}\n");
    $s->configure(ca => $w->{ca}, writers => { aws => [ [ type => 'route53' ], [ endpoint => $w->{url} ], [ credentials => $keys ], [ ttl => '1s' ] ] },
        main => [ [ dns_use => 'aws' ] ], @both);
    $s->start;
    $w->{others} = 1;
    issue_and_renew($s, $w, $w->{says}{writer_secret});
    only_others_are_left($w);
    end_world($w);
};

# A hook is given its secret by its environment alone.
scenario a_hook_writes => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $w = world($s, args => [ '--login', 'lego:secret-of-the-hook' ]);
    my $login = secret_file('hook', "lego:secret-of-the-hook\n");
    my $hook = spew(temp_dir() . '/hook.' . ++$count, <<"SH", 0755);
#!/bin/sh
case \$1 in setup) path=present ;; teardown) path=cleanup ;; *) exit 0 ;; esac
echo "using \$LOGIN"
printf 'user = "%s"\n' "\$LOGIN" | curl -sf -K - -d "{\\"fqdn\\": \\"_acme-challenge.\$2.\\", \\"value\\": \\"\$3\\"}" $w->{url}/\$path
SH
    $s->configure(ca => $w->{ca}, writers => { own => [ [ type => 'command' ], [ style => 'mod_md' ], [ program => $hook ], [ env => 'LOGIN', "file:$login" ] ] },
        main => [ [ dns_use => 'own' ] ], @both);
    $s->start;
    $w->{others} = 1;
    issue_and_renew($s, $w, 'secret-of-the-hook');
    only_others_are_left($w);
    end_world($w);
};

scenario route53_by_the_environment_and_a_role => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $w = world($s, args => [ '--moto', rig_dir() . '/moto' ]);
    local @ENV{qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL)} = (@{ $w->{says} }{qw(guest_id guest_secret)}, $w->{url});
    $s->configure(ca => $w->{ca}, writers => { aws => [ [ type => 'route53' ], [ role_arn => $w->{says}{role} ], [ ttl => '1s' ] ] },
        main => [ [ dns_use => 'aws' ] ], @both,
        nginx_main => join('', map { "env $_;\n" } qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL)));
    $s->start;
    ok(wait_served($s->tls_port, 'any.one.test', $w->{ca}->root, seconds => 90), 'served');
    # this time it is in the server's own environment, and in the agent's, which needs it
    unlike($s->log_text, qr/\Q$w->{says}{guest_secret}\E/, 'no log has the secret');
    my %has = map { $_ => scalar grep { slurp("/proc/$_/environ") =~ /\Q$w->{says}{guest_secret}\E/ } @{ $s->processes->{$_} } } qw(agent keeper);
    is("$has{agent}", 1, 'the agent has it');
    is(join("\n", grep { /command line/ } secret_places($s, $w->{says}{guest_secret})), '', 'no command line has it');
    end_world($w);
};

scenario a_right_that_lacks_is_named => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $w = world($s, args => [ '--moto', rig_dir() . '/moto' ]);
    my $keys = secret_file('aws', "aws_access_key_id = $w->{says}{reader_id}\naws_secret_access_key = $w->{says}{reader_secret}\n");
    $s->configure(ca => $w->{ca}, writers => { aws => [ [ type => 'route53' ], [ endpoint => $w->{url} ], [ credentials => $keys ] ] },
        main => [ [ dns_use => 'aws' ] ], hosts => [ { names => ['one.test'], hotcert => 'on' } ]);
    $s->start;
    my $line = $s->wait_log(qr/dns-write-refused/, 60) // '';
    like($line, qr/_acme-challenge\.one\.test.*AccessDenied.*route53:ChangeResourceRecordSets/, 'the record, and the right');
    end_world($w);
};

scenario mydns_writes => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $w = world($s);
    my $login = secret_file('mydns', "master:secret-of-mydns\n");
    $s->configure(ca => $w->{ca}, writers => { jp => [ [ type => 'mydns' ], [ endpoint => "$w->{url}/directedit.html" ], [ credentials => $login ] ] },
        main => [ [ dns_use => 'jp' ] ], @both);
    $s->start;
    $w->{others} = 1;
    issue_and_renew($s, $w, 'secret-of-mydns');
    only_others_are_left($w);
    end_world($w);
};

scenario httpreq_writes => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $w = world($s, args => [ '--login', 'lego:secret-of-httpreq' ]);
    my $login = secret_file('httpreq', "lego:secret-of-httpreq\n");
    for my $form (qw(default raw)) {
        $s->configure(ca => $w->{ca}, writers => { own => [ [ type => 'httpreq' ], [ endpoint => $w->{url} ], [ credentials => $login ], [ form => $form ] ] },
            main => [ [ dns_use => 'own' ] ], @both) ;
        $form eq 'default' ? $s->start : $s->reload;
        $w->{others} = 1;
        issue_and_renew($s, $w, 'secret-of-httpreq');
        only_others_are_left($w);
    }
    like(ask($w, '/_log'), qr/"keyAuth"/, 'in both forms');
    end_world($w);
};

scenario acme_dns_is_registered_once => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $w = world($s);
    $s->configure(ca => $w->{ca}, writers => { dns => [ [ type => 'acme-dns' ], [ endpoint => $w->{url} ] ] }, main => [ [ dns_use => 'dns' ] ], @both);
    $s->start;
    my $line = $s->wait_log(qr/dns-alias-missing/, 60) // '';
    my ($record) = $line =~ /add this record: (_acme-challenge\.one\.test\. CNAME \S+\.acme\.one\.test\.)/;
    ok($record, 'the record to add is said') or diag($line);
    my ($name, undef, $target) = split ' ', $record // '';
    my $diagnose = sub { $s->hotcert('diagnose', '--no-request', '--network', 'private', '--method', 'dns-01', '--caa-domain', 'ca.test', '--resolver', $w->{dns}->resolver,
        '--store', $s->{store}, '--secret', $s->{secret}, '--dns-endpoint', $w->{url}, @_) };
    my ($rc, $told) = $diagnose->('one.test');
    is($rc, 1, 'diagnose knows it from the store') or diag($told);
    like(join(' ', split ' ', $told), qr/add: _acme-challenge\.one\.test\. 300 IN CNAME \Q$target\E/, 'and says the record to add');
    ($rc, $told) = $diagnose->('never.one.test');
    is($rc, 3, 'a name that was never registered');
    like($told, qr/_acme-challenge\.never\.one\.test.*registration at \Q$w->{url}\E/s, 'is named');
    my $asked = "server " . $w->{dns}->ns_address('one.test', 2) . " 53\nupdate add $name 300 CNAME $target\nsend\n";
    my ($code, $out) = run({ _stdin => $asked }, 'nsupdate', '-v', '-k', $w->{key});
    is($code, 0, 'it is added') or diag($out);
    is(($diagnose->('one.test', '*.one.test'))[0], 0, 'and diagnose is content');
    wait_for(60, sub { $s->hotcert('renew', '--failed'); wait_served($s->tls_port, 'any.one.test', $w->{ca}->root, seconds => 10) });
    my $first = wait_served($s->tls_port, 'any.one.test', $w->{ca}->root, seconds => 30);
    ok($first, 'then it is served') or return;
    $s->stop;
    $s->start;
    ($code, $out) = $s->hotcert('renew', 'one.test', '--force');
    ok(wait_served($s->tls_port, 'any.one.test', $w->{ca}->root, not => $first->{serial}, seconds => 90), 'and renewed after a restart');
    is(scalar(() = ask($w, '/_log') =~ /POST \/register/g), 1, 'registered once');
    is(join("\n", secret_places($s, 'secret-of-acme-dns')), '', 'no log, no file, no command line and no environment has the password');
    end_world($w);
};

done_testing;
