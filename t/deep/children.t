#!/usr/bin/perl
# What the servers start for others (httpd: CGI by mod_cgid, a piped error log; nginx: what it leaves to its
# workers) looks for what is hotcert's: descriptors that it inherited, its environment, the memory and the
# descriptors of every process, the files. It finds neither table, keeper, control nor secret.
use strict;
use warnings;
use lib 't/lib';
use HotCert::Deep;
use HotCert::Scenario;

# Lines "fd N TARGET", "env NAME", "other PID TARGET": what it has itself and what it could get of others.
my $spy = <<'PERL';
#!/usr/bin/perl
use strict;
sub spy {
    my ($out) = @_;
    for my $fd (glob "/proc/self/fd/*") { my $to = readlink $fd or next; print {$out} "fd $fd $to\n" }
    print {$out} "env $_\n" for sort keys %ENV;
    for my $maps ('/proc/self/maps') { open my $m, '<', $maps or next; while (<$m>) { print {$out} "map $_" if /memfd/ } }
    for my $fd (glob '/proc/[0-9]*/fd/*') {
        next if $fd =~ m{^/proc/$$/};
        my $to = readlink $fd or next;
        print {$out} "other $fd $to\n" if $to =~ /memfd:hotcert|control\.sock|secret/;
    }
    print {$out} "secret read\n" if -r 'SECRET';
    print {$out} "uid $<\nend\n";
}
if ($ENV{GATEWAY_INTERFACE}) { print "Content-Type: text/plain\r\n\r\n"; spy(\*STDOUT) }
else { open my $o, '>', 'REPORT'; $o->autoflush(1); spy($o); 1 while <STDIN> }
PERL

sub spy_file {
    my ($s, $name) = @_;
    my $text = $spy;
    $text =~ s/SECRET/$s->{secret}/;
    $text =~ s/REPORT/$s->{dir}\/report.$name/;
    $text =~ s/^use strict;$/use strict; use IO::Handle;/m;
    return spew("$s->{dir}/$name", $text, 0755);
}

# What is hotcert's among the lines; what this test has in its own environment is not. The log's child is root's, as in stock httpd: of others it may see what it likes.
sub found {
    my ($report, %opt) = @_;
    return join "\n", grep {
        /^(?:map .*|fd \S+ .*)memfd/ || /^fd .*(?:control\.sock|secret|\/store\/)/ || (/^env (HOTCERT.*)/i && !exists $ENV{$1})
            || (!$opt{root} && /^(?:other|secret)/)
    } split /\n/, $report;
}

# Sockets of hotcert's own (keeper, agent) are unnamed: known by their inode numbers.
sub sockets_of {
    my ($s) = @_;
    my $p = $s->processes;
    return map { $_ => 1 } map { grep { /^socket:/ } map { readlink($_) // '' } glob "/proc/$_/fd/*" } @{ $p->{keeper} }, @{ $p->{agent} };
}

sub check_report {
    my ($s, $name, $report, %opt) = @_;
    like($report, qr/^end$/m, "$name: the spy has looked");
    is(found($report, %opt), '', "$name: it found nothing of hotcert's");
    my %theirs = sockets_of($s);
    my @shared = grep { /^fd \S+ (socket:\S+)/ && $theirs{$1} } split /\n/, $report;
    is("@shared", '', "$name: it shares no socket with keeper and agent");
    return;
}

scenario children_of_httpd_find_nothing => (only => 'httpd', sub {
    my ($kind) = @_;
    my $s = server($kind);
    my $ca = pebble(http_port => $s->http_port);
    mkdir "$s->{dir}/cgi", 0755;
    my $cgi = spy_file($s, 'cgi/spy.cgi');
    my $piped = spy_file($s, 'piped');
    # a second error log, of a host's own: the main one is read by this test
    $s->configure(ca => $ca, httpd_modules => ['cgid'], httpd_main => <<"CONF",
ScriptSock $s->{dir}/cgid.sock
ScriptAlias /cgi/ $s->{dir}/cgi/
<Directory $s->{dir}/cgi>
    Options +ExecCGI
    Require all granted
</Directory>
CONF
        hosts => [ { names => ['a.test'], hotcert => 'on', httpd => qq(ErrorLog "|$piped") } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'served');
    for my $life ('start', 'reload') {
        if ($life eq 'reload') { unlink "$s->{dir}/report.piped"; is(($s->reload)[0], 0, 'reloaded') }
        ok(wait_for(30, sub { slurp("$s->{dir}/report.piped") =~ /^end$/m }), "$life: the piped log has started");
        check_report($s, "$life, piped log", slurp("$s->{dir}/report.piped"), root => 1);
        my $body = wait_for(30, sub { my $l = look($s->tls_port, sni => 'a.test', path => '/cgi/spy.cgi'); ($l->{text} // '') =~ /^end\r?$/m && $l->{text} });
        ok($body, "$life: CGI answers") or next;
        $body =~ s/\r//g;
        like($body, qr/^uid 33$/m, 'as the worker user');
        check_report($s, "$life, CGI", $body);
    }
});

# nginx starts nothing for others: what its workers hold is what a hole in them gives.
scenario workers_of_nginx_hold_nothing => (only => 'nginx', sub {
    my ($kind) = @_;
    my $s = server($kind, env => { HOTCERT_CANARY => 'x' });
    my $ca = pebble(http_port => $s->http_port);
    $s->configure(ca => $ca, nginx_main => "env PATH;\nenv HOTCERT_CANARY;\n", hosts => [ { names => ['a.test'], hotcert => 'on' } ]);
    $s->start;
    ok(wait_served($s->tls_port, 'a.test', $ca->root, seconds => 60), 'served');
    for my $life ('start', 'reload') {
        is(($s->reload)[0], 0, 'reloaded') if $life eq 'reload';
        my $p = $s->processes;
        my %theirs = sockets_of($s);
        for my $pid (@{ $p->{worker} }, @{ $p->{helper} }) {
            my @held = map { readlink($_) // '' } glob "/proc/$pid/fd/*";
            cmp_ok(scalar @held, '>', 3, "$life: a worker is looked at");
            is(join(' ', grep { /memfd|control\.sock|secret|\/store\// || $theirs{$_} } @held), '', "$life: $pid holds nothing of hotcert's");
        }
        my $agent = $s->agent;
        unlike(slurp("/proc/$agent/environ"), qr/HOTCERT_CANARY/, 'the agent has not what `env` gives to workers');
    }
    my $spy = spy_file($s, 'spy');
    my ($code, $out) = run({ _seconds => 60 }, 'setpriv', '--reuid=www-data', '--regid=www-data', '--clear-groups',
        'env', 'GATEWAY_INTERFACE=1', $spy);
    check_report($s, 'another process of the worker user', $out);
});

done_testing;
