package HotCert::Scenario;
# A scenario is written once and run on both servers; what must hold after each of them is checked
# here: every process ended, no crash in the log, no plain key where none belongs.
#
#   use HotCert::Scenario;
#   scenario a_fact_as_a_sentence => sub { my ($kind) = @_; my $s = server($kind); ... };
#   done_testing;
#
# HOTCERT_SERVERS=nginx runs one server, HOTCERT_ONLY=regex some scenarios.
use strict;
use warnings;
use Exporter 'import';
use File::Find ();
use HotCert::Client qw(look serials_of http_get load_start load_stop load_run wait_served pem_info);
use HotCert::Pebble;
use HotCert::Pki qw(openssl make_ca make_leaf make_key write_pair serial_of);
use HotCert::Rig qw(wait_for free_port run spew spew_secret slurp temp_dir build_dir rig_dir descendants
    proc_exe proc_uid proc_cmdline spawn end_process alive cpu_seconds tail_of);
use HotCert::Server;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time sleep);

our @EXPORT = (qw(scenario server pebble files_below bootstrap_served orders_stay listed hold_http hold_tls secret_places),
    qw(look serials_of http_get load_start load_stop load_run wait_served pem_info),
    qw(openssl make_ca make_leaf make_key write_pair serial_of),
    qw(wait_for free_port run spew spew_secret slurp temp_dir build_dir descendants proc_exe proc_uid
        proc_cmdline spawn end_process alive tail_of), @Test::More::EXPORT, qw(time sleep decode_json));

my (@servers, @cas);

sub server {
    my ($kind, %opt) = @_;
    my $s = HotCert::Server->make($kind, %opt);
    push @servers, $s;
    return $s;
}

sub pebble {
    my (%opt) = @_;
    my $ca = HotCert::Pebble->new(%opt);
    push @cas, $ca;
    return $ca;
}

# Options before the code: only => 'nginx', crashes => 1 (the scenario kills on purpose).
sub scenario {
    my ($name, @rest) = @_;
    my $code = pop @rest;
    my %opt = @rest;
    return if defined $ENV{HOTCERT_ONLY} && $name !~ /$ENV{HOTCERT_ONLY}/;
    for my $kind (HotCert::Server->kinds) {
        next if $opt{only} && $opt{only} ne $kind;
        subtest "$kind: $name" => sub {
            local $@;
            my $began = time;
            my $lived = eval { $code->($kind); 1 };
            fail("it lives: $@") unless $lived;
            after($kind, %opt);
            diag(sprintf '%s: %s took %.1f s', $kind, $name, time - $began) if $ENV{HOTCERT_TIMES};
        };
    }
    return;
}

