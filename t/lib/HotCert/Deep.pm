package HotCert::Deep;
# What the long trials of t/deep share: how long they go on, and a chance that can be had again.
#   HOTCERT_DEEP_SECONDS   of each trial and server, in the place of its own time
#   HOTCERT_DEEP_SEED      of the run that is to be repeated; it is printed
use strict;
use warnings;
use Exporter 'import';
use HotCert::Rig qw(run spew wait_for temp_dir proc_exe alive);
use HotCert::Client qw(look);
use Test::More;
use Time::HiRes qw(time);

our @EXPORT = qw(deadline over seed chance one_of strace_program serves tell_figures);

my $seed = $ENV{HOTCERT_DEEP_SEED} // int rand 1e9;
my $state = $seed;

sub seed { note_seed(); return $seed }

my $noted;
sub note_seed { diag("seed $seed (HOTCERT_DEEP_SEED=$seed)") unless $noted++; return }

# When this trial is over; its own time unless the environment has another.
sub deadline { my ($own) = @_; note_seed(); return time + ($ENV{HOTCERT_DEEP_SECONDS} // $own) }
sub over { return time > $_[0] }

# 0 .. n-1. Of our own, so that the same seed means the same run everywhere.
sub chance {
    my ($n) = @_;
    $state = ($state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return int($state / 65_536) % $n;
}
sub one_of { return $_[ chance(scalar @_) ] }

# A program for `hotcert_agent` that puts strace around a command ("agent", "load") as long as a file
# says how: { path, inject => sub (command, arguments ..), rest => sub, pids => sub }.
sub strace_program {
    my ($s) = @_;
    my $own = $s->program;
    my $at = "$s->{dir}/hotcert-traced";
    spew($at, <<"SH", 0755);
#!/bin/sh
[ -s $s->{dir}/inject.\$1 ] || exec $own "\$@"
exec strace -D -f -qq -o $s->{dir}/strace.\$\$ \$(cat $s->{dir}/inject.\$1) $own "\$@"
SH
    chmod 01777, $s->{dir};    # strace is the worker user's there
    return { path => $at,
        inject => sub { my ($command, @args) = @_; spew("$s->{dir}/inject.$command", "@args", 0644) },
        rest => sub { unlink glob "$s->{dir}/inject.*" },
        # what strace wrote of those that it did something to
        hits => sub { my @f = glob "$s->{dir}/strace.*"; my $n = 0;
            for my $f (@f) { $n++ if HotCert::Rig::slurp($f) =~ /INJECTED|killed by SIGKILL/; unlink $f }
            return $n } };
}

# That a name is served with one of these serial numbers.
sub serves {
    my ($s, $name, @serials) = @_;
    my $l = look($s->tls_port, sni => $name);
    my ($ok) = grep { ($l->{serial} // '') eq $_ } @serials;
    return $ok;
}

sub tell_figures { my (%f) = @_; diag(join ', ', map { "$_ $f{$_}" } sort keys %f); return }

1;
