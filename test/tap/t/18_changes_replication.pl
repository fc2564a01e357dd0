# A subscriber of logical replication announces the rows it applies, if its triggers are told to fire there: ENABLE REPLICA or
# ENABLE ALWAYS. As made they stay quiet, as PostgreSQL has it for any trigger.

use strict;
use warnings;

use Digest::MD5 'md5_hex';
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = start_cluster('publisher', streaming => 'logical', settings => ['wal_level = logical']);
my $subscriber = start_cluster('subscriber', settings => ['wal_retrieve_retry_interval = 100ms']);

my @modes  = ('origin', 'replica', 'always');
my @tables = (map({ "by_$_" } @modes), 'by_statement', 'synced');
my $tables = join '', map { "CREATE TABLE $_ (id int PRIMARY KEY, t text, b bytea);" } @tables;
create_database($publisher, 'app', "$tables CREATE PUBLICATION everything FOR ALL TABLES; INSERT INTO synced VALUES (1, 'one'), (2, 'two');");
create_database($subscriber, 'app', "$tables CREATE EXTENSION socketio_emitter;"
      . join('', map { "SELECT socketio_watch('by_$_', 'payload=diff', 'rooms=all,{t}');" } @modes)
      . q{SELECT socketio_watch_statement('by_statement'); SELECT socketio_watch('synced', 'payload=record');}
      . join('', map { "ALTER TABLE by_$_ ENABLE \U$_\E TRIGGER socketio_watch; ALTER TABLE by_$_ ENABLE \U$_\E TRIGGER socketio_watch_truncate;" } 'replica', 'always')
      . join('', map { "ALTER TABLE by_statement ENABLE ALWAYS TRIGGER socketio_watch_$_;" } 'insert', 'update', 'delete')
      . 'ALTER TABLE synced ENABLE REPLICA TRIGGER socketio_watch;');

my $listener = $subscriber->background_psql('app');
$listener->query_safe('LISTEN "socket.io#/"');

