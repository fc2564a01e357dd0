# Behind a pgbouncer: in transaction mode who writes and who asks does well, a SET reaches strangers, and who listens is deaf; in
# session mode listening works. That a listener hears nothing, and strangers hear what was not for them, is not what anybody wants:
# it is here because the README says it.

use strict;
use warnings;

use AskTest;
use DeliveryTest;
use EmitterTest;
use JSON::PP ();
use PoolerTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_ask_cluster('main', settings => [q{shared_preload_libraries = 'socketio_emitter'}]);
$node->safe_psql('postgres', 'CREATE ROLE quiet LOGIN; ALTER ROLE quiet SET socketio_emitter.enabled = off; CREATE ROLE support LOGIN;');
my $pooler = start_pooler($node, 'transaction', users => [ 'quiet', 'support' ]);

create_database($node, 'app', q{
    CREATE EXTENSION socketio_emitter;
    CREATE TABLE notes (id int PRIMARY KEY, body text);
    SELECT socketio_watch('notes', 'payload=record');
    GRANT EXECUTE ON FUNCTION socketio_fetch_sockets(text, text[], text[], interval) TO support;
});
my $listener = start_listening($node, 'app');    # at the server itself

# The events that have arrived there since the last call, those in attachments fetched.
sub arrived
{
    heard($listener);
    my @new = splice @{ $listener->{received} };
    return events({ node => $node, database => 'app', notifications => [ map { { message => JSON::PP::decode_json($_) } } @new ] });
}

# A client of the pooler's that stays connected. What it gets is what psql prints, notifications among it.
sub client
{
    my ($through) = @_;
    return $through->background_psql('app', on_error_stop => 0);
}

my ($one, $other) = (client($pooler), client($pooler));
is($one->query_safe('SELECT pg_backend_pid()'), $other->query_safe('SELECT pg_backend_pid()'), 'two clients share a connection');

# Who writes.
my $long = 'x' x 9000;
my $rows = q{INSERT INTO notes VALUES (1, 'small'), (2, repeat('x', 9000)); DELETE FROM notes WHERE id = 1;};
for my $delivery ('notify', 'worker')
{
    my $worker_emits = stats($node, 'app', 'worker_emits') || 0;
    my $begin = "BEGIN; SET LOCAL socketio_emitter.delivery = $delivery;";
    $one->query_safe(small('before')) if $delivery eq 'notify';
    $one->query_safe($begin . join '', map { small("event $_") } 1 .. 5);
    $one->query_safe('SAVEPOINT s;' . small('taken back') . 'ROLLBACK TO s;' . large('large') . 'COMMIT');
    $other->query_safe($begin . q{SELECT socketio_emit_values(NULL, 'bytes', '\xcafe'::bytea); COMMIT});
    $one->query_safe($begin . small('rolled back') . 'INSERT INTO notes VALUES (9); ROLLBACK');
    $other->query_safe("$begin $rows COMMIT");
    my @expected = (
        (map { ["event $_"] } 1 .. 5), [ 'large', $long ], [ 'bytes', binary("\xca\xfe") ],
        [ 'notes:insert', { id => 1, body => 'small' } ], [ 'notes:insert', { id => 2, body => $long } ],
        [ 'notes:delete', { id => 1, body => 'small' } ]);
    unshift @expected, ['before'] if $delivery eq 'notify';
    until_true('all to arrive', sub { heard($listener) >= @expected });
    is_deeply(arrived(), \@expected, "$delivery: what is committed arrives, in order");
    is(stats($node, 'app', 'worker_emits') - $worker_emits, $delivery eq 'worker' ? 10 : 0, "$delivery: sent in this way");
    $one->query_safe('SET session_replication_role = replica; DELETE FROM notes; RESET session_replication_role');
}

# Who asks: the answer comes to a worker, which has a connection of its own.
my $server = start_server($node, 'app', 'a', sockets => [
        { id => 's1', rooms => [ 's1', 'room1' ], data => {}, handshake => { headers => { cookie => 'sid=secret' } } } ]);
my $sockets = q{SELECT id, rooms, handshake->'headers'->>'cookie' FROM socketio_fetch_sockets(rooms => '{room1}', timeout => '30 s')};
is_answered(ask($pooler, 'app', $sockets, user => 'support'), ['s1|{s1,room1}|sid=secret'], 'who asks is answered');
is_without_workers($node, 'after asking');
arrived();

