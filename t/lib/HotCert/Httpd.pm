package HotCert::Httpd;
# Apache httpd for scenarios; see HotCert::Server. mpm => event, worker or prefork.
use strict;
use warnings;
use parent -norequire, 'HotCert::Server';
use HotCert::Rig qw(run proc_exe proc_cmdline proc_uid proc_comm temp_dir slurp spew wait_for);

my $binary = $ENV{HOTCERT_HTTPD} // '/usr/sbin/apache2';
my $modules = $ENV{HOTCERT_HTTPD_MODULES} // '/usr/lib/apache2/modules';

sub spelled {
    my ($self, $name) = @_;
    return join '', map { $_ eq 'hotcert' ? 'HotCert' : ucfirst } split /_/, $name;
}
sub eol { return "\n" }
sub exe_pattern { return qr/apache2|httpd/ }

my %mpm = (
    event => "ServerLimit %d\nStartServers %d\nThreadsPerChild 64\nMaxRequestWorkers %d\n"
        . "MinSpareThreads 1\nMaxSpareThreads %d\n",
    prefork => "ServerLimit %d\nStartServers %d\nMaxRequestWorkers %d\nMinSpareServers 1\nMaxSpareServers %d\n",
);

sub mpm_text {
    my ($self) = @_;
    my $n = $self->{workers};
    return sprintf $mpm{prefork}, $n * 16, $n * 4, $n * 16, $n * 16 if $self->{mpm} eq 'prefork';
    # Room for the children of two generations, so that a graceful restart waits for no slot.
    return sprintf $mpm{event}, $n * 4, $n, $n * 256, $n * 256;
}

