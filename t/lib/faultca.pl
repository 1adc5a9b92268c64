#!/usr/bin/perl
#
# faultca.pl: an https reverse proxy in front of an ACME CA (Pebble) that makes it fail on demand.
#
#   perl t/lib/faultca.pl --upstream 127.0.0.1:14000 --cert CA.pem --key CA.key --rules FILE
#        [--listen 127.0.0.1:0] [--port-file FILE] [--log FILE]
#
#   --upstream   host:port of the CA (https; its certificate is not checked: tests, loopback)
#   --cert --key what the proxy shows to its clients; Pebble's own pair will do
#   --listen     default 127.0.0.1:0, a free port; the port goes to --port-file (written whole, then
#                renamed, so waiting for the file to exist is enough) and to standard output
#   --rules      the file of faults; read anew for each request, may be absent or empty. Write it
#                whole and rename it. Its name with ".used" behind holds how often each rule was
#                applied (remove it to start over).
#   --log        one line a request: "TIME METHOD PATH STATUS [FAULT] [names=a.test,b.test]"; names
#                are those of a newOrder, so that tests can count orders on the CA's side
#
# The Host header is passed on, and Pebble makes its URLs from it: so the whole dialogue stays
# behind the proxy. Ends with SIGTERM, and its connections with it.
#
# A rule is a line; the first that matches and is not used up is applied; "#" begins a comment:
#
#   TIMES PATTERN FAULT [ARGUMENTS]
#
#   TIMES    how often, or "*"; "2+3": not the first two, then three times
#   PATTERN  a Perl pattern without blanks, matched against "METHOD PATH"; "." is everything
#   FAULT    status N [SECONDS|date:SECONDS]     that status without a problem document, with
#                                                Retry-After as seconds or as an HTTP date
#            problem N TYPE [SECONDS|date:SECONDS] [NAME=TYPE ..] [-- DETAIL ..]
#                                                a problem document urn:ietf:params:acme:error:TYPE
#                                                and a subproblem for each NAME
#            redirect N TARGET                   that status, to TARGET
#            nonce                               badNonce, with a fresh nonce
#            account                             accountDoesNotExist
#            drop                                the connection is cut, the CA never asked
#            lose                                the CA is asked, the connection cut without reply
#            stall SECONDS                       the CA is asked, the reply kept for so long, then cut
#            reuse                               newOrder for names that were ordered before gives that
#                                                order, as boulder does while it is pending
#            cut [BYTES]                         the reply is cut after so much of its body (half)
#            slow SECONDS                        the reply's body takes so long
#            hang SECONDS                        nothing is answered for so long, then cut
#            huge BYTES                          a body of that size
#            type TYPE/SUBTYPE                   another content type on the true reply
#            body FILE                           another body on the true reply (a chain for another
#                                                key, in a wrong order ..)
#            future SECONDS CA.pem CA.key        the leaf of the true chain, issued anew by this CA as if it
#                                                were that much later (openssl, faketime)
#            reverse                             the certificates of the true chain, last one first
#            json MEMBER VALUE                   a top-level text of the true JSON is replaced
#                                                ("json status ready")
#            http                                https:// becomes http:// in body and Location
#            retry-after SECONDS|date:SECONDS    added to the true reply
#            header NAME VALUE                   replaced in the true reply; no VALUE: taken off
#
# Example:   1 ^POST./order status 429 3
#            * /finalize/ json status pending
#
use strict;
use warnings;
use Fcntl qw(:flock);
use Getopt::Long;
use IO::Socket::SSL;
use JSON::PP;
use MIME::Base64 qw(decode_base64url);
use POSIX qw(strftime);
use Time::HiRes qw(sleep time);

my ($listen, $upstream, $cert, $key, $rules, $log, $port_file) = ('127.0.0.1:0');
GetOptions(
    'listen=s' => \$listen, 'upstream=s' => \$upstream, 'cert=s' => \$cert, 'key=s' => \$key,
    'rules=s' => \$rules, 'log=s' => \$log, 'port-file=s' => \$port_file,
) && $upstream && $cert && $key && $rules or die "usage: see the head of $0\n";

my $BODY_MAX = 4 << 20;

sub http_date {
    return strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time + 0.999 + shift));
}

sub retry_after {
    my ($value) = @_;
    return $value =~ /^date:(\d+)$/ ? http_date($1) : $value;
}

# Exactly n bytes, or what there is of them: a TLS handle reads a record at a time.
sub read_all {
    my ($from, $n) = @_;
    my $all = '';
    while (length $all < $n) {
        read($from, $all, $n - length $all, length $all) or last;
    }
    return $all;
}

