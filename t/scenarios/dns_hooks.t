#!/usr/bin/perl
# The forms in which a hook is called are those of the tools themselves: dehydrated, lego and certbot, as
# Debian has them, get a certificate from Pebble with a hook that notes what it is given; then hotcert
# does, with the same hook. And hooks as they are: the one that Debian has for dehydrated, lego's HTTP
# form, a file with the contract of acme.sh's dnsapi.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Dns;
use HotCert::Scenario;
use HotCert::Rig qw(track_log);

HotCert::Dns::need_namespace();

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

# The agent's user is not root: what root alone can run is of no use to it.
scenario a_hook_that_cannot_run_is_told_before_it_is_needed => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dir) = world($s, 'hooks');
    my $is = sub {
        my ($program, @block) = @_;
        $s->configure(issuers => { pebble => [ [ directory_url => 'https://127.0.0.1:1/dir' ], [ terms_agreed => 'on' ] ] },
            main => [ [ use => 'pebble' ], [ challenge => 'dns-01' ], [ dns_use => 'hook' ] ],
            writers => { hook => [ [ type => 'command' ], [ program => $program ], @block ] }, hosts => [ { names => ['one.test'], hotcert => 'on' } ]);
        my $mark = $s->log_mark;
        my ($code, $out) = $s->configtest;
        is($code, 0, 'the configuration is good') or diag $out;
        return $out . $s->log_since($mark);
    };
    my @lego = ([ style => 'lego' ]);
    my $good = spew("$dir/good", "#!/bin/sh\n", 0755);
    unlike($is->($good, @lego), qr/dns-program/, 'a hook that can run');
    like($is->("$dir/nothing", @lego), qr/(?:hotcert_dns|HotCertDns) hook: \Q$dir\E\/nothing: hotcert cannot run.*No such file.*dns-program/, 'one that is missing');
    like($is->(spew("$dir/plain", "#!/bin/sh\n", 0644), @lego), qr/\Q$dir\E\/plain: .*Permission denied.*dns-program/, 'one that is not executable');
    like($is->(spew("$dir/roots", "#!/bin/sh\n", 0700), @lego), qr/\Q$dir\E\/roots: .*Permission denied.*dns-program/, 'one for root alone');
    like($is->($dir, @lego), qr/\Q$dir\E: .*not a regular file.*dns-program/, 'a folder');
    unlike($is->("$dir/plain", [ style => 'acme.sh' ]), qr/dns-program/, 'a file that the shell reads needs no x');
    like($is->($good, [ style => 'certbot' ], [ cleanup => "$dir/nothing" ]), qr/nothing: .*dns-program/, "certbot's cleanup hook");
};

# A zone that others have values in, which hooks can write; a CA that looks there.
sub real_world {
    my ($s) = @_;
    my $dns = HotCert::Dns->new(negative => 1);
    my $key = $dns->key('acme');
    $dns->zone('one.test', "\@ 300 IN A 127.0.0.1\n\@ 300 IN TXT \"v=spf1 -all\"\n_acme-challenge 1 IN TXT \"of somebody else\"\n", update => 'grant acme zonesub ANY;');
    $dns->start;
    return ($dns, $key, pebble(http_port => $s->http_port, dns_server => $dns->resolver . ':53'));
}

# A name and its wildcard by this writer, then nothing of ours is left.
sub writes {
    my ($s, $dns, $ca, @block) = @_;
    $s->configure(ca => $ca, main => [ [ dns_use => 'hook' ] ], writers => { hook => [@block] }, hosts => [ { names => [ 'one.test', '*.one.test' ], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'any.one.test', $ca->root, seconds => 90), 'a certificate for a name and its wildcard') or diag($s->log_text);
    ok(wait_for(45, sub { join('|', $dns->txt('one.test', '_acme-challenge.one.test')) eq 'of somebody else' }), 'nothing of ours is left, what is of others is')
        or diag(join '|', $dns->txt('one.test', '_acme-challenge.one.test'));
    is(join('|', $dns->txt('one.test', 'one.test')), 'v=spf1 -all', 'SPF stands');
    return;
}

scenario debians_hook_for_dehydrated_runs_as_it_is => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $key, $ca) = real_world($s);
    my ($secret) = slurp($key) =~ /secret "([^"]+)"/;
    my $dir = "$s->{dir}/ddns";
    mkdir $dir;
    chmod 0755, $dir;
    # it takes its settings from /etc, or from where --config says; whom it asks for the servers of a zone is not ours to say
    my $conf = spew_secret("$dir/conf", "[DEFAULT]\nname_server_ip = " . $dns->ns_address('one.test', 2) . "\nkey_name = acme\nkey_secret = $secret\nkey_algorithm = hmac-sha256\nTTL = 1\nwait = -1\n");
    chown scalar getpwnam('www-data'), -1, $conf;
    my $hook = spew("$dir/hook", "#!/bin/sh\nexec /usr/share/dehydrated-hook-ddns-tsig/dehydrated-hook-ddns-tsig.py --config $conf \"\$@\"\n", 0755);
    writes($s, $dns, $ca, [ type => 'command' ], [ style => 'dehydrated' ], [ program => $hook ], [ propagation_timeout => '20s' ]);
    is(join("\n", secret_places($s, $secret)), '', 'its secret is to be seen nowhere');
    $dns->stop;
};

