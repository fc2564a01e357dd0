# However a call ends before its answers are there, it ends at once and leaves no worker behind: cancelled, timed out, terminated,
# its client gone, its worker gone, the database dropped. And where there is no room for a worker, it says so.

use strict;
use warnings;

use AskTest;
use DeliveryTest qw(until_true);
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'time';

my $node = start_ask_cluster('main', settings => ['max_worker_processes = 40']);
create_database($node, 'app', 'CREATE EXTENSION socketio_emitter; CREATE TABLE noted (what text)');
my @sockets = ({ id => 's', rooms => ['s'], ack => [] });

# Calls that would wait for ever.
my $good = start_server($node, 'app', 'good', sockets => \@sockets, response => [1]);
my %waits = (
    fetch_sockets    => q{SELECT id FROM socketio_fetch_sockets(timeout => '1 day');},
    broadcast        => q{SELECT server FROM socketio_emit_with_ack(event => 'e', timeout => '1 day');},
    server_side_emit => q{SELECT server FROM socketio_server_side_emit_with_ack(event => 'e', timeout => '1 day');},
);
my $mute = start_server($node, 'app', 'mute', on => { map { $_ => \&silence } keys %waits });

my $asker  = q{(SELECT pid FROM pg_stat_activity WHERE application_name = 'asking')};
my $worker = q{(SELECT pid FROM pg_stat_activity WHERE backend_type = 'socketio_emitter request')};
my $asked  = 0;

