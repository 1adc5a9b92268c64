#!/usr/bin/perl
# Lengths of functions and files. Over the first mark they are listed, over the second the lint fails.
use strict;
use warnings;
use Test::More;

my ($function_ask, $function_most, $file_ask, $file_most) = (60, 100, 500, 700);
my ($parameters_ask, $parameters_most) = (6, 8);
my (@long, @too_long, @lengths, @big, @too_big, @wide, @too_wide);

# Functions with many parameters, by their declarations and heads: those begin in the first column.
sub count_parameters {
    my ($file) = @_;
    my $text = do { local (@ARGV, $/) = ($file); <> };
    $text =~ s{/\*.*?\*/}{}gs;
    my $count = 0;
    while ($text =~ /^[A-Za-z_][\w \t*]*?\b(\w+)(\((?:[^();{}]|(?2))*\))[^();{}]*(?:\([^()]*\))?\s*[;{]/mg) {
        my ($name, $list) = ($1, substr $2, 1, -1);
        1 while $list =~ s/\([^()]*\)//;
        my $parameters = 1 + ($list =~ tr/,//);
        push @wide, "$parameters parameters: $name $file" if $parameters > $parameters_ask;
        push @too_wide, "$parameters parameters: $name $file" if $parameters > $parameters_most;
        $count++;
    }
    return $count;
}

# The code is formatted: a function opens with a brace in the first column and closes the same way.
sub measure {
    my ($file) = @_;
    open my $fh, '<', $file or die "$file: $!";
    my ($name, $start);
    while (<$fh>) {
        if (/^[A-Za-z_].*?\b(\w+)\s*\([^;]*$/) { $name = $1 }
        if (/^\{/) { $start = $. }
        if (/^\}\s*$/ && defined $start) {
            my $lines = $. - $start - 1;
            push @lengths, $lines;
            push @long, "$lines lines: " . ($name // '?') . " $file:$start" if $lines > $function_ask;
            push @too_long, "$lines lines: " . ($name // '?') . " $file:$start" if $lines > $function_most;
            undef $start;
        }
    }
    push @big, "$. lines: $file" if $. > $file_ask;
    push @too_big, "$. lines: $file" if $. > $file_most;
    return;
}

# The glue is kept smaller: at most 500 lines a file, six parameters a function.
sub crowded {
    my ($file) = @_;
    my $text = do { local (@ARGV, $/) = ($file); <> };
    my @faults = ($text =~ tr/\n//) > 500 ? "$file: more than 500 lines" : ();
    $text =~ s{/\*.*?\*/}{}gs;
    while ($text =~ /^[A-Za-z_][^;{}()=]*?\b(\w+)\(((?:[^()]|\([^()]*\))*)\)\s*[^;{}]*\{/mg) {
        my ($name, $list) = ($1, $2 =~ s/\([^()]*\)//gr);
        next if $name eq 'on_message';    # OpenSSL's prototype
        push @faults, "$file: $name has more than six parameters" if ($list =~ tr/,//) > 5;
    }
    return @faults;
}
is(join("\n", map { crowded($_) } glob 'core/glue/*.[ch] ngx_module/*/*.[ch] apache_module/*.[ch]'), '', 'files and parameter lists of the glue are short');

my @files = glob 'core/*/*.[ch] core/*.h ngx_module/*/*.[ch] apache_module/*.[ch]';
my $counted = 0;
for my $file (@files) {
    measure($file);
    $counted += count_parameters($file);
}
my @sorted = sort { $a <=> $b } @lengths;
diag(sprintf '%d functions: median %d lines, 95 %% under %d, longest %d', scalar @sorted,
    $sorted[@sorted / 2], $sorted[@sorted * 0.95] + 1, $sorted[-1]);
diag("over $function_ask lines:\n  " . join "\n  ", sort @long) if @long;
diag("over $file_ask lines:\n  " . join "\n  ", sort @big) if @big;
diag("over $parameters_ask parameters:\n  " . join "\n  ", sort @wide) if @wide;
is(join("\n", @too_long), '', "no function is longer than $function_most lines");
is(join("\n", @too_big), '', "no file is longer than $file_most lines");
is(join("\n", @too_wide), '', "no function has more than $parameters_most parameters");
cmp_ok($counted, '>=', @lengths, 'the heads of all functions were read');
cmp_ok($sorted[@sorted * 0.95], '<', $function_ask, "95 % of the functions are under $function_ask lines");
done_testing;
