package HotCert::Mutations;
# A hundred and more ways in which PEM files differ from what a CA's tool writes, made from one pair
# by rules, always the same ones.
#
#   for my $m (HotCert::Mutations::all($cert_text, $key_text)) { $m->{name}, {cert}, {key} }
#
# Which of them a server can load, its own reader says: see t/scenarios/pem.t. {sorts}: the certificates
# are whole but not in a server's order, which hotcert mends.
use strict;
use warnings;
use MIME::Base64 qw(decode_base64 encode_base64);

my $block = qr/-----BEGIN [A-Z ]+-----\n.*?-----END [A-Z ]+-----\n/s;

# Pieces that are put before, between and behind the blocks.
my %pieces = (
    'a stray END line' => "-----END CERTIFICATE-----\n",
    'a stray END line of a key' => "-----END PRIVATE KEY-----\n",
    'a BEGIN line with too few dashes' => "-----BEGIN CERTIFICATE---\n",
    'a BEGIN line without a label' => "-----BEGIN -----\n",
    'a BEGIN line that is indented' => "  -----BEGIN CERTIFICATE-----\n",
    'a BEGIN line and no more' => "-----BEGIN CERTIFICATE-----\n",
    'an empty block' => "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    'a block that is no base64' => "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
    'a block of another kind' => "-----BEGIN THINGS-----\nQUJD\n-----END THINGS-----\n",
    'a broken block of another kind' => "-----BEGIN THINGS-----\nQUJD\n-----END OTHERS-----\n",
    'an encrypted key' => "-----BEGIN ENCRYPTED PRIVATE KEY-----\nQUJD\n-----END ENCRYPTED PRIVATE KEY-----\n",
    'text' => "subject=CN = a name\nissuer=CN = another\n\n",
    'a line of a thousand letters' => 'x' x 1000 . "\n",
    'NUL bytes' => "\0" x 300,
    'NUL bytes and a line feed' => "\0\0\0\n",
    'bytes above 127' => join('', map { chr } 128 .. 255) . "\n",
    'a byte order mark' => "\xef\xbb\xbf",
);

# What is done to the whole of a file.
my %whole = (
    'CRLF' => sub { s/\n/\r\n/g },
    'CR alone' => sub { s/\n/\r/g },
    'no line feed at the end' => sub { s/\n\z// },
    'END and BEGIN on one line' => sub { s/(-----END [A-Z ]+-----)\n(?=-----BEGIN|\z)/$1/g },
    'blanks behind each line' => sub { s/\n/ \t\n/g },
    'blanks before each line' => sub { s/^/  /mg },
    'blanks before the base64' => sub { s/^(?!-----)/ /mg },
    'empty lines between all lines' => sub { s/\n/\n\n/g },
    'an empty line behind BEGIN' => sub { s/(-----BEGIN [A-Z ]+-----\n)/$1\n/g },
    'an empty line before END' => sub { s/(?=-----END)/\n/g },
    'a header in the block' => sub { s/(-----BEGIN [A-Z ]+-----\n)/$1Comment: made by hand\n\n/g },
    'base64 on one line' => sub { s/(?<!-)\n(?!-)//g },
    'base64 in lines of 76' => sub { s/(-----BEGIN [A-Z ]+-----\n)(.*?)(?=-----END)/$1 . encode_base64(decode_base64($2), "\n")/gse },
    'base64 in lines of 10' => sub { s/^(?!-----)(.+)$/join "\n", unpack '(A10)*', $1/mge },
    'base64 without its padding' => sub { s/=+\n/\n/g },
    'a bit of the base64 wrong' => sub { s/(-----\n.{40})(.)/$1 . ($2 eq 'A' ? 'B' : 'A')/e },
    'a letter of the base64 gone' => sub { s/(-----\n.{40})./$1/ },
    'a line of the base64 gone' => sub { s/(-----\n.+\n).+\n/$1/ },
    'a line of the base64 twice' => sub { s/(-----\n(.+\n))/$1$2/ },
    'a comment in the base64' => sub { s/(-----\n.+\n)/$1# here\n/ },
    'dots in the base64' => sub { s/(-----\n.{20})./$1./ },
    'END of another kind' => sub { s/-----END [A-Z ]+-----/-----END X509 CRL-----/ },
    'END with too few dashes' => sub { s/(-----END [A-Z ]+)-----/$1---/ },
    'labels in small letters' => sub { s/-----(BEGIN|END) ([A-Z ]+)-----/"-----$1 " . lc($2) . '-----'/ge },
    'BEGIN with four dashes' => sub { s/-----BEGIN/----BEGIN/ },
    'the block twice' => sub { $_ .= $_ },
    'UTF-16' => sub { $_ = "\xff\xfe" . join '', map { "$_\0" } split // },
    'empty' => sub { $_ = '' },
    'text alone' => sub { $_ = "it will follow\n" },
    'base64 alone' => sub { s/-----.*\n//g },
    'DER' => sub { s/-----.*\n//g; $_ = decode_base64($_) },
);

# The last so many bytes are missing: of the last block's BEGIN line, its base64 and its END line.
sub cuts {
    my ($text) = @_;
    my ($last) = $text =~ /.*(-----BEGIN.*)/s;
    my $begin = length($text) - length($last);
    return (($begin + 1, $begin + 8, $begin + 20), map { length($text) - $_ } 2, 7, 20, 40, 200);
}

sub all {
    my ($cert, $key) = @_;
    my ($leaf, $mid) = $cert =~ /$block/g;
    my @all = ({ name => 'as it was' });
    for my $what (sort keys %pieces) {
        my $p = $pieces{$what};
        push @all, { name => "$what before the certificates", cert => "$p$cert" },
            { name => "$what between the certificates", cert => "$leaf$p$mid" },
            { name => "$what behind the certificates", cert => "$cert$p" },
            { name => "$what before the key", key => "$p$key" }, { name => "$what behind the key", key => "$key$p" };
    }
    for my $what (sort keys %whole) {
        for my $file ([ cert => $cert ], [ key => $key ]) {
            local $_ = $file->[1];
            $whole{$what}->();
            push @all, { name => "the $file->[0] file: $what", $file->[0] => $_ };
        }
    }
    push @all, map { { name => "the certificate file cut at $_", cert => substr $cert, 0, $_ } } cuts($cert);
    push @all, map { { name => "the key file cut at $_", key => substr $key, 0, $_ } } cuts($key);
    (my $old = $cert) =~ s/ CERTIFICATE-/ X509 CERTIFICATE-/g;
    (my $trusted = $leaf) =~ s/ CERTIFICATE-/ TRUSTED CERTIFICATE-/g;
    push @all, { name => 'the old label', cert => $old }, { name => 'a trusted certificate first', cert => "$trusted$mid" },
        { name => 'a trusted certificate second', cert => $leaf . $mid =~ s/ CERTIFICATE-/ TRUSTED CERTIFICATE-/gr },
        { name => 'the key behind the certificates', cert => "$cert$key" }, { name => 'the key before them', cert => "$key$cert" },
        { name => 'all in one file', cert => "$cert$key", key => "$cert$key" },
        { name => 'the certificates behind the key', key => "$key$cert" },
        { name => 'two hundred and fifty intermediates', cert => $leaf . $mid x 250 },
        { name => 'the leaf last', cert => "$mid$leaf", sorts => 1 };
    return map { { cert => $cert, key => $key, %$_ } } @all;
}

1;
