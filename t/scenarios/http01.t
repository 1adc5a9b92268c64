#!/usr/bin/perl
# http-01 is answered ahead of everything that a host is configured to do, for pending tokens alone.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $path = '/.well-known/acme-challenge';

# Hosts that would swallow the challenge: denied to all, proxied to nowhere, rewritten, with a
# location or folder of their own for the very path.
sub hostile_hosts {
    my ($plain_port) = @_;
    return (
        { names => [ 'denied.test' ], plain => 1, port => $plain_port,
            nginx => 'deny all;', no_location => 1,
            httpd => "<Location />\n        Require all denied\n    </Location>" },
        { names => [ 'proxied.test' ], plain => 1, port => $plain_port, no_location => 1,
            nginx => 'location / { proxy_pass http://127.0.0.1:1; }',
            httpd => "ProxyPass / http://127.0.0.1:1/" },
        { names => [ 'rewritten.test' ], plain => 1, port => $plain_port, no_location => 1,
            nginx => 'rewrite ^ /elsewhere last; return 410;',
            httpd => "RewriteEngine On\n    RewriteRule ^ - [G]" },
        { names => [ 'own.test' ], plain => 1, port => $plain_port, no_location => 1,
            nginx => "location ^~ $path/ { return 403; }",
            httpd => "RedirectMatch 403 ^$path/" },
        { names => [ 'password.test' ], plain => 1, port => $plain_port, no_location => 1,
            nginx => 'auth_basic "closed"; auth_basic_user_file /etc/hostname;',
            httpd => "<Location />\n        AuthType Basic\n        AuthName closed\n        AuthUserFile /etc/hostname\n        Require valid-user\n    </Location>" },
    );
}

scenario tokens_are_answered_ahead_of_everything => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $hold = hold_http($ca, $s->http_port, 'a.test');
    my @hostile = hostile_hosts($s->http_port);
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ] ], log_level => 'debug',
        httpd_modules => [ qw(proxy proxy_http auth_basic authn_file authz_user) ],
        hosts => [ { names => [ 'a.test' ], hotcert => 'on' }, @hostile ]);
    $s->start;
    my $token = $hold->{token}->() or die 'the CA never asked';
    my $answer = http_get($s->http_port, 'a.test', "$path/$token");
    is($answer->{status}, 200, 'the pending token is answered');
    like($answer->{body}, qr/^\Q$token\E\.[\w-]{43}$/, 'with its key authorization');
    for my $host (map { $_->{names}[0] } @hostile) {
        my $same = http_get($s->http_port, $host, "$path/$token");
        is($same->{body}, $answer->{body}, "also at $host");
        my $other = http_get($s->http_port, $host, "$path/" . 'A' x 43);
        isnt($other->{status}, 200, 'where a token that is not pending is not');
    }
    my $redirected = http_get($s->http_port, 'whoever.test', '/page');
    is($redirected->{status}, 301, 'other paths are redirected as before');
    is(http_get($s->http_port, 'own.test', "$path/x")->{status}, 403, 'an unknown token meets what the host has for it');
    my $head = http_get($s->http_port, 'a.test', "$path/$token", method => 'HEAD');
    is($head->{status}, 200, 'HEAD is answered');
    is($head->{body}, '', 'without a body');
    isnt(http_get($s->http_port, 'a.test', "$path/$token", method => 'POST', headers => "Content-Length: 0\r\n")->{status}, 200, 'POST is not');
    is(look($s->tls_port, sni => 'a.test', path => "$path/$token")->{body}, $answer->{body}, 'the TLS listener answers too');
    my %answers = map { http_get($s->http_port, 'a.test', "$path/$token")->{body} => 1 } 1 .. 20;
    is(scalar keys %answers, 1, 'and so does every worker');
    isnt(http_get($s->http_port, 'a.test', "$path/$token/")->{status}, 200, 'not with something after it');
    isnt(http_get($s->http_port, 'a.test', "$path/" . substr($token, 0, -1))->{status}, 200, 'not a part of it');
    $hold->{release}->();
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'the certificate comes');
    my $gone = wait_for(20, sub { http_get($s->http_port, 'a.test', "$path/$token")->{status} != 200 });
    ok($gone, 'after which the token is not answered any more');
    # At the level "debug" stock nginx itself logs every request line.
    my @ours = grep { /hotcert/ } split /\n/, $s->log_text;
    cmp_ok(scalar @ours, '>', 1, 'there are lines of ours, up to the level "debug"');
    is(scalar(grep { /\Q$token\E/ } @ours), 0, 'none of them has the token');
};

