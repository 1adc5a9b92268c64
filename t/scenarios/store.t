#!/usr/bin/perl
# The store under bad conditions: full, read-only, damaged, tampered with, sealed under another secret,
# shared by two servers, moved to another machine.
use strict;
use warnings;
use lib 't/lib';
use File::Path qw(remove_tree);
use HotCert::Scenario;

my $worker = getpwnam 'www-data';

sub issued {
    my ($kind, %opt) = @_;
    my $s = server($kind, %{ $opt{server} // {} });
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ], %{ $opt{conf} // {} });
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    return ($s, $ca, $first);
}

sub first_served {
    my ($s) = @_;
    my $l = wait_for(20, sub { my $x = look($s->tls_port, sni => 'a.test'); $x->{serial} && $x });
    return $l ? $l->{serial} : 'nothing';
}

# The files of the store that hold versions of pairs: the biggest ones.
sub version_files { my ($s) = @_; return sort { -s $b <=> -s $a } grep { -s $_ > 800 } files_below($s->{store}) }

scenario nginx_and_httpd_share_one_store => sub {
    my ($kind) = @_;
    my $other = $kind eq 'nginx' ? 'httpd' : 'nginx';
    my $one = server($kind);
    my $two = server($other, store => $one->{store}, secret => $one->{secret});
    my $ca = pebble(http_port => $one->http_port);
    my $hosts = [ { names => ['a.test'], hotcert => 'on' }, { names => ['b.test'], hotcert => 'on' } ];
    $_->configure(ca => $ca, hosts => $hosts) for $one, $two;
    # The CA asks only the first; the second's orders can succeed only if the first answers for it.
    $one->start;
    $two->start;
    for my $s ($one, $two) {
        ok(wait_served($s->tls_port, "$_.test", $ca->root, seconds => 60), "$s->{kind} serves $_.test") for qw(a b);
    }
    is(look($one->tls_port, sni => 'a.test')->{serial}, look($two->tls_port, sni => 'a.test')->{serial}, 'the same certificate');
    is($ca->count_of('orders'), 2, 'each was ordered once');
    is($ca->count_of('accounts'), 1, 'by one account');
    my $before = look($one->tls_port, sni => 'a.test')->{serial};
    my ($code, $out) = $two->hotcert('renew', 'a.test', '--force');
    is($code, 0, 'renewed at the other') or diag $out;
    my $new = wait_served($two->tls_port, 'a.test', $ca->root, not => $before, seconds => 60);
    ok(wait_for(20, sub { look($one->tls_port, sni => 'a.test')->{serial} eq $new->{serial} }), 'both swap');
};

scenario damaged_files_are_set_aside_and_the_version_before_is_served => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    $s->hotcert('renew', 'a.test', '--force');
    my $second = wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 60) or die 'no second';
    $s->stop;
    my @versions = version_files($s);
    cmp_ok(scalar @versions, '>=', 2, 'two versions are kept');
    my ($newest) = sort { (stat $b)[9] <=> (stat $a)[9] || $b cmp $a } @versions;
    my $text = slurp($newest);
    substr($text, length($text) / 2, 1) ^= "\x20";
    spew($newest, $text);
    my $orders = $ca->count_of('orders');
    my $mark = $s->log_mark;
    is(($s->try_start)[0], 0, 'it starts with a flipped bit in the newest version');
    is(first_served($s), $first->{serial}, 'and serves the version before');
    ok($s->wait_log(qr/damaged/, 20, $mark), 'the log says what is damaged');
    ok(wait_for(15, sub { grep { m{/damaged/} } files_below($s->{store}) }), 'it was set aside');
    is($ca->count_of('accounts'), 1, 'no new account was made');
};

scenario every_version_truncated_is_obtained_anew => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    $s->stop;
    for my $file (version_files($s)) { truncate $file, (-s $file) / 3 }
    is(($s->try_start)[0], 0, 'it starts');
    ok(wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 60), 'another certificate is obtained');
    is($ca->count_of('accounts'), 1, 'with the old account');
};

scenario planted_files_are_never_followed => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    $s->stop;
    my $outside = spew_secret("$s->{dir}/outside", "root's own\n");
    my @versions = version_files($s);
    my %planted;
    my @ways = (
        [ 'a symlink' => sub { my ($f) = @_; rename $f, "$s->{dir}/moved"; symlink $outside, $f } ],
        [ 'a FIFO' => sub { my ($f) = @_; unlink $f; system 'mkfifo', $f; chown $worker, -1, $f } ],
        [ 'a hard link' => sub { my ($f) = @_; unlink $f; link $outside, $f } ],
    );
    for my $way (@ways) {
        my ($name, $plant) = @$way;
        my ($file) = version_files($s);
        last unless $file;
        $plant->($file);
        is(($s->try_start)[0], 0, "$name in the store: it starts");
        ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'and serves a certificate of the CA');
        is(slurp($outside), "root's own\n", 'the file outside is as it was');
        is((stat $outside)[4], 0, "and still root's");
        $s->stop;
    }
};

