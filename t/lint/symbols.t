#!/usr/bin/perl
# No two headers of core/ declare a function of the same name: a static library holds both, and the linker takes either.
use strict;
use warnings;
use Test::More;

my %where;
for my $file (glob 'core/*.h core/*/*.h') {
    open my $fh, '<', $file or die "$file: $!";
    while (<$fh>) {
        next if /^\s*(?:\*|\/|#|static\b|typedef\b)/;
        push @{ $where{$1} }, "$file:$." if /^[a-z].*?\b(hc_\w+)\(/;
    }
}
my @twice = map { "$_: @{ $where{$_} }" } grep { @{ $where{$_} } > 1 } sort keys %where;
is(join("\n", @twice), '', 'each function is declared once');
cmp_ok(scalar keys %where, '>', 300, 'there were functions to look at');
done_testing;