# As acme.sh's own files are written: credentials at the first use, then saved; _post with headers.
my $dnsapi = <<'SH';
#!/usr/bin/env sh
dns_test_add() {
  fulldomain=$1
  txtvalue=$2
  _debug fulldomain "$fulldomain"
  _test_ask present "$fulldomain" "$txtvalue"
}
dns_test_rm() { _test_ask cleanup "$1" "$2"; }
_test_ask() {
  TEST_Login="${TEST_Login:-$(_readaccountconf_mutable TEST_Login)}"
  TEST_Url="${TEST_Url:-$(_readaccountconf_mutable TEST_Url)}"
  if [ -z "$TEST_Login" ] || [ -z "$TEST_Url" ]; then
    _err "You don't specify TEST_Login and TEST_Url yet."
    return 1
  fi
  _saveaccountconf_mutable TEST_Login "$TEST_Login"
  _saveaccountconf_mutable TEST_Url "$TEST_Url"
  export _H1="Authorization: Basic $(printf "%s" "$TEST_Login" | _base64)"
  export _H2="Content-Type: application/json"
  response="$(_post "{\"fqdn\": \"$2.\", \"value\": \"$3\"}" "$TEST_Url/$1" "" "POST")"
  if [ "$?" != "0" ] || ! grep "^HTTP.* 200 " "$HTTP_HEADER" >/dev/null; then
    _err "error: $response"
    return 1
  fi
  _info "Done"
}
SH
sub service {
    my ($dns, $key, $login) = @_;
    my ($port, $info) = (free_port(), temp_dir() . '/dnsapi.' . rand);
    my $log = track_log("dnsapi $port", "$info.log");
    my $pid = spawn($log, '/usr/bin/python3', 't/lib/dnsapi.py', '--port', $port, '--info', $info, '--zone', 'one.test', '--dns', $dns->ns_address('one.test', 2) . ':53',
        '--key', $key, '--login', $login);
    wait_for(60, sub { -e $info }) or die 'dnsapi.py does not start: ' . slurp($log);
    return ($pid, "http://127.0.0.1:$port");
}

scenario a_dnsapi_file_of_acme_sh_runs_as_it_is => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $key, $ca) = real_world($s);
    my ($pid, $url) = service($dns, $key, 'user:secret-of-dnsapi');
    my $dir = "$s->{dir}/acme.sh";
    mkdir $dir;
    chmod 0755, $dir;
    my $file = spew("$dir/dns_test.sh", $dnsapi, 0644);
    my $login = spew_secret("$dir/login", "user:secret-of-dnsapi\n");
    writes($s, $dns, $ca, [ type => 'command' ], [ style => 'acme.sh' ], [ program => $file ], [ env => 'TEST_Login', "file:$login" ], [ env => 'TEST_Url', $url ]);
    ok($s->wait_log(qr/dns_test\.sh, for _acme-challenge\.one\.test, standard error: .*Done/, 5), 'what it says is in the log') if $kind eq 'httpd';
    is(join("\n", secret_places($s, 'secret-of-dnsapi')), '', 'its secret is to be seen nowhere');
    end_process($pid);
    $dns->stop;
};

# What the service was asked, without what differs from order to order.
sub asked {
    my ($url) = @_;
    my (undef, $log) = run('curl', '-s', "$url/_log");
    # fields come in any order; those of lego's raw form are domain, token, keyAuth
    my %seen = map { s/"[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}"/"KEYAUTH"/gr =~ s/"[A-Za-z0-9_-]{43}"/"B64"/gr => 1 } map { s/\s+//gr } grep { m{/(?:present|cleanup)} } split /\n/, $log;
    return join "\n", map { my ($way, $body) = /^(.*?)(\{.*)$/; my $o = decode_json($body); $way . join ',', map { "$_=$o->{$_}" } sort keys %$o } sort keys %seen;
}

scenario lego_asks_its_service_so => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my ($dns, $key, $ca) = real_world($s);
    my $login = spew_secret("$s->{dir}/login", "lego:secret-of-httpreq\n");
    for my $mode ('', 'RAW') {
        my ($pid, $url) = service($dns, $key, 'lego:secret-of-httpreq');
        my ($code, $out) = run({ _seconds => 90, LEGO_CA_CERTIFICATES => $ca->bundle, HTTPREQ_ENDPOINT => $url, HTTPREQ_MODE => $mode, HTTPREQ_USERNAME => 'lego',
            HTTPREQ_PASSWORD => 'secret-of-httpreq', HTTPREQ_POLLING_INTERVAL => 1 }, 'lego', '--server', $ca->directory, '--email', 'a@one.test', '--accept-tos',
            '--dns', 'httpreq', '--dns.disable-cp', '--dns.resolvers', $dns->resolver . ':53', '--path', "$s->{dir}/lego$mode", '--domains', 'one.test', '--domains', '*.one.test', 'run');
        my $theirs = asked($url);
        like($theirs, qr/cleanup.*present/s, "lego asks its service $mode") or diag($out);
        end_process($pid);
        ($pid, $url) = service($dns, $key, 'lego:secret-of-httpreq');
        writes($s, $dns, $ca, [ type => 'httpreq' ], [ endpoint => $url ], [ credentials => $login ], $mode ? [ form => 'raw' ] : ());
        wait_for(20, sub { asked($url) eq $theirs });
        is(asked($url), $theirs, "hotcert asks it the same $mode");
        end_process($pid);
        $s->stop;
        HotCert::Rig::run('rm', '-r', $s->{state}); # the next form orders anew
    }
    $dns->stop;
};

done_testing;
