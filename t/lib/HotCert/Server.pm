package HotCert::Server;
# nginx and Apache httpd behind one interface, so that a scenario is written once.
#
#   for my $kind (HotCert::Server->kinds) {
#       my $s = HotCert::Server->make($kind);
#       $s->configure(ca => $pebble, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
#       $s->start;
#       ...
#       $s->stop;
#   }
#
# configure(): directives are written as in nginx without "hotcert_" ([ check_interval => '1s' ]) and
# translated. A host has: names, hotcert (on, watch, off or undef), set => [directives], pair =>
# [certificate, key] in the server's own directives, port (default: the one TLS port), plain => 1 (no
# TLS), nginx => text, httpd => text, default => 1. Every host answers / with "NAME\n".
use strict;
use warnings;
use File::Copy qw(copy);
use HotCert::Rig qw(temp_dir build_dir free_port run spew slurp wait_for descendants proc_exe proc_uid
    proc_cmdline end_process track_log alive);

my $count = 0;

# Both, or those that HOTCERT_SERVERS names.
sub kinds { return split ' ', $ENV{HOTCERT_SERVERS} // 'nginx httpd' }

sub make {
    my ($class, $kind, %opt) = @_;
    my $back_end = $kind eq 'nginx' ? 'HotCert::Nginx' : 'HotCert::Httpd';
    (my $file = "$back_end.pm") =~ s{::}{/}g;
    require $file;
    my $n = ++$count;
    my $dir = temp_dir() . "/$kind$n";
    mkdir $dir or die "$dir: $!";
    my $self = bless { kind => $kind, dir => $dir, workers => 2,
        http_port => free_port(), tls_port => free_port(),
        state => "$dir/state", control => "$dir/run/control.sock",
        store => "$dir/state/store", secret => "$dir/state/secret", %opt }, $back_end;
    $self->{conf} = "$dir/server.conf";
    $self->{pid_file} = "$dir/server.pid";
    $self->{log} = track_log("$kind $n", "$dir/error.log");
    return $self;
}

# The program where the worker user can reach it, wherever this checkout lies.
sub program {
    my $at = temp_dir() . '/hotcert';
    if (!-e $at) {
        copy(build_dir() . '/hotcert', $at) or die build_dir() . "/hotcert: $!";
        chmod 0711, $at; # as `make install` has it
        copy('packaging/acme-dnsapi.sh', temp_dir() . '/acme-dnsapi.sh') or die "packaging/acme-dnsapi.sh: $!";
    }
    return $at;
}

# The module, and for a server that root does not start a copy that its user can read.
sub module_file {
    my ($self, $name) = @_;
    my $built = build_dir() . "/$name";
    return $built if !$self->{as_user};
    my $at = temp_dir() . "/$name";
    -e $at or copy($built, $at) or die "$built: $!";
    chmod 0644, $at;
    return $at;
}

sub name { return $_[0]{kind} }
sub tls_port { return $_[0]{tls_port} }
sub http_port { return $_[0]{http_port} }
sub log_path { return $_[0]{log} }

# ---- configuration ----

sub configure {
    my ($self, %conf) = @_;
    $self->{last} = {%conf};
    spew($self->{conf}, $self->text(%conf), 0644);
    return $self;
}

# The last configuration with something changed.
sub reconfigure {
    my ($self, %change) = @_;
    return $self->configure(%{ $self->{last} }, %change);
}

# What a main level says unless the scenario says otherwise.
sub main_directives {
    my ($self, %conf) = @_;
    my @given = @{ $conf{main} // [] };
    my %given = map { $_->[0] => 1 } @given;
    my @all = ([ agent => program() ], [ store => $self->{store} ], [ secret => $self->{secret} ],
        [ control => $self->{control} ], [ check_interval => '1s' ]);
    # whether or not this machine has a user hotcert
    push @all, [ user => 'www-data' ] if !$self->{as_user};
    if (my $ca = $conf{ca}) {
        push @all, [ use => 'pebble' ], [ resolver => $ca->dns_server ];
    }
    return ((grep { !$given{ $_->[0] } } @all), grep { defined $_->[1] } @given);
}

# name => [directives] of every issuer block.
sub issuers {
    my ($self, %conf) = @_;
    my %block = %{ $conf{issuers} // {} };
    if (my $ca = $conf{ca}) {
        $block{pebble} //= [ [ directory_url => $conf{directory} // $ca->directory ],
            [ ca_bundle => $conf{ca_bundle} // $ca->bundle ], [ terms_agreed => 'on' ],
            [ http_port => $ca->{http_port} ] ];
    }
    return %block;
}

# One directive in the server's own words.
sub directive {
    my ($self, $name, @args) = @_;
    return $self->spelled($name eq '' ? 'hotcert' : "hotcert_$name") . join('', map { ' ' . $self->quoted($_) } @args) . $self->eol;
}

sub quoted {
    my ($self, $arg) = @_;
    return $arg =~ /[\s;{}"]/ || $arg eq '' ? qq("$arg") : $arg;
}

# ---- processes ----

# HOTCERT_PRELOAD: a sanitizer's run-time library, for modules that were built with it.
sub env {
    my ($self) = @_;
    return { ($ENV{HOTCERT_PRELOAD} ? (LD_PRELOAD => $ENV{HOTCERT_PRELOAD}) : ()), %{ $self->{env} // {} } };
}

# Every process that belongs to this server: below its master, or forked from it (its command line
# still names our configuration, or says that it is a keeper) and now a child of the test.
sub all_pids {
    my ($self) = @_;
    my $master = $self->master;
    my %mine = $master ? map { $_ => 1 } $master, descendants($master) : ();
    for my $pid (grep { !$mine{$_} } descendants($$)) {
        next unless proc_exe($pid) =~ $self->exe_pattern;
        my $line = proc_cmdline($pid);
        # a keeper of the first start has left the master's tree, and its agent with it
        $mine{$_} = 1 for index($line, $self->{conf}) >= 0 || $line =~ /^hotcert: / ? ($pid, descendants($pid)) : ();
    }
    return sort { $a <=> $b } keys %mine;
}

# Them by what they do: { master, worker, agent, keeper, helper, other => [pids] }.
sub processes {
    my ($self) = @_;
    my $master = $self->master // 0;
    my %by = map { $_ => [] } qw(master worker agent keeper helper other);
    for my $pid ($self->all_pids) {
        push @{ $by{ $pid == $master ? 'master' : $self->role_of($pid) } }, $pid;
    }
    return \%by;
}

sub is_agent { my ($self, $pid) = @_; return proc_exe($pid) eq temp_dir() . '/hotcert' && proc_cmdline($pid) =~ /^\S+ agent/ }

sub master {
    my ($self) = @_;
    my ($pid) = slurp($self->{pid_file}) =~ /^(\d+)/;
    return $pid && kill(0, $pid) ? $pid : undef;
}

sub workers { return @{ $_[0]->processes->{worker} } }

# The agent may be between two lives: waited for.
sub agent {
    my ($self, $seconds) = @_;
    return wait_for($seconds // 20, sub { $self->processes->{agent}[0] });
}

# ---- life ----

# Starts, and waits until it listens; dies with the output if it does not.
sub start {
    my ($self) = @_;
    my ($code, $out) = $self->try_start;
    die "$self->{kind} does not start ($code): $out\n" . slurp($self->{log}) if $code != 0;
    $self->wait_listening or die "$self->{kind} does not listen: $out\n" . slurp($self->{log});
    return $self;
}

# What a start's command gave, once the process that it leaves behind is known: the command may end
# before the pid file is there.
sub wait_master {
    my ($self, $mark, $code, $out) = @_;
    return (0, $out) if $code == 0 && wait_for(15, sub { $self->master });
    return ($code || 1, $out . $self->log_since($mark));
}

sub wait_listening {
    my ($self) = @_;
    return wait_for(20, sub {
        $self->master && IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{tls_port}, Timeout => 2);
    });
}

sub stop {
    my ($self, $signal) = @_;
    my $master = $self->master or return 1;
    my @all = $self->all_pids;
    my $clean = end_process($master, 20, $signal // 'TERM');
    # Workers and helpers may take a moment longer than their master.
    $clean &&= wait_for(10, sub { !grep { alive($_) } @all });
    return $clean ? 1 : 0;
}

sub kill_hard {
    my ($self) = @_;
    my $master = $self->master or return;
    kill 'STOP', $master;    # it may be starting workers, which nobody would find afterwards
    my @all = $self->all_pids;
    kill 'KILL', @all;
    wait_for(5, sub { !grep { alive($_) } @all });
    return;
}

sub restart { my ($self) = @_; $self->stop; return $self->start }

# ---- log and program ----

sub log_text { return slurp($_[0]{log}) }
sub log_mark { return -s $_[0]{log} // 0 }
sub log_since { my ($self, $mark) = @_; return substr slurp($self->{log}), $mark // 0 }

# The match's line, or undef.
sub wait_log {
    my ($self, $pattern, $seconds, $mark) = @_;
    return wait_for($seconds // 20, sub {
        my ($line) = grep { /$pattern/ } split /\n/, $self->log_since($mark);
        return $line;
    });
}

# `hotcert COMMAND ..` against this server; (exit code, output).
sub hotcert {
    my ($self, $command, @args) = @_;
    return run({ _seconds => 150 }, program(), $command, $self->command_options($command), @args);
}

sub command_options {
    my ($self, $command) = @_;
    return ('--control', $self->{control}) if $command eq 'renew' || $command eq 'wait';
    return ('--control', $self->{control}, '--store', $self->{store}) if $command eq 'list';
    return;
}

1;
