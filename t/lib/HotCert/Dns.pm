package HotCert::Dns;
# A small Internet of the test's own, of real BIND 9 servers: one that is authoritative for the root
# and every zone, one resolver that knows only that root. It stands in a network namespace which the
# test enters for good, so that port 53 and every address are its own (this needs root), and nothing
# gets out of it.
#
#   my $dns = HotCert::Dns->new;
#   $dns->zone('example.test', <<'Z');       records without SOA and NS, which are put in front
#   www 300 IN A 203.0.113.7
#   Z
#   $dns->zone('broken.test', $records, signed => 'broken');
#   $dns->start;
#   $dns->resolver;                          its address
use strict;
use warnings;
use HotCert::Rig qw(spawn end_process wait_for spew slurp temp_dir track_log run);
use POSIX qw(uname);
use Test::More ();

my $instances = 0;

# negative => seconds that the resolver remembers that something does not exist; chain => 1: a signed zone's
# DS record stands in the zone above it, and the root's key is what trust begins with (anchor); validates => 0:
# the resolver leaves validating to others.
sub new {
    my ($class, %opt) = @_;
    my $self = bless { zones => {}, number => ++$instances, serial => 1, negative => 300, %opt }, $class;
    enter_namespace() or die 'no network namespace can be had (not root?)';
    $self->{net} = "127.53.$instances";
    add_address($self->address($_)) for 1, 2, 3, 9;
    $self->{dir} = temp_dir() . "/dns$self->{number}";
    mkdir $self->{dir} or die "$self->{dir}: $!";
    return $self;
}

# Enters a network namespace of this process's own; true if that worked. Before any other process is
# started, and best before other modules open sockets.
use constant CLONE_NEWNET => 0x40000000;
my %unshare_number = (x86_64 => 272, aarch64 => 97, riscv64 => 97, ppc64le => 282, s390x => 303);
my $entered = 0;

sub enter_namespace {
    return 1 if $entered;
    my $number = $unshare_number{ (uname())[4] } or return 0;
    return 0 if syscall($number, CLONE_NEWNET) != 0;
    $entered = 1;
    system('ip', 'link', 'set', 'lo', 'up') == 0 or die 'ip link set lo up';
    return 1;
}

# For a file that is about nothing else: not root's, it is skipped as a whole, with a word; where root
# cannot enter one, that is a failure.
sub need_namespace {
    return if enter_namespace();
    die "root cannot enter a network namespace of its own: $!\n" if $> == 0;
    Test::More::plan(skip_all => 'a network namespace of its own needs root');
    return;
}

# Gives this namespace an address.
sub add_address {
    my ($address) = @_;
    my $bits = $address =~ /:/ ? 128 : 32;
    system('ip', 'addr', 'add', "$address/$bits", 'dev', 'lo', $bits == 128 ? 'nodad' : ()) == 0 or die "ip addr add $address";
    return $address;
}

# Another machine's, as far as anybody can tell: what is listening there answers, but no interface has it.
sub add_elsewhere {
    my ($address) = @_;
    my $bits = $address =~ /:/ ? 128 : 32;
    system('ip', 'route', 'add', 'local', "$address/$bits", 'dev', 'lo') == 0 or die "ip route add local $address";
    return $address;
}

sub address { return "$_[0]{net}.$_[1]" }
sub resolver { return "$_[0]{net}.9" }