scenario another_secret_stops_ordering_and_destroys_nothing => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    $s->stop;
    my %before = map { $_ => slurp($_) } version_files($s);
    my $secret = slurp($s->{secret});
    my $orders = $ca->count_of('orders');
    spew_secret($s->{secret}, join '', map { chr int rand 256 } 1 .. length $secret);
    my ($code, $out) = $s->try_start;
    ok($s->wait_log(qr/secret/, 10) || $out =~ /secret/, 'the log says that the secret is another one') or diag $out;
    ok(!wait_for(3, sub { $ca->count_of('orders') > $orders }), 'nothing is ordered');
    $s->stop;
    is(join(' ', grep { slurp($_) ne $before{$_} } sort keys %before), '', 'every version is as it was');
    unlink $s->{secret};
    ($code, $out) = $s->try_start;
    ok(!wait_for(3, sub { $ca->count_of('orders') > $orders }), 'nor without any secret');
    ok(!-e $s->{secret}, 'and no new one is made beside a store that is not empty');
    $s->stop;
    spew_secret($s->{secret}, $secret);
    is(($s->try_start)[0], 0, 'with the right one again');
    is(first_served($s), $first->{serial}, 'the stored pair is served');
};

scenario a_secret_that_is_provided_read_only => sub {
    my ($kind) = @_;
    my $s = server($kind);
    mkdir "$s->{dir}/provided", 0755;
    my $secret = spew("$s->{dir}/provided/secret", join('', map { chr int rand 256 } 1 .. 32), 0400);
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, main => [ [ secret => $secret ] ], hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    my $before = slurp($secret);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root), 'is used');
    is(slurp($secret), $before, 'and left as it is');
};

scenario an_unsafe_secret_is_refused => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    $s->stop;
    chmod 0644, $s->{secret};
    my $mark = $s->log_mark;
    my ($code, $out) = $s->try_start;
    ok(($out . $s->log_since($mark)) =~ /secret/ || $s->wait_log(qr/secret/, 10, $mark), 'a secret that others can read is named');
    $s->stop;
    chmod 0600, $s->{secret};
};

scenario a_store_of_another_owner_is_named => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    $s->stop;
    chown scalar getpwnam('nobody'), -1, $s->{store};
    my $mark = $s->log_mark;
    my ($code, $out) = $s->try_start;
    ok(($out . $s->log_since($mark)) =~ /store/ || $s->wait_log(qr/store/, 10, $mark), 'the log names it');
    $s->stop;
    chown $worker, -1, $s->{store};
    is(($s->try_start)[0], 0, 'put right');
    is(first_served($s), $first->{serial}, 'it serves');
};

# A small file system of the test's own at $path; mounted in the machine's namespace, taken away by it.
my @mounted;
sub mount_small {
    my ($path, $size) = @_;
    mkdir $path, 0700;
    my ($code, $out) = run('mount', '-t', 'tmpfs', '-o', "size=$size,mode=0755", 'hotcert-test', $path);
    die "this scenario needs the right to mount: $out" if $code != 0;
    push @mounted, $path;
    return;
}

sub unmount {
    my ($path) = @_;
    run('umount', '-l', $path);
    @mounted = grep { $_ ne $path } @mounted;
    return;
}

my $owner = $$;
END {
    # Not in a child that ends before it became another program.
    if ($$ == $owner) { local $?; run('umount', '-l', $_) for @mounted }
}

scenario a_full_disk_keeps_serving_and_recovers => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $disk = "$s->{dir}/state";
    mount_small($disk, '512k');
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    my $filled = spew("$disk/filler", '', 0600);
    run('dd', 'if=/dev/zero', "of=$disk/filler", 'bs=4k');
    my $mark = $s->log_mark;
    $s->hotcert('renew', 'a.test', '--force');
    ok($s->wait_log(qr/store/, 30, $mark), 'the log says that the store cannot be written');
    is(first_served($s), $first->{serial}, 'the last good pair is served');
    unlink "$disk/filler";
    my $next = wait_for(90, sub {
        $s->hotcert('renew', 'a.test', '--force');
        return wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 10);
    });
    ok($next, 'with space again it is renewed');
    $s->stop;
    unmount($disk);
};

scenario a_read_only_store_keeps_serving_and_recovers => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $disk = "$s->{dir}/state";
    mount_small($disk, '2m');
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root) or die 'never served';
    $s->stop;
    run('mount', '-o', 'remount,ro', $disk);
    my ($code, $out) = $s->try_start;
    is($code, 0, 'it starts with a read-only store') or diag $out;
    is(first_served($s), $first->{serial}, 'and serves from it');
    run('mount', '-o', 'remount,rw', $disk);
    my $next = wait_for(60, sub {
        $s->hotcert('renew', 'a.test', '--force');
        return wait_served($s->tls_port, 'a.test', $ca->root, not => $first->{serial}, seconds => 10);
    });
    ok($next, 'writable again, it is renewed');
    $s->stop;
    unmount($disk);
};

scenario a_backup_restores_on_another_machine => sub {
    my ($kind) = @_;
    my ($s, $ca, $first) = issued($kind);
    $s->stop;
    my $moved = server($kind eq 'nginx' ? 'httpd' : 'nginx');
    # As docs/store.md says: the store with its owners and modes, and the secret.
    run('cp', '-a', $s->{state}, $moved->{state});
    $moved->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    my $orders = $ca->count_of('orders');
    is(($moved->try_start)[0], 0, 'another server starts on the copy');
    is(first_served($moved), $first->{serial}, 'and serves the pair');
    ok(!wait_for(2, sub { $ca->count_of('orders') > $orders }), 'without an order');
};

done_testing;
