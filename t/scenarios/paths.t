#!/usr/bin/perl
# Where other distributions' servers have their modules and read snippets, by what their nginx and apxs
# say: the outputs are rebuilt here, those systems are not run.
use strict;
use warnings;
use lib 't/lib';
use File::Path qw(make_path);
use HotCert::Rig qw(temp_dir run spew slurp);
use Test::More;

# nginx -V's options, what nginx.conf includes, apxs -q's answers, a folder of httpd's.
my @systems = (
    {   name => 'Debian',
        nginx => "--with-cc-opt='-g -O2 -fPIC' --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf --modules-path=/usr/lib/nginx/modules --with-compat",
        include => 'include /etc/nginx/modules-enabled/*.conf;',
        apxs => { LIBEXECDIR => '/usr/lib/apache2/modules', SYSCONFDIR => '/etc/apache2' }, folder => '/etc/apache2/mods-available',
        files => [ '/usr/lib/nginx/modules/ngx_http_hotcert_module.so', '/etc/nginx/modules-enabled/50-mod-http-hotcert.conf',
            '/usr/share/nginx/modules-available/mod-http-hotcert.conf', '/usr/lib/apache2/modules/mod_hotcert.so',
            '/etc/apache2/mods-available/hotcert.load' ] },
    {   name => 'Fedora',
        nginx => "--prefix=/usr/share/nginx --sbin-path=/usr/sbin/nginx --modules-path=/usr/lib64/nginx/modules --conf-path=/etc/nginx/nginx.conf --with-compat --with-cc-opt='-O2 -flto=auto'",
        include => 'include /usr/share/nginx/modules/*.conf;',
        apxs => { LIBEXECDIR => '/usr/lib64/httpd/modules', SYSCONFDIR => '/etc/httpd/conf' }, folder => '/etc/httpd/conf.modules.d',
        files => [ '/usr/lib64/nginx/modules/ngx_http_hotcert_module.so', '/usr/share/nginx/modules/50-mod-http-hotcert.conf',
            '/usr/lib64/httpd/modules/mod_hotcert.so', '/etc/httpd/conf.modules.d/zz-hotcert.conf' ] },
    {   name => 'Arch',
        nginx => '--prefix=/etc/nginx --conf-path=/etc/nginx/nginx.conf --sbin-path=/usr/bin/nginx --with-compat',
        include => "#user http;\nworker_processes 1;",
        apxs => { LIBEXECDIR => '/usr/lib/httpd/modules', SYSCONFDIR => '/etc/httpd/conf' }, folder => '/etc/httpd/conf/extra',
        files => [ '/etc/nginx/modules/ngx_http_hotcert_module.so', '/usr/lib/httpd/modules/mod_hotcert.so',
            '/etc/httpd/conf/extra/hotcert.conf' ],
        says => [ qr{load_module /etc/nginx/modules/ngx_http_hotcert_module\.so;}, qr{Include /etc/httpd/conf/extra/hotcert\.conf} ] },
    {   name => 'Alpine',
        nginx => '--prefix=/var/lib/nginx --sbin-path=/usr/sbin/nginx --modules-path=/usr/lib/nginx/modules --conf-path=/etc/nginx/nginx.conf',
        include => 'include /etc/nginx/modules/*.conf;',
        apxs => { LIBEXECDIR => '/usr/lib/apache2', SYSCONFDIR => '/etc/apache2' }, folder => '/etc/apache2/conf.d',
        files => [ '/usr/lib/nginx/modules/ngx_http_hotcert_module.so', '/etc/nginx/modules/50-mod-http-hotcert.conf',
            '/usr/lib/apache2/mod_hotcert.so', '/etc/apache2/conf.d/zz-hotcert.conf' ] },
    {   name => 'nginx.org',
        nginx => "--prefix=/etc/nginx --sbin-path=/usr/sbin/nginx --modules-path=/usr/lib64/nginx/modules --conf-path=/etc/nginx/nginx.conf --with-compat --with-ld-opt='-Wl,-z,relro'",
        include => "user nginx;\nhttp { include /etc/nginx/conf.d/*.conf; }",
        files => ['/usr/lib64/nginx/modules/ngx_http_hotcert_module.so'],
        says => [qr{load_module /usr/lib64/nginx/modules/ngx_http_hotcert_module\.so;}] },
);

sub fakes {
    my ($dir, $s) = @_;
    make_path("$dir/root/etc/nginx", "$dir/root" . ($s->{folder} // ''));
    spew("$dir/root/etc/nginx/nginx.conf", "# include /etc/nginx/modules-old/*.conf;\n$s->{include}\n");
    spew("$dir/options", "configure arguments: $s->{nginx}\n");
    spew("$dir/nginx", qq(#!/bin/sh\ncat "$dir/options" >&2\n), 0755);
    my %say = %{ $s->{apxs} // {} };
    spew("$dir/apxs", join('', "#!/bin/sh\ncase \$2 in\n", (map { "$_) echo $say{$_} ;;\n" } sort keys %say), "esac\n"), 0755);
    return { NGINX => "$dir/nginx", APXS => "$dir/apxs", ROOT => "$dir/root", DESTDIR => "$dir/into" };
}

for my $s (@systems) {
    my $dir = temp_dir() . "/$s->{name}";
    my $env = fakes($dir, $s);
    my $module = spew("$dir/module.so", "a module\n");
    my $said = '';
    for my $server ('nginx', $s->{apxs} ? 'httpd' : ()) {
        my ($code, $out) = run({%$env}, 'sh', 'packaging/install.sh', $server, $module, '/usr/share/doc/hotcert/installed');
        is($code, 0, "$s->{name}: install.sh $server") or diag $out;
        $said .= $out;
    }
    my @got = grep { !m{/usr/share/doc/} } sort map { s{^\Q$dir/into\E}{}r } split /\n/, `find $dir/into ! -type d`;
    is_deeply(\@got, [ sort @{ $s->{files} } ], "$s->{name}: modules and snippets are where its servers look");
    like($said, $_, "$s->{name}: says how it is loaded") for @{ $s->{says} // [qr/at its next start/] };
    my ($code) = run({%$env}, 'sh', 'packaging/install.sh', 'uninstall', '/usr/share/doc/hotcert/installed');
    is(`find $dir/into ! -type d`, '', "$s->{name}: uninstall leaves nothing");
}

# Each is overridden by its name.
my $env = fakes(temp_dir() . '/own', $systems[0]);
for my $name (qw(nginx-modules nginx-snippets httpd-modules httpd-snippets)) {
    (my $variable = uc $name) =~ tr/-/_/;
    my ($code, $out) = run({ %$env, $variable => '/opt/own' }, 'sh', 'packaging/paths.sh', $name);
    is($out, "/opt/own\n", "$variable is taken");
}
my (undef, $help) = run('make', '-s', 'help');
my %asked = map { $_ => 1 } slurp('packaging/paths.sh') =~ /\$\{((?:NGINX|APXS|HTTPD)\w*):?-/g;
is(join(' ', grep { $help !~ /^  $_=/m } sort keys %asked), '', '`make help` lists what is said in place of asking');
cmp_ok(scalar keys %asked, '>=', 7, 'there is something to list');

done_testing;
