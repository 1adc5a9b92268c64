#!/usr/bin/perl
# Runs a command as a systemd unit with some of its sandboxing lines would, without systemd:
#   confine.pl [--families N,N..] [--read-only] [--writable PATH].. [--read-only-again PATH].. [--no-exec PATH].. [--exec PATH]..
#              [--caps CAP,CAP..] [--no-new-privs] [--private-tmp] [--private-devices] [--protect-home yes|read-only]
#              [--protect-clock] [--protect-tunables] [--protect-modules] [--protect-cgroups] [--restrict-namespaces]
#              [--restrict-suid] [--lock-personality] [--deny-write-execute] [--native-calls] [--keep PATH].. -- COMMAND..
# families: RestrictAddressFamilies= (numbers); read-only, writable: ProtectSystem=strict, ReadWritePaths=;
# no-exec, exec: NoExecPaths=, ExecPaths=; caps: CapabilityBoundingSet= (names in lower case, without cap_);
# no-new-privs: NoNewPrivileges=; the others bear the names of their lines. Mounts are in a namespace of the
# command's own; system calls are refused by seccomp with the errors that systemd gives. keep: a folder that
# is seen although one above it is hidden (BindPaths=), for a test that lives there.
# What a manager alone can do (cgroups' device policy, the unit's own /run) is not done.
use strict;
use warnings;
use Errno qw(EPERM ENOSYS EAFNOSUPPORT EINVAL);
use File::Path qw(make_path);
use Getopt::Long;
use POSIX ();

my ($families, $read_only, @writable, @again, @no_exec, @exec, $caps, $no_new_privs, @keep, %on);
GetOptions('families=s' => \$families, 'read-only' => \$read_only, 'writable=s' => \@writable, 'read-only-again=s' => \@again,
    'no-exec=s' => \@no_exec, 'exec=s' => \@exec, 'caps=s' => \$caps, 'no-new-privs' => \$no_new_privs, 'keep=s' => \@keep,
    'protect-home=s' => \$on{home}, map { ("$_" => \$on{$_}) } qw(private-tmp private-devices protect-clock protect-tunables
        protect-modules protect-cgroups restrict-namespaces restrict-suid lock-personality deny-write-execute native-calls)) or exit 64;

# System call numbers, and what AUDIT_ARCH_ calls this machine.
my %machine = (
    x86_64 => { arch => 0xC000003E, unshare => 272, prctl => 157, socket => 41, setns => 308, clone => 56, clone3 => 435, personality => 135,
        mmap => 9, mprotect => 10, pkey_mprotect => 329, shmat => 30, clock_settime => 227, settimeofday => 164, adjtimex => 159,
        clock_adjtime => 305, init_module => 175, finit_module => 313, delete_module => 176, chmod => 90, fchmod => 91, fchmodat => 268,
        fchmodat2 => 452, mknod => 133, mknodat => 259, open => 2, openat => 257, openat2 => 437, creat => 85, mkdir => 83, mkdirat => 258 },
    aarch64 => { arch => 0xC00000B7, unshare => 97, prctl => 167, socket => 198, setns => 268, clone => 220, clone3 => 435, personality => 92,
        mmap => 222, mprotect => 226, pkey_mprotect => 288, shmat => 196, clock_settime => 112, settimeofday => 170, adjtimex => 171,
        clock_adjtime => 266, init_module => 105, finit_module => 273, delete_module => 106, fchmod => 52, fchmodat => 53, fchmodat2 => 452,
        mknodat => 33, openat => 56, openat2 => 437, mkdirat => 34 },
);
my $nr = $machine{ (POSIX::uname())[4] } // die 'no system call numbers for this machine';

# ---- mounts ----

sub mounted { system('mount', @_) == 0 or die "mount @_"; return }
sub bound { mounted('--bind', $_[0], $_[0]); return $_[0] }
sub remounted { my ($path, @flags) = @_; mounted('-o', join(',', 'remount', 'bind', @flags), $path); return }

