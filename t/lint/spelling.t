#!/usr/bin/perl
# Each operator reads the directives of his own server. The core writes nginx's names, and what leaves it is put
# into the server's spelling (core/base/spelling.h): a name of httpd's in the core would reach nginx's operators as it is.
# What a module writes itself is in its server's spelling already.
use strict;
use warnings;
use Test::More;

my $httpds = qr/\bHotCert(?:[A-Z]\w*| (?:on|off|watch)\b)|\bSSL(?:Engine|Certificate|PassPhrase|UseStapling|OpenSSLConfCmd|CACert)\w*|\bServer(?:Name|Alias)\b/;
my $nginxs = qr/\bhotcert_(?!module)[a-z]\w*|\bhotcert (?:on|off|watch)\b|\bssl_(?:certificate|password|stapling|conf_command|reject)\w*|\bserver_name\b/;

# The strings of a file, without its comments.
sub strings {
    my ($file) = @_;
    my $text = do { local (@ARGV, $/) = ($file); <> };
    $text =~ s{("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/}{ $1 // '' }gse;
    $text =~ s{^\s*#\s*include[^\n]*}{}mg;
    return $text =~ /"(?:[^"\\\n]|\\.)*"/g;
}

sub named {
    my ($names, @files) = @_;
    return join "\n", map { my $f = $_; map { "$f: $_" } grep { /$names/ } strings($f) } @files;
}

my @core = grep { !m{/(?:spelling\.c|rows\w*\.c|conf\.h)$} } glob 'core/*/*.[ch] core/*/*.def';
my @nginx = glob 'ngx_module/*/*.[ch]';
my @httpd = glob 'apache_module/*.[ch]';
is(named($httpds, @core), '', "the core names no directive as httpd does");
is(named($httpds, @nginx), '', "nginx's module names none as httpd does");
is(named($nginxs, @httpd), '', "httpd's module names none as nginx does");

# A text of the core that a module shows goes through the core's own formatting, which spells it.
my @raw = grep { do { local (@ARGV, $/) = ($_); <> } =~ /(?:\.|->)(?:detail|hint|message|sentence)\b/ } @nginx, @httpd;
is("@raw", '', 'no module shows a text of the core past it');
cmp_ok(scalar(@core) + @nginx + @httpd, '>', 200, 'there were files to look at');
done_testing;