# What has arrived since the last call. A session that notifies reads what is in the queue before.
sub heard
{
    my $heard = { node => $subscriber, database => 'app' };
    EmitterTest::read_output($heard, $listener->query_safe('NOTIFY fence') =~ s/^Asynchronous notification "fence".*\n?//mr);
    return $heard;
}

# The rows that are there already are copied, as a subscription begins.
my $connection = $publisher->connstr('app') =~ s/'/''/gr;
$subscriber->safe_psql('app', "CREATE SUBSCRIPTION mirror CONNECTION '$connection' PUBLICATION everything");
$subscriber->wait_for_subscription_sync($publisher, 'mirror', 'app');
is_deeply(events(heard()), [ [ 'synced:insert', { id => 1, t => 'one', b => undef } ], [ 'synced:insert', { id => 2, t => 'two', b => undef } ] ], 'the first copy');

sub binary
{
    my ($bytes) = @_;
    return bless { bytes => $bytes }, 'MessagePack::Binary';
}

# Bytes that do not compress, which are stored out of line, and not sent again with an update of other columns.
my $large = join '', map { md5_hex($_) } 1 .. 400;

# What the writes below are to make of one table.
sub arrives
{
    my ($table) = @_;
    my $change = sub {
        my ($op, $id, $record, $old_record) = @_;
        return [ "$table:$op", { op => $op, schema => 'public', table => $table, key => { id => $id }, record => $record, old_record => $old_record } ];
    };
    return (
        $change->('insert', 1, { id => 1, t => 'small', b => undef }, undef),
        $change->('insert', 2, { id => 2, t => 'binary', b => binary("\x00\xff") }, undef),
        $change->('insert', 3, { id => 3, t => 'large', b => binary($large) }, undef),
        $change->('update', 1, { t => 'new' }, { t => 'small' }),
        $change->('update', 3, { t => 'still large' }, { t => 'large' }),
        $change->('delete', 2, undef, { id => 2, t => 'binary', b => binary("\x00\xff") }),
        [ "$table:truncate", { op => 'truncate', schema => 'public', table => $table } ],
    );
}

$publisher->safe_psql('app', join '', map { qq{
    INSERT INTO $_ VALUES (1, 'small', NULL), (2, 'binary', '\\x00ff'), (3, 'large', '$large');
    UPDATE $_ SET t = 'new' WHERE id = 1;
    UPDATE $_ SET t = 'still large' WHERE id = 3;
    DELETE FROM $_ WHERE id = 2;
    TRUNCATE $_;
    BEGIN; INSERT INTO $_ VALUES (4, 'undone'); ROLLBACK;
} } map { "by_$_" } @modes);
$publisher->wait_for_catchup('mirror');
my $heard = heard();
is_deeply(events($heard), [ arrives('by_replica'), arrives('by_always') ], 'ENABLE REPLICA and ENABLE ALWAYS fire, a trigger as it is made does not');
is_deeply([ map { [ sort @{ $_->{data}{opts}{rooms} } ] } @{ messages($heard) }[ 0, 3 ] ], [ [ 'all', 'small' ], [ 'all', 'new', 'small' ] ], 'rooms');

# A transaction arrives as one, or not at all: here, what waits for a savepoint's fate.
$publisher->safe_psql('app', q{
    BEGIN;
    INSERT INTO by_replica VALUES (5, 'kept');
    SAVEPOINT s;
    INSERT INTO by_replica VALUES (6, 'undone');
    ROLLBACK TO s;
    UPDATE by_replica SET id = 7 WHERE id = 5;
    COMMIT;
});
$publisher->wait_for_catchup('mirror');
is_deeply(events(heard()), [
        [ 'by_replica:insert', { op => 'insert', schema => 'public', table => 'by_replica', key => { id => 5 }, record => { id => 5, t => 'kept', b => undef }, old_record => undef } ],
        [ 'by_replica:update', { op => 'update', schema => 'public', table => 'by_replica', key => { id => 5 }, record => { id => 7 }, old_record => { id => 5 } } ],
    ], 'a transaction with a savepoint, and a key that changes');

# The worker applies rows, not statements, and a watch by statement has none to tell of.
$publisher->safe_psql('app', q{INSERT INTO by_statement VALUES (1), (2); UPDATE by_statement SET t = 'x'; DELETE FROM by_statement;});
$publisher->wait_for_catchup('mirror');
is_deeply(events(heard()), [], 'a watch by statement does not fire');

# What the subscriber's own sessions write fires the others.
is_emitted(session($subscriber, 'app', join '', map { "INSERT INTO by_$_ VALUES (100, 'own');" } @modes),
    [ map { [ "by_$_:insert", { op => 'insert', schema => 'public', table => "by_$_", key => { id => 100 }, record => { id => 100, t => 'own', b => undef }, old_record => undef } ] } 'origin', 'always' ],
    'own writes');

# Options that no longer fit keep the worker from applying rows, and say so in its log, until they are mended; then it goes on.
heard();
my $offset = -s $subscriber->logfile;
$subscriber->safe_psql('app', 'ALTER TABLE by_origin ADD u text; SELECT socketio_unwatch($$by_origin$$);' . q{SELECT socketio_watch('by_origin', 'rooms={u}', 'payload=keys');}
      . 'ALTER TABLE by_origin ENABLE REPLICA TRIGGER socketio_watch; ALTER TABLE by_origin DROP u');
$publisher->safe_psql('app', q{INSERT INTO by_origin VALUES (8, 'waits')});
ok($subscriber->wait_for_log(qr/42703 ERROR: .*option "rooms" of trigger "socketio_watch" on table "by_origin" names column "u"/, $offset), 'options that no longer fit');
$subscriber->safe_psql('app', q{SELECT socketio_watch('by_origin', 'rooms={t}', 'payload=keys'); ALTER TABLE by_origin ENABLE REPLICA TRIGGER socketio_watch});
$publisher->wait_for_catchup('mirror');
is_deeply(events(heard()), [ [ 'by_origin:insert', { id => 8 } ] ], 'options that fit again');

$listener->quit;
$subscriber->safe_psql('app', 'DROP SUBSCRIPTION mirror');
server_is_sound($_) for $publisher, $subscriber;
done_testing();
