#!/usr/bin/perl
# Encrypted keys in httpd: SSLPassPhraseDialog is run as mod_ssl runs it, and what it answered is there
# for later looks at the files, for graceful restarts, and for nobody else.
use strict;
use warnings;
no warnings 'portable';
use lib 't/lib';
use HotCert::Scenario;

my $root = make_ca('dialog root');

sub locked {
    my ($passphrase, @names) = @_;
    my $leaf = make_leaf($root, \@names);
    my $file = "$leaf->{key}.locked";
    openssl('pkcs8', '-topk8', '-in', $leaf->{key}, '-v2', 'aes-256-cbc', '-passout', "pass:$passphrase", '-out', $file);
    $leaf->{key_text} = slurp($file);
    return $leaf;
}

# A program that notes how it was called and answers one passphrase a call.
sub program {
    my ($dir, $passphrase) = @_;
    mkdir $dir;
    spew("$dir/ask.sh", "#!/bin/sh\n[ \$# = 1 ] && echo \"\$1\" >>$dir/asked\nprintf '%s\\n' $passphrase\n", 0755);
    return "$dir/ask.sh";
}

sub server_with {
    my ($dialog, %hosts) = @_;
    my $s = server('httpd');
    my @hosts = map { my $name = $_; { names => [$name], hotcert => 'watch', pair => [ write_pair($hosts{$name}, "$s->{dir}/$name") ] } } sort keys %hosts;
    $s->configure(main => [ [ trusted_certificate => $root->{cert} ] ], httpd_main => "SSLPassPhraseDialog $dialog", hosts => \@hosts);
    return $s;
}

sub served { my ($s, $name) = @_; return look($s->tls_port, sni => $name, ca => $root->{cert})->{serial} // 'nothing' }

# The passphrase in the memory of a process.
sub knows {
    my ($pid, $text) = @_;
    open my $maps, '<', "/proc/$pid/maps" or return;
    open my $mem, '<:raw', "/proc/$pid/mem" or return;
    while (my $line = <$maps>) {
        my ($from, $to) = $line =~ /^([0-9a-f]+)-([0-9a-f]+) r/ or next;
        next if $line =~ /\[v(?:var|syscall|dso)/ || hex($to) - hex($from) > 64 << 20;
        sysseek $mem, hex $from, 0 or next;
        my $bytes = '';
        sysread $mem, $bytes, hex($to) - hex $from;
        return 1 if index($bytes // '', $text) >= 0;
    }
    return 0;
}

scenario a_program_is_asked_once_and_its_answer_kept => (only => 'httpd', sub {
    my $word = 'geheim' . int(rand 1e9) . 'wort';
    my $dir = temp_dir() . '/exec';
    my $first = locked($word, 'a.test');
    my $s = server_with('exec:' . program($dir, $word), 'a.test' => $first, 'b.test' => locked($word, 'b.test'));
    my ($code, $out) = $s->configtest;
    is($code, 0, 'a test passes') or diag $out;
    ok(!-e "$dir/asked", 'and asks nobody');
    $s->start;
    is(served($s, 'a.test'), $first->{serial}, 'the pair of an encrypted key is served');
    like(slurp("$dir/asked"), qr/\A[ab]\.test:${\ $s->tls_port}:0\n\z/, 'one question, with the argument of mod_ssl, for two hosts of one passphrase');
    my $next = locked($word, 'a.test');
    write_pair($next, "$s->{dir}/a.test");
    ok(wait_for(10, sub { served($s, 'a.test') eq $next->{serial} }), 'the next key of this passphrase is swapped in');
    $s->reload;
    is(served($s, 'a.test'), $next->{serial}, 'a graceful restart goes on');
    my $third = locked($word, 'a.test');
    write_pair($third, "$s->{dir}/a.test");
    ok(wait_for(15, sub { served($s, 'a.test') eq $third->{serial} }), 'and so do swaps after it');
    is(scalar(split /\n/, slurp("$dir/asked")), 1, 'nobody was asked again');
    ok(knows($s->master, $word), 'the parent keeps it');
    is(join(' ', grep { knows($_, $word) } $s->workers), '', 'no worker has the passphrase in its memory');
    unlike($s->log_text, qr/\Q$word\E/, 'nor has the log');
    my (undef, $list) = $s->hotcert('list');
    unlike($s->log_text . $list, qr/file-replaced/, 'what the dialog said is not taken for a file that was replaced');
    is(scalar(grep { slurp($_) =~ /\Q$word\E/ } files_below($s->{state})), 0, 'nor a file of the store');
});

scenario a_pipe_answers_for_all_keys => (only => 'httpd', sub {
    my $dir = temp_dir() . '/pipe';
    mkdir $dir;
    # reads up to each prompt, as a program at a terminal would
    spew("$dir/talk.pl", "#!$^X\n\$| = 1; \$/ = 'Enter pass phrase:'; my \%w = \@ARGV; while (my \$p = <STDIN>) { open my \$f, '>>', '$dir/prompts'; print {\$f} \$p; my (\$n) = \$p =~ /key (.*?):/; print \"\$w{\$n}\\n\" }\n", 0755);
    my %hosts = ('a.test' => locked('wort-eins', 'a.test'), 'b.test' => locked('wort-zwei', 'b.test'));
    my $s = server_with(qq("|$dir/talk.pl a.test wort-eins b.test wort-zwei"), %hosts);
    $s->start;
    is(served($s, $_), $hosts{$_}{serial}, "$_ is served") for sort keys %hosts;
    like(slurp("$dir/prompts"), qr/\A\S.*are encrypted.*(?=.*Private key a\.test:\d+:0 \(\S+privkey\.pem\))(?=.*Private key b\.test:\d+:0)/s, 'one program was told which key each question is about');
});

scenario a_wrong_answer_or_none_refuses_the_start_with_the_key => (only => 'httpd', sub {
    my $s = server_with('exec:' . program(temp_dir() . '/wrong', 'falsch'), 'a.test' => locked('richtig', 'a.test'));
    my ($code, $out) = $s->try_start;
    isnt($code, 0, 'refused');
    like($out . $s->log_text, qr/privkey\.pem.*key-encrypted.*SSLPassPhraseDialog/, 'with the key and the directive');
    my $t = server_with('builtin', 'a.test' => locked('richtig', 'a.test'));
    ($code, $out) = $t->try_start;
    isnt($code, 0, 'without a terminal the builtin dialog has no answer');
    like($out . $t->log_text, qr/privkey\.pem.*key-encrypted/, 'which is said');
});

done_testing;
