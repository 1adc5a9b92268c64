#!/usr/bin/perl
# The forms in which a hook is called are those of the tools themselves: dehydrated, lego and certbot, as
# Debian has them, get a certificate from Pebble with a hook that notes what it is given; then hotcert
# does, with the same hook.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

# Writes down arguments and the variables that begin so, each call as one line.
sub recorder {
    my ($dir, $prefix) = @_;
    my $log = spew("$dir/calls", '');
    chmod 0666, $log;
    my $hook = spew("$dir/hook", <<"SH");
#!/bin/sh
{ printf 'call'; for arg; do printf ' <%s>' "\$arg"; done
  env | sort | sed -n 's/^\\($prefix\[A-Z_]*=.*\\)/ \\1/p' | tr -d '\\n'; echo; } >>$log
echo; echo ' heard '
echo 'not for the cleanup hook' >&2
SH
    chmod 0755, $hook;
    return ($hook, $log);
}

# What was called, without what differs from order to order.
sub calls {
    my ($log) = @_;
    my %seen = map { s/[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}/KEYAUTH/gr =~ s/[A-Za-z0-9_-]{43}/B64/gr => 1 }
        grep { /_challenge|present|cleanup|CERTBOT_VALIDATION/ } split /\n/, slurp($log);
    return join "\n", sort keys %seen;
}

# A folder that the agent's user can enter, and a CA that believes everything.
sub world {
    my ($s, $what) = @_;
    my $dir = "$s->{dir}/$what";
    mkdir $dir;
    chmod 0755, $dir;
    return ($dir, pebble(http_port => $s->http_port, env => { PEBBLE_VA_ALWAYS_VALID => 1 }));
}

# The calls of hotcert with this style.
sub ours {
    my ($s, $ca, $log, @block) = @_;
    spew($log, '', 0666);
    $s->configure(ca => $ca, main => [ [ challenge => 'dns-01' ], [ preflight => 'off' ], [ dns_use => 'hook' ] ],
        writers => { hook => [ [ type => 'command' ], @block, [ propagation_timeout => '1s' ] ] },
        hosts => [ { names => ['one.test'], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'one.test', $ca->root, seconds => 60), 'hotcert has a certificate by the hook');
    wait_for(20, sub { (() = slurp($log) =~ /\n/g) >= 2 });
    return calls($log);
}

scenario lego_calls_it_so => sub {
    my ($kind) = @_;
    for my $mode ('', 'RAW') {
        my $s = server($kind);
        my ($dir, $ca) = world($s, "lego$mode");
        my ($hook, $log) = recorder($dir, 'NONE_');
        my ($code, $out) = run({ _seconds => 60, LEGO_CA_CERTIFICATES => $ca->bundle, EXEC_PATH => $hook, EXEC_MODE => $mode,
            EXEC_POLLING_INTERVAL => 1, EXEC_PROPAGATION_TIMEOUT => 1 }, 'lego', '--server', $ca->directory, '--email', 'a@one.test',
            '--accept-tos', '--dns', 'exec', '--dns.disable-cp', '--dns.resolvers', $ca->dns_server, '--path', "$dir/lego", '--domains', 'one.test', 'run');
        my $theirs = calls($log);
        like($theirs, qr/present/, "lego runs its hook $mode") or diag($out);
        is(ours($s, $ca, $log, [ program => $hook ], [ style => 'lego' ], $mode ? [ env => 'EXEC_MODE', $mode ] : ()), $theirs, 'hotcert calls it the same way');
        $s->stop;    # before the next one: each counts keepers
    }
};

scenario dehydrated_calls_it_so => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dir, $ca) = world($s, 'dehydrated');
    my ($hook, $log) = recorder($dir, 'NONE_');
    spew("$dir/config", join "\n", 'CA=' . $ca->directory, "BASEDIR=$dir/base", "HOOK=$hook", 'CHALLENGETYPE=dns-01', 'CONTACT_EMAIL=a@one.test',
        'CURL_OPTS="--cacert ' . $ca->bundle . '"', 'KEY_ALGO=prime256v1', 'ACCOUNT_KEYSIZE=2048', '');
    mkdir "$dir/base";
    run({ _seconds => 150 }, 'dehydrated', '--config', "$dir/config", '--register', '--accept-terms');
    my ($code, $out) = run({ _seconds => 150 }, 'dehydrated', '--config', "$dir/config", '--cron', '--domain', 'one.test');
    my $theirs = calls($log);
    like($theirs, qr/deploy_challenge/, 'dehydrated runs its hook') or diag($out);
    is(ours($s, $ca, $log, [ program => $hook ], [ style => 'dehydrated' ]), $theirs, 'hotcert calls it the same way');
};

scenario certbot_calls_it_so => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dir, $ca) = world($s, 'certbot');
    my ($hook, $log) = recorder($dir, 'CERTBOT_');
    my ($code, $out) = run({ _seconds => 90, REQUESTS_CA_BUNDLE => $ca->bundle }, 'certbot', 'certonly', '--non-interactive', '--agree-tos',
        '--email', 'a@one.test', '--manual', '--preferred-challenges', 'dns', '--manual-auth-hook', $hook, '--manual-cleanup-hook', $hook,
        '--server', $ca->directory, '--config-dir', "$dir/c", '--work-dir', "$dir/w", '--logs-dir', "$dir/l", '--domain', 'one.test');
    # newer ones say CERTBOT_IDENTIFIER as well; hotcert says it in any case
    my $plain = sub { return $_[0] =~ s/ CERTBOT_(?:ALL_IDENTIFIERS|IDENTIFIER)=\S+//gr };
    my $theirs = $plain->(calls($log));
    like($theirs, qr/CERTBOT_AUTH_OUTPUT/, 'certbot runs its hooks') or diag($out);
    is($plain->(ours($s, $ca, $log, [ program => $hook ], [ cleanup => $hook ], [ style => 'certbot' ])), $theirs, 'hotcert calls them the same way');
};

done_testing;
