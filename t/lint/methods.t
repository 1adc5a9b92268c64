#!/usr/bin/perl
# Methods are known by name in core/solve and in the one table of core/conf/method.h alone: whoever
# adds one touches nothing else. Comments, the texts of problems and tests may name them.
use strict;
use warnings;
use Test::More;

my $name = qr/\b(?:http|tls-alpn|dns|dns-account|dns-persist)-0[0-9]\b/;
my @files = grep { !m{^core/(?:solve/|conf/method\.[ch]$)} } glob 'core/*/*.[ch] ngx_module/*/*.[ch] apache_module/*.[ch]';
my @named;

for my $file (@files) {
    open my $fh, '<', $file or die "$file: $!";
    my $text = do { local $/; <$fh> };
    $text =~ s{("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/}{ $1 // '' }gse;
    push @named, map { "$file: $_" } grep { /$name/ } $text =~ /"(?:[^"\\\n]|\\.)*"/g;
}
is(join("\n", @named), '', 'no string outside of core/solve and the table names a method');
cmp_ok(scalar @files, '>', 200, 'there were files to look at');
done_testing;
