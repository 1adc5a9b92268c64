#!/usr/bin/perl
# Lengths of functions and files, and numbers of parameters. Functions over the first mark are listed.
use strict;
use warnings;
use Test::More;

my ($function_ask, $function_most, $file_most, $parameters_most) = (60, 100, 500, 6);
# OpenSSL's prototype of a message callback, which is not ours to change.
my $openssl_messages = qr{^int \w+, int \w+[^,]*, int \w+, const void \*\w+, size_t \w+,\s+SSL \*\w+, void \*\w+$};
my (@long, @too_long, @lengths, @too_big, @too_wide);

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
        push @too_wide, "$parameters parameters: $name $file" if $parameters > $parameters_most && $list !~ $openssl_messages;
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
    push @too_big, "$. lines: $file" if $. > $file_most;
    return;
}

my @files = glob 'core/*/*.[ch] core/*.h ngx_module/*/*.[ch] apache_module/*.[ch] t/lib/*.c t/bench/*.[ch]';
my $counted = 0;
for my $file (@files) {
    measure($file);
    $counted += count_parameters($file);
}
my @sorted = sort { $a <=> $b } @lengths;
diag(sprintf '%d functions: median %d lines, 95 %% under %d, longest %d', scalar @sorted,
    $sorted[@sorted / 2], $sorted[@sorted * 0.95] + 1, $sorted[-1]);
diag("over $function_ask lines:\n  " . join "\n  ", sort @long) if @long;
is(join("\n", @too_long), '', "no function is longer than $function_most lines");
is(join("\n", @too_big), '', "no file is longer than $file_most lines");
is(join("\n", @too_wide), '', "no function has more than $parameters_most parameters");
cmp_ok($counted, '>=', @lengths, 'the heads of all functions were read');
cmp_ok($sorted[@sorted * 0.95], '<', $function_ask, "95 % of the functions are under $function_ask lines");
done_testing;
