#!/usr/bin/perl
# The top-level `config`, as nginx's own configure reads it: alone, without the Makefile's library.
# HOTCERT_NGINX and NGINX_SRC: of another nginx.
# Against the sources of Debian's nginx-dev, whose headers are enough for a dynamic module; a module
# that is linked in is configured, and must stand before the ssl module.
use strict;
use warnings;
use lib 't/lib';
use Cwd qw(getcwd);
use HotCert::Rig qw(temp_dir run spew slurp);
use Test::More;

my $source = $ENV{NGINX_SRC} || '/usr/share/nginx/src';
my @nginx = ('env', '-u', 'NGINX', $ENV{HOTCERT_NGINX} // 'nginx');
plan skip_all => 'nginx-dev is not installed' unless -x "$source/configure";
plan skip_all => 'nginx is left out' unless ($ENV{HOTCERT_SERVERS} // 'nginx') =~ /nginx/;
my $top = getcwd();
my @options = qw(--with-compat --with-http_ssl_module --with-http_v2_module --with-threads);

# configure writes beside itself: it is run in a folder of links.
sub configured {
    my ($name, @more) = @_;
    my $tree = temp_dir() . "/$name";
    mkdir $tree;
    symlink $_, "$tree/" . (split m{/}, $_)[-1] for glob "$source/*";
    my ($code, $out) = run({ _seconds => 300 }, 'sh', '-c', 'cd "$0" && exec ./configure "$@"', $tree, @options, @more);
    is($code, 0, "$name: configured") or diag $out;
    return $tree;
}

my $static = configured('static', "--add-module=$top");
my @order = slurp("$static/objs/ngx_modules.c") =~ /"(ngx_http_(?:hotcert|ssl)_module)"/g;
is("@order", 'ngx_http_hotcert_module ngx_http_ssl_module', 'linked in, it stands before the ssl module');
like(slurp("$static/objs/Makefile"), qr{core/pki/chain\.c}, 'with the core compiled in');
unlike(slurp("$static/objs/Makefile"), qr{core/(?:net|acme|store|dns|agent)/\w+\.c}, 'and nothing that talks to networks');

my $dynamic = configured('dynamic', "--add-dynamic-module=$top");
my ($code, $out) = run({ _seconds => 300 }, 'make', '-s', '-C', $dynamic, '-f', 'objs/Makefile', 'modules');
is($code, 0, 'the dynamic module is built') or diag $out;
my $module = "$dynamic/objs/ngx_http_hotcert_module.so";
($code, $out) = run('readelf', '-d', $module);
like($out, qr/NODELETE/, 'it stays when it is unloaded');
unlike($out, qr/lib(?:curl|ldns|jansson|ssl|crypto)/, 'it brings no library of its own');

my $conf = temp_dir() . '/try.conf';
my $dir = temp_dir();
spew($conf, <<"END");
load_module $module;
pid $dir/try.pid;
error_log stderr;
events { }
http {
    access_log off;
    @{[ join "\n    ", map { "${_}_temp_path $dir/$_;" } qw(client_body proxy fastcgi uwsgi scgi) ]}
    hotcert_key_type ecdsa:256 rsa:2048;
    server { listen 127.0.0.1:1; }
}
END
($code, $out) = run(@nginx, '-t', '-c', $conf);
is($code, 0, 'nginx loads it') or diag $out;
spew($conf, slurp($conf) =~ s/ecdsa:256 rsa:2048/dsa/r);
($code, $out) = run(@nginx, '-t', '-c', $conf);
isnt($code, 0, 'and it reads its directives');
like($out, qr/hotcert_key_type "dsa"/, 'naming what is wrong');

done_testing;