# A TSIG key that zones may take updates with: its file, which only root can read.
sub key {
    my ($self, $name, $algorithm) = @_;
    my $file = "$self->{dir}/$name.key";
    if (!-e $file) {
        my ($code, $text) = run('tsig-keygen', '-a', $algorithm // 'hmac-sha256', $name);
        die "tsig-keygen: $text" if $code;
        spew($file, $text, 0600);
        push @{ $self->{keys} }, $file;
    }
    return $file;
}

# The TXT values that a server of the zone has at a name.
sub txt {
    my ($self, $zone, $name, $host) = @_;
    my $text = $self->dig('@' . $self->ns_address($zone, $host // ($self->ns_of($zone))[0]), '+short', '+tcp', $name, 'TXT');
    my @values = sort map { /^"(.*)"$/ ? $1 : () } split /\n/, $text;
    return @values;
}

# A zone; options: three => other records at the server .3, update => 'grant KEY name N TXT; ..' (keys by key()), signed => 1 | 'broken' | 'expired' | 'early'
# (nsec3 => [options of dnssec-signzone], edit => sub { the text of the signed zone, changed }, ds => sub { its DS record, changed }, served => 'unsigned'), ns => [host numbers], nowhere => 1 (its NS leads
# to an address where nothing listens).
sub zone {
    my ($self, $name, $records, %opt) = @_;
    $self->{zones}{$name} = { records => $records, %opt };
    $self->write_zone($name) if $self->{started};
    return;
}

sub origin { my ($name) = @_; return $name eq '.' ? '.' : "$name." }
sub file_of { my ($self, $name) = @_; return "$self->{dir}/zone." . ($name eq '.' ? 'root' : $name) }

# Delegations to every zone that stands directly below this one.
sub delegations {
    my ($self, $name) = @_;
    my $text = '';
    for my $child (sort keys %{ $self->{zones} }) {
        next if $child eq '.' || $child eq $name;
        my ($parent) = grep { $_ eq '.' || $child =~ /\.\Q$_\E$/ }
            sort { length $b <=> length $a } grep { $_ ne $child } keys %{ $self->{zones} };
        next unless defined $parent && $parent eq $name;
        $text .= "$child. 300 IN NS ns$_.$child.\nns$_.$child. 300 IN A " . $self->ns_address($child, $_) . "\n"
            for $self->ns_of($child);
        $text .= $self->ds_of($child) if $self->{chain} && $self->{zones}{$child}{signed};
    }
    return $text;
}

sub ds_of {
    my ($self, $name) = @_;
    my ($code, $text) = run('dnssec-dsfromkey', '-2', "$self->{dir}/" . $self->key_of($name));
    die "dnssec-dsfromkey: $text" if $code;
    my $edit = $self->{zones}{$name}{ds} // sub { $_[0] };
    return $edit->($text);
}

# The file of the root's key, as a trust anchor.
sub anchor { my ($self) = @_; return "$self->{dir}/" . $self->key_of('.') . '.key' }

# The root and its children are served at .1, all else at .2 or where the test says: a server that has
# both sides of a delegation never tells the resolver of it.
sub is_top { my ($name) = @_; return $name !~ /[^.]\.[^.]/ }
sub ns_of { my ($self, $name) = @_; return @{ $self->{zones}{$name}{ns} // [ is_top($name) ? 1 : 2 ] } }

sub ns_address {
    my ($self, $name, $host) = @_;
    return $self->address($self->{zones}{$name}{nowhere} ? 200 + $host : $host);
}

sub write_zone {
    my ($self, $name) = @_;
    my $zone = $self->{zones}{$name};
    my $o = origin($name);
    my $dot = $name eq '.' ? '' : ".$name";
    my $serial = $self->{serial}++;
    my $text = "\$TTL 300\n$o 300 IN SOA ns1$dot. host$dot. $serial 3600 600 86400 300\n";
    for my $host ($self->ns_of($name)) {
        $text .= "$o 300 IN NS ns$host$dot.\nns$host$dot. 300 IN A " . $self->ns_address($name, $host) . "\n";
    }
    $text .= $self->delegations($name) . ($zone->{records} // '');
    my $file = $self->file_of($name);
    spew($file, $text);
    $self->sign($name, $file) if $zone->{signed};
    return;
}

# Its only key.
sub key_of {
    my ($self, $name) = @_;
    my $zone = $self->{zones}{$name};
    if (!$zone->{key}) {
        my ($code, $text) = run('dnssec-keygen', '-q', '-K', $self->{dir}, '-a', $zone->{algorithm} // 'ECDSAP256SHA256', '-f', 'KSK', $name);
        die "dnssec-keygen: $text" if $code;
        ($zone->{key}) = $text =~ /^(K\S+)/m;
    }
    return $zone->{key};
}

# Signs a zone with a key of its own; 'broken' has a signature that does not fit its record,
# 'expired' has signatures of years ago, 'early' has those of years to come.
my %when = (expired => [ '-s', '20240101000000', '-e', '20240201000000' ], early => [ '-s', '20400101000000', '-e', '20400201000000' ]);

sub sign {
    my ($self, $name, $file) = @_;
    my $zone = $self->{zones}{$name};
    $self->key_of($name);
    my ($code, $text) = run('dnssec-signzone', '-q', '-S', '-O', 'full', '-d', $self->{dir}, '-z', '-x', '-P', @{ $when{ $zone->{signed} } // [] },
        @{ $zone->{nsec3} // [] }, '-K', $self->{dir}, '-o', $name, '-f', "$file.signed", $file);
    die "dnssec-signzone: $text" if $code;
    spew("$file.signed", $zone->{edit}->(slurp("$file.signed"))) if $zone->{edit};
    if ($zone->{signed} eq 'broken') {
        my $signed = slurp("$file.signed");
        # the address changes after it was signed
        $signed =~ s/(\bIN\s+A\s+|\bA\s+)203\.0\.113\.7\b/${1}203.0.113.8/g or die "nothing to break in $name";
        spew("$file.signed", $signed);
    }
    return;
}

sub trust_anchors {
    my ($self) = @_;
    my $text = '';
    for my $name (sort grep { $self->{zones}{$_}{signed} && ($_ eq '.' || !$self->{chain}) } keys %{ $self->{zones} }) {
        my $key = slurp("$self->{dir}/$self->{zones}{$name}{key}.key");
        my ($data) = $key =~ /DNSKEY\s+(257 3 13 .*)$/m or die "no key for $name";
        my ($flags, $protocol, $algorithm, $base64) = split ' ', $data, 4;
        $text .= '  ' . origin($name) . " static-key $flags $protocol $algorithm \"$base64\";\n";
    }
    return $text ? "trust-anchors {\n$text};\n" : '';
}

sub validates { my ($self) = @_; return $self->trust_anchors ne '' && ($self->{validates} // 1) }
sub labels { my ($name) = @_; return $name eq '.' ? 0 : scalar split /\./, $name }

sub options {
    my ($self, $role, $listen, $more) = @_;
    my $dir = "$self->{dir}/$role";
    mkdir $dir;
    return <<"C";
options {
  directory "$dir"; pid-file "$dir/pid"; session-keyfile "$dir/session.key"; managed-keys-directory "$dir";
  listen-on port 53 { $listen }; listen-on-v6 { none; }; allow-query { any; }; notify no; version none;
  tcp-clients 2000; tcp-listen-queue 512;
  $more
};
controls { };
logging { channel all { stderr; severity info; }; category default { all; }; };
C
}

sub start {
    my ($self) = @_;
    $self->{zones}{'.'} //= { records => '' };
    $self->{zones}{'.'}{signed} //= 1 if $self->{chain};
    my %tld = map { /([^.]+)$/ ? ($1 => 1) : () } grep { $_ ne '.' } keys %{ $self->{zones} };
    $self->{zones}{$_} //= { records => '' } for keys %tld;
    # the lower ones first: the upper ones have their DS records
    $self->write_zone($_) for sort { labels($b) <=> labels($a) } keys %{ $self->{zones} };
    my %hosts = map { $_ => 1 } map { $self->ns_of($_) } keys %{ $self->{zones} };
    my $listen = join ' ', map { $self->address($_) . ';' } sort keys %hosts;
    my $conf = $self->options('authority', $listen, 'recursion no; minimal-responses no;');
    $conf .= qq(include "$_";\n) for @{ $self->{keys} // [] };
    $conf .= $self->view('top', $self->address(1) . ';', grep { is_top($_) } sort keys %{ $self->{zones} });
    my @three = grep { $self->{zones}{$_}{three} } sort keys %{ $self->{zones} };
    $conf .= $self->view('three', $self->address(3) . ';', @three) if @three;
    $conf .= $self->view('zones', 'any;', grep { !is_top($_) } sort keys %{ $self->{zones} });
    $self->{authority} = $self->run_named('authority', $conf);
    $self->{recursor} = $self->run_named('resolver', $self->resolver_conf('resolver', $self->resolver, $self->validates));
    $self->{started} = 1;
    $self->wait_ready;
    return $self;
}

sub resolver_conf {
    my ($self, $role, $address, $validates) = @_;
    my $hints = spew("$self->{dir}/hints", ". 300 IN NS ns1.\nns1. 300 IN A " . $self->address(1) . "\n");
    my $conf = $self->options($role, "$address;",
        'recursion yes; allow-recursion { any; }; dnssec-validation ' . ($validates ? 'yes' : 'no') . '; empty-zones-enable no; '
            . "max-ncache-ttl $self->{negative}; query-source address $address; qname-minimization off; servfail-ttl 0;");
    return $conf . qq(zone "." { type hint; file "$hints"; };\n) . ($validates ? $self->trust_anchors : '');
}

# One more resolver, which validates; returns its address.
sub validator {
    my ($self) = @_;
    my $address = add_address($self->address(8));
    $self->{validator} = $self->run_named('validator', $self->resolver_conf('validator', $address, 1));
    wait_for(20, sub { $self->dig('@' . $address, '.', 'NS') =~ /status: NOERROR/ }, 0.2) or die 'it does not answer: ' . slurp("$self->{dir}/validator.log");
    return $address;
}

# What the authority serves at these addresses. In the view "three" a zone has its records by that name.
sub view {
    my ($self, $view, $where, @names) = @_;
    my $conf = qq(view "$view" {\n  match-destinations { $where };\n);
    for my $name (@names) {
        my $zone = $self->{zones}{$name};
        my $file = $self->file_of($name) . ($zone->{signed} && ($zone->{served} // '') ne 'unsigned' ? '.signed' : '');
        if ($view eq 'three') {
            my $text = slurp($file);
            $text =~ s/\Q$zone->{records}\E\z/$zone->{three}/ or die "$name: its records are not at its end";
            $file = spew("$file.three", $text);
        }
        my $update = $zone->{update} ? " update-policy { $zone->{update} };" : '';
        $conf .= qq(  zone "$name" { type primary; file "$file"; check-names ignore;$update };\n);
    }
    return "$conf};\n";
}

sub run_named {
    my ($self, $role, $conf) = @_;
    my $file = spew("$self->{dir}/$role.conf", $conf);
    my $log = track_log("named $role $self->{number}", "$self->{dir}/$role.log");
    return spawn($log, 'named', '-g', '-n', '1', '-c', $file);
}

sub dig {
    my ($self, @args) = @_;
    my ($code, $text) = run({ _seconds => 10 }, 'dig', '+time=1', '+tries=1', @args);
    return $text;
}

sub wait_ready {
    my ($self) = @_;
    wait_for(20, sub { $self->dig('@' . $self->address(1), '.', 'SOA') =~ /status: NOERROR/ }, 0.2)
        or die 'the name server does not answer: ' . slurp("$self->{dir}/authority.log");
    wait_for(20, sub { $self->dig('@' . $self->resolver, '.', 'NS') =~ /status: NOERROR/ }, 0.2)
        or die 'the resolver does not answer: ' . slurp("$self->{dir}/resolver.log");
    return;
}

# Changes a zone's records; the authority has them when this returns, the resolver's cache has not.
sub change {
    my ($self, $name, $records) = @_;
    $self->{zones}{$name}{records} = $records;
    my $serial = $self->{serial};
    $self->write_zone($name);
    kill 'HUP', $self->{authority};
    my $server = '@' . $self->ns_address($name, ($self->ns_of($name))[0]);
    wait_for(10, sub { $self->dig($server, '+short', $name, 'SOA') =~ / $serial / }, 0.1) or die "$name was not loaded anew";
    return;
}

sub stop_authority { my ($self) = @_; end_process($self->{authority}); return }

# The resolver forgets what it has cached.
sub forget {
    my ($self) = @_;
    end_process($self->{recursor});
    $self->{recursor} = $self->run_named('resolver', slurp("$self->{dir}/resolver.conf"));
    $self->wait_ready;
    return;
}

sub stop {
    my ($self) = @_;
    end_process($_) for grep { defined } @$self{qw(authority recursor validator)};
    return;
}

1;
