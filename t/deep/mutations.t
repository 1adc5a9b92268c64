#!/usr/bin/perl
# Thousands of flaws in the store and in watched files, each read by `hotcert load` as the servers start
# it, and handfuls of them by a server with its agent. Never a crash, never a key beside a certificate that
# is not its own, never a pair under names that are not its own, and what is missing is said in a sentence.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Deep;
use Fcntl qw(:DEFAULT :mode);
use HotCert::Scenario;
use IO::Socket::UNIX;

my $loads = build_dir() . '/loads';
my $worker = getpwnam 'www-data';

# Two obtained pairs (with an older version of one), two watched ones; the configuration as an agent has it.
sub prepare {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my $own = make_ca('of its own');
    my @watched = map { my $l = make_leaf($own, [ "w$_.test" ]); { leaf => $l, files => [ write_pair($l, "$s->{dir}/w$_") ] } } 1, 2;
    $s->configure(ca => $ca, hosts => [ (map { { names => [ "a$_.test" ], hotcert => 'on' } } 1, 2),
        (map { { names => [ "w$_.test" ], hotcert => 'watch', pair => $watched[ $_ - 1 ]{files} } } 1, 2) ]);
    $s->start;
    my %serial;
    for my $name ('a1.test', 'a2.test') {
        $serial{$name}{ lc wait_served($s->tls_port, $name, $ca->root, seconds => 60)->{serial} } = 1;
    }
    $s->hotcert('renew', 'a1.test', '--force');
    my ($before) = keys %{ $serial{'a1.test'} };
    $serial{'a1.test'}{ lc wait_served($s->tls_port, 'a1.test', $ca->root, not => uc $before, seconds => 60)->{serial} } = 1;
    $serial{"w$_.test"}{ lc $watched[ $_ - 1 ]{leaf}{serial} } = 1 for 1, 2;
    run('cp', '/proc/' . $s->agent . '/fd/3', "$s->{dir}/conf.wire");
    $s->stop;
    my @store = files_below($s->{store});
    return ($s, $ca, \%serial, \@store, [ map { @{ $_->{files} } } @watched ]);
}

# ---- flaws: each takes a file and all files of its kind, and says what it did ----

