#!/usr/bin/perl
# Server blocks that stock nginx runs without a certificate of their own, or that are none of
# hotcert's business, run as before where a mode is only inherited; what cannot be is told its cure.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Scenario;

my $root = make_ca('servers root');
my $url = 'https://127.0.0.1:1/dir';
my %on = (issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ] ] }, main => [ [ use => 'pebble' ], [ '' => 'on' ] ]);

sub seen { my ($s, $name, %opt) = @_; return look($s->tls_port, sni => $name, ca => $root->{cert}, %opt) }

scenario an_inherited_watch_leaves_servers_as_stock_runs_them => (only => 'nginx', sub {
    my ($kind) = @_;
    my %seen;
    for my $case ([ 'stock', no_module => 1 ], [ 'hotcert' ]) {
        my ($what, %conf) = @$case;
        my $s = server($kind);
        my $leaf = make_leaf($root, [ 'w.test', '*.w.test' ]);
        my @pair = write_pair($leaf, "$s->{dir}/live");
        # ssl_verify_client without any CA is an error of a server that has a certificate, and of no other.
        $s->configure(main => [ [ '' => 'watch' ], [ trusted_certificate => $root->{cert} ] ],
            hosts => [ { names => [ 'w.test' ], pair => \@pair, default => 1 },
                { names => [ 'bare.w.test' ] },
                { names => [ 'verify.w.test' ], nginx => 'ssl_verify_client on;' },
                { names => [ 'reject.w.test' ], nginx => 'ssl_reject_handshake on;' },
                { names => [ 'variable.w.test' ], pair => [ "$s->{dir}/live/\$ssl_server_name.pem", $pair[1] ] } ], %conf);
        symlink $pair[0], "$s->{dir}/live/variable.w.test.pem" or die "symlink: $!";
        chmod 0755, $s->{dir}, "$s->{dir}/live";
        chmod 0644, @pair;
        my ($code, $out) = $s->configtest;
        is($code, 0, "$what: the configuration passes") or diag $out;
        $s->start;
        for my $name (qw(w.test bare.w.test verify.w.test reject.w.test variable.w.test nobody.w.test)) {
            my $l = seen($s, $name);
            $seen{$what}{$name} = !$l->{ok} ? 'refused' : $l->{serial} eq $leaf->{serial} ? 'the pair' : 'another';
        }
        ok($s->wait_log(qr/inherits `hotcert watch`, which cannot follow `[^`]*ssl_server_name.*host-left-alone/, 10), 'what is left alone is told') if $what eq 'hotcert';
        $s->stop;
    }
    is_deeply($seen{hotcert}, $seen{stock}, 'every name is answered as in stock') or diag explain \%seen;
    is($seen{stock}{'reject.w.test'}, 'refused', 'one of them is refused');
    is($seen{stock}{'variable.w.test'}, 'the pair', 'and a certificate with variables is served');
});

scenario a_catch_all_that_inherits_on_is_left_out => (only => 'nginx', sub {
    my ($kind) = @_;
    my $s = server($kind);
    $s->configure(%on, hosts => [ { names => ['_'], default => 1 }, { names => ['a.test'] } ]);
    my ($code, $out) = $s->configtest;
    is($code, 0, 'a catch-all beside a host passes') or diag $out;
    like($out, qr/no-names-inherited/, 'and is told');
    $s->start;
    ok(bootstrap_served($s->tls_port, 'a.test', $root->{cert}), 'the host waits for its certificate');
    ok(!seen($s, 'nobody.test')->{ok}, 'names that no host has are refused');
    $s->stop;

    my $with = server($kind);
    my $leaf = make_leaf($root, [ '*.w.test' ]);
    my @pair = write_pair($leaf, "$with->{dir}/live");
    $with->configure(%on, nginx_http => "ssl_certificate $pair[0]; ssl_certificate_key $pair[1];",
        hosts => [ { names => ['_'], default => 1 }, { names => ['a.test'], hotcert => 'on' } ]);
    $with->start;
    is(seen($with, 'nobody.w.test')->{serial}, $leaf->{serial}, 'with a certificate of http{} it serves that');
    $with->stop;

    my $own = server($kind);
    $own->configure(%on, hosts => [ { names => ['_'], default => 1, hotcert => 'on' }, { names => ['a.test'] } ]);
    ($code, $out) = $own->configtest;
    isnt($code, 0, 'a catch-all that says `on` itself is refused');
    like($out, qr/no-names/, 'as that');
    like($out, qr/`ssl_reject_handshake on` instead/, 'with a cure');
    $own->configure(%on, hosts => [ { names => ['_'], default => 1, nginx => 'ssl_reject_handshake on;' }, { names => ['a.test'] } ]);
    ($code, $out) = $own->configtest;
    is($code, 0, 'that passes') or diag $out;
});