# The answers to two requests of one connection, and whether it stays open.
sub on_one_connection {
    my ($port, $host, @requests) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5) or return;
    my @answers;
    local $SIG{ALRM} = sub { die "no answer\n" };
    for my $request (@requests) {
        my ($method, $path) = split / /, $request;
        print {$s} "$method $path HTTP/1.1\r\nHost: $host\r\n\r\n";
        my ($head, $body) = ('', '');
        eval {
            alarm 5;
            while (defined(my $line = <$s>)) { $head .= $line; last if $line eq "\r\n" }
            read $s, $body, $1 if $method ne 'HEAD' && $head =~ /^Content-Length: (\d+)/mi;
            alarm 0;
        };
        alarm 0;
        push @answers, { head => $head, body => $body, status => ($head =~ m{^HTTP/1\.1 (\d+)})[0] // 0 };
    }
    return @answers;
}

scenario an_answer_leaves_the_connection_as_any_other_does => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $hold = hold_http($ca, $s->http_port, 'a.test');
    # a site that compresses whatever it sends
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ] ], nginx_http => 'gzip on; gzip_min_length 1; gzip_types *;',
        httpd_modules => ['deflate'], httpd_main => "<Location />\n    SetOutputFilter DEFLATE\n</Location>\n",
        hosts => [ { names => [ 'a.test' ], hotcert => 'on', http2 => 1 } ]);
    $s->start;
    my $token = $hold->{token}->() or die 'the CA never asked';
    my @answers = on_one_connection($s->http_port, "a.test\r\nAccept-Encoding: gzip", "GET $path/$token", "HEAD $path/$token", 'GET /page', "GET $path/$token");
    is(join(' ', map { $_->{status} } @answers), '200 200 301 200', 'four requests of one connection are answered');
    for my $i (0, 1, 3) {
        my $head = $answers[$i]{head};
        like($head, qr/^Cache-Control: no-store\r$/m, 'nobody on the way is to keep it');
        like($head, qr/^Content-Type: application\/octet-stream\r$/m, 'its type');
        like($head, qr/^Content-Length: \d+\r$/m, 'its length');
        my @of_ours = grep { !/^(?:Server|Date|Connection|Keep-Alive)$/i } $head =~ /^([\w-]+):/mg;
        is(join(' ', sort @of_ours), 'Cache-Control Content-Length Content-Type', 'no header but these, on either server');
        unlike($head, qr/^Connection: close/mi, 'the connection stays');
        unlike($head, qr/^(?:ETag|Last-Modified|Content-Encoding|Transfer-Encoding):/mi, 'and nothing else of a page');
    }
    is($answers[3]{body}, $answers[0]{body}, 'the same answer');
    for my $method ('GET', 'HEAD') {
        my ($code, $out) = run('curl', '-sSik', '--http2', ($method eq 'HEAD' ? '-I' : ()), '--resolve', "a.test:" . $s->tls_port . ':127.0.0.1',
            'https://a.test:' . $s->tls_port . "$path/$token");
        like($out, qr/^HTTP\/2 200/, "$method by HTTP/2") or diag $out;
        like($out, qr/^cache-control: no-store\r$/m, 'not to be kept');
        $method eq 'GET' ? like($out, qr/\r\n\r\n\Q$answers[0]{body}\E\z/, 'the same answer') : like($out, qr/\r\n\r\n\z/, 'without a body');
    }
    $hold->{release}->();
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'the certificate comes');
};

scenario a_token_is_answered_after_a_reload_in_mid_order => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $hold = hold_http($ca, $s->http_port, 'a.test');
    $s->configure(ca => $ca, main => [ [ preflight => 'off' ] ], hosts => [ { names => [ 'a.test' ], hotcert => 'on' } ]);
    $s->start;
    my $token = $hold->{token}->() or die 'the CA never asked';
    my ($code, $out) = $s->reload;
    is($code, 0, 'reload in the middle of an order') or diag $out;
    my $answered = wait_for(10, sub { http_get($s->http_port, 'a.test', "$path/$token")->{status} == 200 });
    ok($answered, 'the new workers answer the token of the old order');
    $hold->{release}->();
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'the certificate comes');
    is($ca->count_of('orders'), 1, 'from the same order');
};

done_testing;
