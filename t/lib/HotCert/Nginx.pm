package HotCert::Nginx;
# nginx for scenarios; see HotCert::Server.
use strict;
use warnings;
use parent -norequire, 'HotCert::Server';
use HotCert::Rig qw(run proc_exe proc_cmdline proc_uid temp_dir slurp wait_for);

my $binary = $ENV{HOTCERT_NGINX} // '/usr/sbin/nginx';

sub spelled { my ($self, $name) = @_; return $name }
sub eol { return ";\n" }
sub exe_pattern { return qr/nginx/ }
sub binary { return $binary }

sub text {
    my ($self, %conf) = @_;
    my $dir = $self->{dir};
    my $user = $self->{as_user} ? '' : "user www-data;\n";
    my $module = $conf{no_module} ? '' : 'load_module ' . $self->module_file('ngx_http_hotcert_module.so') . ";\n";
    $module .= "load_module $_;\n" for @{ $conf{load} // [] };
    my $level = $conf{log_level} // 'notice';
    # A binary upgrade hands on what the configuration names, and no more.
    my $env = $ENV{HOTCERT_PRELOAD} ? "env LD_PRELOAD;\nenv ASAN_OPTIONS;\n" : '';
    my $text = <<"TOP";
$user$env${module}worker_processes $self->{workers};
pid $self->{pid_file};
error_log $self->{log} $level;
${\($conf{nginx_main} // '')}
events { worker_connections 1024; }
http {
    access_log off;
    server_tokens off;
    ssl_protocols TLSv1.2 TLSv1.3;
    keepalive_timeout 300;
    keepalive_requests 1000000;
    server_names_hash_bucket_size 128;
    server_names_hash_max_size ${\($conf{names_hash} // 4096)};
    client_body_temp_path $dir/tmp-body;
    proxy_temp_path $dir/tmp-proxy;
    fastcgi_temp_path $dir/tmp-fastcgi;
    uwsgi_temp_path $dir/tmp-uwsgi;
    scgi_temp_path $dir/tmp-scgi;
    ${\($conf{nginx_http} // '')}
TOP
    unless ($conf{no_module}) {
        $text .= "    $_" for map { $self->directive(@$_) } $self->main_directives(%conf);
        my %issuers = $self->issuers(%conf);
        for my $name (sort keys %issuers) {
            $text .= "    hotcert_issuer $name {\n";
            for my $d (@{ $issuers{$name} }) {
                my ($key, @args) = @$d;
                $text .= "        $key" . join('', map { ' ' . $self->quoted($_) } @args) . ";\n";
            }
            $text .= "    }\n";
        }
        my %writers = %{ $conf{writers} // {} };
        for my $name (sort keys %writers) {
            $text .= "    hotcert_dns $name {\n";
            $text .= '        ' . join(' ', map { $self->quoted($_) } @$_) . ";\n" for @{ $writers{$name} };
            $text .= "    }\n";
        }
    }
    $text .= $self->plain_host(%conf) unless $conf{no_plain_host};
    $text .= $self->host($_, %conf) for @{ $conf{hosts} // [] };
    return "$text}\n";
}

# Port 80's stand-in: redirects everything, so that an answer to http-01 shows that it comes first.
sub plain_host {
    my ($self, %conf) = @_;
    return <<"HOST";
    server {
        listen 127.0.0.1:$self->{http_port} default_server;
        server_name plain.invalid;
        ${\($conf{nginx_plain} // 'return 301 https://$host$request_uri;')}
    }
HOST
}

sub host {
    my ($self, $host, %conf) = @_;
    my $port = $host->{port} // ($host->{plain} ? $self->{http_port} : $self->{tls_port});
    my @flags = ($host->{plain} ? () : 'ssl', $host->{http2} ? 'http2' : (), $host->{default} ? 'default_server' : ());
    my $text = "    server {\n        listen 127.0.0.1:$port @flags;\n"
        . '        server_name ' . join(' ', map { $self->quoted($_) } @{ $host->{names} }) . ";\n";
    unless ($conf{no_module}) {
        $text .= "        hotcert $host->{hotcert};\n" if defined $host->{hotcert};
        $text .= '        ' . $self->directive(@$_) for @{ $host->{set} // [] };
    }
    if (my $pair = $host->{pair}) {
        for (my $i = 0; $i < @$pair; $i += 2) {
            $text .= "        ssl_certificate $pair->[$i];\n        ssl_certificate_key $pair->[$i + 1];\n";
        }
    }
    $text .= "        $host->{nginx}\n" if defined $host->{nginx};
    $text .= qq(        location = / { default_type text/plain; return 200 "$host->{names}[0]\\n"; }\n)
        unless $host->{no_location};
    return "$text    }\n";
}

sub command {
    my ($self, @args) = @_;
    my @as = $self->{as_user} ? ('setpriv', "--reuid=$self->{as_user}", "--regid=$self->{as_user}", '--clear-groups') : ();
    # to nginx itself that name means sockets of a binary upgrade
    my @env = exists $ENV{NGINX} ? qw(env -u NGINX) : ();
    return (@env, @as, @{ $self->{wrap} // [] }, $binary, '-p', $self->{dir}, '-e', $self->{log}, '-c', $self->{conf}, @args);
}

# nginx sleeps over a signal that comes between its pid file and its first workers.
sub wait_listening {
    my ($self) = @_;
    return 0 if !$self->SUPER::wait_listening;
    return slurp($self->{conf}) =~ /master_process off/ || wait_for(20, sub { scalar $self->workers });
}

sub try_start {
    my ($self) = @_;
    my $mark = $self->log_mark;
    return $self->wait_master($mark, run({ %{ $self->env }, _seconds => 60 }, $self->command));
}
sub configtest { my ($self) = @_; return run({ %{ $self->env }, _seconds => 60 }, $self->command('-t')) }

# Reloads as Debian does, by the command; returns (code, output) and waits until new workers serve.
sub reload {
    my ($self) = @_;
    my @old = $self->workers;
    my ($code, $out) = run({ %{ $self->env } }, $self->command('-s', 'reload'));
    if ($code == 0) {
        my %old = map { $_ => 1 } @old;
        wait_for(20, sub { my @w = $self->workers; @w && grep { !$old{$_} } @w });
    }
    return ($code, $out);
}
sub graceful { return reload(@_) }
sub reopen_logs { my ($self) = @_; return run({ %{ $self->env } }, $self->command('-s', 'reopen')) }

sub role_of {
    my ($self, $pid) = @_;
    return 'agent' if $self->is_agent($pid);
    my $title = proc_cmdline($pid);
    return 'worker' if $title =~ /^nginx: worker process/;
    return 'helper' if $title =~ /^nginx: cache/;
    return 'keeper' if $title =~ /^hotcert: keeper/ || index($title, $self->{conf}) >= 0;
    return 'other';
}

1;
