#!/usr/bin/perl
# No circles: what a file includes (a .c and its .h are one) leads back to it in no folder by more than
# three files, and in core/agent, where parts know those below them alone, not at all.
use strict;
use warnings;
use Test::More;

my $most = 3;
my %none = ('core/agent' => 1);

# stem => { stems of the same folder that it includes }
sub graph {
    my ($folder) = @_;
    my %graph;
    my ($area) = $folder =~ m{^[a-z_]+/(.*)};
    for my $file (glob "$folder/*.c $folder/*.h") {
        my ($stem) = $file =~ m{([^/]+)\.[ch]$};
        $graph{$stem} //= {};
        open my $fh, '<', $file or die "$file: $!";
        while (<$fh>) {
            next unless /^\s*#\s*include\s*"(?:\Q$area\E\/)?([a-z0-9_]+)\.h"/;
            $graph{$stem}{$1} = 1 if $1 ne $stem && -e "$folder/$1.h";
        }
    }
    return \%graph;
}

# Tarjan: the groups whose members all lead to each other.
sub circles {
    my ($graph) = @_;
    my ($next, %index, %low, %on, @stack, @found) = (0);
    my $visit;
    $visit = sub {
        my ($v) = @_;
        $index{$v} = $low{$v} = $next++;
        push @stack, $v;
        $on{$v} = 1;
        for my $w (sort keys %{ $graph->{$v} }) {
            if (!defined $index{$w}) {
                $visit->($w);
                $low{$v} = $low{$w} if $low{$w} < $low{$v};
            } elsif ($on{$w}) {
                $low{$v} = $index{$w} if $index{$w} < $low{$v};
            }
        }
        return if $low{$v} != $index{$v};
        my @group;
        do { push @group, pop @stack; delete $on{ $group[-1] } } until $group[-1] eq $v;
        push @found, [ sort @group ] if @group > 1;
    };
    $visit->($_) for grep { !defined $index{$_} } sort keys %$graph;
    return @found;
}

# The search itself is tried first, on a circle of three and on a ladder.
is_deeply([ circles({ a => { b => 1 }, b => { c => 1 }, c => { a => 1 }, d => { a => 1 } }) ], [ [qw(a b c)] ], 'a circle is found');
is_deeply([ circles({ a => { b => 1, c => 1 }, b => { c => 1 }, c => {} }) ], [], 'a ladder is none');

my $looked = 0;
for my $folder (sort grep { -d } glob 'core/*') {
    my $graph = graph($folder);
    my $limit = $none{$folder} ? 1 : $most;
    my @bad = map { join ' ', @$_ } grep { @$_ > $limit } circles($graph);
    $looked += keys %$graph;
    is(join("\n", @bad), '', $none{$folder} ? "no circle in $folder" : "no circle of more than $limit files in $folder");
}
cmp_ok($looked, '>', 80, 'there were files to look at');
done_testing;