sub text {
    my ($self, %conf) = @_;
    my $dir = $self->{dir};
    $self->{mpm} //= 'event';
    mkdir "$dir/htdocs";
    my $level = $conf{log_level} // 'info';
    my $text = join '', map { "LoadModule ${_}_module $modules/mod_$_.so\n" }
        "mpm_$self->{mpm}", qw(authn_core authz_core authz_host dir mime alias rewrite headers setenvif socache_shmcb
            http2 ssl), @{ $conf{httpd_modules} // [] };
    $text .= 'LoadModule hotcert_module ' . ($conf{module} // $self->module_file('mod_hotcert.so')) . "\n" unless $conf{no_module};
    my $user = $self->{as_user} ? '' : "User www-data\nGroup www-data\n";
    my %ports = map { $_ => 1 } $conf{no_plain_host} ? () : $self->{http_port}, map { $self->port_of($_) } @{ $conf{hosts} // [] };
    $text .= join '', map { "Listen 127.0.0.1:$_\n" } sort keys %ports;
    $text .= <<"TOP" . $self->mpm_text;
${user}ServerRoot $dir
ServerName main.invalid
PidFile $self->{pid_file}
DefaultRuntimeDir $dir
Mutex file:$dir default
ErrorLog $self->{log}
LogLevel notice ssl:warn${\($conf{no_module} ? '' : " hotcert:$level")}
KeepAlive On
KeepAliveTimeout 300
MaxKeepAliveRequests 0
Timeout 60
MaxConnectionsPerChild 0
GracefulShutdownTimeout 10
SSLSessionCache shmcb:$dir/sessions(512000)
TypesConfig /etc/mime.types
DocumentRoot $dir/htdocs
<Directory $dir/htdocs>
    Require all granted
</Directory>
${\($conf{httpd_main} // '')}
TOP
    unless ($conf{no_module}) {
        $text .= $self->directive(@$_) for $self->main_directives(%conf);
        my %issuers = $self->issuers(%conf);
        for my $name (sort keys %issuers) {
            $text .= "<HotCertIssuer $name>\n";
            $text .= '    ' . $self->directive(@$_) for @{ $issuers{$name} };
            $text .= "</HotCertIssuer>\n";
        }
        my %writers = %{ $conf{writers} // {} };
        for my $name (sort keys %writers) {
            $text .= "<HotCertDns $name>\n";
            $text .= '    ' . $self->directive(@$_) for @{ $writers{$name} };
            $text .= "</HotCertDns>\n";
        }
    }
    $text .= $self->plain_host(%conf) unless $conf{no_plain_host};
    # The first virtual host of a port is its default.
    my @hosts = sort { ($b->{default} // 0) <=> ($a->{default} // 0) } @{ $conf{hosts} // [] };
    $text .= $self->host($_, %conf) for @hosts;
    return $text;
}

sub port_of {
    my ($self, $host) = @_;
    return $host->{port} // ($host->{plain} ? $self->{http_port} : $self->{tls_port});
}

sub plain_host {
    my ($self, %conf) = @_;
    return <<"HOST";
<VirtualHost 127.0.0.1:$self->{http_port}>
    ServerName plain.invalid
    ${\($conf{httpd_plain} // "RewriteEngine On\n    RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]")}
</VirtualHost>
HOST
}

sub host {
    my ($self, $host, %conf) = @_;
    my ($first, @more) = @{ $host->{names} };
    my $root = "$self->{dir}/htdocs/$first";
    $root =~ s/\*/_/g;
    my $text = '<VirtualHost 127.0.0.1:' . $self->port_of($host) . ">\n    ServerName $first\n";
    unless ($host->{no_location}) {
        mkdir $root;
        spew("$root/index.html", "$first\n", 0644);
        $text .= "    DocumentRoot $root\n";
    }
    $text .= "    ServerAlias @more\n" if @more;
    $text .= "    SSLEngine on\n" unless $host->{plain};
    $text .= "    Protocols h2 http/1.1\n" if $host->{http2};
    unless ($conf{no_module}) {
        $text .= "    HotCert $host->{hotcert}\n" if defined $host->{hotcert};
        $text .= '    ' . $self->directive(@$_) for @{ $host->{set} // [] };
    }
    if (my $pair = $host->{pair}) {
        for (my $i = 0; $i < @$pair; $i += 2) {
            $text .= "    SSLCertificateFile $pair->[$i]\n    SSLCertificateKeyFile $pair->[$i + 1]\n";
        }
    }
    $text .= "    $host->{httpd}\n" if defined $host->{httpd};
    return "$text</VirtualHost>\n";
}

sub command {
    my ($self, @args) = @_;
    my @as = $self->{as_user} ? ('setpriv', "--reuid=$self->{as_user}", "--regid=$self->{as_user}", '--clear-groups') : ();
    return (@as, @{ $self->{wrap} // [] }, $binary, '-f', $self->{conf}, '-E', "$self->{dir}/start.log", @args);
}

# What went wrong before the error log was open stands in start.log.
sub run_it {
    my ($self, @args) = @_;
    unlink "$self->{dir}/start.log";
    my ($code, $out) = run({ %{ $self->env }, _seconds => 60 }, $self->command(@args));
    return ($code, $out . slurp("$self->{dir}/start.log"));
}

# The command returns when the parent has made its children's place; the pid file follows.
sub try_start {
    my ($self) = @_;
    my $mark = $self->log_mark;
    return $self->wait_master($mark, $self->run_it('-k', 'start'));
}
sub configtest { my ($self) = @_; return $self->run_it('-t') }

# As apachectl: a configuration test first, then the signal.
sub reload {
    my ($self) = @_;
    my @old = $self->workers;
    my ($code, $out) = $self->configtest;
    return ($code, $out) if $code != 0;
    my $mark = $self->log_mark;
    kill 'USR1', $self->master;
    my %old = map { $_ => 1 } @old;
    wait_for(20, sub {
        $self->log_since($mark) =~ /resuming normal operations|AH00163/ && grep { !$old{$_} } $self->workers;
    });
    return ($code, $out);
}
sub graceful { return reload(@_) }
sub reopen_logs { return reload(@_) }

sub role_of {
    my ($self, $pid) = @_;
    return 'agent' if $self->is_agent($pid);
    return 'other' unless proc_exe($pid) =~ $self->exe_pattern;
    my $title = proc_cmdline($pid);
    return 'keeper' if $title =~ /^hotcert: keeper/;
    return 'helper' if $title =~ /^hotcert: /;
    return 'worker';
}

1;