# What holds after every scenario.
sub after {
    my ($kind, %opt) = @_;
    my $failed = !Test::More->builder->is_passing;
    for my $s (splice @servers) {
        my @all = $s->all_pids;
        ok($s->stop, "$s->{kind} stops, and everything that it started");
        # httpd takes its pid file away a moment before it ends.
        wait_for(5, sub { !grep { alive($_) } @all });
        my @left = map { "$_ " . proc_cmdline($_) } grep { alive($_) } @all;
        is("@left", '', 'nothing of it is left') or kill 'KILL', @all;
        my @crashes = grep { /exited on signal|segfault|Segmentation|AddressSanitizer|runtime error:/ }
            split /\n/, $s->log_text;
        is(join("\n", @crashes), '', 'no process crashed') unless $opt{crashes};
        is(join(' ', plain_keys($s)), '', 'no plain key in store and log');
        $failed ||= !Test::More->builder->is_passing;
        diag("---- $s->{kind}'s log:\n" . tail_of($s->{log}, $ENV{HOTCERT_LOG_LINES} // 60)) if $failed;
    }
    for my $ca (splice @cas) {
        diag("---- Pebble's log:\n" . tail_of($ca->{log}, 30)) if $failed && $ENV{HOTCERT_PEBBLE_LOG};
        $ca->stop;
        end_process($ca->{dns_pid});
    }
    return;
}

# A file whose scenarios are all of another server than was asked for is skipped.
{
    no warnings 'redefine';
    *done_testing = sub {
        plan(skip_all => 'no scenario of it was asked for')
            if !Test::More->builder->current_test && (defined $ENV{HOTCERT_SERVERS} || defined $ENV{HOTCERT_ONLY});
        return Test::More::done_testing(@_);
    };
}

# Files that hold an unencrypted private key, of those that the server wrote.
sub plain_keys {
    my ($s) = @_;
    return grep { slurp($_) =~ /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----/ } $s->{log}, files_below($s->{state});
}

# Where these texts can be seen: the log, the files that the server keeps, the command lines of its
# processes and of all that they started, and the environment of those that are not the hooks themselves.
sub secret_places {
    my ($s, @secrets) = @_;
    my $pattern = join '|', map { quotemeta } @secrets;
    my @places = grep { slurp($_) =~ $pattern } $s->{log}, files_below($s->{state});
    for my $pid ($s->all_pids) {
        my $what = proc_cmdline($pid);
        push @places, "the command line of process $pid: $what" if $what =~ $pattern;
        my $own = proc_exe($pid) =~ m{/(?:hotcert|nginx|apache2|httpd)(?: |$)};
        push @places, "the environment of process $pid: $what" if $own && slurp("/proc/$pid/environ") =~ $pattern;
    }
    return @places;
}

sub files_below {
    my ($dir) = @_;
    return unless -d $dir;
    my @files;
    File::Find::find({ no_chdir => 1, wanted => sub { push @files, $_ if -f $_ && !-l $_ } }, $dir);
    return sort @files;
}

# A certificate that nobody issued: what a host serves before its first own one.
sub bootstrap_served {
    my ($port, $name, $ca) = @_;
    my $l = look($port, sni => $name, ca => $ca);
    return $l->{ok} && $l->{verify} != 0;
}

# That the number of orders at the CA does not change for so many seconds.
sub orders_stay {
    my ($ca, $seconds, $name) = @_;
    my $before = $ca->count_of('orders');
    my $changed = wait_for($seconds, sub { $ca->count_of('orders') != $before });
    return ok(!$changed, $name);
}

# Holds the CA's requests for names that lead to 127.0.0.2: { token => waits for one and returns it,
# release => lets them through }. See hold_http.pl.
my $holds = 0;

sub hold_http {
    my ($ca, $port, @names) = @_;
    my $dir = temp_dir() . '/hold' . ++$holds;
    mkdir $dir or die "$dir: $!";
    spawn("$dir/log", $^X, 't/lib/hold_http.pl', '127.0.0.2', $port, $dir);
    wait_for(10, sub { IO::Socket::INET->new(PeerAddr => '127.0.0.2', PeerPort => $port, Timeout => 1) })
        or die 'hold_http does not start: ' . slurp("$dir/log");
    $ca->dns_set('add-a', { host => "$_.", addresses => ['127.0.0.2'] }) for @names;
    return {
        token => sub {
            return wait_for($_[0] // 30, sub {
                my ($t) = slurp("$dir/requests") =~ m{^/\.well-known/acme-challenge/(\S+)$}m;
                return $t;
            });
        },
        release => sub { spew("$dir/release", '') },
    };
}

# The same for TLS: holds connections to names that lead to 127.0.0.2. { asked => waits for one,
# release => lets them through }. See hold_tcp.pl.
sub hold_tls {
    my ($ca, $port, @names) = @_;
    my $dir = temp_dir() . '/hold' . ++$holds;
    mkdir $dir or die "$dir: $!";
    spawn("$dir/log", $^X, 't/lib/hold_tcp.pl', '127.0.0.2', $port, $dir);
    wait_for(10, sub { IO::Socket::INET->new(PeerAddr => '127.0.0.2', PeerPort => $port, Timeout => 1) })
        or die 'hold_tcp does not start: ' . slurp("$dir/log");
    wait_for(5, sub { -s "$dir/requests" }) or die 'hold_tcp notes nothing';
    my $mine = length slurp("$dir/requests");
    $ca->dns_set('add-a', { host => "$_.", addresses => ['127.0.0.2'] }) for @names;
    return {
        asked => sub { return wait_for($_[0] // 30, sub { length slurp("$dir/requests") > $mine }) },
        release => sub { spew("$dir/release", '') },
    };
}

# `hotcert list --json`, by name.
sub listed {
    my ($s, @args) = @_;
    my ($code, $out) = $s->hotcert('list', '--json', @args);
    my $data = eval { decode_json($out) };
    return ($code, $data, $out);
}

1;