# Start `$sql`, which asks the mute server once, and do `$act` as soon as it waits. Returns the session, and the seconds from there to its end.
sub interrupt
{
    my ($sql, $act, %options) = @_;
    my $asking = start_asking($node, 'app', $sql, %options);
    my $type = $options{type} // 'fetch_sockets';
    until_heard($mute, $type, $options{already} // (1 + (() = heard_by($mute, $type))));
    my $then = time;
    $act->($asking);
    my $session = finish_asking($asking);
    return ($session, time - $then);
}

sub in_sql
{
    my ($sql) = @_;
    return sub { $node->safe_psql('postgres', $sql) };
}

my $cancelled = { sqlstate => '57014', message => qr/^canceling statement due to user request$/ };
for my $type (sort keys %waits)
{
    my ($session, $seconds) = interrupt(qq{$waits{$type} SELECT 'after';}, in_sql("SELECT pg_cancel_backend($asker)"), type => $type);
    is_refused($session, $cancelled, "cancelled: $type");
    is_deeply($session->{rows}, ['after'], "cancelled: $type: the session goes on");
    cmp_ok($seconds, '<', 120, "cancelled: $type: at once");
    is_without_workers($node, "cancelled: $type");
}

# Ctrl-C in psql.
{
    my ($session, $seconds) = interrupt($waits{fetch_sockets}, sub { $_[0]{psql}->signal('INT') });
    is_deeply(errors($session), [ 'none Cancel request sent', '57014 canceling statement due to user request' ], 'Ctrl-C');
    is_without_workers($node, 'Ctrl-C');
}

# In the middle of transactions, subtransactions and PL/pgSQL.
{
    my ($session) = interrupt(q{
        BEGIN;
        INSERT INTO noted VALUES ('before');
        SAVEPOINT s;
        } . $waits{fetch_sockets} . q{
        ROLLBACK TO s;
        SELECT id FROM socketio_fetch_sockets(timeout => '3 s');
        INSERT INTO noted VALUES ('behind');
        COMMIT;
        TABLE noted;
    }, in_sql("SELECT pg_cancel_backend($asker)"));
    is_refused($session, $cancelled, 'cancelled in a subtransaction');
    is_deeply($session->{rows}, [ 's', 'before', 'behind' ], 'cancelled in a subtransaction: the transaction goes on, and can ask again');
    ($session) = interrupt(q{
        DO $$
        BEGIN
            PERFORM socketio_fetch_sockets(timeout => '1 day');
        EXCEPTION WHEN query_canceled THEN
            RAISE NOTICE 'caught, then %', (SELECT string_agg(id, ',') FROM socketio_fetch_sockets(timeout => '3 s'));
        END$$;
        SELECT 'after';
    }, in_sql("SELECT pg_cancel_backend($asker)"));
    is_clean($session, 'cancelled in a block that catches it');
    is_deeply($session->{rows}, ['after'], 'cancelled in a block that catches it: the session goes on');
    like($session->{notices}[-1]{message}, qr/^caught, then s$/, 'cancelled in a block that catches it: the handler can ask again');
    is_without_workers($node, 'cancelled in a block that catches it');
}

# statement_timeout.
{
    my $session = ask($node, 'app', "SET statement_timeout = '300ms'; $waits{fetch_sockets} RESET statement_timeout; SELECT 'after';");
    is_refused($session, { sqlstate => '57014', message => qr/statement timeout/ }, 'statement_timeout');
    is_deeply($session->{rows}, ['after'], 'statement_timeout: the session goes on');
    cmp_ok($session->{seconds}, '<', 120, 'statement_timeout: at once');
    $session = ask($node, 'app', q{
        SET statement_timeout = '500ms';
        DO $$
        BEGIN
            FOR i IN 1 .. 3 LOOP
                BEGIN
                    PERFORM socketio_fetch_sockets(timeout => '10 ms');
                    RAISE division_by_zero;
                EXCEPTION WHEN division_by_zero THEN
                END;
            END LOOP;
            PERFORM socketio_fetch_sockets(timeout => '1 day');
        END$$;
        SELECT 'after';
    });
    is_refused($session, { sqlstate => '57014', message => qr/statement timeout/ }, 'statement_timeout after errors that were caught');
    is_without_workers($node, 'statement_timeout');
}

# A worker that is slow is not held up: it is waited for beyond the timeout.
{
    create_database($node, 'slow', q{
        CREATE EXTENSION socketio_emitter;
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            WHILE clock_timestamp() < now() + interval '4 s' LOOP END LOOP;
            RETURN NEW;
        END$$;
        CREATE TRIGGER slow BEFORE INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION slow();
    });
    my $session = ask($node, 'slow', q{SELECT * FROM socketio_fetch_sockets(rooms => ARRAY[repeat('x', 9000)], timeout => '1 s'); SELECT 'after';});
    is_deeply($session->{rows}, ['after'], 'a worker that is slow: nobody is there');
    is_deeply([ grep { $_->{message} =~ /answers are missing/ } @{ $session->{notices} } ], [], 'a worker that is slow is not held up') or diag explain $session->{notices};
    cmp_ok($session->{seconds}, '>', 4, 'a worker that is slow: it is waited for');
    is_without_workers($node, 'a worker that is slow');
}

# Nor is one that gets no processor while it is answered: what has come by then is heard, however late it is.
for my $case ([ 'a server that is seen to listen', 'on' ], [ 'a server that is not', 'off' ])
{
    my ($name, $track) = @$case;
    create_database($node, "held_$track", "CREATE EXTENSION socketio_emitter; ALTER DATABASE held_$track SET track_activities = $track");
    my $held;
    my $server = start_server($node, "held_$track", 'good', sockets => \@sockets, on => {
        initial_heartbeat => sub {
            my ($server, $message) = @_;
            ($held) = run_sql($server, $worker);
            kill 'STOP', $held;
            behave($server, $message);
        },
        fetch_sockets => sub {
            behave(@_);
            sleep 3;    # beyond all that an idle machine's calls wait for who may be there
            kill 'CONT', $held;
        } });
    is_answered(ask($node, "held_$track", q{SELECT id FROM socketio_fetch_sockets(timeout => '10 min');}), ['s'], "a worker without a processor, and $name");
    stop_server($server);
}

# The session is terminated, its client is killed, or gives up its connection.
{
    my ($session, $seconds) = interrupt($waits{fetch_sockets}, in_sql("SELECT pg_terminate_backend($asker)"));
    is($session->{errors}[0]{sqlstate}, '57P01', 'pg_terminate_backend') or diag explain $session->{errors};
    cmp_ok($seconds, '<', 120, 'pg_terminate_backend: at once');
    is_without_workers($node, 'pg_terminate_backend');

    # PostgreSQL looks whether a client is there if it is told to.
    interrupt("SET client_connection_check_interval = '100ms'; $waits{fetch_sockets}", sub { $_[0]{psql}->signal('KILL') });
    my $gone = "SELECT count(*) FROM $asker AS asker";
    my $deadline = time + 10;
    Time::HiRes::usleep(20_000) while $node->safe_psql('postgres', $gone) ne '0' && time < $deadline;
    is($node->safe_psql('postgres', $gone), '0', 'a client that is killed: the session ends');
    $node->safe_psql('postgres', "SELECT pg_terminate_backend($asker)");
    is_without_workers($node, 'a client that is killed');
}

# The worker is told to go. To cancel is for the session that asks: the worker takes no notice.
{
    my ($session, $seconds) = interrupt(qq{$waits{fetch_sockets} SELECT 'after'; SELECT id FROM socketio_fetch_sockets(timeout => '3 s');}, in_sql("SELECT pg_terminate_backend($worker)"));
    is_refused($session, { sqlstate => '08006', message => qr/background worker/, hint => qr/terminated/ }, 'pg_terminate_backend of the worker');
    is_deeply($session->{rows}, [ 'after', 's' ], 'pg_terminate_backend of the worker: the session goes on, and can ask again');
    cmp_ok($seconds, '<', 120, 'pg_terminate_backend of the worker: at once');
    is_without_workers($node, 'pg_terminate_backend of the worker');

    ($session) = interrupt(qq{$waits{fetch_sockets} SELECT 'after';}, sub {
        $node->safe_psql('postgres', "SELECT pg_cancel_backend($worker)");
        $node->safe_psql('app', q{SELECT pg_notify('socket.io#/', '{"uid":"mute","nsp":"/","type":13}')});
    });
    is_answered($session, [ 's', 'after' ], 'pg_cancel_backend of the worker');
}

# The database is dropped by force while it is asked from, and right after it was.
{
    my ($session) = do {
        create_database($node, 'dropped', 'CREATE EXTENSION socketio_emitter');
        my $silent = start_server($node, 'dropped', 'silent', on => { fetch_sockets => \&silence });
        my $asking = start_asking($node, 'dropped', $waits{fetch_sockets});
        until_heard($silent, 'fetch_sockets');
        $node->safe_psql('postgres', 'DROP DATABASE dropped WITH (FORCE)');
        stop_server($silent);
        finish_asking($asking);
    };
    is($session->{errors}[0]{sqlstate}, '57P01', 'a database that is dropped by force') or diag explain $session->{errors};
    for my $round (1 .. 3)
    {
        create_database($node, 'dropped', 'CREATE EXTENSION socketio_emitter');
        $session = ask($node, 'dropped', "SELECT * FROM socketio_servers(timeout => '10 min'); \\c postgres\nDROP DATABASE dropped;");
        is_clean($session, "a database that is dropped right after, round $round");
    }
    is_without_workers($node, 'databases that are dropped');
}

# A fast shutdown does not wait for answers.
{
    my $asking = start_asking($node, 'app', $waits{fetch_sockets});
    until_heard($mute, 'fetch_sockets', 1 + (() = heard_by($mute, 'fetch_sockets')));
    my $then = time;
    $node->stop('fast');
    cmp_ok(time - $then, '<', 120, 'a fast shutdown');
    finish_asking($asking);
    stop_server($good, $mute);
}
is_quiet($node);
server_is_sound($node);

# No room for workers: at all, or not now. Each call says so, and soon.
my $full = start_ask_cluster('full', settings => ['max_worker_processes = 0']);
create_database($full, 'app', 'CREATE EXTENSION socketio_emitter');
my $no_room = { sqlstate => '53000', hint => qr/max_worker_processes/ };
{
    my $session = ask($full, 'app', q{SELECT * FROM socketio_fetch_sockets(timeout => '10 min'); SELECT 'after';});
    is_refused($session, $no_room, 'max_worker_processes = 0');
    is_deeply($session->{rows}, ['after'], 'max_worker_processes = 0: the session goes on');
    cmp_ok($session->{seconds}, '<', 120, 'max_worker_processes = 0: quickly');
    is_clean(ask($full, 'app', q{SELECT socketio_emit(event => 'e');}), 'max_worker_processes = 0: emitting needs none');
}
$full->append_conf('postgresql.conf', 'max_worker_processes = 1');
$full->restart;
{
    my $silent = start_server($full, 'app', 'silent', sockets => \@sockets, on => { fetch_sockets => \&silence });
    my $asking = start_asking($full, 'app', $waits{fetch_sockets});
    until_heard($silent, 'fetch_sockets');
    my $session = ask($full, 'app', q{SELECT * FROM socketio_servers(timeout => '1 s'); SELECT * FROM socketio_servers(timeout => '10 ms'); SELECT 'after';}, name => 'second');
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ '53000', '53000' ], 'the one worker is busy');
    is_deeply($session->{rows}, ['after'], 'the one worker is busy: the session goes on');
    is($full->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'socketio_emitter request'"), '1', 'the one worker is busy: it is not disturbed');

    # It becomes free while another waits for it.
    my $waiting = start_asking($full, 'app', q{SELECT uid FROM socketio_servers(timeout => '10 min');}, name => 'second');
    until_true('the other to start', sub { $full->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'second' AND state = 'active'}) eq '1' });
    $full->safe_psql('postgres', "SELECT pg_cancel_backend($asker)");
    is_answered(finish_asking($waiting), ['silent'], 'the one worker becomes free');
    is_refused(finish_asking($asking), $cancelled, 'the one worker becomes free: whose it was');

    # Many take turns, each for as long as its timeout. The last ones wait for longer than anybody would for a worker that is busy.
    my $turns = q{SELECT id FROM socketio_fetch_sockets(timeout => '1500 ms');};
    is_answered($_, [], 'calls that take turns', 'WARNING: timeout reached: 0 of 1 servers answered') for map { finish_asking($_) } map { start_asking($full, 'app', $turns) } 1 .. 6;
    stop_server($silent);
}
is_without_workers($full, 'one worker');
$full->stop;
is_quiet($full);
server_is_sound($full);
done_testing();