# What was planted leads to decoys in the test's own folder and nowhere else, and nothing is ever written
# through it: a file is hurt once, if it is an ordinary one in that folder, and opened without following.
my %decoy;
sub decoy { my ($dir) = $_[0] =~ m{^(.*?)/(?:state|w\d)/}; return $decoy{$dir} //= spew_secret("$dir/decoy", "root's own\n") }

sub rewrite {
    my ($file, $text) = @_;
    sysopen my $fh, $file, O_WRONLY | O_TRUNC | O_NOFOLLOW or die "$file: $!";
    print {$fh} $text or die "$file: $!";
    close $fh or die "$file: $!";
    return;
}

sub ordinary {
    my ($file) = @_;
    my @st = lstat $file or return;
    return S_ISREG($st[2]) && $st[3] == 1 && $st[7] < 1_000_000 && index($file, temp_dir() . '/') == 0;
}

my %flaws = (
    'a bit' => sub { my ($f) = @_; my $t = slurp($f); return unless length $t; my $at = chance(length $t);
        substr($t, $at, 1) ^= chr(1 << chance(8)); rewrite($f, $t); return "bit at $at" },
    'a byte more' => sub { my ($f) = @_; my $t = slurp($f); my $at = chance(1 + length $t);
        substr($t, $at, 0) = chr chance(256); rewrite($f, $t); return "byte put in at $at" },
    'a cut' => sub { my ($f) = @_; my $t = slurp($f); my $at = chance(1 + length $t);
        rewrite($f, substr $t, 0, $at); return "cut at $at" },
    'zeros' => sub { my ($f) = @_; my $t = slurp($f); my $at = chance(1 + length $t);
        substr($t, $at) = "\0" x (length($t) - $at); rewrite($f, $t); return "zeros from $at" },
    'noise' => sub { my ($f) = @_; rewrite($f, join '', map { chr chance(256) } 1 .. 1 + chance(3000)); return 'noise' },
    'a line out' => sub { my ($f) = @_; my @l = split /^/, slurp($f); return unless @l; my $at = chance(scalar @l);
        splice @l, $at, 1; rewrite($f, join '', @l); return "line $at out" },
    'another file' => sub { my ($f, @all) = @_; my $from = one_of(grep { $_ ne $f } @all);
        rewrite($f, slurp($from)); return "copy of $from" },
    'two changed' => sub { my ($f, @all) = @_; my $from = one_of(grep { $_ ne $f } @all); my $t = slurp($f);
        rewrite($f, slurp($from)); rewrite($from, $t); return "changed with $from" },
    'gone' => sub { unlink $_[0]; return 'gone' },
    'a symlink' => sub { my ($f, @all) = @_; my $to = chance(2) ? one_of(@all) : decoy($f); unlink $f;
        symlink $to, $f; return "symlink to $to" },
    'a hard link' => sub { my ($f, @all) = @_; my $to = one_of(decoy($f), grep { $_ ne $f } @all); unlink $f; link $to, $f; return "link of $to" },
    'a FIFO' => sub { unlink $_[0]; system 'mkfifo', $_[0]; chown $worker, -1, $_[0]; return 'FIFO' },
    'a socket' => sub { my $at = temp_dir() . '/sock'; IO::Socket::UNIX->new(Local => $at, Listen => 1); rename $at, $_[0]; return 'socket' },
    'a folder' => sub { unlink $_[0]; mkdir $_[0], 0700; chown $worker, -1, $_[0]; return 'folder' },
    'no rights' => sub { chown 0, 0, $_[0]; chmod 0, $_[0]; return "somebody else's" },
    'far too long' => sub { my ($f) = @_; truncate $f, 64 << 20; return '64 sparse megabytes' },
);

# The store and the files as they were.
sub keep { my ($s) = @_; run('sh', '-c', "cd $s->{dir} && rm -rf kept && mkdir kept && cp -a state w1 w2 kept/"); return }
sub restore { my ($s) = @_; run('sh', '-c', "cd $s->{dir} && rm -rf state w1 w2 && cp -a kept/state kept/w1 kept/w2 ."); return }

# Only what is as it was is hurt, and takes part: nothing follows an earlier plant.
sub hurt {
    my ($store, $watched, @without) = @_;
    my @all = grep { ordinary($_) } @{ chance(4) ? $store : $watched };
    return if @all < 2;
    my ($file, $name) = (one_of(@all), one_of(grep { my $f = $_; !grep { $_ eq $f } @without } sort keys %flaws));
    my $what = $flaws{$name}->($file, @all) // return;
    (my $short = $file) =~ s{.*/(?=[^/]+/[^/]+$)}{};
    return "$short: $what";
}

# Of a watched pair the file is the operator's word at a start: what stands there is served, even if a flipped
# bit made another name or serial number of its own.
sub stands_in_file {
    my ($dir, $name, $hex) = @_;
    my ($host) = $name =~ /^(w\d)\.test$/ or return 0;
    my $file = "$dir/$host/fullchain.pem";
    return 0 if !-f $file;
    my ($code, $out) = run('openssl', 'x509', '-in', $file, '-noout', '-serial');
    return $code == 0 && $out =~ /^serial=(\w+)$/m && norm($1) eq norm($hex);
}

# What the loader gave is judged; faults as text.
sub judge {
    my ($dir, $out, $code, $serial, $gone) = @_;
    my @faults;
    push @faults, "the run ended with $code" if $code != 0;
    push @faults, $1 while $out =~ /^(say .*(?:died of signal|ended with code|took longer).*|broken .*)$/mg;
    my $sentence = $out =~ /^(?:say|refused) \S+ \S+ \S/m;
    my (%got, $missing);
    while ($out =~ /^pair \S+ (\S+) (\S+) fit=(\d) covers=(\d+)$/mg) {
        my ($name, $hex, $fit, $covers) = ($1, $2, $3, $4);
        $got{$name}++;
        push @faults, "$name: a key beside a certificate that is not its own" unless $fit;
        my $known = grep { norm($_) eq norm($hex) } keys %{ $serial->{$name} };
        next if $covers && $known || stands_in_file($dir, $name, $hex);
        push @faults, $known ? "$name: a certificate of others" : "$name: an unknown certificate $hex";
    }
    $missing ||= !$got{$_} for keys %$serial;
    push @faults, 'something is missing, and nothing was said' if $missing && !$sentence && !$gone;
    push @faults, 'no key may stand in a message' if $out =~ /PRIVATE KEY-----\S/;
    return (\@faults, $missing);
}
sub norm { my ($hex) = @_; $hex = lc $hex; $hex =~ s/^0+//; return $hex }

scenario the_loader_takes_nothing_wrong => sub {
    my ($kind) = @_;
    my ($s, $ca, $serial, $store, $watched) = prepare($kind);
    keep($s);
    my ($code, $out) = run($loads, "$s->{dir}/conf.wire");
    my ($faults, $missing) = judge($s->{dir}, $out, $code, $serial);
    is("@$faults", '', 'the whole store is loaded') or diag $out;
    ok(!$missing, 'all of it') or diag $out;
    my ($end, $runs, $less, @bad) = (deadline(420), 0, 0);
    while (!over($end)) {
        my @done = grep { defined } map { hurt($store, $watched) } 1 .. 1 + chance(3);
        next unless @done;
        ($code, $out) = run($loads, "$s->{dir}/conf.wire");
        # of a version that is not there any more nobody can say that it was
        ($faults, $missing) = judge($s->{dir}, $out, $code, $serial, scalar grep { /pair: gone/ } @done);
        push @bad, join("; ", @done) . " => @$faults\n$out" if @$faults;
        $runs++;
        $less++ if $missing;
        restore($s);
        last if @bad >= 10;
    }
    is(join("\n", @bad), '', 'nothing wrong is taken, nothing is silent');
    cmp_ok($less, '>', 0, 'some flaws cost a pair');
    is(slurp("$s->{dir}/decoy"), "root's own\n", "root's file that links lead to is as it was") if -e "$s->{dir}/decoy";
    tell_figures('loads' => $runs, 'with a pair less' => $less);
};

scenario a_server_with_many_flaws_gets_well => sub {
    my ($kind) = @_;
    my ($s, $ca, $serial, $store, $watched) = prepare($kind);
    keep($s);
    # Files of somebody else's are left alone, and nothing is ordered in their place: not among these flaws.
    my ($end, $starts, $refused) = (deadline(120), 0, 0);
    do {
        # a flaw in a watched file may refuse the start: not every time
        my $other = chance(4) ? $store : $watched;
        my @done = grep { defined } map { hurt($store, $other, 'no rights') } 1 .. 4 + chance(8);
        my $mark = $s->log_mark;
        my ($code, $out) = $s->try_start;
        $starts++;
        if ($code != 0) {
            $refused++;
            like($out, qr/hotcert|HotCert/, 'a refused start says why') or diag "@done";
        } else {
            $s->wait_listening;
            for my $name ('a1.test', 'a2.test') {
                ok(wait_served($s->tls_port, $name, $ca->root, seconds => 60), "$name is served") or diag join "\n", @done;
            }
            unlike($s->log_since($mark), qr/agent (?:died|was killed)|died of signal/, 'the agent lives') or diag join "\n", @done;
            ok($s->stop, 'it stops');
        }
        restore($s);
    } until over($end) || !Test::More->builder->is_passing;
    is(slurp("$s->{dir}/decoy"), "root's own\n", "root's file that links lead to is as it was") if -e "$s->{dir}/decoy";
    tell_figures('starts' => $starts, 'refused' => $refused);
};

done_testing;