# A folder hidden below an empty one, but for what is kept of it.
sub hidden {
    my ($path, $mode) = @_;
    return unless -d $path;
    my @kept;
    for my $keep (grep { index("$_/", "$path/") == 0 } @keep) {
        sysopen my $fh, $keep, 0x10000 or die "$keep: $!";    # O_DIRECTORY
        push @kept, [ $keep, $fh ];
    }
    # root passes through 0000 only with a right that the unit may not have
    mounted('-t', 'tmpfs', '-o', 'mode=' . (@kept ? '0711' : $mode), 'confined', $path);
    for my $keep (@kept) {
        make_path($keep->[0]);
        mounted('--no-canonicalize', '--bind', "/proc/$$/fd/" . fileno($keep->[1]), $keep->[0]);
    }
    return;
}

# systemd's own choice of devices; the folders below /dev stay.
sub private_devices {
    my $new = "/run/hotcert-confine.$$";
    mkdir $new, 0755 or die "$new: $!";
    mounted('-t', 'tmpfs', '-o', 'mode=0755,nosuid,noexec', 'devices', $new);
    for my $device (grep { -e "/dev/$_" } qw(null zero full random urandom tty ptmx)) {
        open my $fh, '>', "$new/$device" or die "$new/$device: $!";
        mounted('--bind', "/dev/$device", "$new/$device");
    }
    for my $folder (grep { -d "/dev/$_" } qw(pts shm mqueue hugepages)) {
        mkdir "$new/$folder";
        mounted('--bind', "/dev/$folder", "$new/$folder");
    }
    symlink $_->[1], "$new/$_->[0]" for [ fd => '/proc/self/fd' ], [ stdin => '/proc/self/fd/0' ], [ stdout => '/proc/self/fd/1' ], [ stderr => '/proc/self/fd/2' ];
    mounted('--move', $new, '/dev');
    rmdir $new;
    return;
}

# Each path a mount of its own; the deeper ones keep what they get.
sub protect_system {
    my %flags;
    $flags{$_}{rw} = 1 for @writable;
    $flags{$_}{ro} = 1 for @again, $read_only ? '/' : ();
    $flags{$_}{noexec} = 1 for @no_exec;
    $flags{$_}{exec} = 1 for @exec;
    my @paths = sort { length $a <=> length $b } keys %flags;
    bound($_) for grep { $_ ne '/' } @paths;
    remounted($_, sort keys %{ $flags{$_} }) for @paths;
    return;
}

