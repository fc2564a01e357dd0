# Five million emits in one session leave its memory where it was after the first hundred thousand.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emits = 5_000_000;
my $batch = 100_000;
my $slack = 1024 * 1024;

# glibc learns from the first large block that is freed to keep such blocks, which would make the second transaction look
# like a leak. A fixed threshold gives each back to the kernel.
$ENV{MALLOC_MMAP_THRESHOLD_} = $ENV{MALLOC_TRIM_THRESHOLD_} = 128 * 1024;

my $node = start_cluster('main', settings => ['track_functions = all', 'log_statement = none']);
create_database($node, 'app', q{
    CREATE EXTENSION socketio_emitter;
    CREATE TYPE order_line AS (product text, quantity int, price numeric);
    CREATE TYPE purchase AS (id bigint, lines order_line[], at timestamptz);
    CREATE TABLE other_attachments (LIKE socket_io_attachments INCLUDING ALL);
});

# One transaction: emits of every kind, from queries and from a loop, some that fail or are taken back, and attachments
# through two tables in turn, one of which changes, deleted as servers would.
my $one_batch = q{
    DO $batch$
    BEGIN
        PERFORM socketio_emit('/', '{room1}', '{}', 'hello', '{"a": 1, "b": ["some", "text"], "c": null}')
        FROM generate_series(1, 40000);
        PERFORM socketio_emit(rooms => ARRAY['room' || i, 'room'], event => 'built', args => jsonb_build_array(i, 'text', i / 7.0))
        FROM generate_series(1, 10000) AS i;
        PERFORM socketio_emit_values(socketio_to('room1'), 'values', i, 'two', i / 3.0, i % 2 = 0, NULL)
        FROM generate_series(1, 30000) AS i;
        PERFORM socketio_emit_values(socketio_except(socketio_to(socketio_of('/admin'), 'a', 'b'), 'c'), 'order',
            ROW(i, ARRAY[ROW('tea', 1, 2.50)::order_line, ROW('cups', i % 9, 12)::order_line], now())::purchase,
            ARRAY['text', NULL, 'more'], ARRAY[[i, 2], [3, 4]], ROW(1, 'anonymous'))
        FROM generate_series(1, 10000) AS i;
        FOR i IN 1 .. 9700 LOOP
            PERFORM socketio_emit_values(NULL, 'loop', i, clock_timestamp(), to_jsonb(i));
        END LOOP;
        FOR i IN 1 .. 100 LOOP
            BEGIN
                PERFORM socketio_emit_values(socketio_to('room1'), 'undone', ROW(i, 'text'), '\x00'::bytea);
                PERFORM socketio_emit_values(NULL, 'connect', ROW(i, ARRAY['refused']));
            EXCEPTION WHEN invalid_parameter_value THEN
                NULL;
            END;
        END LOOP;
        PERFORM socketio_emit_values(socketio_to('room1'), 'attached', repeat('x', 10000), '\x00ff'::bytea, ARRAY['\x01'::bytea])
        FROM generate_series(1, 100);
        ALTER TABLE other_attachments ALTER payload SET STATISTICS 0;
        FOR i IN 1 .. 100 LOOP
            PERFORM set_config('socketio_emitter.attachment_table', (ARRAY['socket_io_attachments', 'other_attachments'])[i % 2 + 1], true);
            PERFORM socketio_emit(event => 'in turn', args => to_jsonb(repeat('x', 10000)));
        END LOOP;
        DELETE FROM socket_io_attachments;
        DELETE FROM other_attachments;
    END
    $batch$;
};

my $session = $node->background_psql('app', on_error_stop => 1);
$session->set_query_timer_restart;
my $pid = $session->query_safe('SELECT pg_backend_pid()');

# Bytes the session holds: by PostgreSQL's own books, and by the kernel's.
sub memory
{
    my $contexts = $session->query_safe('SELECT sum(total_bytes) FROM pg_backend_memory_contexts');
    my ($resident) = slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB$/m;
    return { contexts => $contexts, resident => $resident * 1024 };
}

my %after;
memory();    # what its own query leaves in the catalog caches
for my $number (1 .. $emits / $batch)
{
    $session->query_safe($one_batch);
    $after{$number} = memory();
    note "after batch $number: contexts $after{$number}{contexts}, resident $after{$number}{resident}" if $number % 10 < 2;
}
my $calls = $session->query_safe(q{
    SELECT pg_stat_force_next_flush();
    SELECT sum(calls) FROM pg_stat_user_functions WHERE funcname IN ('socketio_emit', 'socketio_emit_values');
});
$session->quit;
is($calls =~ s/\s//gr, $emits, 'so many emits were made');

my ($first, $last) = @after{ 1, $emits / $batch };
for my $books (sort keys %$first)
{
    my $growth = $last->{$books} - $first->{$books};
    cmp_ok($growth, '<', $slack, "memory by $books: $last->{$books} bytes at the end, $first->{$books} after the first $batch");
}
is($node->safe_psql('app', 'SELECT count(*) FROM socket_io_attachments'), '0', 'all attachments were deleted');
server_is_sound($node);
done_testing();