scenario certificates_by_ssl_conf_command_are_refused_with_the_cure => (only => 'nginx', sub {
    my ($kind) = @_;
    my $s = server($kind);
    my @pair = write_pair(make_leaf($root, ['a.test']), "$s->{dir}/live");
    for my $command ([ Certificate => $pair[0] ], [ PrivateKey => $pair[1] ]) {
        $s->configure(%on, hosts => [ { names => ['a.test'], hotcert => 'on', nginx => "ssl_conf_command @$command;" } ]);
        my ($code, $out) = $s->configtest;
        isnt($code, 0, "ssl_conf_command $command->[0] is refused");
        like($out, qr/\Q$s->{conf}\E:\d+: .*`ssl_conf_command $command->[0]` names.*`hotcert watch`.*`hotcert off`.*conflict/i, 'with place and cure');
    }
    $s->configure(%on, hosts => [ { names => ['a.test'], hotcert => 'on', nginx => 'ssl_conf_command Options ServerPreference;' } ]);
    is(($s->configtest)[0], 0, 'other commands are not');

    # beside an inherited `watch` nginx serves what it serves in stock
    my $other = make_leaf($root, ['a.test']);
    my @lines = write_pair($other, "$s->{dir}/lines");
    my %seen;
    for my $case ([ 'stock', no_module => 1 ], [ 'hotcert' ]) {
        my ($what, %conf) = @$case;
        my $left = server($kind);
        $left->configure(main => [ [ '' => 'watch' ], [ trusted_certificate => $root->{cert} ] ],
            hosts => [ { names => ['a.test'], pair => \@lines, nginx => "ssl_conf_command Certificate $pair[0]; ssl_conf_command PrivateKey $pair[1];" } ], %conf);
        $left->start;
        $seen{$what} = seen($left, 'a.test')->{serial};
        ok($left->wait_log(qr/inherits `hotcert watch`, which cannot follow `ssl_conf_command Certificate`.*host-left-alone/, 10), 'what is left alone is told') if $what eq 'hotcert';
        $left->stop;
    }
    is($seen{hotcert}, $seen{stock}, 'an inherited `watch` leaves it to nginx');
});

# nginx compresses what it loads itself, once, before the first visitor: hotcert's certificates come later.
scenario certificates_that_nginx_compresses_are_refused_with_the_cure => (only => 'nginx', sub {
    my ($kind) = @_;
    my $compresses = 'ssl_certificate_compression on;';
    my $stock = server($kind);
    my $leaf = make_leaf($root, ['a.test']);
    my @pair = write_pair($leaf, "$stock->{dir}/live");
    $stock->configure(no_module => 1, hosts => [ { names => ['a.test'], pair => \@pair, nginx => $compresses } ]);
    my ($stock_code, $stock_said) = $stock->configtest;
    my $known = $stock_said !~ /unknown directive "ssl_certificate_compression"/;
    my @version = run(HotCert::Nginx::binary(), '-v');
    my ($minor, $patch) = $version[1] =~ m{nginx/1\.(\d+)\.(\d+)} or die $version[1];
    is($known ? 'known' : 'unknown', $minor * 1000 + $patch >= 29_001 ? 'known' : 'unknown', 'nginx has it from 1.29.1 on') or diag $stock_said;
    is($stock_code, $known ? 0 : 1, 'and stock takes what it knows') or diag $stock_said;

    my $s = server($kind);
    for my $mode (qw(on watch)) {
        $s->configure(%on, main => [ [ use => 'pebble' ], [ trusted_certificate => $root->{cert} ] ],
            hosts => [ { names => ['a.test'], hotcert => $mode, pair => \@pair, nginx => $compresses } ]);
        my ($code, $out) = $s->configtest;
        isnt($code, 0, "`hotcert $mode` beside it is refused");
        like($out, $known ? qr/\Q$s->{conf}\E:\d+: .*ssl_certificate_compression is on.*set `ssl_certificate_compression off` there.*`hotcert off`/
            : qr/unknown directive "ssl_certificate_compression"/, $known ? 'with place and cure' : 'by nginx');
    }
    # as everywhere in http{}: what inherits `watch` runs as in stock
    $s->configure(main => [ [ '' => 'watch' ], [ trusted_certificate => $root->{cert} ] ],
        hosts => [ { names => ['a.test'], pair => \@pair, nginx => $compresses } ]);
    my ($code, $out) = $s->configtest;
    is($code, $stock_code, 'an inherited `watch` leaves the server to nginx') or diag $out;
    if ($known) {
        $s->start;
        ok($s->wait_log(qr/inherits `hotcert watch`, which cannot follow `ssl_certificate_compression on`.*host-left-alone/, 10), 'and says so');
        is(seen($s, 'a.test')->{serial}, $leaf->{serial}, 'it serves its pair');
        $s->stop;
    }
    (my $off = $compresses) =~ s/on;/off;/;
    $s->configure(%on, hosts => [ { names => ['a.test'], hotcert => 'on', nginx => $off } ]);
    is(($s->configtest)[0], $known ? 0 : 1, 'switched off it is no matter');
});

scenario a_start_whose_log_shows_no_notices_says_so_once => (only => 'nginx', sub {
    my ($kind) = @_;
    my %lines;
    for my $level (qw(error warn notice debug)) {
        my $s = server($kind);
        my @pair = write_pair(make_leaf($root, ['w.test']), "$s->{dir}/live");
        $s->configure(log_level => $level, main => [ [ trusted_certificate => $root->{cert} ] ],
            hosts => [ { names => ['w.test'], hotcert => 'watch', pair => \@pair } ]);
        my ($code, $out) = $s->try_start;
        is($code, 0, "it starts with the level $level") or diag $out;
        $s->wait_listening;
        my @lines = grep { /shows no notices/ } split /\n/, $out;
        is(scalar @lines, $level =~ /error|warn/ ? 1 : 0, "one line, or none where notices are seen") or diag $out;
        like($lines[0], qr/"error_log \Q$s->{log}\E notice;" at the main level.*`hotcert list`/, 'with what to write') if @lines;
        ok($s->agent, 'the agent runs');
        my ($again, $said) = $s->reload;
        unlike($said, qr/shows no notices/, 'a reload does not say it again');
        is(join("\n", grep { /\[(?:error|crit|alert|emerg)\]/ } split /\n/, $s->log_text), '', 'and nothing that went well is an error');
        $s->stop;
    }
});

done_testing;
