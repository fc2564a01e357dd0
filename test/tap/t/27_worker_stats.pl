# What socketio_stats counts, and for whom; and servers that do not preload the library, where delivery = 'worker' is refused.

use strict;
use warnings;

use DeliveryTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_delivery_cluster('main', settings => ['socketio_emitter.queue_size = 64kB']);
create_database($node, $_, 'CREATE EXTENSION socketio_emitter') for 'app', 'other';
$node->safe_psql('postgres', 'CREATE ROLE nobody LOGIN; CREATE ROLE observer LOGIN; GRANT pg_read_all_stats TO observer');

my $listener = start_listening($node, 'app');
my @columns = map { ("${_}_emits", "${_}_bytes", "${_}_attachments") } 'worker', 'notify';

sub counts
{
    return [ split /\|/, stats($node, 'app', @columns, 'fallbacks') ];
}

sub emits
{
    my ($count, $length) = @_;
    return "SELECT socketio_emit(event => 'e', args => to_jsonb(repeat('x', $length))) FROM generate_series(1, $count);";
}

# Run `$sql`: this much more is counted on each path, and in bytes what arrived.
sub is_counted
{
    my ($name, $sql, %expected) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    heard($listener);
    my ($before, $arrived) = (counts(), scalar @{ $listener->{received} });
    my $status = $node->psql('app', $sql);
    my $after = counts();
    my @grown = map { $after->[$_] - ($before->[$_] // 0) } 0 .. 6;
    my @counts = map { $expected{$_} // 0 } 'worker', 'worker_attachments', 'notify', 'notify_attachments', 'fallbacks';
    is_deeply([ @grown[ 0, 2, 3, 5, 6 ] ], \@counts, "$name: emits and attachments of the worker, of NOTIFY, and fallbacks");
    my $total = $counts[0] + $counts[2];
    until_true($name, sub { heard($listener) >= $arrived + $total });
    my @received = @{ $listener->{received} }[ $arrived .. $#{ $listener->{received} } ];
    is(scalar @received, $total, "$name: as many arrive");
    my $bytes = 0;
    $bytes += length for @received;
    my $attachments = $node->safe_psql('app', 'WITH gone AS (DELETE FROM socket_io_attachments RETURNING payload) SELECT coalesce(sum(length(payload)), 0) FROM gone');
    is($grown[1] + $grown[4], $bytes + $attachments, "$name: bytes");
    return;
}

my $notify = q{SET socketio_emitter.delivery = 'notify';};
is_counted('one emit', emits(1, 10), worker => 1);
is_counted('many emits', emits(7, 10) . emits(5, 20), worker => 12);
is_counted('attachments', emits(3, 9000) . emits(2, 10), worker => 5, worker_attachments => 3);
is_counted('NOTIFY', $notify . emits(4, 10) . emits(2, 9000), notify => 6, notify_attachments => 2);
is_counted('to the worker, then NOTIFY: all go with the first', 'BEGIN;' . emits(2, 10) . $notify . emits(3, 10) . 'COMMIT;', worker => 5);
is_counted('NOTIFY, then to the worker', $notify . 'BEGIN;' . emits(3, 10) . q{SET socketio_emitter.delivery = 'worker';} . emits(2, 10) . 'COMMIT;', notify => 3, worker => 2);
is_counted('rollback', 'BEGIN;' . emits(4, 10) . emits(2, 9000) . 'ROLLBACK;' . emits(1, 10), worker => 1);
is_counted('rollback of NOTIFY', $notify . 'BEGIN;' . emits(4, 10) . emits(2, 9000) . 'ROLLBACK;');
is_counted('savepoints', 'BEGIN;' . emits(1, 10) . 'SAVEPOINT s;' . emits(2, 10) . emits(1, 9000) . 'ROLLBACK TO s;' . emits(4, 9000) . 'RELEASE s; COMMIT;', worker => 5, worker_attachments => 4);
is_counted('savepoints of NOTIFY', $notify . 'BEGIN;' . emits(1, 10) . 'SAVEPOINT s;' . emits(2, 10) . emits(1, 9000) . 'ROLLBACK TO s;' . emits(4, 10) . 'COMMIT;', notify => 5);
is_counted('more than the queue holds', emits(20, 5000) . emits(1, 10), worker => 1, notify => 20, fallbacks => 1);
is_counted('switched off', 'SET socketio_emitter.enabled = off;' . emits(20, 10));

# The queue is what is left; its high-water mark is no more than its size.
{
    my ($size, $used, $high_water, $starts, $error) = split /\|/, stats($node, 'app', qw(queue_size queue_used queue_high_water worker_starts), 'last_error IS NULL');
    is($size, 64 * 1024, 'queue_size');
    is($used, 0, 'queue_used');
    cmp_ok($high_water, '>', 0, 'queue_high_water');
    cmp_ok($high_water, '<=', $size, 'queue_high_water is not more than queue_size');
    cmp_ok($starts, '>=', 1, 'worker_starts');
    is($error, 't', 'last_error');
}

# Who sees what.
$node->safe_psql('other', emits(3, 10));
my $seen = sub {
    my ($user) = @_;
    return $node->safe_psql('app', 'SELECT string_agg(database, $$,$$ ORDER BY database) FROM socketio_stats', extra_params => [ '-U', $user ]);
};
is($seen->('nobody'), 'app', 'a role sees the database it is in');
is($seen->('observer'), 'app,other', 'a member of pg_read_all_stats sees all');
is($node->safe_psql('other', 'SELECT worker_emits FROM socketio_stats WHERE database = current_database()'), '3', 'each database has counts of its own');
is_refused(session($node, 'app', 'SELECT socketio_stats_reset();', user => 'nobody', channels => []), { sqlstate => '42501', message => qr/permission denied for function socketio_stats_reset/ },
    'socketio_stats_reset() is not for everybody');
is($node->safe_psql('app', 'SELECT string_agg(worker_emits::text, $$,$$ ORDER BY database) FROM socketio_stats') =~ /\A0|,0/, '', 'what was refused has reset nothing');
$node->safe_psql('app', 'GRANT EXECUTE ON FUNCTION socketio_stats_reset() TO nobody');
my $reset_before = stats($node, 'app', 'stats_reset');
$node->safe_psql('app', 'SELECT socketio_stats_reset()', extra_params => [ '-U', 'nobody' ]);
is_deeply(counts(), [ (0) x 7 ], 'socketio_stats_reset()');
is(stats($node, 'app', "stats_reset > '$reset_before'"), 't', 'socketio_stats_reset(): when that was');
is_counted('after a reset', emits(2, 10), worker => 2);

# Counts end with the server.
stop_listening($listener);
$node->restart;
is($node->safe_psql('app', 'SELECT count(*) FROM socketio_stats'), '0', 'no rows before the first emit');
$node->safe_psql('app', emits(2, 10));
is(stats($node, 'app', 'worker_emits'), '2', 'counts start with the server');
$node->safe_psql('postgres', 'DROP DATABASE other');

# Bad values.
for my $bad ([ 'socketio_emitter.delivery', 'pigeon', '22023' ], [ 'socketio_emitter.queue_size', '128kB', '55P02' ], [ 'socketio_emitter.max_databases', '3', '55P02' ])
{
    my ($setting, $value, $sqlstate) = @$bad;
    my $session = session($node, 'app', "SET $setting = '$value';", channels => []);
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [$sqlstate], "SET $setting = '$value'");
}
$node->stop;
server_is_sound($node);

# Without preloading.
my $plain = start_cluster('plain');
create_database($plain, 'app', 'CREATE EXTENSION socketio_emitter; CREATE ROLE emitter LOGIN');
my $refused = { sqlstate => '22023', message => qr/invalid value for parameter "socketio_emitter.delivery": "worker"/, hint => qr/shared_preload_libraries/ };
is_refused(session($plain, 'app', "SELECT socketio_emit(event => 'loads the library'); $_"), $refused, $_)
  for "SET socketio_emitter.delivery = 'worker';", "ALTER ROLE emitter SET socketio_emitter.delivery = 'worker';", "ALTER DATABASE app SET socketio_emitter.delivery = 'worker';",
  "SELECT set_config('socketio_emitter.delivery', 'worker', true);";
is($plain->safe_psql('app', 'SELECT count(*) FROM socketio_stats'), '0', 'without preloading: no statistics');
is_emitted(session($plain, 'app', q{SET socketio_emitter.delivery = 'notify'; SELECT socketio_stats_reset(); SELECT socketio_emit(event => 'e');}), [ ['e'] ], 'without preloading: NOTIFY');

# In postgresql.conf, where nothing can be refused, it is as if it was not there, with a warning.
$plain->append_conf('postgresql.conf', q{socketio_emitter.delivery = 'worker'});
$plain->restart;
{
    my $session = session($plain, 'app', q{SELECT socketio_emit(event => 'e'); SHOW socketio_emitter.delivery;});
    is_deeply([ map { $_->{message}{data}{packet}{data}[0] } @{ $session->{notifications} } ], ['e'], 'postgresql.conf without preloading: NOTIFY');
    is_deeply([ grep { $_ ne '' } @{ $session->{rows} } ], ['notify'], 'postgresql.conf without preloading: what the setting says');
    like(slurp_file($plain->logfile), qr/invalid value for parameter "socketio_emitter.delivery"/, 'postgresql.conf without preloading: the log says so');
}
$plain->stop;
server_is_sound($plain);
done_testing();
