#!/usr/bin/perl
# nginx's helper process is shared with what it was made for: with hotcert it does its own work as
# it does without.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $root = make_ca('helper root');
my $files = 20;

# A cache whose manager deletes one file a turn, and is then to sleep for longer than the test runs.
sub caching {
    my ($kind, %conf) = @_;
    my $s = server($kind);
    my @pair = write_pair(make_leaf($root, [ 'w.test' ]), "$s->{dir}/live");
    my $zone = "proxy_cache_path $s->{dir}/cache keys_zone=z:1m inactive=1s manager_files=1 manager_sleep=600s use_temp_path=off;";
    $s->configure(nginx_http => $zone, nginx_plain => 'location / { return 200 "x"; }',
        main => [ [ trusted_certificate => $root->{cert} ] ],
        hosts => [ { names => [ 'w.test' ], hotcert => 'watch', pair => \@pair },
            { names => [ 'c.test' ], plain => 1, no_location => 1,
                nginx => "location / { proxy_pass http://127.0.0.1:$s->{http_port}/; proxy_cache z; proxy_cache_valid 200 1h; proxy_set_header Host plain.invalid; }" } ],
        %conf);
    return $s;
}

sub cached { my ($s) = @_; return scalar(() = files_below("$s->{dir}/cache")) }

scenario the_cache_manager_sleeps_as_it_does_in_stock => (only => 'nginx', sub {
    my ($kind) = @_;
    for my $case ([ 'stock', no_module => 1 ], [ 'hotcert' ]) {
        my ($what, %conf) = @$case;
        my $s = caching($kind, %conf);
        $s->start;
        http_get($s->http_port, 'c.test', "/$_") for 1 .. $files;
        is(cached($s), $files, "$what: so many files are cached");
        ok($s->agent, 'the agent runs') if $what eq 'hotcert';
        ok(wait_for(40, sub { cached($s) < $files }, 0.2), "$what: the manager's turn deletes one");
        my $again = wait_for(4, sub { cached($s) < $files - 1 });
        ok(!$again, "$what: and no other turn comes for 4 s") or diag cached($s) . ' are left';
        $s->stop;
    }
});

done_testing;
