#!/usr/bin/perl
# Words that do not belong into the tree: unfinished work, machine paths, functions without bounds.
use strict;
use warnings;
use Test::More;

my @files = grep { -f && !m{^t/lint/words\.t$} } split /\n/, `git ls-files`;
my %forbidden = (
    'unfinished work' => qr/\b(?:TODO|FIXME|XXX|HACK)\b|not (?:yet )?implemented|unimplemented/,
    'a path of one machine' => qr{(?<![\w.])/(?:work|tmp/w|home|root)/\w},
    'unbounded string functions' => qr/\b(?:strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\((?!.*Perl)/,
);
my %only = ('unbounded string functions' => qr{^(?:core|ngx_module|apache_module)/.*\.[ch]$});

# Messages: an actor, a verb, an object. Only text in quotes counts, comments and code are free.
my $stilted = join '|', 'by itself', 'all the same', 'anew', 'out of turn', 'can be had', '(?:in|out)side of',
    '(?:take|takes|taken|took) over', 'mend(?:s|ed|ing)?', '(?:look|looks|looked) (?:at|into)', 'is (?:said|told)', 'was (?:said|told)',
    'said of', 'known of', 'goes on', 'that cannot happen', 'stands? (?:in|on|outside|beside)', 'none of (?:hotcert|ours)',
    'say `', 'what (?:is|was|were|has|had|waits|failed|the \w+ (?:says|said))', '(?:something|nobody) wants', 'of our own', 'of root\'s';
$forbidden{'a stilted phrase in a message'} = qr/^(?!\s*(?:#|\*|\/\*)).*"(?:[^"\\]|\\.)*\b(?:$stilted)(?![\w-])/;
$only{'a stilted phrase in a message'} = qr{^(?:core|ngx_module|apache_module|packaging)/.*\.(?:c|def)$};

my %seen;
for my $file (@files) {
    open my $fh, '<', $file or next;
    while (my $line = <$fh>) {
        for my $what (keys %forbidden) {
            next if $only{$what} && $file !~ $only{$what};
            push @{ $seen{$what} }, "$file:$.: $line" if $line =~ $forbidden{$what};
        }
    }
}
is(join('', @{ $seen{$_} // [] }), '', "no line has $_") for sort keys %forbidden;
done_testing;
