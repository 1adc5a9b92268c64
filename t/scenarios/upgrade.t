#!/usr/bin/perl
# From version to version: a store of 0.1.0 under the module and program of today, and programs that
# find a module of another version in the server's memory. Stores and hand-overs of earlier versions
# are in t/fixtures.
use strict;
use warnings;

# The CA's address is a part of what an identity is, so the store of 0.1.0 wants its own again: in a network of
# our own nobody else has it.
BEGIN {
    if (!$ENV{HOTCERT_OWN_NETWORK}++) {
        exec 'unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', $^X, $0, @ARGV or die "unshare: $!";
    }
}

use lib 't/lib';
use HotCert::Scenario;
use IO::Socket::INET ();

my $fixtures = 't/fixtures';

# The program that the server starts, as a script: it gives the real one another configuration in
# descriptor 3, as if that was started by a module of another version. change: Perl that changes $_,
# the server's own.
sub set_program {
    my ($s, $change) = @_;
    mkdir $s->{shared} = "$s->{dir}/shared";
    chmod 01777, $s->{shared};    # the worker user writes there
    my $program = HotCert::Server::program();
    spew("$s->{dir}/program.new", <<"END", 0755);
#!/usr/bin/perl
BEGIN { \$^F = 255 }
use POSIX ();
open my \$from, '<&=', 3 or die "descriptor 3: \$!";
\$_ = '';
seek \$from, 0, 0;
while (sysread \$from, my \$part, 65536) { \$_ .= \$part }
$change;
open my \$to, '+>', "$s->{shared}/conf.\$\$" or die "$s->{shared}: \$!";
unlink "$s->{shared}/conf.\$\$";
syswrite \$to, \$_;
POSIX::dup2(fileno \$to, 3) or die "dup2: \$!";
exec '$program', \@ARGV;
END
    rename "$s->{dir}/program.new", "$s->{dir}/program" or die "$s->{dir}/program: $!";
    return;
}

# A server of one host, which has its certificate, and that certificate's serial.
sub upgraded {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    set_program($s, '');
    $s->configure(ca => $ca, main => [ [ agent => "$s->{dir}/program" ] ], hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60) or die 'never served';
    return ($s, $ca, $first->{serial});
}

sub serial_at { my ($s, $name, @ca) = @_; return look($s->tls_port, sni => $name, @ca)->{serial} // '' }

# Ends the agent; the keeper starts it anew.
sub end_agent { my ($s) = @_; kill 'KILL', $s->agent; return }

scenario a_store_of_0_1_0_is_served_and_renewed => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my @ca = (address => '127.83.17.4', port => 14000);    # the other server's may be ending still
    wait_for(120, sub { !IO::Socket::INET->new(PeerAddr => $ca[1], PeerPort => $ca[3]) });
    my $ca = pebble(http_port => $s->http_port, @ca);
    mkdir $s->{state}, 0755;
    for my $cmd ([ 'cp', '-R', "$fixtures/store-0.1.0/store", $s->{store} ], [ 'cp', "$fixtures/store-0.1.0/secret", $s->{secret} ],
        [ 'chown', '-R', 'www-data:www-data', $s->{store} ], [ 'chmod', '-R', 'u=rwX,go=', $s->{store} ], [ 'chmod', '600', $s->{secret} ]) {
        my ($code, $out) = run(@$cmd);
        die "@$cmd: $out" if $code != 0;
    }
    my $roots = spew("$s->{dir}/roots.pem", slurp("$fixtures/store-0.1.0/root.pem"), 0644);
    $s->configure(ca => $ca, main => [ [ trusted_certificate => $roots ] ], hosts => [ { names => ['a.test'], hotcert => 'on' },
        { names => [ 'b.test', 'www.b.test' ], hotcert => 'on', set => [ [ key_type => 'rsa:2048' ] ] } ]);
    $s->start;
    my %old;
    for my $name (qw(a.test www.b.test)) {
        my $seen = look($s->tls_port, sni => $name, ca => $roots);
        is($seen->{verify}, 0, "$name: the stored pair is served from the first handshake") or diag explain $seen;
        $old{$name} = $seen->{serial};
    }
    is($ca->count_of('orders'), 0, 'nothing was ordered for it');
    my ($code, $out) = $s->hotcert('list');
    is($code, 0, 'list') or diag $out;
    like($out, qr/^\S*\s*$_\b/m, "tells of $_") for qw(a.test b.test);
    ($code, $out) = $s->hotcert('renew', '--force', 'a.test');
    is($code, 0, 'renewed') or diag $out;
    ok(wait_for(60, sub { (look($s->tls_port, sni => 'a.test')->{serial} // '') ne $old{'a.test'} }), 'a new pair is served');
    is(look($s->tls_port, sni => 'a.test', ca => $ca->root)->{verify}, 0, 'of the CA');
    is(look($s->tls_port, sni => 'b.test')->{serial}, $old{'www.b.test'}, 'the other host has its own still');
};

scenario a_module_from_before_this_hand_over_serves_on => sub {
    my ($kind) = @_;
    my ($s, $ca, $serial) = upgraded($kind);
    my $old = spew("$s->{dir}/old", slurp("$fixtures/wire/0.1.0-nginx"), 0644);
    my $mark = $s->log_mark;
    set_program($s, qq(open my \$old, '<', '$old'; local \$/; \$_ = <\$old>));
    end_agent($s);
    my $line = $s->wait_log(qr/server-other/, 30, $mark) // '';
    like($line, qr/cannot work.*restart the server/, 'the program says what is wrong, and what to do');
    ok($s->wait_log(qr/agent .*ended with code 1/, 30, $mark), 'and ends');
    is(serial_at($s, 'a.test'), $serial, 'the server serves on');
    my ($code, $out) = $s->reload;
    is($code, 0, 'a reload is not refused') or diag $out;
    is(serial_at($s, 'a.test'), $serial, 'and serves on as well');
    set_program($s, '');
    ok(wait_for(90, sub { ($s->hotcert('renew', '--force', 'a.test'))[0] == 0 }), 'with the program of its own an agent works again');
    ok(wait_for(60, sub { serial_at($s, 'a.test') ne $serial }), 'and renews');
};

scenario a_newer_module_is_understood => sub {
    my ($kind) = @_;
    my ($s, $ca, $serial) = upgraded($kind);
    my $mark = $s->log_mark;
    # one more field everywhere, a kind of block, another version
    set_program($s, q{s/^from .*/from 9.0.0\ngreeting hello/m; s/^begin set .*/$&\ncolour blue/mg; }
        . q{s/^begin identity .*/$&\nweather fine/mg; s/^begin issuer/begin depot d\nbucket b\nend\n$&/m});
    end_agent($s);
    my $line = $s->wait_log(qr/hotcert 9\.0\.0/, 30, $mark) // '';
    like($line, qr/has the module of hotcert 9\.0\.0, but the program is \S+ and does not know: .*restart the server/, 'the log says so');
    like($line, qr/\b$_\b/, "$_ is passed over") for qw(greeting colour weather depot);
    ok(wait_for(60, sub { ($s->hotcert('renew', '--force', 'a.test'))[0] == 0 }), 'the agent works');
    ok(wait_for(60, sub { serial_at($s, 'a.test') ne $serial }), 'and what it obtains is served');
    is(look($s->tls_port, sni => 'a.test', ca => $ca->root)->{verify}, 0, 'a pair of the CA');
    my ($code, $out) = $s->reload;
    is($code, 0, 'reloads go on') or diag $out;
};

done_testing;
