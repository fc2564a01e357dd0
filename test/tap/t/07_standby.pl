# Where nothing can be written: a standby emits nothing and says so, a read-only transaction emits what needs no
# table, and after a promotion or a crash everything works as before.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $small = q{SELECT socketio_emit(event => 'small', args => '1');};
my $large = q{SELECT socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));};
my $emitted = [ [ 'small', 1 ], [ 'large', 'x' x 9000 ] ];

my $primary = start_cluster('primary', streaming => 1);
create_database($primary, 'app', 'CREATE EXTENSION socketio_emitter');
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

# A standby. LISTEN is refused there as well, so nobody listens.
my @deaf = (channels => []);
my $during_recovery = {
    sqlstate => '25006',
    message  => qr/^cannot emit during recovery$/,
    detail   => qr/This server is a standby/,
    hint     => qr/primary/,
};
my @emits = (
    $small,
    $large,
    q{SELECT socketio_emit_values(socketio_to('a'), 'values', 1, '\x01'::bytea);},
    q{SELECT socketio_server_side_emit(event => 'servers');},
    q{SELECT socketio_server_side_emit_values('/', 'servers', 1);},
    q{SELECT socketio_sockets_join(rooms => '{a}', join_rooms => '{b}');},
    q{SELECT socketio_sockets_leave(rooms => '{a}', leave_rooms => '{b}');},
    q{SELECT socketio_disconnect_sockets(rooms => '{a}');},
);
is_refused(session($standby, 'app', $_, @deaf), $during_recovery, "standby: $_") for @emits;

my $session = session($standby, 'app', qq{
    SELECT 'before';
    $small
    BEGIN;
    SELECT 'in a transaction';
    SAVEPOINT s;
    $large
    ROLLBACK TO s;
    SELECT 'after a savepoint';
    COMMIT;
    DO \$\$
    BEGIN
        PERFORM socketio_emit(event => 'caught');
    EXCEPTION WHEN read_only_sql_transaction THEN
        RAISE NOTICE 'caught';
    END\$\$;
    SET socketio_emitter.enabled = off;
    $small
    $large
    SELECT (socketio_to('a')).rooms;
    SELECT pg_is_in_recovery();
}, @deaf);
is_deeply(errors($session), [ ('25006 cannot emit during recovery') x 2 ], 'standby: the session goes on');
is_deeply($session->{rows}, [ 'before', 'in a transaction', 'after a savepoint', '{a}', 't' ],
    'standby: what does not emit works, and so does an emit that is switched off');

# A primary, read-only.
my $read_only = {
    sqlstate => '25006',
    message  => qr/^cannot store an attachment in a read-only transaction$/,
    detail   => qr/table "socket_io_attachments"/,
    hint     => qr/read-write transaction/,
};
$session = session($primary, 'app', "BEGIN READ ONLY; $small SAVEPOINT s; $large ROLLBACK TO s; $small COMMIT; $large");
is_refused($session, $read_only, 'read-only transaction: large');
is_deeply(events($session), [ [ 'small', 1 ], @$emitted ], 'read-only transaction: small arrive, and a large one after it');

is_refused(session($primary, 'app', "SET default_transaction_read_only = on; $small SELECT socketio_emit_values(NULL, 'b', '\\x01'::bytea);"),
    $read_only, 'read-only session: binary');
is_emitted(session($primary, 'app', "SET default_transaction_read_only = on; $small $small"), [ ([ 'small', 1 ]) x 2 ],
    'read-only session: small');
is_emitted(session($primary, 'app', "BEGIN ISOLATION LEVEL SERIALIZABLE; $small $large COMMIT"), $emitted, 'serializable transaction');

# The primary crashes: unlogged rows are gone, as are the notifications that announced them. Emits go on.
$primary->safe_psql('app', $large);
$primary->stop('immediate');
$primary->start;
is($primary->safe_psql('app', 'SELECT count(*) FROM socket_io_attachments'), '0', 'after a crash: the unlogged table is empty');
is_emitted(session($primary, 'app', "$small $large"), $emitted, 'after a crash');

# The standby is promoted: its unlogged table is empty, and in use.
$primary->stop;
$standby->promote;
is_emitted(session($standby, 'app', "$small $large"), $emitted, 'after promotion');

server_is_sound($_) for $primary, $standby;
done_testing();