# A SET of the session outlives it, and holds for strangers.
$one->query_safe('SET socketio_emitter.enabled = off');
$other->query_safe(small('silenced'));
is($other->query_safe('SHOW socketio_emitter.enabled'), 'off', 'SET: the setting is another client\'s, too');
is_deeply(arrived(), [], 'SET: another client is silenced');
$one->quit;
$other->query_safe(small('silenced still'));
is_deeply(arrived(), [], 'SET: even when who set it has gone');
$other->query_safe('RESET socketio_emitter.enabled');

# What ends with the transaction, or belongs to a function or a role, stays where it is.
$one = client($pooler);
$one->query_safe('BEGIN; SET LOCAL socketio_emitter.enabled = off;' . small('silent') . 'COMMIT');
$other->query_safe(small('heard'));
is_deeply(arrived(), [ ['heard'] ], 'SET LOCAL: for the transaction alone');
$one->query_safe(q{CREATE FUNCTION silently() RETURNS void LANGUAGE sql SET socketio_emitter.enabled = off AS $$SELECT socketio_emit(event => 'silent')$$});
$one->query_safe('SELECT silently()');
$one->query_safe(small('of the same client'));
$other->query_safe(small('of another'));
is_deeply(arrived(), [ ['of the same client'], ['of another'] ], 'a setting of a function: for its calls alone');
$pooler->safe_psql('app', small('of the role'), extra_params => [ '-U', 'quiet' ]);
$other->query_safe(small('of another role'));
is_deeply(arrived(), [ ['of another role'] ], 'a setting of a role: for the role alone');

# Who listens in transaction mode: no error, and nothing to hear.
is_deeply([ $one->query('LISTEN "socket.io#/"') ]->[0], '', 'LISTEN: succeeds');
my $dropped = qr/got packet 'A' from server when not linked/;
unlike(pooler_log($pooler), $dropped, 'LISTEN: nothing has been dropped yet');
$node->safe_psql('app', small('lost'));
until_true('the pooler to drop what it got', sub { pooler_log($pooler) =~ $dropped });
is($one->query_safe('SELECT 1'), '1', 'LISTEN: who has listened hears nothing');
is($other->query_safe('SELECT 2'), '2', 'LISTEN: nor does another');
is_deeply(arrived(), [ ['lost'] ], 'LISTEN: it was sent');

# What comes while a stranger has the connection is the stranger's: an emit, and the answer to who may ask.
$other->query_safe('BEGIN');
$node->safe_psql('app', small('of a stranger'));
ask($node, 'app', $sockets, user => 'support');
my $output = $other->query_safe('COMMIT');
like($output, qr/^Asynchronous notification "socket\.io#\/".*"of a stranger"/m, 'LISTEN: a stranger receives events');
like($output, qr/^Asynchronous notification "socket\.io#\/".*"cookie":"sid=secret"/m, 'LISTEN: a stranger receives answers with handshakes');
is($one->query_safe('SELECT 1'), '1', 'LISTEN: who has listened hears nothing still');

# A server that listens like this does not hear who asks for servers either, which tells of it.
my $deaf = start_server($pooler, 'app', 'deaf');
is_answered(ask($node, 'app', q{SELECT uid FROM socketio_servers(timeout => '2 s')}), ['a'], 'LISTEN: a server that does so is missing',
    'NOTICE: 1 connection that listens on "socket.io#/" was not heard from');
stop_server($deaf);

# In session mode a connection is one client's, settings and all.
$_->quit for $one, $other;
stop_pooler($pooler);
$pooler = start_pooler($node, 'session');
$one = client($pooler);
$one->query_safe('LISTEN "socket.io#/"; SET socketio_emitter.enabled = off');
$node->safe_psql('app', small('for the session'));
like($one->query_safe('SELECT 1'), qr/^Asynchronous notification "socket\.io#\/".*"for the session"/m, 'session mode: who listens hears');
$one->quit;
arrived();
$other = client($pooler);
is($other->query_safe('SELECT pg_listening_channels()'), '', 'session mode: who comes next does not listen');
is($other->query_safe(small('heard')), '', 'session mode: nor hears');
is_deeply(arrived(), [ ['heard'] ], 'session mode: nor has the settings');
$other->quit;

server_is_sound($node);
done_testing();
