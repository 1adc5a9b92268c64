package HotCert::FaultCa;
# faultca.pl in front of a Pebble, as the CA of a server under test.
#
#   my $ca = HotCert::FaultCa->new($pebble);
#   $ca->rules('1 ^POST./order-plz status 429 3');    see the head of faultca.pl
#   $ca->requests(qr{^POST /order})                    lines of its log: "TIME METHOD PATH STATUS .."
use strict;
use warnings;
use HotCert::Pki qw(make_ca make_leaf);
use HotCert::Rig qw(temp_dir spawn spew slurp wait_for end_process track_log);

my $count = 0;

sub new {
    my ($class, $pebble) = @_;
    my $self = bless { pebble => $pebble, http_port => $pebble->{http_port}, dir => temp_dir() . '/faultca' . ++$count }, $class;
    mkdir $self->{dir} or die "$self->{dir}: $!";
    my $tls = make_ca("fault CA $count TLS root");
    my $leaf = make_leaf($tls, [ 'localhost', '127.0.0.1' ]);
    chmod 0644, $tls->{cert};
    $self->{bundle} = $tls->{cert};
    my $log = track_log("faultca $count", "$self->{dir}/faultca.log");
    $self->{pid} = spawn($log, $^X, 't/lib/faultca.pl', '--upstream', "127.0.0.1:$pebble->{port}",
        '--cert', $leaf->{cert}, '--key', $leaf->{key}, '--rules', "$self->{dir}/rules",
        '--log', "$self->{dir}/requests", '--port-file', "$self->{dir}/port");
    $self->{port} = wait_for(10, sub { -e "$self->{dir}/port" && slurp("$self->{dir}/port") }) or die 'faultca.pl does not start';
    chomp $self->{port};
    return $self;
}

# From now on these; none: the CA is left alone.
sub rules {
    my ($self, @rules) = @_;
    unlink "$self->{dir}/rules.used";
    spew("$self->{dir}/rules.new", join '', map { "$_\n" } @rules);
    rename "$self->{dir}/rules.new", "$self->{dir}/rules" or die "rename: $!";
    return $self;
}

# Lines whose "METHOD PATH STATUS .." matches, in time.
sub requests {
    my ($self, $pattern) = @_;
    return () unless -e "$self->{dir}/requests";
    return grep { (split / /, $_, 2)[1] =~ $pattern } split /\n/, slurp("$self->{dir}/requests");
}

sub directory { return "https://127.0.0.1:$_[0]{port}/dir" }
sub bundle { return $_[0]{bundle} }
sub root { return $_[0]{pebble}->root }
sub dns_server { return $_[0]{pebble}->dns_server }
sub stop { return end_process(delete $_[0]{pid}) }

1;
