#!/usr/bin/perl
# The rig itself: what every other scenario stands on.
use strict;
use warnings;
use lib 't/lib';
use Test::More;
use HotCert::Rig qw(run);

# In a number space of its own the next process id can be said beforehand.
my ($code, $out) = run('unshare', '--pid', '--fork', '--mount-proc', $^X, '-It/lib', '-e', <<'END');
use HotCert::Rig qw(run spawn spew alive wait_for);
my $first = spawn('/dev/null', 'true');
wait_for(10, sub { !alive($first) && !-e "/proc/$first" }) or die 'it does not end';
spew('/proc/sys/kernel/ns_last_pid', $first - 1);
my ($code, $out) = run('sh', '-c', 'echo $$; sleep 0.3; exit 7');
chomp $out;
print $out == $first ? 'same' : "$out instead of $first", " $code\n";
END
is($code, 0, 'two processes after each other') or diag $out;
is($out, "same 7\n", 'a command is finished when it is, also with a number that was there before');

done_testing;
