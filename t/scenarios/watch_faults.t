#!/usr/bin/perl
# `watch`: the file at fault is the one that is named, by whoever speaks of it.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $root = make_ca('watch root');

# A watching server, stopped, its pair root-only: (server, leaf, certificate path, key path).
sub watching {
    my ($kind, $folder) = @_;
    my $s = server($kind);
    my $leaf = make_leaf($root, [ 'w.test' ]);
    my ($cert, $key) = write_pair($leaf, $folder // "$s->{dir}/live");
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ],
        hosts => [ { names => [ 'w.test' ], hotcert => 'watch', pair => [ $cert, $key ] } ]);
    return ($s, $leaf, $cert, $key);
}

sub served { my ($s) = @_; return look($s->tls_port, sni => 'w.test')->{serial} // 'nothing' }

# One line, whatever was wrapped or doubled by the server's own start of a line.
sub flat { my ($text) = @_; return $text =~ s/\s+/ /gr }

# httpd takes keys in DER, as it does without hotcert.
sub faults_of { my ($kind) = @_; return grep { $kind eq 'nginx' || $_->[0] ne 'a key in DER' } faults() }

# What breaks a pair: [what, which file (0: certificate, 1: key), how, place behind the path, slug, hint].
sub faults {
    return (
        [ 'no key', 1, sub { unlink $_[0] }, '', 'file-unreadable', qr/check that it exists/ ],
        [ 'a key cut short', 1, sub { spew_secret($_[0], substr slurp($_[0]), 0, 100) }, ':1', 'pem-damaged', qr/it may be incomplete/ ],
        [ 'a key in DER', 1, sub { openssl('pkey', '-in', $_[0], '-outform', 'DER', '-out', "$_[0].der"); rename "$_[0].der", $_[0] },
            '', 'pem-not-pem', qr/openssl pkey -inform DER/ ],
        [ 'an encrypted key', 1, sub { openssl('pkcs8', '-topk8', '-in', $_[0], '-out', "$_[0].enc", '-passout', 'pass:x'); rename "$_[0].enc", $_[0] },
            ':1', 'key-encrypted', qr/decrypt it: openssl pkey/ ],
        [ 'a key of an unknown kind', 1, sub { openssl('genpkey', '-algorithm', 'X448', '-out', $_[0]) }, ':1', 'key-unsupported', qr/use RSA or ECDSA/ ],
        [ 'no certificate', 0, sub { unlink $_[0] }, '', 'file-unreadable', qr/check that it exists/ ],
        [ 'a certificate in DER', 0, sub { openssl('x509', '-in', $_[0], '-outform', 'DER', '-out', "$_[0].der"); rename "$_[0].der", $_[0] },
            '', 'pem-not-pem', qr/openssl x509 -inform DER/ ],
        [ 'a certificate cut short', 0, sub { spew($_[0], substr slurp($_[0]), 0, 100) }, ':1', 'pem-damaged', qr/it may be incomplete/ ],
    );
}

scenario a_refused_start_names_the_file_at_fault => sub {
    my ($kind) = @_;
    my ($s, $leaf, $cert, $key) = watching($kind);
    for my $fault (faults_of($kind)) {
        my ($what, $which, $break, $place, $slug, $hint) = @$fault;
        my $path = ($cert, $key)[$which];
        my $other = ($key, $cert)[$which];
        write_pair($leaf, "$s->{dir}/live");
        $break->($path);
        # mod_ssl itself misses a file that is not there
        my $word = $kind eq 'httpd' && $slug eq 'file-unreadable' ? qr/file '\Q$path\E' does not exist/ : qr/hotcert: \Q$path$place\E: .*\(\Q$slug\E; .*$hint/i;
        for my $way (qw(configtest try_start)) {
            next if $way eq 'configtest' && $kind eq 'httpd' && $slug eq 'key-encrypted'; # it asks for no passphrase: httpd_passphrase.t
            my $mark = $s->log_mark;
            my ($code, $out) = $s->$way;
            my $said = flat($out . $s->log_since($mark));
            like($said, $word, "$what: $way names it, with the cure") or diag $said;
            unlike($said, qr/hotcert: \Q$other\E[:\d]* /i, "$what: $way does not blame the other file");
            ok(!$s->master, "$what: nothing runs");
        }
        next if $slug eq 'file-unreadable'; # for a command the missing file is a wrong argument
        my ($code, $out) = run($s->program, 'check', $cert, '--key', $key);
        like(flat($out), qr/\Q$slug\E \Q$path$place\E .*?-> [^>]*$hint/, "$what: check says the same");
    }
};

scenario a_running_agent_names_the_file_at_fault => sub {
    my ($kind) = @_;
    my ($s, $leaf, $cert, $key) = watching($kind);
    $s->start;
    is(served($s), $leaf->{serial}, 'served');
    for my $fault (faults_of($kind)) {
        my ($what, $which, $break, $place, $slug, $hint) = @$fault;
        my $mark = $s->log_mark;
        my $path = ($cert, $key)[$which];
        $break->($path);
        ok($s->wait_log(qr/still serving the last good pair: \Q$path$place\E: .*\(\Q$slug\E; .*$hint/, 20, $mark), "$what: the log names it, with the cure");
        write_pair($leaf, "$s->{dir}/live");
        ok($s->wait_log(qr/certificate and key match again/, 20, $mark), "$what: mended");
    }
};

# What root could be led astray with is not opened by the keeper, and that is what is said of it.
scenario files_in_a_folder_of_the_worker_user => sub {
    my ($kind) = @_;
    my $folder = temp_dir() . "/open-$kind";
    my ($s, $leaf, $cert, $key) = watching($kind, $folder);
    my $word = qr/hotcert: \Q$cert\E: .*root does not open .*the folder \Q$folder\E can be written .*\(file-unsafe; .*move it/i;
    my %ways = (
        'a folder of the worker user' => sub { chown((getpwnam 'www-data')[2, 3], $folder); chmod 0700, $folder },
        'a folder that everybody writes' => sub { chown 0, 0, $folder; chmod 0777, $folder },
    );
    for my $way (sort keys %ways) {
        $ways{$way}->();
        chown 0, 0, $cert, $key;
        chmod 0600, $cert, $key;
        for my $how (qw(configtest try_start)) {
            my $mark = $s->log_mark;
            my ($code, $out) = $s->$how;
            like(flat($out . $s->log_since($mark)), $word, "$way: $how says that it is unsafe");
            ok(!$s->master, "$way: nothing runs");
        }
    }
    write_pair($leaf, $folder);
    chmod 0777, $folder;
    chmod 0644, $cert, $key;
    $s->start;
    is(served($s), $leaf->{serial}, 'what the worker user can read is read with its own rights');
    my $mark = $s->log_mark;
    chmod 0600, $cert;
    ok($s->wait_log(qr/still serving the last good pair: \Q$cert\E: .*\(file-unsafe; /, 20, $mark), 'and once it cannot any more, the agent says so, too');
    is(served($s), $leaf->{serial}, 'the last good pair serves');
};

# As a container has it that mounts single files: a file that is replaced outside stays the old one.
scenario single_files_that_are_mounted => sub {
    my ($kind) = @_;
    my ($s, $leaf, $cert, $key) = watching($kind);
    my $outside = "$s->{dir}/outside";
    write_pair($leaf, $outside);
    my @mounted = map { my $name = (split m{/}, $_)[-1]; run('mount', '--bind', "$outside/$name", $_); $_ } $cert, $key;
    my $said = eval {
        $s->start;
        is(served($s), $leaf->{serial}, 'served');
        my $mark = $s->log_mark;
        write_pair(make_leaf($root, [ 'w.test' ]), $outside);
        ok($s->wait_log(qr/cannot see a new one: \Q$cert\E: .*\(file-replaced; mount the file's folder/, 20, $mark), 'the log says why nothing new is seen');
        my ($code, $data, $out) = listed($s);
        ok(scalar(grep { $_ eq 'file-replaced' } @{ $data->{certificates}[0]{flaws} }), 'and so does list') or diag $out;
        like($data->{certificates}[0]{error}{message} // '', qr/mount the file's folder/, 'with the cure');
        is(served($s), $leaf->{serial}, 'what is served goes on');
        $s->stop;
        is(scalar(() = $s->log_since($mark) =~ /cannot see a new one/g), 1, 'it is said once');
        1;
    };
    my $died = $@;
    run('umount', $_) for @mounted;
    ok($said, 'all of it') or diag $died;
};

# The keeper's socket to the agent fails once: an agent that can ask nothing more is of no use.
scenario an_agent_that_the_keeper_cannot_hear_is_started_again => (crashes => 1, sub {
    my ($kind) = @_;
    my $root = make_ca("deaf root $kind");
    my $s = server($kind);
    my @pair = write_pair(make_leaf($root, ['w.test']), "$s->{dir}/live");
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ], hosts => [ { names => ['w.test'], hotcert => 'watch', pair => \@pair } ]);
    $s->start;
    my $agent = $s->agent;
    my ($keeper) = @{ $s->processes->{keeper} };
    my $strace = spawn("$s->{dir}/strace.log", 'strace', '-qq', '-o', "$s->{dir}/calls", '-e', 'trace=recvmsg', '-e', 'inject=recvmsg:error=EIO:when=1', '-p', $keeper);
    ok(wait_for(20, sub { slurp("$s->{dir}/calls") =~ /INJECTED/ }), 'the keeper\'s socket fails');
    end_process($strace);
    ok(wait_for(20, sub { my $a = $s->agent(1); $a && $a != $agent }), 'the agent is another one');
    is($s->processes->{keeper}[0], $keeper, 'of the same keeper');
    my $next = make_leaf($root, ['w.test']);
    write_pair($next, "$s->{dir}/live");
    ok(wait_for(30, sub { look($s->tls_port, sni => 'w.test')->{serial} eq $next->{serial} }), 'files are followed as before');
});

done_testing;
