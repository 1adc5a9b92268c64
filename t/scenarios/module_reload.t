#!/usr/bin/perl
# Modules that come and go while the server runs: hotcert is added by a reload, as at its first
# installation, is taken out, and comes back between other modules.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;
use HotCert::Rig qw(build_dir temp_dir proc_cmdline);

# A host with a certificate of its own, as stock serves it.
sub stock {
    my ($s) = @_;
    my $leaf = make_leaf(make_ca('stock'), ['a.test']);
    return ($leaf, no_module => 1, hosts => [ { names => ['a.test'], pair => [ write_pair($leaf, "$s->{dir}/stock") ] } ]);
}

sub serves { my ($s, $serial) = @_; return wait_for(20, sub { (look($s->tls_port, sni => 'a.test')->{serial} // '') eq $serial }) }

scenario added_to_a_running_server => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my ($leaf, %stock) = stock($s);
    $s->configure(%stock);
    $s->start;
    ok(serves($s, $leaf->{serial}), 'without the module');
    my $master = $s->master;
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    my ($code, $out) = $s->reload;
    is($code, 0, 'the module is added by a reload') or diag $out;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'and its certificate is served');
    is($s->master, $master, 'by the same server');
};

scenario taken_out_it_leaves_nothing_in_the_workers => sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    my ($leaf, %stock) = stock($s);
    $s->configure(ca => $ca, hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    my $first = wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60) or return fail('never served');
    my $with = $s->{last};
    my %before = map { $_ => 1 } $s->workers;
    $s->configure(%stock);
    my ($code, $out) = $s->reload;
    is($code, 0, 'taken out') or diag $out;
    ok(serves($s, $leaf->{serial}), 'stock serves');
    my $fresh = wait_for(20, sub { my @w = grep { !$before{$_} } $s->workers; @w && \@w });
    for my $pid (@{ $fresh // [] }) {
        is(join(' ', grep { /memfd/ } map { readlink($_) // '' } glob "/proc/$pid/fd/*"), '', 'a worker of stock has no descriptor of the table');
        unlike(slurp("/proc/$pid/maps"), qr/memfd:hotcert-table/, 'nor its memory') if $kind eq 'httpd';
    }
    $s->configure(%$with);
    ($code, $out) = $s->reload;
    is($code, 0, 'put back') or diag $out;
    ok(serves($s, $first->{serial}), 'the stored pair is served');
    is($ca->count_of('orders'), 1, 'nothing was ordered');
};

# A graceful restart loads a module's file that was replaced, and with it comes the memory of the one before.
scenario a_table_of_another_layout_is_not_read => (only => 'httpd', sub {
    my $s = server('httpd');
    my $root = make_ca('watched');
    my @pair = write_pair(my $leaf = make_leaf($root, ['a.test']), "$s->{dir}/watched");
    my %conf = (main => [ [ trusted_certificate => $root->{cert} ] ], hosts => [ { names => ['a.test'], hotcert => 'watch', pair => \@pair } ]);
    $s->configure(%conf);
    $s->start;
    ok(serves($s, $leaf->{serial}), 'served from the table');
    my ($table) = grep { (readlink($_) // '') =~ /memfd:hotcert-table/ } glob '/proc/' . $s->master . '/fd/*';
    open my $memory, '+<', $table or return fail("$table: $!");
    sysseek $memory, 8, 0;
    is(syswrite($memory, pack 'Q<', 1), 8, 'the table becomes one of the first layout');
    close $memory;
    my $copy = "$s->{dir}/another.so";
    spew($copy, slurp($s->module_file('mod_hotcert.so')));
    chmod 0755, $copy;
    my $mark = $s->log_mark;
    $s->configure(%conf, module => $copy);
    my ($code, $out) = $s->reload;
    is($code, 0, 'another file of the module is loaded') or diag $out;
    ok($s->wait_log(qr/version differs from the running one.*new children get their own table/, 20, $mark), 'and says that it makes a table anew');
    ok(serves($s, $leaf->{serial}), 'which is filled before it serves');
    is(scalar(grep { (readlink($_) // '') =~ /memfd:hotcert-table/ } glob '/proc/' . $s->master . '/fd/*'), 1, 'the old one is closed');
    $s->reload;
    ok(serves($s, $leaf->{serial}), 'and kept at the next reload');
});

# nginx numbers modules at every reload, and the numbers of one that was taken out go to others.
scenario another_module_takes_its_numbers => (only => 'nginx', sub {
    my $s = server('nginx');
    my $source = temp_dir() . '/other.c';
    my $other = temp_dir() . '/other.so';
    spew($source, <<'END');
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

static void *create(ngx_conf_t *cf) { return ngx_pcalloc(cf->pool, 64); }
static ngx_http_module_t ctx = {.create_main_conf = create, .create_srv_conf = create};
ngx_module_t other_module = {NGX_MODULE_V1, &ctx, NULL, NGX_HTTP_MODULE, NULL, NULL, NULL, NULL, NULL,
                             NULL, NULL, NGX_MODULE_V1_PADDING};
ngx_module_t *ngx_modules[] = {&other_module, NULL};
char *ngx_module_names[] = {"other_module", NULL};
char *ngx_module_order[] = {NULL};
END
    my $tree = build_dir() . '/nginx';
    # whatever folders of headers this nginx has (QUIC's came with 1.26)
    my @headers = split /\n/, (run('find', '-L', "$tree/src", "$tree/objs", '-type', 'd'))[1];
    my ($code, $out) = run('gcc', '-shared', '-fPIC', '-o', $other, $source,
        map { "-I$_" } @headers);
    is($code, 0, 'another module is made') or diag $out;
    my ($leaf, %stock) = stock($s);
    my $root = make_ca('watched');
    my @pair = write_pair(my $watched = make_leaf($root, ['a.test']), "$s->{dir}/watched");
    my %with = (main => [ [ trusted_certificate => $root->{cert} ] ], hosts => [ { names => ['a.test'], hotcert => 'watch', pair => \@pair } ]);
    $s->configure(%with);
    $s->start;
    my $master = $s->master;
    ok(serves($s, $watched->{serial}), 'with hotcert');
    for my $step ([ 'hotcert taken out', $leaf, %stock ], [ 'another module in its place', $leaf, %stock, load => [$other] ],
        [ 'and hotcert again', $watched, %with, load => [$other] ], [ 'without the other', $watched, %with ]) {
        my ($what, $serves, %conf) = @$step;
        $s->configure(%conf);
        ($code, $out) = $s->reload;
        is($code, 0, "$what: reloaded") or diag $out;
        ok(serves($s, $serves->{serial}), "$what: served");
        is($s->master, $master, "$what: by the same master");
    }
});

done_testing;
