# A message over 1 GB is refused, whichever way it is put together; the session goes on and the server stays up.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
create_database($node, 'app', 'CREATE EXTENSION socketio_emitter');

my $started = $node->safe_psql('app', 'SELECT pg_postmaster_start_time()');

my $too_large = {
    sqlstate => '54000',
    message  => qr/^message exceeds 1 GB$/,
    detail   => qr/^PostgreSQL cannot store a larger value/,
    hint     => qr/^Split the arguments over several emits/,
};

# One text of 250 MB, given five times over, takes no more memory than once; that of the message comes on top.
my $quarter = q{(SELECT repeat('x', 250000000) AS t OFFSET 0) AS one};
my %emits = (
    'as arguments' => "SELECT socketio_emit_values(NULL, 'never', t, t, t, t, t) FROM $quarter",
    'to servers'   => "SELECT socketio_server_side_emit_values('/', 'never', t, t, t, t, t) FROM $quarter",
    'as binary'    => "SELECT socketio_emit_values(NULL, 'never', b, b, b, b, b) FROM (SELECT t::bytea AS b FROM $quarter OFFSET 0) AS bytes",
);
for my $way (sort keys %emits)
{
    my $session = session($node, 'app', "$emits{$way}; SELECT socketio_emit(event => 'after'); "
          . "SELECT socketio_emit(event => 'large after', args => to_jsonb(repeat('x', 9000))); SELECT 'here';");
    is_refused($session, $too_large, $way);
    is_deeply(events($session), [ ['after'], [ 'large after', 'x' x 9000 ] ], "$way: the session emits on");
    is_deeply($session->{rows}, ['here'], "$way: the session is there");
}

# Caught where it happens, time and again, the memory of it is given back.
my $session = session($node, 'app', q{
    DO $$
    BEGIN
        FOR i IN 1 .. 2 LOOP
            BEGIN
                PERFORM socketio_emit_values(NULL, 'never', t, t, t, t, t) FROM (SELECT repeat('x', 250000000) AS t OFFSET 0) AS one;
            EXCEPTION WHEN program_limit_exceeded THEN
                PERFORM socketio_emit(event => 'caught');
            END;
        END LOOP;
    END$$;
    SELECT sum(total_bytes) < 50000000 FROM pg_backend_memory_contexts;
});
is_emitted($session, [ (['caught']) x 2 ], 'caught');
is_deeply($session->{rows}, ['t'], 'caught: the memory is given back');

is($node->safe_psql('app', 'SELECT count(*) FROM socket_io_attachments'), scalar keys %emits, 'no row of a message that was refused');
is($node->safe_psql('app', 'SELECT pg_postmaster_start_time()'), $started, 'the server is up, and the same');
server_is_sound($node);
done_testing();
