#!/usr/bin/perl
# core/ is built in floors: a file includes only from its own floor or below, and no server's header.
use strict;
use warnings;
use Test::More;

my %floor = (
    base => 0,
    loop => 1,
    conf => 2, live => 2, net => 2, pki => 2,
    acme => 3, dns => 3, store => 3,
    preflight => 4, solve => 4,
    agent => 5, keeper => 5, glue => 5,
    cmd => 6,
);
my $server_header = qr{^(?:ngx_|nginx|httpd|http_|apr|ap_|mod_ssl|util_|scoreboard)};

# Libraries and the floors that may not have them.
my %kept_out = (
    OpenSSL => [ qr{^openssl/}, qr{^(?:base|loop)$} ],
    curl => [ qr{^curl/}, qr{^(?!net$)} ],
    expat => [ qr{^expat}, qr{^(?!net$)} ],
    ldns => [ qr{^ldns/}, qr{^(?!dns$)} ],
    libpsl => [ qr{^libpsl}, qr{^(?!dns$)} ],
    libidn2 => [ qr{^idn2}, qr{^(?!base$)} ],
);

# What one file includes that it must not.
sub faults {
    my ($file) = @_;
    my ($own) = $file =~ m{^core/([^/]+)/};
    my @faults;
    open my $fh, '<', $file or die "$file: $!";
    while (<$fh>) {
        next unless /^\s*#\s*include\s*([<"])([^>"]+)[>"]/;
        my ($quote, $what) = ($1, $2);
        push @faults, "$file:$.: includes the server's $what" if $what =~ $server_header;
        for my $library (sort keys %kept_out) {
            my ($header, $folders) = @{ $kept_out{$library} };
            push @faults, "$file:$.: $library is not for $own/" if $what =~ $header && ($own // '') =~ $folders;
        }
        next if $quote eq '<';    # <net/if.h> is the system's
        my ($area) = $what =~ m{^([a-z_]+)/};
        next unless defined $area && exists $floor{$area} && defined $own;
        push @faults, "$file:$.: $own/ is below $area/, includes $what" if $floor{$area} > $floor{$own};
    }
    return @faults;
}

my @folders = grep { -d } glob 'core/*';
my @unknown = grep { !exists $floor{ s{core/}{}r } } @folders;
is("@unknown", '', 'every folder of core/ has a floor');

my @files = glob 'core/*.h core/*/*.h core/*/*.c core/*/*.def';
my @faults = map { faults($_) } @files;
is(join("\n", @faults), '', 'files include from their own floor or below, and no server header');

# The modules link the light floors alone: those may not need the heavy ones.
my @heavy = map { my $f = $_; map { "$f: $_" } grep { m{"(?:net|acme|solve|store|dns|preflight|agent|cmd)/} } split /\n/, do { local (@ARGV, $/) = ($f); <> } }
    glob 'core/{base,loop,conf,live,pki,keeper,glue}/*.[ch] ngx_module/*/*.[ch] apache_module/*.[ch]';
is(join("\n", @heavy), '', 'what a web server loads includes nothing of net, acme, store, dns, preflight, agent, cmd');

# What the two servers have in common is theirs alone.
my @users = grep { !m{^core/glue} } grep { do { local (@ARGV, $/) = ($_); <> } =~ m{^#include "glue[./]}m } glob 'core/*.h core/*/*.[ch]';
is("@users", '', 'nothing of core/ but glue/ itself includes glue');
my @around = grep { m{: #include "hotcert\.h"} } map { my $f = $_; map { "$f: $_" } split /\n/, do { local (@ARGV, $/) = ($f); <> } } glob 'ngx_module/*/*.[ch] apache_module/*.[ch]';
is(join("\n", @around), '', 'the modules see the core through glue.h');
# Whose a problem of the network is, net/ does not know: its callers say so.
my @whose = map { my $f = $_; map { "$f: $_" } grep { !/^HC_P_(?:FETCH_[A-Z]+|TOO_LARGE|TIMED_OUT|FILE_UNREADABLE|OUT_OF_MEMORY|INTERNAL|SYSTEM|NONE)$/ }
        do { local (@ARGV, $/) = ($f); <> } =~ /\b(HC_P_\w+)/g } glob 'core/net/*.[ch]';
is(join("\n", @whose), '', 'net returns problems of the network, nobody else\'s');

# common/ is for every kind of server block: stream{} and mail{} have no http{}.
my @http = grep { do { local (@ARGV, $/) = ($_); <> } =~ /ngx_http/i } glob 'ngx_module/common/*';
is("@http", '', "what nginx's http{}, stream{} and mail{} can share knows none of them");

# The store in layers: who seals bytes needs no folder; who reads lines needs no record, lock or follower.
sub includes {
    my ($file, $seen) = @_;
    return if $seen->{$file}++ || !-e $file;
    my $text = do { local (@ARGV, $/) = ($file); <> };
    includes("core/$_", $seen) for $text =~ m{^#include "((?:[a-z]+)/[a-z_]+\.h)"}mg;
    return;
}
sub reaches {
    my ($unwanted, @from) = @_;
    my @found;
    for my $file (@from) {
        my %seen;
        includes($file, \%seen);
        push @found, map { "$file: $_" } grep { m{$unwanted} } sort keys %seen;
    }
    return join "\n", @found;
}
is(reaches(qr{store/(?:store|internal|file|fs)\.h}, map { ("core/store/$_.h", "core/store/$_.c") } qw(seal info head version envelope)),
    '', 'the bytes of versions and records need no folder');
is(reaches(qr{store/(?:record|lock|challenge|follower|mark|sealed|internal)\.h}, 'core/store/line.h', 'core/store/store.h'),
    '', 'lines need no records, locks, challenges or followers');

cmp_ok(scalar @files, '>', 50, 'there were files to look at');
done_testing;