$^F = 255;    # what is kept stays open for mount(8)
if ($read_only || @no_exec || grep { $on{$_} } qw(home private-tmp private-devices protect-tunables protect-modules protect-cgroups)) {
    syscall($nr->{unshare}, 0x20000) == 0 or die "unshare: $!";    # CLONE_NEWNS
    mounted('--make-rprivate', '/');
    private_devices() if $on{'private-devices'};
    if ($on{'private-tmp'}) { hidden($_, '1777') for '/tmp', '/var/tmp' }
    if (($on{home} // '') eq 'read-only') { remounted(bound($_), 'ro') for grep { -d } '/home', '/root', '/run/user' }
    elsif ($on{home}) { hidden($_, '0000') for '/home', '/root', '/run/user' }
    if ($on{'protect-tunables'}) { remounted(bound($_), 'ro') for grep { -e } map { "/proc/$_" } qw(sys irq fs bus sysrq-trigger acpi scsi) }
    # /sys of a container may be read-only already, and then not ours to bind
    if ($on{'protect-tunables'} && -w '/sys/kernel') { remounted(bound('/sys'), 'ro') }
    if ($on{'protect-cgroups'} && -d '/sys/fs/cgroup') { remounted(bound('/sys/fs/cgroup'), 'ro') }
    hidden('/usr/lib/modules', '0000') if $on{'protect-modules'};
    protect_system();
}
$^F = 2;

# ---- system calls ----

my @filters;

# Rules: [ call, error, [ argument, mask, 'set' | 'unset' | 'is' | 'not', value ].. ]: refused where all conditions hold.
sub filter {
    my (@rules) = @_;
    my @code;
    for my $rule (grep { defined $nr->{ $_->[0] } } @rules) {
        my ($call, $error, @conditions) = @$rule;
        my @block = ([ 0x06, 0, 0, 0x00050000 | $error ]);
        for my $condition (reverse @conditions) {
            my ($argument, $mask, $how, $value) = @$condition;
            my $past = @block;
            my @test = $how eq 'set' ? [ 0x45, 0, $past, $value ] : $how eq 'is' ? [ 0x15, 0, $past, $value ] : [ 0x15, $past, 0, $value ];
            unshift @block, [ 0x20, 0, 0, 16 + 8 * $argument ], [ 0x54, 0, 0, $mask ], @test;
        }
        push @code, [ 0x20, 0, 0, 0 ], [ 0x15, 0, scalar @block, $nr->{$call} ], @block;
    }
    push @filters, [ @code, [ 0x06, 0, 0, 0x7fff0000 ] ];
    return;
}

my $whole = 0xffffffff;
if (defined $families) { filter([ 'socket', EAFNOSUPPORT, map { [ 0, $whole, 'not', $_ ] } split /,/, $families ]) }
filter(map { [ $_, EPERM ] } qw(clock_settime settimeofday adjtimex clock_adjtime)) if $on{'protect-clock'};
filter(map { [ $_, EPERM ] } qw(init_module finit_module delete_module)) if $on{'protect-modules'};
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
filter([ 'clone3', ENOSYS ], [ 'setns', EPERM ], [ 'unshare', EPERM, [ 0, $whole, 'set', 0x7e020000 ] ], [ 'clone', EPERM, [ 0, $whole, 'set', 0x7e020000 ] ])
    if $on{'restrict-namespaces'};
filter([ 'personality', EPERM, [ 0, $whole, 'not', 0 ], [ 0, $whole, 'not', 0xffffffff ] ]) if $on{'lock-personality'};
if ($on{'restrict-suid'}) {
    my $bits = 06000;
    filter([ 'openat2', ENOSYS ], [ 'fchmodat2', ENOSYS ], map { [ $_->[0], EPERM, [ $_->[1], $whole, 'set', $bits ] ] } [ chmod => 1 ], [ fchmod => 1 ],
        [ fchmodat => 2 ], [ mkdir => 1 ], [ mkdirat => 2 ], [ mknod => 1 ], [ mknodat => 2 ], [ creat => 1 ]);
    filter(map { [ $_->[0], EPERM, [ $_->[1], 0100, 'is', 0100 ], [ $_->[1] + 1, $whole, 'set', $bits ] ] } [ open => 1 ], [ openat => 2 ]);
}
if ($on{'deny-write-execute'}) {
    filter([ 'mmap', EPERM, [ 2, 6, 'is', 6 ] ], [ 'mprotect', EPERM, [ 2, $whole, 'set', 4 ] ], [ 'pkey_mprotect', EPERM, [ 2, $whole, 'set', 4 ] ],
        [ 'shmat', EPERM, [ 2, $whole, 'set', 0100000 ] ]);
    # systemd from 255 on has the kernel do it (PR_SET_MDWE, Linux 6.3)
    syscall($nr->{prctl}, 65, 1, 0, 0, 0) == 0 || $! == EINVAL or die "PR_SET_MDWE: $!";
}
push @filters, [ [ 0x20, 0, 0, 4 ], [ 0x15, 1, 0, $nr->{arch} ], [ 0x06, 0, 0, 0x00050000 | EPERM ], [ 0x20, 0, 0, 0 ], [ 0x35, 0, 1, 0x40000000 ],
    [ 0x06, 0, 0, 0x00050000 | EPERM ], [ 0x06, 0, 0, 0x7fff0000 ] ] if $on{'native-calls'};

for my $code (@filters) {
    my $text = join '', map { pack 'SCCL', @$_ } @$code;
    my $program = pack 'S x6 P', scalar @$code, $text;
    syscall($nr->{prctl}, 22, 2, $program) == 0 or die "seccomp: $!";    # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
}

my @as = (defined $caps ? '--bounding-set=-all' . join('', map { ",+$_" } split /,/, $caps) : (), $no_new_privs ? '--no-new-privs' : ());
@ARGV = ('setpriv', @as, @ARGV) if @as;
exec @ARGV or die "$ARGV[0]: $!";