# One HTTP message: (first line, header lines as pairs, body), or nothing at its end.
sub read_message {
    my ($from, $has_body) = @_;
    my $first = <$from>;
    return unless defined $first;
    $first =~ s/\r?\n\z//;
    my @headers;
    while (defined(my $line = <$from>)) {
        $line =~ s/\r?\n\z//;
        last if $line eq '';
        push @headers, [$1, $2] if $line =~ /^([^:]+):\s*(.*)$/;
    }
    my %h = map { lc $_->[0] => $_->[1] } @headers;
    my $body = '';
    if ($has_body && lc($h{'transfer-encoding'} // '') eq 'chunked') {
        while (defined(my $size = <$from>)) {
            my $n = hex(($size =~ /^([0-9a-fA-F]+)/)[0] // 0);
            $body .= read_all($from, $n);
            <$from>;
            last if $n == 0 || length($body) > $BODY_MAX;
        }
    } elsif ($has_body && ($h{'content-length'} // 0) > 0) {
        die "too large\n" if $h{'content-length'} > $BODY_MAX;
        $body = read_all($from, $h{'content-length'});
    }
    @headers = grep { $_->[0] !~ /^(transfer-encoding|content-length|connection)$/i } @headers;
    return ($first, \@headers, $body);
}

sub header {
    my ($headers, $name, $value) = @_;
    @$headers = grep { lc $_->[0] ne lc $name } @$headers;
    push @$headers, [$name, $value] if defined $value && $value ne '';
}

# The rule for this request, counted; nothing if there is none.
sub pick {
    my ($what) = @_;
    open my $in, '<', $rules or return;
    my @lines = grep { !/^\s*(#|$)/ } <$in>;
    close $in;
    open my $used, '+>>', "$rules.used" or die "$rules.used: $!";
    flock $used, LOCK_EX;
    seek $used, 0, 0;
    my %count;
    $count{$_}++ for map { s/\n\z//r } <$used>;
    my @found;
    for my $line (@lines) {
        chomp $line;
        my ($times, $pattern, @fault) = split ' ', $line;
        next unless @fault && $what =~ /$pattern/;
        my $seen = $count{$line}++ // 0;
        my ($skip, $most) = $times =~ /^(\d+)\+(.+)$/ ? ($1, $2) : (0, $times);
        next if $most ne '*' && $seen >= $skip + $most;
        print $used "$line\n";
        next if $seen < $skip;
        @found = @fault;
        last;
    }
    close $used;
    return @found;
}

sub problem {
    my ($type, $detail, @subs) = @_;
    my $urn = 'urn:ietf:params:acme:error:';
    my %doc = (type => "$urn$type", detail => $detail);
    for my $sub (@subs) {
        my ($name, $kind) = split /=/, $sub, 2;
        push @{$doc{subproblems}},
            {type => "$urn$kind", detail => "$detail ($kind)", identifier => {type => 'dns', value => $name}};
    }
    return JSON::PP->new->canonical->encode(\%doc);
}

sub fresh_nonce {
    my ($host) = @_;
    my $ca = connect_ca() or return '';
    print $ca "GET /dir HTTP/1.1\r\nHost: $host\r\nUser-Agent: faultca\r\n\r\n";
    my (undef, undef, $dir) = read_message($ca, 1);
    my ($path) = ($dir // '') =~ m{"newNonce":\s*"https?://[^/]+([^"]+)"} or return '';
    print $ca "HEAD $path HTTP/1.1\r\nHost: $host\r\nUser-Agent: faultca\r\n\r\n";
    my (undef, $headers) = read_message($ca, 0);
    my ($nonce) = map { $_->[1] } grep { lc $_->[0] eq 'replay-nonce' } @{$headers // []};
    return $nonce // '';
}

sub connect_ca {
    return IO::Socket::SSL->new(PeerAddr => $upstream, SSL_verify_mode => SSL_VERIFY_NONE, Timeout => 5);
}

# A reply of our own instead of the CA's: (status, headers, body), or nothing.
sub own_reply {
    my ($host, $fault, @args) = @_;
    my ($status, @headers, $body);
    if ($fault eq 'status') {
        ($status, $body) = ($args[0], "made by a test\n");
        push @headers, ['Content-Type', 'text/plain'];
        push @headers, ['Retry-After', retry_after($args[1])] if defined $args[1];
    } elsif ($fault eq 'redirect') {
        ($status, $body) = ($args[0], "made by a test\n");
        push @headers, ['Location', $args[1]];
    } elsif ($fault eq 'problem' || $fault eq 'nonce' || $fault eq 'account') {
        @args = $fault eq 'nonce' ? (400, 'badNonce') : (400, 'accountDoesNotExist') if $fault ne 'problem';
        my ($n, $type, @rest) = @args;
        my ($detail, @subs) = ('made by a test');
        while (@rest) {
            my $arg = shift @rest;
            if ($arg eq '--') { $detail = join ' ', @rest; last }
            if ($arg =~ /=/) { push @subs, $arg; next }
            push @headers, ['Retry-After', retry_after($arg)];
        }
        ($status, $body) = ($n, problem($type, $detail, @subs));
        push @headers, ['Content-Type', 'application/problem+json'];
        my $nonce = fresh_nonce($host);
        push @headers, ['Replay-Nonce', $nonce] if $nonce ne '';
    } elsif ($fault eq 'huge') {
        ($status, $body) = (200, 'A' x $args[0]);
        push @headers, ['Content-Type', 'application/json'];
    }
    return defined $status ? ($status, \@headers, $body) : ();
}

sub openssl {
    my ($input, @cmd) = @_;
    my $file = "$rules.in.$$";
    open my $out, '>', $file or die "$file: $!";
    print $out $input;
    close $out;
    open my $from, '-|', @cmd, '-in', $file or die "$cmd[0]: $!";
    local $/;
    my $text = <$from> // '';
    close $from or die "@cmd failed\n";
    unlink $file;
    return $text;
}

# A certificate for the same key and names, by another CA and with a later beginning.
sub issued_later {
    my ($chain, $seconds, $ca, $ca_key) = @_;
    my ($leaf) = $chain =~ /(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n)/s or return $chain;
    my @names = openssl($leaf, qw(openssl x509 -noout -ext subjectAltName)) =~ /DNS:([^,\s]+)/g;
    my ($public, $extensions) = ("$rules.pub.$$", "$rules.ext.$$");
    my %text = ($public => openssl($leaf, qw(openssl x509 -noout -pubkey)), $extensions => "basicConstraints=critical,CA:FALSE\n"
            . "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
            . 'subjectAltName=' . join(',', map { "DNS:$_" } @names) . "\n");
    for my $file (sort keys %text) {
        open my $out, '>', $file or die "$file: $!";
        print $out $text{$file};
        close $out;
    }
    open my $from, '-|', 'faketime', '-f', "+${seconds}s", qw(openssl x509 -new -days 90 -sha256), '-force_pubkey', $public,
        '-subj', "/CN=$names[0]", '-CA', $ca, '-CAkey', $ca_key, '-set_serial', int(1e9 + rand 1e9), '-extfile', $extensions or die "openssl: $!";
    local $/;
    my $made = <$from> // '';
    close $from or die "openssl x509 -new failed\n";
    unlink $public, $extensions;
    return $made;
}

# Changes the CA's reply.
sub change {
    my ($headers, $body, $fault, @args) = @_;
    if ($fault eq 'type') {
        header($headers, 'Content-Type', $args[0]);
    } elsif ($fault eq 'body') {
        open my $in, '<', $args[0] or die "$args[0]: $!";
        local $/;
        $body = <$in>;
    } elsif ($fault eq 'future') {
        $body = issued_later($body, @args);
    } elsif ($fault eq 'reverse') {
        $body = join '', reverse $body =~ /(-----BEGIN .*?-----END [^\n]*-----\n)/gs;
    } elsif ($fault eq 'json') {
        my $doc = eval { JSON::PP->new->decode($body) };
        if (ref $doc eq 'HASH') {
            $doc->{$args[0]} = join ' ', @args[1 .. $#args];
            $body = JSON::PP->new->canonical->encode($doc);
        }
    } elsif ($fault eq 'http') {
        $body =~ s{https://}{http://}g;
        $_->[0] =~ /^location$/i and $_->[1] =~ s{^https://}{http://} for @$headers;
    } elsif ($fault eq 'retry-after') {
        header($headers, 'Retry-After', retry_after($args[0]));
    } elsif ($fault eq 'header') {
        header($headers, $args[0], join ' ', @args[1 .. $#args]);
    }
    return $body;
}

# Writes a reply; false when the connection is to be cut.
sub answer {
    my ($to, $method, $status, $headers, $body, $fault, @args) = @_;
    my $length = length $body;
    print $to "HTTP/1.1 $status .\r\n", (map { "$_->[0]: $_->[1]\r\n" } @$headers),
        ($method eq 'HEAD' ? '' : "Content-Length: $length\r\n"), "\r\n";
    return 1 if $method eq 'HEAD';
    if ($fault eq 'cut') {
        print $to substr($body, 0, $args[0] // int($length / 2));
        return 0;
    }
    if ($fault eq 'slow') {
        for my $i (0 .. 19) {
            print $to substr($body, int($length * $i / 20), int($length * ($i + 1) / 20) - int($length * $i / 20));
            sleep($args[0] / 20);
        }
        return 1;
    }
    print $to $body;
    return 1;
}

sub names_of {
    my ($path, $body) = @_;
    my $jws = eval { JSON::PP->new->decode($body) } or return '';
    my $order = eval { JSON::PP->new->decode(decode_base64url($jws->{payload} // '')) };
    return '' unless ref $order eq 'HASH' && ref $order->{identifiers} eq 'ARRAY';
    return ' names=' . join ',', sort map { $_->{value} } @{$order->{identifiers}};
}

# What newOrder gave for these names, for "reuse".
sub placed_file {
    my ($names) = @_;
    return $rules . '.placed' . ($names =~ s/[^a-z0-9.,*-]/_/gr);
}

sub keep_placed {
    my ($names, $headers, $body) = @_;
    my ($location) = map { $_->[1] } grep { lc $_->[0] eq 'location' } @$headers;
    return unless defined $location;
    my $file = placed_file($names);
    open my $out, '>', "$file.new.$$" or return;
    print $out "$location\n$body";
    close $out;
    rename "$file.new.$$", $file;
}

sub placed_before {
    my ($host, $names) = @_;
    open my $in, '<', placed_file($names) or return;
    chomp(my $location = <$in> // '');
    my $body = join '', <$in>;
    return (201, [['Content-Type', 'application/json'], ['Location', $location], ['Replay-Nonce', fresh_nonce($host)]], $body);
}

sub note {
    my ($text) = @_;
    return unless $log;
    open my $out, '>>', $log or return;
    printf $out "%.3f %s\n", time, $text;
}

# One request of a connection; false at its end.
sub exchange {
    my ($client, $ca) = @_;
    my ($first, $headers, $body) = read_message($client, 1) or return 0;
    my ($method, $path) = $first =~ m{^(\S+) (\S+) HTTP/1\.} or return 0;
    my ($host) = map { $_->[1] } grep { lc $_->[0] eq 'host' } @$headers;
    my ($fault, @args) = pick("$method $path");
    my $names = names_of($path, $body);
    $fault //= '';
    my $tail = ($fault ne '' ? " $fault" : '') . $names;
    if ($fault eq 'drop' || $fault eq 'hang') {
        sleep($args[0]) if $fault eq 'hang';
        note("$method $path 0$tail");
        return 0;
    }
    if (my ($status, $own, $text) =
        $fault eq 'reuse' && $names ne '' ? placed_before($host, $names) : own_reply($host, $fault, @args)) {
        note("$method $path $status$tail");
        return answer($client, $method, $status, $own, $text, $fault);
    }
    $$ca //= connect_ca() or do { note("$method $path 0 down$names"); return 0 };
    print {$$ca} "$first\r\n", (map { "$_->[0]: $_->[1]\r\n" } @$headers),
        'Content-Length: ', length $body, "\r\n\r\n", $body;
    my ($line, $theirs, $reply) = read_message($$ca, $method ne 'HEAD') or return 0;
    my ($status) = $line =~ m{^HTTP/\S+ (\d+)} or return 0;
    note("$method $path $status$tail");
    keep_placed($names, $theirs, $reply) if $names ne '' && $status == 201;
    return 0 if $fault eq 'lose';
    if ($fault eq 'stall') {
        sleep($args[0]);
        return 0;
    }
    $reply = change($theirs, $reply, $fault, @args);
    return answer($client, $method, $status, $theirs, $reply, $fault, @args);
}

my $server = IO::Socket::INET->new(LocalAddr => $listen, Listen => 64, ReuseAddr => 1, Proto => 'tcp')
    or die "$listen: $!\n";
my $port = $server->sockport;
if ($port_file) {
    open my $out, '>', "$port_file.new" or die "$port_file: $!\n";
    print $out "$port\n";
    close $out;
    rename "$port_file.new", $port_file or die "$port_file: $!\n";
}
$| = 1;
print "$port\n";
$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = 'IGNORE';
# a process group of its own, so that the connections end with the proxy
setpgrp;
$SIG{TERM} = $SIG{INT} = sub { $SIG{TERM} = 'IGNORE'; kill 'TERM', -$$; exit 0 };

while (1) {
    my $plain = $server->accept or next;
    my $pid = fork // next;
    if ($pid) {
        close $plain;
        next;
    }
    $SIG{TERM} = $SIG{INT} = $SIG{CHLD} = 'DEFAULT';
    close $server;
    my $client = IO::Socket::SSL->start_SSL(
        $plain, SSL_server => 1, SSL_cert_file => $cert, SSL_key_file => $key, SSL_alpn_protocols => ['http/1.1'],
    ) or exit 1;
    my $ca;
    eval { 1 while exchange($client, \$ca) };
    print STDERR "faultca: $@" if $@;
    close $client;
    exit 0;
}
