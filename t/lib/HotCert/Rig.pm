package HotCert::Rig;
# What every scenario stands on: a temporary folder, free ports, child processes that are ended by
# their process id at the end of the test (also when it dies), and waiting with a deadline.
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter 'import';
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX qw(uname _exit);
use Time::HiRes qw(time sleep);

our @EXPORT_OK = qw(wait_for free_port run spew spew_secret slurp tail_of temp_dir build_dir rig_dir
    descendants proc_comm proc_exe proc_uid proc_cmdline spawn end_process cpu_seconds track_log alive leave_running system_user);

my $owner = $$;
my $dir;
my %logs;      # name => path: shown when the test fails
my $leave = 0;

# A process that daemonises becomes a child of this one, so that everything which a test started can
# be found and ended, whatever it did to its parents.
use constant PR_SET_CHILD_SUBREAPER => 36;
my %prctl_number = (x86_64 => 157, aarch64 => 167, riscv64 => 167, ppc64le => 171, s390x => 172);

sub become_subreaper {
    my $number = $prctl_number{ (uname())[4] } or die 'which number has prctl on ' . (uname())[4];
    return syscall($number, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}
become_subreaper() or die "prctl(PR_SET_CHILD_SUBREAPER): $!";

sub build_dir { return abs_path($ENV{HOTCERT_BUILD} // 'build') }
sub rig_dir { return abs_path($ENV{HOTCERT_RIG} // 'build/rig') }

# One folder a test: root's, and the worker user may pass through.
sub temp_dir {
    return $dir if defined $dir;
    $dir = tempdir('hotcert-XXXXXXXX', DIR => '/tmp');
    chmod 0755, $dir;
    return $dir;
}

# A system user for this test alone, with no home and no shell; removed at the end.
my $system_user;

sub system_user {
    return $system_user if $system_user;
    my $name = "hctest$$";
    wait_for(30, sub { system('useradd', '--system', '--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin', $name) == 0 })
        or die "useradd $name";
    return $system_user = $name;
}

END {
    if ($system_user && $owner == $$) {
        local $?;
        system('userdel', $system_user);
    }
}

my %used_port;

# Below the range that the kernel picks clients' ports from, so that nobody takes it meanwhile.
sub free_port {
    for (1 .. 500) {
        my $port = 10_000 + int rand 20_000;
        next if $used_port{$port}++;
        my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => $port, Proto => 'tcp');
        next unless $s;
        my $u = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Proto => 'udp');
        next unless $u;
        return $port;
    }
    die 'no free port';
}

# Calls $try until it returns something true, and returns that; undef after $seconds.
sub wait_for {
    my ($seconds, $try, $every) = @_;
    my $end = time + $seconds;
    while (1) {
        my $got = $try->();
        return $got if $got;
        return undef if time > $end;
        sleep($every // 0.05);
    }
}

sub spew {
    my ($path, $text, $mode) = @_;
    open my $fh, '>:raw', $path or die "$path: $!";
    print {$fh} $text or die "$path: $!";
    close $fh or die "$path: $!";
    chmod $mode, $path if defined $mode;
    return $path;
}

# Root's alone, as certbot writes keys.
sub spew_secret { return spew($_[0], $_[1], 0600) }

sub slurp {
    my ($path) = @_;
    open my $fh, '<:raw', $path or return '';
    local $/;
    my $text = <$fh>;
    return $text // '';
}

sub tail_of {
    my ($path, $lines) = @_;
    my @all = split /\n/, slurp($path);
    splice @all, 0, @all - $lines if @all > $lines;
    return join "\n", @all;
}

# A log that is shown when the test fails.
sub track_log { my ($name, $path) = @_; $logs{$name} = $path; return $path }

# How children ended that nobody has asked for yet: the exit code, or 128 + the signal.
my %gone;

# Runs to its end; (exit code, output with errors). Input is empty.
sub run {
    my (@cmd) = @_;
    my $env = ref $cmd[0] eq 'HASH' ? shift @cmd : {};
    my $seconds = delete $env->{_seconds} // 60;
    my $input = delete $env->{_stdin} // '';
    my $out = temp_dir() . "/run.$$." . int rand 1e9;
    my $in = "$out.in";
    spew($in, $input);
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        local @SIG{qw(INT TERM HUP)} = ('DEFAULT') x 3;
        open STDIN, '<', $in or _exit(127);
        open STDOUT, '>', $out or _exit(127);
        open STDERR, '>&', \*STDOUT or _exit(127);
        local @ENV{keys %$env} = values %$env;
        exec { $cmd[0] } @cmd or _exit(127);
    }
    delete $gone{$pid};    # of an earlier process with this number
    my $code = reap($pid, $seconds);
    if (!defined $code) {
        kill 'KILL', $pid;
        reap($pid, 5);
        $code = -1;
    }
    my $text = slurp($out);
    unlink $out, $in;
    return ($code, $text);
}

# The exit code (128 + signal) of a child, or undef if it lives on after $seconds.
sub reap {
    my ($pid, $seconds) = @_;
    return wait_for($seconds, sub {
        reap_all();
        return exists $gone{$pid} ? \$gone{$pid} : undef;
    }, 0.01) ? delete $gone{$pid} : undef;
}

sub reap_all {
    while ((my $pid = waitpid -1, 1) > 0) {    # WNOHANG
        $gone{$pid} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    }
    return;
}

# Starts a process of the test's own in the background; its output goes to $log.
sub spawn {
    my ($log, @cmd) = @_;
    my $env = ref $cmd[0] eq 'HASH' ? shift @cmd : {};
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        local @SIG{qw(INT TERM HUP)} = ('DEFAULT') x 3;
        open STDIN, '<', '/dev/null' or _exit(127);
        open STDOUT, '>>', $log or _exit(127);
        open STDERR, '>&', \*STDOUT or _exit(127);
        local @ENV{keys %$env} = values %$env;
        exec { $cmd[0] } @cmd or _exit(127);
    }
    delete $gone{$pid};
    return $pid;
}

# Ends a process of ours and waits for it: asks first, insists after $seconds.
sub end_process {
    my ($pid, $seconds, $signal) = @_;
    return 1 unless $pid && kill 0, $pid;
    kill $signal // 'TERM', $pid;
    my $over = sub { reap_all(); !kill 0, $pid };
    return 1 if wait_for($seconds // 5, $over, 0.02);
    kill 'KILL', $pid;
    wait_for(5, $over, 0.02);
    return 0;
}

# ---- /proc ----

# Not gone, and not a zombie.
sub alive {
    my ($pid) = @_;
    reap_all();
    my $s = proc_stat($pid);
    return $s && $s->{state} ne 'Z';
}

sub proc_stat {
    my ($pid) = @_;
    my $stat = slurp("/proc/$pid/stat");
    return unless $stat =~ /^\d+ \((.*)\) (\S) (.*)$/s;
    return { comm => $1, state => $2, rest => [ split ' ', $3 ] };
}

sub proc_comm { my $s = proc_stat($_[0]); return $s ? $s->{comm} : '' }
sub proc_exe { return readlink("/proc/$_[0]/exe") // '' }
sub proc_cmdline { my $c = slurp("/proc/$_[0]/cmdline"); $c =~ tr/\0/ /; $c =~ s/ +$//; return $c }

sub proc_uid {
    my ($uid) = slurp("/proc/$_[0]/status") =~ /^Uid:\s+(\d+)/m;
    return $uid;
}

# User and system time of a process, in seconds.
sub cpu_seconds {
    my $s = proc_stat($_[0]) or return 0;
    return ($s->{rest}[10] + $s->{rest}[11]) / 100;
}

# Every process below $top that is alive (not a zombie).
sub descendants {
    my ($top) = @_;
    reap_all();
    my (%children, @found);
    opendir my $dh, '/proc' or die "/proc: $!";
    for my $pid (grep { /^\d+$/ } readdir $dh) {
        my $s = proc_stat($pid) or next;
        next if $s->{state} eq 'Z';
        push @{ $children{ $s->{rest}[0] } }, $pid;
    }
    my @todo = ($top);
    while (@todo) {
        my @next = map { @{ $children{$_} // [] } } splice @todo;
        push @found, @next;
        @todo = @next;
    }
    return @found;
}

# ---- the end ----

# Nothing is ended and removed at the end: for the demonstration that is to be looked at.
sub leave_running { $leave = 1; return }

# Ends whatever is left, and says what that was.
sub end_everything {
    my @left;
    for (1 .. 20) {
        my @pids = descendants($$);
        last unless @pids;
        @left = map { "$_ " . proc_cmdline($_) } @pids unless @left;
        kill(($_ > 3 ? 'KILL' : 'TERM'), @pids);
        sleep 0.1;
    }
    return @left;
}

sub show_logs {
    for my $name (sort keys %logs) {
        my $text = tail_of($logs{$name}, $ENV{HOTCERT_LOG_LINES} // 40);
        $text =~ s/^/#   /mg;
        print STDERR "# ---- $name: $logs{$name}\n$text\n";
    }
    return;
}

END {
    if ($$ == $owner && !$leave) {
        my $status = $?;
        my $failed = $status != 0;
        if ($INC{'Test/More.pm'}) {
            $failed ||= !Test::More->builder->is_passing;
        }
        show_logs() if $failed;
        end_everything();
        if (defined $dir) {
            if ($ENV{HOTCERT_KEEP_DIR}) { print STDERR "# kept: $dir\n" }
            else { remove_tree($dir, { safe => 0 }) }
        }
        $? = $status;
    }
}
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = sub { exit 130 };

1;
