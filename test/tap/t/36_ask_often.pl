# Many requests: at once, each gets its own answers; one after the other, they leave nothing behind, neither in memory nor
# in shared memory.

use strict;
use warnings;

use AskTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

$ENV{MALLOC_MMAP_THRESHOLD_} = $ENV{MALLOC_TRIM_THRESHOLD_} = 128 * 1024;    # what is freed goes back to the kernel

my $node = start_ask_cluster('main', settings => [ 'max_worker_processes = 4', 'log_statement = none', 'dynamic_shared_memory_type = mmap' ]);
create_database($node, 'app', 'CREATE EXTENSION socketio_emitter');

# Thirty sessions at once, four workers. Each asks for sockets of its own, and is echoed what it says.
{
    my $echo = sub {
        my ($server, $message) = @_;
        answer($server, $message, 'server_side_emit_response', { packet => $message->{data}{packet}[1] });
    };
    my @servers = map {
        my $uid = $_;
        start_server($node, 'app', $uid, sockets => [ map { { id => "$uid$_", rooms => [ "$uid$_", "room$_" ], ack => [$_] } } 1 .. 30 ], on => { server_side_emit => $echo });
    } 'a', 'b';
    my @askings = map {
        start_asking($node, 'app', qq{
            SELECT string_agg(id, ',' ORDER BY id) FROM socketio_fetch_sockets(rooms => '{room$_}', timeout => '10 min');
            SELECT string_agg(server || response, ',' ORDER BY server) FROM socketio_server_side_emit_with_ack(event => 'echo', args => '[$_]', timeout => '10 min');
            SELECT string_agg(server || response, ',' ORDER BY server) FROM socketio_emit_with_ack(rooms => '{room$_}', event => 'e', timeout => '10 min');
        });
    } 1 .. 30;
    my @sessions = map { finish_asking($_) } @askings;
    for my $n (1 .. 30)
    {
        is_answered($sessions[ $n - 1 ], [ ("a$n,b$n") x 3 ], "thirty sessions at once: $n");
    }
    is_without_workers($node, 'thirty sessions at once');
    stop_server(@servers);
}

# Three hundred requests of one session, of every kind, with short and long answers, some that are not answered and some that fail.
{
    my $server = start_server($node, 'app', 'a', sockets => [ map { { id => "s$_", rooms => [ "s$_", 'r' ], data => { text => 'x' x 100 }, ack => [$_] } } 1 .. 100 ], response => ['told']);
    my $requests = q{
        DO $$
        BEGIN
            FOR i IN 1 .. 8 LOOP
                ASSERT (SELECT count(*) FROM socketio_fetch_sockets()) = 100;
                ASSERT (SELECT count(*) FROM socketio_fetch_sockets(rooms => '{s1}')) = 1;
                ASSERT (SELECT count(*) FROM socketio_server_side_emit_with_ack(event => 'e', args => to_jsonb(repeat('x', 20000)))) = 1;
                ASSERT (SELECT count(*) FROM socketio_emit_with_ack(event => 'e', rooms => '{s1,s2}')) = 2;
                ASSERT (SELECT count(*) FROM (SELECT socketio_clients() LIMIT 1) AS one) = 1;
                BEGIN
                    PERFORM socketio_remote_join('nobody', 'r');
                    ASSERT false;
                EXCEPTION WHEN no_data_found THEN
                END;
            END LOOP;
            BEGIN
                SET LOCAL client_min_messages = error;
                ASSERT (SELECT count(*) FROM socketio_fetch_sockets(timeout => '1 ms')) >= 0;
                PERFORM count(*) / 0 FROM socketio_fetch_sockets();
            EXCEPTION WHEN division_by_zero THEN
            END;
        END$$;
    };
    my $session = $node->background_psql('app', on_error_stop => 1);
    $session->set_query_timer_restart;
    my $pid = $session->query_safe('SELECT pg_backend_pid()');
    my $held = sub {
        my ($resident) = slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB$/m;
        return {
            'memory by the kernel\'s books' => $resident * 1024,
            'memory by the server\'s books' => $session->query_safe('SELECT sum(total_bytes) FROM pg_backend_memory_contexts'),
            'segments of shared memory'     => scalar(() = glob $node->data_dir . '/pg_dynshmem/*'),
            'mappings of shared memory'     => scalar(grep { m{/pg_dynshmem/} } split /\n/, slurp_file("/proc/$pid/maps")),
            'open files'                    => scalar(() = glob "/proc/$pid/fd/*"),
            'locks'                         => $session->query_safe("SELECT count(*) FROM pg_locks WHERE pid = $pid"),
        };
    };
    $held->();
    $session->query_safe($requests);
    $session->query_safe($requests);
    my $first = $held->();
    $session->query_safe($requests) for 1 .. 6;
    my $last = $held->();
    for my $what (sort keys %$first)
    {
        my $slack = $what =~ /^memory/ ? 512 * 1024 : 0;
        cmp_ok($last->{$what} - $first->{$what}, '<=', $slack, "$what: $first->{$what}, $last->{$what} after 300 more requests");
    }
    $session->quit;
    stop_server($server);
}

is_without_workers($node, 'after all');
$node->stop;
is_quiet($node);
server_is_sound($node);
done_testing();
