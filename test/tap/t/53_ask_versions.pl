# A session keeps the library it has loaded, and the worker that asks for it loads what is installed now. Where the two are not
# the same build, the session is told to reconnect.
#
# The other build is a copy of the library, with another version in it, that a session loads by its path.

use strict;
use warnings;

use AskTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_ask_cluster('main');
my $server_function = q{RETURNS TABLE (uid text, node text, latency interval) LANGUAGE c};

# A library that differs from the one that is installed by the bytes that `$replace` puts in place of others.
sub make_library
{
    my ($name, $replace) = @_;
    my $bytes = slurp_file($node->config_data('--pkglibdir') . '/socketio_emitter.so');
    my $changed = $replace->($bytes);
    ok($changed ne $bytes && length $changed == length $bytes, "$name: there is something to change");
    my $path = PostgreSQL::Test::Utils::tempdir . "/$name.so";
    open my $file, '>:raw', $path or die "$path: $!";
    print {$file} $changed;
    close $file or die "$path: $!";
    return $path;
}

my $version = $node->safe_psql('postgres', q{SELECT default_version FROM pg_available_extensions WHERE name = 'socketio_emitter'});
my $other = $version =~ tr/0-9/1-90/r;
my ($magic, $released) = map { scalar reverse "socketa$_" } 't', 's';    # in the order of the bytes in memory

my %libraries = (
    other_version => make_library('other_version', sub { $_[0] =~ s/(\Q$version\E)(?=\0{8})/$other/gr }),
    released      => make_library('released', sub { $_[0] =~ s/\Q$magic\E/$released/gr }),
    later         => make_library('later', sub { $_[0] =~ s/\Q$magic\E/zzzzzzzz/gr }),
);

create_database($node, 'app', 'CREATE EXTENSION socketio_emitter;');
for my $name (sort keys %libraries)
{
    # In a session of its own: there is room for one of them.
    $node->safe_psql('app', "CREATE FUNCTION ask_$name(nsp text, timeout interval) $server_function AS '$libraries{$name}', 'socketio_servers';");
}
my $server = start_server($node, 'app', 'a');

my $same = ask($node, 'app', q{SELECT uid FROM socketio_servers();});
is_answered($same, ['a'], 'the same build');

my %details = (
    other_version => "The session has loaded version $other, and now $version is installed.",
    released      => "The session has loaded version 0.1.0, and now $version is installed.",
);
for my $name (sort keys %details)
{
    # Twice: the session goes on. Emits need nobody else.
    my $session = session($node, 'app', "SELECT uid FROM ask_$name('/', '1 min');\n" x 2 . 'SELECT 1;');
    is(scalar @{ $session->{errors} }, 2, "$name: an error for each question");
    for my $error (@{ $session->{errors} })
    {
        is($error->{sqlstate}, '55000', "$name: SQLSTATE");
        is($error->{message}, 'socketio_emitter has been replaced since this session began', "$name: message");
        is($error->{detail}, $details{$name}, "$name: detail");
        is($error->{hint}, 'Reconnect. Only what asks the cluster needs that.', "$name: hint");
    }
    is_deeply($session->{rows}, ['1'], "$name: the session goes on");
}

# What the worker cannot make out at all: it ends, and says so in the log.
my $session = session($node, 'app', q{SELECT uid FROM ask_later('/', '1 min');});
is($session->{errors}[0]{sqlstate}, '08006', 'unknown: SQLSTATE');
like($session->{errors}[0]{hint}, qr/If the library has been replaced since this session began, reconnect\.$/, 'unknown: hint');

is_answered(ask($node, 'app', q{SELECT uid FROM socketio_servers();}), ['a'], 'another session is answered');
is_without_workers($node, 'versions');
stop_server($server);
done_testing();
