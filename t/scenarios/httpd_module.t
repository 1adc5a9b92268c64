#!/usr/bin/perl
# What is httpd's own: sections and contexts, the three MPMs, restarts, processes beside mod_cgid,
# other kinds of error log, what mod_ssl's directives say.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Rig qw(proc_comm);
use HotCert::Scenario;

my $root = make_ca('httpd root');
my $url = 'https://127.0.0.1:1/dir';

# A server that watches one root-only pair: (server, leaf).
sub watching {
    my (%opt) = @_;
    my $s = server('httpd', %{ delete $opt{server} // {} });
    my $leaf = make_leaf($root, ['w.test']);
    my @pair = write_pair($leaf, "$s->{dir}/live");
    my %host = (names => ['w.test'], hotcert => 'watch', pair => \@pair, %{ delete $opt{host} // {} });
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ], hosts => [ \%host ], %opt);
    return ($s, $leaf);
}

sub served { my ($s) = @_; return look($s->tls_port, sni => 'w.test', ca => $root->{cert})->{serial} // 'nothing' }

sub by_comm { my ($s, $comm) = @_; return grep { proc_comm($_) =~ $comm } $s->all_pids }

# [ what, text at the main level, text in the host, pattern of the refusal ]
my @wrong = (
    [ 'an option that is none in a section', "<HotCertIssuer x>\nHotCertColour red\n</HotCertIssuer>\n", '', qr/Invalid command 'HotCertColour'|HotCertColour is no option/ ],
    [ 'a directive of another module in a section', "<HotCertIssuer x>\nHotCertDirectoryUrl $url\nTimeout 5\n</HotCertIssuer>\n", '', qr/Timeout is no option of an issuer/ ],
    [ 'a directive of the main level in a section', "<HotCertIssuer x>\nHotCertStore /x\n</HotCertIssuer>\n", '', qr/HotCertStore is no option of an issuer/ ],
    [ 'a section without a name', "<HotCertIssuer>\nHotCertDirectoryUrl $url\n</HotCertIssuer>\n", '', qr/HotCertIssuer/ ],
    [ 'a section without its end', "<HotCertIssuer x>\nHotCertDirectoryUrl $url\n", '', qr/HotCertIssuer> was not closed/ ],
    [ 'a section in a host', '', "<HotCertIssuer x>\n</HotCertIssuer>", qr/HotCertIssuer.*not allowed here/s ],
    [ 'a directive of the main level in a host', '', 'HotCertStore /x', qr/HotCertStore.*not allowed here/s ],
    [ 'a directive in a folder', '', "<Directory />\nHotCert on\n</Directory>", qr/HotCert not allowed in/ ],
    [ 'an option outside of its section', "HotCertDirectoryUrl $url\n", '', qr/HotCertDirectoryUrl.*not allowed here/s ],
    [ 'too few arguments', "HotCertStore\n", '', qr/HotCertStore.*number of arguments/s ],
    [ 'a certificate by a command of OpenSSL beside watch', '', "SSLOpenSSLConfCmd Certificate $root->{cert}",
        qr/:\d+: .*`SSLOpenSSLConfCmd Certificate` names a certificate.*SSLCertificateFile and SSLCertificateKeyFile under `HotCert watch`, or set `HotCert off`/ ],
    [ 'a key by such a command, at the main level', "SSLOpenSSLConfCmd PrivateKey $root->{cert}\n", '', qr/`SSLOpenSSLConfCmd PrivateKey` names/ ],
    [ 'a directive of a module that is not loaded', "MDomain a.test\n", '', qr/MDomain is a directive of mod_md, which is not loaded/ ],
);

scenario sections_and_contexts_are_checked => (only => 'httpd', sub {
    for my $case (@wrong) {
        my ($what, $main, $inner, $reason) = @$case;
        my ($s) = watching(httpd_main => $main, host => { httpd => $inner });
        my ($code, $out) = $s->configtest;
        isnt($code, 0, "$what is refused");
        like($out, $reason, 'and the reason given');
        ok(!-e $s->{state}, 'nothing was made');
    }
});

scenario what_else_orders_or_brings_certificates_is_named => (only => 'httpd', sub {
    my $s = server('httpd');
    my %conf = (issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ] ] }, main => [ [ use => 'pebble' ] ], httpd_modules => ['md']);
    my $md = "MDomain other.test Managed.test manual\n<MDomainSet *.wild.test>\nMDMember more.test\n</MDomainSet>\n"
        . "MDCertificateAgreement accepted\nMDContactEmail a\@example.org\nMDStoreDir $s->{dir}/md\n";
    # by `MDMembers auto`, the preset, the names of a host that has a listed one belong to mod_md, too
    my $plain = join '', map { "<VirtualHost 127.0.0.1:@{[ $s->tls_port ]}>\nServerName $_->[0]\nServerAlias $_->[1]\nSSLEngine on\n</VirtualHost>\n" }
        [ 'more.test', 'Added.test' ], [ 'managed.test', 'alone.test' ], [ 'set.test', 'also-alone.test' ], [ 'far.test', 'more.test' ];
    $md .= "<MDomainSet set.test>\nMDMembers manual\n</MDomainSet>\n$plain";
    for my $case ([ 'added.test', 'added.test' ], [ 'alone.test', undef ], [ 'also-alone.test', undef ], [ 'far.test', 'far.test' ], [ 'managed.test', 'managed.test' ], [ 'x.wild.test', 'x.wild.test' ], [ 'more.test', 'more.test' ], [ 'free.test', undef ]) {
        my ($name, $told) = @$case;
        $s->configure(%conf, httpd_main => $md, hosts => [ { names => [$name], hotcert => 'on' } ]);
        my ($code, $out) = $s->configtest;
        is($code, 0, "$name: the test passes") or diag $out;
        my $warning = qr/server\.conf:\d+: another ACME client orders certificates for this host too: mod_md does, for \Q$name\E \(\S+server\.conf:\d+\) \(two-clients; .*`HotCert off`/;
        $told ? like($out, $warning, 'that two order is said, with both places') : unlike($out, qr/two-clients/, 'and nothing is said');
    }
    $s->configure(%conf, httpd_modules => [], hosts => [ { names => ['a.test'], hotcert => 'on', httpd => "SSLOpenSSLConfCmd ServerInfoFile $s->{conf}" } ]);
    like(($s->configtest)[1], qr/ServerInfoFile` belongs to one certificate.*no-effect/, 'a file of one certificate alone has no effect, which is said');
});

# What is written, and whether mod_md adds the alias of the host that has the listed name.
my @members = (
    [ 'by the preset', "MDomain of.test\n", '', 1 ],
    [ 'MDMembers before MDomain', "MDMembers manual\nMDomain of.test\n", '', 0 ],
    [ 'MDMembers after MDomain', "MDomain of.test\nMDMembers manual\n", '', 0 ],
    [ 'MDMembers after a section', "<MDomainSet of.test>\nMDMember other.test\n</MDomainSet>\nMDMembers manual\n", '', 0 ],
    [ 'MDomain with a word of its own', "MDMembers manual\nMDomain of.test auto\n", '', 1 ],
    [ 'a section with a word of its own', "MDMembers manual\n<MDomainSet of.test>\nMDMembers auto\n</MDomainSet>\n", '', 1 ],
    [ 'the short section', "<MDomain of.test>\nMDMembers manual\n</MDomain>\n", '', 0 ],
    [ 'the short section by the preset', "<MDomain of.test>\nMDMember other.test\n</MDomain>\n", '', 1 ],
    [ 'MDMembers in a section is not for all', "<MDomainSet other.test>\nMDMembers manual\n</MDomainSet>\nMDomain of.test\n", '', 1 ],
    [ 'MDMembers in a host, which mod_md does not go by', "MDomain of.test\n", "SSLEngine on\nMDMembers manual", 1 ],
    [ 'MDMembers in a host, other than the preset', "MDMembers manual\nMDomain of.test\n", "SSLEngine on\nMDMembers auto", 0 ],
    [ 'a host without TLS', "MDomain of.test\n", 'SSLEngine off', 0 ],
    [ 'a host that has only what was added', "MDomain first.test\n", "SSLEngine on\n</VirtualHost>\n<VirtualHost 127.0.0.1:PORT>\nServerName first.test\nServerAlias of.test\nSSLEngine on", 0 ],
    [ 'such a host after it', "MDomain first.test\n<VirtualHost 127.0.0.1:PORT>\nServerName first.test\nServerAlias of.test\nSSLEngine on\n</VirtualHost>\n", '', 0 ],
);

# mod_md goes through its sections itself, before or after the word comes to others.
scenario names_that_mod_md_adds_are_its_own => (only => 'httpd', sub {
    my $s = server('httpd');
    my ($modules) = $s->text =~ m{(\S+)/mod_ssl\.so};
    for my $order ('first', 'last') {
        for my $case (@members) {
            my ($what, $md, $inner, $told) = @$case;
            my $main = ($order eq 'first' ? "LoadModule md_module $modules/mod_md.so\n" : '') . $md . "MDStoreDir $s->{dir}/md\n"
                . "<VirtualHost 127.0.0.1:PORT>\nServerName of.test\nServerAlias added.test\n" . ($inner || 'SSLEngine on') . "\n</VirtualHost>\n";
            $s->configure(httpd_modules => $order eq 'first' ? [] : ['md'], issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ] ] },
                main => [ [ use => 'pebble' ] ], httpd_main => $main =~ s/PORT/$s->tls_port/ger, hosts => [ { names => ['added.test'], hotcert => 'on' } ]);
            my ($code, $out) = $s->configtest;
            is($code, 0, "hotcert loaded $order, $what: the test passes") or diag $out;
            my $warning = qr/mod_md does, for added\.test \(\S+server\.conf:\d+\)/;
            $told ? like($out, $warning, 'the added name is mod_md\'s') : unlike($out, qr/two-clients/, 'the name is hotcert\'s');
        }
    }
});

scenario a_key_in_a_token_is_named_as_none_that_can_be_watched => (only => 'httpd', sub {
    my ($s) = watching();
    my $certificate = $s->{last}{hosts}[0]{pair}[0];
    $s->reconfigure(hosts => [ { names => ['w.test'], hotcert => 'watch',
        httpd => "SSLCertificateFile $certificate\nSSLCertificateKeyFile pkcs11:object=w;type=private" } ]);
    my ($code, $out) = $s->configtest;
    isnt($code, 0, 'refused');
    like($out, qr/follows files, and pkcs11:object=w;type=private is none.*`HotCert off`/, 'with its name as it was written, and the cure');
});

scenario an_inherited_watch_leaves_a_certificate_to_mod_ssl_that_it_cannot_follow => (only => 'httpd', sub {
    my %seen;
    my ($lines, $command) = map { make_leaf($root, ['w.test']) } 1 .. 2;
    for my $case ([ 'stock', no_module => 1 ], [ 'hotcert' ]) {
        my ($what, %conf) = @$case;
        my $s = server('httpd');
        my @pair = write_pair($lines, "$s->{dir}/lines");
        my @other = write_pair($command, "$s->{dir}/command");
        $s->configure(main => [ [ '' => 'watch' ], [ trusted_certificate => $root->{cert} ] ],
            hosts => [ { names => ['w.test'], pair => \@pair, httpd => "SSLOpenSSLConfCmd Certificate $other[0]\nSSLOpenSSLConfCmd PrivateKey $other[1]" } ], %conf);
        my ($code, $out) = $s->configtest;
        is($code, 0, "$what: the test passes") or diag $out;
        $s->start;
        $seen{$what} = served($s);
        ok($s->wait_log(qr/inherits `HotCert watch`, which cannot follow `SSLOpenSSLConfCmd PrivateKey`.*host-left-alone/, 10), 'what is left alone is told')
            if $what eq 'hotcert';
        $s->stop;
    }
    is($seen{hotcert}, $seen{stock}, 'the host serves what it serves in stock');
    is($seen{stock}, $command->{serial}, 'which is the certificate of the command');

    my ($s) = watching();
    my $certificate = $s->{last}{hosts}[0]{pair}[0];
    $s->reconfigure(main => [ [ '' => 'watch' ] ], hosts => [ { names => ['w.test'],
        httpd => "SSLCertificateFile $certificate\nSSLCertificateKeyFile pkcs11:object=w;type=private" } ]);
    my ($code, $out) = $s->configtest;
    like($out, qr/cannot follow `pkcs11:object=w;type=private`.*host-left-alone/, 'so is a key in a token');
    unlike($out, qr/follows files/, 'which is not refused');

    $s->reconfigure(main => [ [ '' => 'watch' ] ], hosts => [ { names => ['bare.test'] } ]);
    ($code, $out) = $s->try_start;
    isnt($code, 0, 'a host without any certificate is refused, as in stock');
    like(($s->configtest)[1], qr/:\d+: there are no certificate files to watch: it inherits `HotCert watch`.*\(no-files; name them with SSLCertificateFile/,
        'and what is missing is said');
});

scenario a_hundred_names_in_one_directive_all_count => (only => 'httpd', sub {
    my $s = server('httpd');
    my @names = map { "n$_.test" } 1 .. 100;
    my %conf = (issuers => { pebble => [ [ directory_url => $url ], [ terms_agreed => 'on' ] ] }, main => [ [ use => 'pebble' ] ]);
    $s->configure(%conf, hosts => [ { names => ['n1.test'], hotcert => 'on', set => [ [ names => @names ] ] } ]);
    is(($s->configtest)[0], 0, 'a hundred are taken');
    $s->configure(%conf, hosts => [ { names => ['n1.test'], hotcert => 'on', set => [ [ names => @names, 'n101.test' ] ] } ]);
    my ($code, $out) = $s->configtest;
    isnt($code, 0, 'one more is refused') or diag $out;
    $s->configure(%conf, hosts => [ { names => ['n1.test'], hotcert => 'on', set => [ [ names => @names[0 .. 98], 'bad..name' ] ] } ]);
    ($code, $out) = $s->configtest;
    like($out, qr/bad\.\.name/, 'the hundredth is looked at');
});

scenario a_https_port_and_a_certificate_are_TLS_without_SSLEngine => (only => 'httpd', sub {
    my $s = server('httpd');
    my $leaf = make_leaf($root, ['w.test']);
    my @pair = write_pair($leaf, "$s->{dir}/live");
    my $port = free_port();
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ], hosts => [ { names => ['other.test'], hotcert => undef, pair => \@pair } ],
        httpd_main => "Listen 127.0.0.1:$port https\n<VirtualHost 127.0.0.1:$port>\nServerName w.test\nSSLCertificateFile $pair[0]\n"
            . "SSLCertificateKeyFile $pair[1]\nHotCert watch\n</VirtualHost>\n");
    $s->start;
    is(look($port, sni => 'w.test')->{serial}, $leaf->{serial}, 'its pair is served');
    my $next = make_leaf($root, ['w.test']);
    write_pair($next, "$s->{dir}/live");
    ok(wait_for(10, sub { look($port, sni => 'w.test')->{serial} eq $next->{serial} }), 'and swapped');
    is(look($s->tls_port, sni => 'other.test')->{serial}, $leaf->{serial}, 'a host without HotCert keeps what mod_ssl read');
});

for my $mpm (qw(event worker prefork)) {
    scenario "swaps_and_graceful_restarts_lose_nothing_on_$mpm" => (only => 'httpd', sub {
        my ($s, $leaf) = watching(server => { mpm => $mpm });
        $s->start;
        is(served($s), $leaf->{serial}, 'the first handshake has the pair of the files');
        my $load = load_start($s->tls_port, sni => 'w.test', lanes => 2, ca => $root->{cert});
        my $next;
        for my $round (1 .. 3) {
            $next = make_leaf($root, ['w.test']);
            write_pair($next, "$s->{dir}/live");
            $s->reload if $round == 2;
            ok(wait_for(15, sub { served($s) eq $next->{serial} }), "swap $round");
        }
        kill 'USR1', $s->master;
        sleep 2;
        my $r = load_stop($load);
        is($r->{failed} + $r->{wrong}, 0, 'no handshake failed') or diag "@{ $r->{reasons} }";
        is(served($s), $next->{serial}, 'the last pair is served');
        unlike($s->log_text, qr/long lost child|AH00049|AH00052/, 'httpd knows every process that ended');
        is(scalar(by_comm($s, qr/^hotcert-super/)), 1, 'one supervisor is left');
    });
}

scenario supervisor_and_keeper_come_back => (only => 'httpd', crashes => 1, sub {
    my ($s, $leaf) = watching();
    $s->start;
    for my $comm (qr/^hotcert-super/, qr/^hotcert-keep/) {
        my ($pid) = by_comm($s, $comm);
        ok($pid, "there is one like $comm") or next;
        my $agent = $s->agent;
        kill 'KILL', $pid;
        ok(wait_for(15, sub { my ($now) = by_comm($s, $comm); $now && $now != $pid }), 'killed, it is started again');
        my $stays = "$comm" =~ /super/; # the keeper runs the agent, the supervisor brings its lines
        ok(wait_for(15, sub { my $now = $s->agent; $now && ($stays xor $now != $agent) }), $stays ? 'beside the same agent' : 'with a new agent');
        my $next = make_leaf($root, ['w.test']);
        write_pair($next, "$s->{dir}/live");
        ok(wait_for(25, sub { served($s) eq $next->{serial} }), 'which goes on swapping');
    }
    my (undef, $list) = $s->hotcert('list');
    unlike($s->log_text . $list, qr/file-replaced/, 'no file was replaced outside');
});

scenario no_process_outlives_its_use => (only => 'httpd', sub {
    my ($s, $leaf) = watching(httpd_modules => ['cgid'], httpd_main => 'ScriptSock cgisock');
    $s->start;
    ok(wait_for(5, sub { by_comm($s, qr/^hotcert-super/) && by_comm($s, qr/^hotcert-keep/) }), 'they run');
    $s->reconfigure(hosts => [ { names => ['w.test'], hotcert => 'off', pair => $s->{last}{hosts}[0]{pair} } ]);
    $s->reload;
    ok(wait_for(5, sub { !by_comm($s, qr/^hotcert/) && !$s->processes->{agent}[0] }), 'off everywhere, none does');
    is(served($s), $leaf->{serial}, 'mod_ssl serves its files');
    $s->reconfigure(no_module => 1, main => undef);
    $s->reload;
    is(served($s), $leaf->{serial}, 'without the module as well');
    $s->reconfigure(no_module => 0, main => [ [ trusted_certificate => $root->{cert} ] ],
        hosts => [ { names => ['w.test'], hotcert => 'watch', pair => $s->{last}{hosts}[0]{pair} } ]);
    $s->reload;
    ok($s->agent, 'back again, it has an agent');
    my $next = make_leaf($root, ['w.test']);
    write_pair($next, "$s->{dir}/live");
    ok(wait_for(10, sub { served($s) eq $next->{serial} }), 'and swaps');
    is(scalar(by_comm($s, qr/^hotcert-super/)), 1, 'one supervisor');
    $s->stop;
    ok(wait_for(1.5, sub { !grep { alive($_) } by_comm($s, qr/^hotcert/) }), 'gone within a moment of the stop');
});

scenario a_server_with_a_broken_pair_can_be_stopped_and_goes_on_gracefully => (only => 'httpd', sub {
    my ($s, $leaf) = watching();
    $s->start;
    my $stranger = make_leaf($root, ['w.test']);
    spew("$s->{dir}/live/privkey.pem", $stranger->{key_text}, 0600);
    kill 'USR1', $s->master;
    sleep 2;
    ok($s->master, 'a graceful restart on a torn pair does not end the server');
    is(served($s), $leaf->{serial}, 'which serves the last good pair');
    my ($code, $out) = $s->run_it('-k', 'stop');
    is($code, 0, '`-k stop` stops it') or diag $out;
    ok(wait_for(10, sub { !$s->master }), 'it is gone');
});

scenario lines_of_the_agent_reach_a_piped_log => (only => 'httpd', sub {
    my ($s, $leaf) = watching();
    $s->reconfigure(httpd_main => "ErrorLog \"|/bin/sh -c 'exec cat >>$s->{dir}/piped.log'\"\nErrorLogFormat \"piped %l %m %M\"\n");
    $s->start;
    my $next = make_leaf($root, ['w.test']);
    write_pair($next, "$s->{dir}/live");
    ok(wait_for(10, sub { served($s) eq $next->{serial} }), 'swapped');
    ok(wait_for(5, sub { slurp("$s->{dir}/piped.log") =~ /^piped notice hotcert .*now served/m }), 'the line is there, in the format of the operator')
        or diag slurp("$s->{dir}/piped.log");
});

scenario the_parent_may_die => (only => 'httpd', crashes => 1, sub {
    my ($s, $leaf) = watching();
    $s->start;
    ok($s->agent, 'an agent runs');
    my @all = $s->all_pids;
    my @ours = by_comm($s, qr/^hotcert/);
    kill 'KILL', $s->master;
    ok(wait_for(3, sub { !grep { alive($_) } @ours }), 'supervisor, agent and keeper end with it');
    kill 'KILL', grep { alive($_) } @all;
});

done_testing;
