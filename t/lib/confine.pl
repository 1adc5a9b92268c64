#!/usr/bin/perl
# Runs a command as a systemd unit with some of its sandboxing lines would, without systemd:
#   confine.pl [--families N,N..] [--read-only] [--writable PATH].. [--read-only-again PATH].. [--no-exec PATH].. [--exec PATH]..
#              [--caps CAP,CAP..] [--no-new-privs] -- COMMAND..
# families: RestrictAddressFamilies= (numbers); read-only, writable: ProtectSystem=strict, ReadWritePaths=;
# no-exec, exec: NoExecPaths=, ExecPaths=; caps: CapabilityBoundingSet= (names in lower case, without cap_);
# no-new-privs: NoNewPrivileges=. Mounts are in a namespace of the command's own.
use strict;
use warnings;
use Getopt::Long;
use POSIX ();

my ($families, $read_only, @writable, @again, @no_exec, @exec, $caps, $no_new_privs);
GetOptions('families=s' => \$families, 'read-only' => \$read_only, 'writable=s' => \@writable, 'read-only-again=s' => \@again,
    'no-exec=s' => \@no_exec,
    'exec=s' => \@exec, 'caps=s' => \$caps, 'no-new-privs' => \$no_new_privs) or exit 64;

# System call numbers: unshare, prctl, socket.
my %numbers = (x86_64 => [ 272, 157, 41 ], aarch64 => [ 97, 167, 198 ]);
my ($unshare, $prctl, $socket) = @{ $numbers{ (POSIX::uname())[4] } // die 'no system call numbers for this machine' };

sub mounted { system('mount', @_) == 0 or die "mount @_"; return }
sub bound { mounted('--bind', $_[0], $_[0]); return $_[0] }

if ($read_only || @no_exec) {
    syscall($unshare, 0x20000) == 0 or die "unshare: $!";    # CLONE_NEWNS
    mounted('--make-rprivate', '/');
    # each path a mount of its own; the deeper ones keep what they get
    my %flags;
    $flags{$_}{rw} = 1 for @writable;
    $flags{$_}{ro} = 1 for @again, $read_only ? '/' : ();
    $flags{$_}{noexec} = 1 for @no_exec;
    $flags{$_}{exec} = 1 for @exec;
    my @paths = sort { length $a <=> length $b } keys %flags;
    bound($_) for grep { $_ ne '/' } @paths;
    mounted('-o', join(',', 'remount', 'bind', sort keys %{ $flags{$_} }), $_) for @paths;
}

# What is not among them: EAFNOSUPPORT, as systemd has it.
if (defined $families) {
    my @allowed = split /,/, $families;
    my $n = 0;
    my @code = ([ 0x20, 0, 0, 0 ], [ 0x15, 0, @allowed + 2, $socket ], [ 0x20, 0, 0, 16 ]);    # nr; is it socket(2)?; its first argument
    push @code, [ 0x15, @allowed - ++$n + 1, 0, $_ ] for @allowed;
    push @code, [ 0x06, 0, 0, 0x00050000 | 97 ], [ 0x06, 0, 0, 0x7fff0000 ];
    my $text = join '', map { pack 'SCCL', @$_ } @code;
    my $program = pack 'S x6 P', scalar @code, $text;
    syscall($prctl, 22, 2, $program) == 0 or die "seccomp: $!";    # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
}

my @as = (defined $caps ? '--bounding-set=-all' . join('', map { ",+$_" } split /,/, $caps) : (), $no_new_privs ? '--no-new-privs' : ());
@ARGV = ('setpriv', @as, @ARGV) if @as;
exec @ARGV or die "$ARGV[0]: $!";
