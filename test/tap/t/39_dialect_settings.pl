# socketio_emitter.protocol and socketio_emitter.channel_prefix at every level PostgreSQL has: what is in force there, what it falls back to,
# and that what asks the cluster does so in the dialect of its session.

use strict;
use warnings;

use AskTest;
use DeliveryTest 'until_true';
use DumpTest;
use EmitterTest;
use LegacyTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_ask_cluster('main');
my $functions = q{
    CREATE EXTENSION IF NOT EXISTS socketio_emitter;
    CREATE FUNCTION emit_here() RETURNS void LANGUAGE plpgsql AS $$BEGIN PERFORM socketio_emit(event => 'here'); END$$;
    CREATE FUNCTION emit_cluster() RETURNS void LANGUAGE plpgsql SET socketio_emitter.protocol = 'cluster' AS $$BEGIN PERFORM socketio_emit(event => 'here'); END$$;
    CREATE FUNCTION emit_adapter() RETURNS void LANGUAGE plpgsql SET socketio_emitter.protocol = 'adapter-postgres' AS $$BEGIN PERFORM socketio_emit(event => 'here'); END$$;
    CREATE FUNCTION emit_palmetto() RETURNS void LANGUAGE plpgsql SET socketio_emitter.protocol = 'socket.io-postgres' SET socketio_emitter.channel_prefix = 'it''s' AS
        $$BEGIN PERFORM socketio_emit(event => 'here'); PERFORM emit_adapter(); END$$;
};
create_database($node, 'app', $functions);
$node->safe_psql('postgres', 'CREATE ROLE plain LOGIN; CREATE ROLE legacy LOGIN; CREATE ROLE owner LOGIN CREATEDB');

my $emit = "SELECT socketio_emit(event => 'here');\n";
my $show = "SHOW socketio_emitter.protocol; SHOW socketio_emitter.channel_prefix;\n";

# Where the messages of a session went: "channel topic", or the channel alone.
my @channels = ('socketio', map { ("$_#/", "$_:/") } 'socket.io', 'socket-io', 'mine', 'other', q{it's}, 'system');
sub places
{
    my ($session) = @_;
    return [ map { ref $_->{message} eq 'ARRAY' ? "$_->{channel} $_->{message}[0]" : $_->{channel} } @{ $session->{notifications} } ];
}
my %place_of = (
    'cluster'            => sub { ($_[0] // 'socket.io') . '#/' },
    'adapter-postgres'   => sub { 'socketio ' . ($_[0] // 'socket.io') . '#/#' },
    'socket.io-postgres' => sub { ($_[0] // 'socket-io') . ':/' },
);
my %default_prefix = ('cluster' => 'socket.io', 'adapter-postgres' => 'socket.io', 'socket.io-postgres' => 'socket-io');

# A session shows these rows, and emits at these places, "cluster" for the default one of that dialect, or "cluster mine" for that of a prefix.
sub is_in_force
{
    my ($sql, $rows, $places, $name, %options) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $session = session($node, $options{database} // 'app', $sql, channels => \@channels, user => $options{user});
    is_clean($session, "$name: no error");
    is_deeply($session->{rows}, $rows, "$name: what is shown") or diag explain $session->{rows};
    my @expected = map { my ($protocol, $prefix) = split / /, $_, 2; $place_of{$protocol}->($prefix) } @$places;
    is_deeply(places($session), \@expected, "$name: where it goes");
    return;
}

# The default of each dialect, and a prefix that is set: in each, even if it is set to what is the default of another one.
is_in_force("$emit $show", [ 'cluster', 'socket.io' ], ['cluster'], 'nothing is set');
for my $protocol (sort keys %place_of)
{
    my $set = "SET socketio_emitter.protocol = '$protocol';";
    is_in_force("$emit $set $show $emit RESET socketio_emitter.protocol; $show $emit", [ $protocol, $default_prefix{$protocol}, 'cluster', 'socket.io' ],
        [ 'cluster', $protocol, 'cluster' ], $protocol);
    is_in_force("$set SELECT 'not loaded'; $emit $show", [ 'not loaded', $protocol, $default_prefix{$protocol} ], [$protocol], "$protocol, set before the library is there");
    for my $prefix ('mine', 'socket.io', 'socket-io')
    {
        is_in_force("$set SET socketio_emitter.channel_prefix = '$prefix'; $emit $show $emit RESET socketio_emitter.channel_prefix; $show $emit",
            [ $protocol, $prefix, $protocol, $default_prefix{$protocol} ], [ ("$protocol $prefix") x 2, $protocol ], "$protocol, prefix $prefix, set before the library is there");
        is_in_force("$emit SET socketio_emitter.channel_prefix = '$prefix'; $set $show $emit SET socketio_emitter.channel_prefix TO DEFAULT; $show $emit",
            [ $protocol, $prefix, $protocol, $default_prefix{$protocol} ], [ 'cluster', "$protocol $prefix", $protocol ], "$protocol, prefix $prefix");
    }
    is_in_force("$set SELECT set_config('socketio_emitter.channel_prefix', 'mine', false); $emit SELECT set_config('socketio_emitter.channel_prefix', NULL, false); $emit",
        [ 'mine', $default_prefix{$protocol} ], [ "$protocol mine", $protocol ], "$protocol: set_config");
    is_in_force("$set SET socketio_emitter.channel_prefix = 'mine'; $emit DISCARD ALL; $show $emit" =~ s/DISCARD ALL;/DISCARD ALL; @{[ EmitterTest::listen_to(@channels) ]}/r,
        [ 'cluster', 'socket.io' ], [ "$protocol mine", 'cluster' ], "$protocol: DISCARD ALL");
}
is_in_force("$emit SET socketio_emitter.protocol = 'Socket.IO-Postgres'; $show $emit", [ 'socket.io-postgres', 'socket-io' ], [ 'cluster', 'socket.io-postgres' ], 'letters of any case');

# All dialects in one transaction, in the order of the emits; SET LOCAL, savepoints and errors.
is_in_force(qq{
    BEGIN;
    SET LOCAL socketio_emitter.protocol = 'adapter-postgres';
    $emit
    SAVEPOINT s;
    SET LOCAL socketio_emitter.protocol = 'socket.io-postgres';
    SET socketio_emitter.channel_prefix = 'mine';
    $emit $show
    SAVEPOINT t;
    SET LOCAL socketio_emitter.channel_prefix = 'other';
    RESET socketio_emitter.protocol;
    $emit $show
    ROLLBACK TO t;
    $emit
    RELEASE t;
    ROLLBACK TO s;
    $emit $show
    SET LOCAL socketio_emitter.channel_prefix = 'other';
    $emit
    SET LOCAL socketio_emitter.protocol = 'socket.io-postgres';
    SET LOCAL socketio_emitter.channel_prefix TO DEFAULT;
    $emit
    COMMIT;
    $emit $show
    BEGIN;
    SET socketio_emitter.protocol = 'adapter-postgres';
    SET socketio_emitter.channel_prefix = 'mine';
    COMMIT;
    $emit
    BEGIN;
    SET socketio_emitter.protocol = 'cluster';
    RESET socketio_emitter.channel_prefix;
    ROLLBACK;
    $emit
}, [ 'socket.io-postgres', 'mine', 'cluster', 'other', 'adapter-postgres', 'socket.io', 'cluster', 'socket.io' ],
    [ 'adapter-postgres', 'adapter-postgres', 'adapter-postgres other', 'socket.io-postgres', 'cluster', 'adapter-postgres mine', 'adapter-postgres mine' ],
    'SET LOCAL and savepoints');
is_in_force(qq{
    SET socketio_emitter.protocol = 'adapter-postgres';
    DO \$\$
    BEGIN
        BEGIN
            PERFORM set_config('socketio_emitter.protocol', 'socket.io-postgres', false), set_config('socketio_emitter.channel_prefix', 'mine', true);
            PERFORM socketio_emit(event => 'undone');
            PERFORM 1 / 0;
        EXCEPTION WHEN division_by_zero THEN
            PERFORM socketio_emit(event => 'here');
        END;
        PERFORM set_config('socketio_emitter.protocol', 'socket.io-postgres', true);
        PERFORM socketio_emit(event => 'here');
    END\$\$;
    $emit
}, [], [ 'adapter-postgres', 'socket.io-postgres', 'adapter-postgres' ], 'exception blocks');

# Functions.
is_in_force(qq{
    SELECT emit_here(); SELECT emit_adapter(); SELECT emit_palmetto(); SELECT emit_here();
    SET socketio_emitter.channel_prefix = 'mine';
    SELECT emit_adapter(); SELECT emit_palmetto(); SELECT emit_cluster();
    $show
}, [ 'cluster', 'mine' ], [
        'cluster', 'adapter-postgres', q{socket.io-postgres it's}, q{adapter-postgres it's}, 'cluster',
        'adapter-postgres mine', q{socket.io-postgres it's}, q{adapter-postgres it's}, 'cluster mine' ],
    'functions');
is_in_force(qq{
    CREATE FUNCTION fails() RETURNS void LANGUAGE plpgsql SET socketio_emitter.protocol = 'adapter-postgres' SET socketio_emitter.channel_prefix = 'mine' AS
        \$\$BEGIN PERFORM socketio_emit(event => 'here'); RAISE 'fails'; END\$\$;
    DO \$\$BEGIN PERFORM fails(); EXCEPTION WHEN raise_exception THEN PERFORM socketio_emit(event => 'here'); END\$\$;
    $show
    DROP FUNCTION fails();
    CREATE PROCEDURE in_turns() LANGUAGE plpgsql AS \$\$
    BEGIN
        SET LOCAL socketio_emitter.protocol = 'adapter-postgres';
        PERFORM socketio_emit(event => 'here');
        COMMIT;
        PERFORM socketio_emit(event => 'here');
    END\$\$;
    CALL in_turns();
    DROP PROCEDURE in_turns();
    SET socketio_emitter.protocol = 'socket.io-postgres';
    CREATE FUNCTION from_current() RETURNS void LANGUAGE sql SET socketio_emitter.protocol FROM CURRENT AS 'SELECT socketio_emit(event => \$\$here\$\$)';
    SET socketio_emitter.protocol = 'adapter-postgres';
    SELECT from_current();
    DROP FUNCTION from_current();
}, [ 'cluster', 'socket.io' ], [ 'cluster', 'adapter-postgres', 'cluster', 'socket.io-postgres' ], 'functions that fail, procedures that commit, FROM CURRENT');

# Roles, databases, both, and the file.
$node->safe_psql('postgres', q{
    ALTER ROLE legacy SET socketio_emitter.protocol = 'adapter-postgres';
    CREATE DATABASE palmetto TEMPLATE app;
    ALTER DATABASE palmetto SET socketio_emitter.protocol = 'socket.io-postgres';
    ALTER ROLE plain IN DATABASE palmetto SET socketio_emitter.channel_prefix = 'mine';
});
is_in_force("$emit $show", [ 'adapter-postgres', 'socket.io' ], ['adapter-postgres'], 'a role', user => 'legacy');
is_in_force("$emit $show", [ 'socket.io-postgres', 'socket-io' ], ['socket.io-postgres'], 'a database', database => 'palmetto');
is_in_force("$emit $show", [ 'adapter-postgres', 'socket.io' ], ['adapter-postgres'], 'a role in a database', database => 'palmetto', user => 'legacy');
is_in_force("$emit $show SET socketio_emitter.protocol = 'cluster'; $emit RESET ALL; $emit", [ 'socket.io-postgres', 'mine' ],
    [ 'socket.io-postgres mine', 'cluster mine', 'socket.io-postgres mine' ],
    'a prefix of a role in a database', database => 'palmetto', user => 'plain');
is_in_force("SET ROLE legacy; $emit SET SESSION AUTHORIZATION plain; $emit", [], [ ('cluster') x 2 ], 'another role than that of the login');
{
    local $ENV{PGOPTIONS} = '-c socketio_emitter.protocol=adapter-postgres -c socketio_emitter.channel_prefix=mine';
    is_in_force("$emit $show SET socketio_emitter.protocol = 'cluster'; RESET socketio_emitter.protocol; RESET socketio_emitter.channel_prefix; $emit", [ 'adapter-postgres', 'mine' ],
        [ ('adapter-postgres mine') x 2 ], 'options of a connection', user => 'plain');
}
$node->safe_psql('postgres', q{ALTER DATABASE palmetto RESET ALL; ALTER ROLE legacy RESET ALL; ALTER ROLE plain IN DATABASE palmetto RESET ALL;});
is_in_force("$emit $show", [ 'cluster', 'socket.io' ], ['cluster'], 'all is reset', database => 'palmetto', user => 'legacy');

# The file is read anew by sessions that are there, whether they have loaded the library or not.
{
    my $values = q{SELECT current_setting('socketio_emitter.protocol', true) || ' ' || current_setting('socketio_emitter.channel_prefix', true)};
    my %sessions = map { $_ => $node->background_psql('app') } 'loaded', 'fresh';
    $sessions{loaded}->query_safe("SELECT socketio_emit(event => 'load')");
    my $reloaded = sub {
        my ($name, $expected, @statements) = @_;
        # ALTER SYSTEM takes what is known to the session.
        $node->safe_psql('postgres', "LOAD 'socketio_emitter'; $_") for @statements, 'SELECT pg_reload_conf()';
        for my $which (sort keys %sessions)
        {
            my $seen;
            until_true("$which: $name: a reload", sub { ($seen = $sessions{$which}->query($values) // '') eq $expected });
            is($seen, $expected, "$which: $name");
        }
    };
    $reloaded->('ALTER SYSTEM', 'adapter-postgres system', q{ALTER SYSTEM SET socketio_emitter.protocol = 'adapter-postgres'},
        q{ALTER SYSTEM SET socketio_emitter.channel_prefix = 'system'});
    is_in_force("$emit $show", [ 'adapter-postgres', 'system' ], ['adapter-postgres system'], 'ALTER SYSTEM');
    is_in_force("SET socketio_emitter.protocol = 'socket.io-postgres'; $emit SET socketio_emitter.channel_prefix = 'mine'; $emit RESET ALL; $emit", [],
        [ 'socket.io-postgres system', 'socket.io-postgres mine', 'adapter-postgres system' ], 'ALTER SYSTEM, and a session that sets otherwise');
    $sessions{fresh}->query_safe("SELECT socketio_emit(event => 'load')");    # from here on no placeholder is left, which would not go
    $reloaded->('ALTER SYSTEM RESET of the prefix', 'adapter-postgres socket.io', q{ALTER SYSTEM RESET socketio_emitter.channel_prefix});
    $reloaded->('ALTER SYSTEM of the protocol', 'socket.io-postgres socket-io', q{ALTER SYSTEM SET socketio_emitter.protocol = 'socket.io-postgres'});
    $reloaded->('ALTER SYSTEM RESET', 'cluster socket.io', q{ALTER SYSTEM RESET socketio_emitter.protocol});
    $_->quit for values %sessions;
    $node->append_conf('postgresql.conf', "socketio_emitter.protocol = 'socket.io-postgres'\nsocketio_emitter.channel_prefix = 'mine'");
    $node->restart;
    is_in_force("$emit $show", [ 'socket.io-postgres', 'mine' ], ['socket.io-postgres mine'], 'postgresql.conf');
    $node->safe_psql('postgres', q{ALTER DATABASE palmetto SET socketio_emitter.protocol = 'cluster'});
    is_in_force("$emit $show", [ 'cluster', 'mine' ], ['cluster mine'], 'postgresql.conf, and a database that sets otherwise', database => 'palmetto');
    $node->safe_psql('postgres', q{ALTER DATABASE palmetto RESET ALL});
    $node->append_conf('postgresql.conf', "socketio_emitter.protocol = 'nonsense'");
    $node->restart;
    my $session = session($node, 'app', "$emit $show", channels => \@channels);
    is_deeply([ $session->{rows}, places($session) ], [ [ 'cluster', 'mine' ], ['mine#/'] ], 'postgresql.conf with a protocol that is none: the default one');
    my $conf = slurp_file($node->data_dir . '/postgresql.conf') =~ s/^socketio_emitter\..*\n//gmr;
    open my $file, '>', $node->data_dir . '/postgresql.conf' or die "postgresql.conf: $!";
    print {$file} $conf;
    close $file or die "postgresql.conf: $!";
    $node->restart;
    is_in_force("$emit $show", [ 'cluster', 'socket.io' ], ['cluster'], 'postgresql.conf without either');
}

# What is no protocol is refused where the library is there, and what was set before falls to the default with a warning.
{
    my $refused = { sqlstate => '22023', message => qr/^invalid value for parameter "socketio_emitter\.protocol": "nonsense"$/,
        hint => qr/^Available values: cluster, adapter-postgres, socket\.io-postgres\.$/ };
    for my $set (
        q{SET socketio_emitter.protocol = 'nonsense'}, q{SET LOCAL socketio_emitter.protocol TO nonsense}, q{SELECT set_config('socketio_emitter.protocol', 'nonsense', false)},
        q{ALTER DATABASE app SET socketio_emitter.protocol = 'nonsense'}, q{ALTER ROLE legacy SET socketio_emitter.protocol = 'nonsense'},
            q{ALTER SYSTEM SET socketio_emitter.protocol = 'nonsense'},
        q{ALTER FUNCTION emit_adapter() SET socketio_emitter.protocol = 'nonsense'},
        q{CREATE FUNCTION bad() RETURNS void LANGUAGE sql SET socketio_emitter.protocol = 'nonsense' AS ''})
    {
        my $session = session($node, 'app', "SET socketio_emitter.protocol = 'adapter-postgres'; $emit $set; $emit", channels => \@channels);
        is_refused($session, $refused, $set);
        is_deeply(places($session), [ ('socketio socket.io#/#') x 2 ], "$set: what was in force stays");
    }
    for my $value ('', 'adapter', 'adapter-postgres ', 'adapter_postgres', 'socket.io', 'Cluster,')
    {
        is_deeply([ map { $_->{sqlstate} } @{ session($node, 'app', "$emit SET socketio_emitter.protocol = '$value';")->{errors} } ], ['22023'], "a protocol '$value'");
    }
    my $session = ask($node, 'app', "SET socketio_emitter.protocol = 'nonsense'; LISTEN \"socket.io#/\"; $emit $show");
    is_clean($session, 'nonsense before the library is there: no error');
    is_deeply([ map { "$_->{severity}: $_->{message}" } @{ $session->{notices} } ], ['WARNING: invalid value for parameter "socketio_emitter.protocol": "nonsense"'],
        'nonsense before the library is there: a warning');
    is_deeply([ grep { /^[a-z.]+$/ } @{ $session->{rows} } ], [ 'cluster', 'socket.io' ], 'nonsense before the library is there: the default');
    for my $protocol (sort keys %place_of)
    {
        my $long = 'p' x 62;
        is_refused(session($node, 'app', "$emit SET socketio_emitter.protocol = '$protocol'; SET socketio_emitter.channel_prefix = '$long';", channels => []),
            { sqlstate => '22023', message => qr/^invalid value for parameter "socketio_emitter\.channel_prefix": "$long"$/ }, "$protocol: a prefix that is too long");
    }
}

# Views of settings, and parallel plans, where the prefix is set and where it is not.
for my $set ('', "SET socketio_emitter.channel_prefix = 'mine';", "BEGIN; SET LOCAL socketio_emitter.channel_prefix = 'mine'; ROLLBACK;",
    "SET socketio_emitter.protocol = 'socket.io-postgres';")
{
    my $protocol = $set =~ /postgres/ ? 'socket.io-postgres' : 'cluster';
    my $prefix   = $set =~ /^SET.*mine/ ? 'mine' : $default_prefix{$protocol};
    is_in_force(qq{
        $emit $set
        SELECT setting FROM pg_settings WHERE name IN ('socketio_emitter.protocol', 'socketio_emitter.channel_prefix') ORDER BY name;
        CREATE FUNCTION prefix() RETURNS text LANGUAGE sql PARALLEL SAFE
            AS \$\$SELECT current_setting('socketio_emitter.protocol') || ' ' || current_setting('socketio_emitter.channel_prefix')\$\$;
        CREATE TABLE many AS SELECT generate_series(1, 10000) AS i;
        ANALYZE many;
        SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;
        SELECT DISTINCT prefix() FROM many WHERE i % 2 = 0;
        DROP TABLE many; DROP FUNCTION prefix();
        $emit
    }, [ $prefix, $protocol, "$protocol $prefix" ], [ 'cluster', "$protocol $prefix" ], "views and parallel plans: $set");
}

# The worker that asks speaks as its session does, whatever is set for those that begin.
{
    my $id = socket_id('s');
    my $server = start_legacy_server($node, 'app', 'a', sockets => [ { id => $id, rooms => [$id] } ]);
    my $mine = start_legacy_server($node, 'app', 'mine', prefix => 'mine', sockets => [ { id => socket_id('m'), rooms => [] } ]);
    my $new = start_server($node, 'app', 'cluster', sockets => [ { id => 'c', rooms => ['c'] } ]);
    my $ask = q{SELECT id FROM socketio_clients(timeout => '10 min');};
    is_answered(ask($node, 'app', qq{
        SET socketio_emitter.protocol = 'adapter-postgres'; $ask
        SET socketio_emitter.protocol = 'cluster'; $ask
        BEGIN; SET LOCAL socketio_emitter.protocol = 'adapter-postgres'; $ask SET LOCAL socketio_emitter.channel_prefix = 'mine'; $ask ROLLBACK; $ask
        SET socketio_emitter.channel_prefix = 'mine'; SET socketio_emitter.protocol = 'adapter-postgres'; $ask RESET socketio_emitter.channel_prefix; $ask
        CREATE FUNCTION legacy_ids() RETURNS SETOF text LANGUAGE sql
            SET socketio_emitter.protocol = 'adapter-postgres' SET socketio_emitter.channel_prefix = 'mine' AS 'SELECT id FROM socketio_clients(timeout => ''10 min'')';
        SELECT legacy_ids(); RESET ALL; SELECT legacy_ids(); $ask
        DROP FUNCTION legacy_ids();
    }), [ $id, 'c', $id, socket_id('m'), 'c', socket_id('m'), $id, socket_id('m'), socket_id('m'), 'c' ], 'the dialect of the session');
    for my $level ('DATABASE app', 'ROLE CURRENT_USER')
    {
        $node->safe_psql('postgres', "ALTER $level SET socketio_emitter.protocol = 'socket.io-postgres'; ALTER $level SET socketio_emitter.channel_prefix = 'mine'");
        is_answered(ask($node, 'app', qq{
            SET socketio_emitter.protocol = 'adapter-postgres'; $ask
            SET socketio_emitter.channel_prefix = 'socket.io'; $ask
            SET socketio_emitter.protocol = 'cluster'; $ask
        }), [ socket_id('m'), $id, 'c' ], "the dialect of the session, $level says otherwise");
        is_refused(ask($node, 'app', $ask), { sqlstate => '0A000', message => qr/^protocol "socket\.io-postgres" cannot list clients$/ }, "the dialect of $level");
        $node->safe_psql('postgres', "ALTER $level RESET ALL");
        # What is set for those that begin later is not this session's.
        for my $protocol ('adapter-postgres', 'cluster')
        {
            my $soon = $ask =~ s/10 min/5 s/r;
            is_answered(ask($node, 'app', qq{
                SET socketio_emitter.protocol = '$protocol';
                ALTER $level SET socketio_emitter.channel_prefix = 'mine';
                ALTER $level SET socketio_emitter.protocol = 'socket.io-postgres';
                $soon
            }), [ $protocol eq 'cluster' ? 'c' : $id ], "$protocol: a prefix that $level gets later");
            $node->safe_psql('postgres', "ALTER $level RESET ALL");
        }
    }
    stop_server($server, $mine, $new);
}
is_without_workers($node, 'asking');

# A dump brings back what functions and databases set, before the library is there.
{
    my $file = PostgreSQL::Test::Utils::tempdir . '/dump.sql';
    $node->safe_psql('postgres', q{
        CREATE DATABASE dumped TEMPLATE app OWNER owner;
        ALTER DATABASE dumped SET socketio_emitter.protocol = 'adapter-postgres';
        ALTER DATABASE dumped SET socketio_emitter.channel_prefix = 'mine';
    });
    my $calls = 'SELECT emit_here(); SELECT emit_cluster(); SELECT emit_adapter(); SELECT emit_palmetto();';
    my @places = ('adapter-postgres mine', 'cluster mine', 'adapter-postgres mine', q{socket.io-postgres it's}, q{adapter-postgres it's});
    my $definitions = q{SELECT proname, proconfig FROM pg_proc WHERE proname LIKE 'emit\_%' ORDER BY 1};
    my $before = $node->safe_psql('dumped', $definitions);
    is_in_force($calls, [], \@places, 'before the dump', database => 'dumped');
    for my $options ([], ['--format=custom'])
    {
        $node->command_ok([ 'pg_dump', '--create', @$options, '--file', $file, 'dumped' ], "pg_dump @$options");
        $node->safe_psql('postgres', 'DROP DATABASE dumped');
        my @restore = @$options ? ('pg_restore', '--exit-on-error', '--create', '-d', 'postgres', $file) : ('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $file, 'postgres');
        $node->command_ok(\@restore, "pg_dump @$options: restored");
        is($node->safe_psql('dumped', $definitions), $before, "pg_dump @$options: functions");
        is_in_force("$calls $show", [ 'adapter-postgres', 'mine' ], \@places, "pg_dump @$options: where they emit", database => 'dumped');
    }
    # Into a database of another dialect, as a role that is nobody.
    $node->command_ok([ 'pg_dump', '--no-owner', '--no-privileges', '--no-comments', '--file', $file, 'dumped' ], 'pg_dump');
    $node->safe_psql('postgres', q{CREATE DATABASE other OWNER owner; ALTER DATABASE other SET socketio_emitter.protocol = 'socket.io-postgres'; GRANT CREATE ON DATABASE other TO owner});
    $node->safe_psql('other', 'GRANT ALL ON SCHEMA public TO owner');
    $node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-U', 'owner', '-f', $file, 'other' ], 'pg_dump: restored by another role into a database of another dialect');
    is($node->safe_psql('other', $definitions), $before, 'pg_dump: functions in a database of another dialect');
    is_in_force("$calls $show", [ 'socket.io-postgres', 'socket-io' ], [ 'socket.io-postgres', 'cluster', 'adapter-postgres', q{socket.io-postgres it's}, q{adapter-postgres it's} ],
        'pg_dump: where they emit in a database of another dialect', database => 'other');
}

# A prefix that is not set is not set for what the worker runs either: a trigger of the attachment table that emits in another dialect.
create_database($node, 'told', q{
    CREATE EXTENSION socketio_emitter;
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql SET socketio_emitter.protocol = 'socket.io-postgres' AS
        $$BEGIN PERFORM socketio_emit(event => 'told'); RETURN NULL; END$$;
    CREATE TRIGGER tell AFTER INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION tell();
});
$node->safe_psql('postgres', q{ALTER DATABASE told SET socketio_emitter.channel_prefix = 'other'});
for my $prefix (undef, 'mine')
{
    my $set = defined $prefix ? "SET socketio_emitter.channel_prefix = '$prefix';" : 'SET socketio_emitter.channel_prefix TO DEFAULT;';
    my $ask = q{SELECT socketio_server_side_emit_with_ack(event => 'large', args => to_jsonb(repeat('x', 9000)), timeout => '1s');};
    my $session = session($node, 'told', "$set $ask", channels => \@channels);
    my $expected = $prefix // 'other';
    is_deeply([ grep { /:/ } @{ places($session) } ], ["$expected:/"], "a trigger in the worker that emits in another dialect, with prefix $expected");
}
$node->safe_psql('postgres', 'ALTER DATABASE told RESET ALL');
my $session = session($node, 'told', q{SELECT socketio_server_side_emit_with_ack(event => 'large', args => to_jsonb(repeat('x', 9000)), timeout => '1s');},
    channels => \@channels);
is_deeply([ grep { /:/ } @{ places($session) } ], ['socket-io:/'], 'a trigger in the worker that emits in another dialect, with the default prefix of that one');

$node->stop;
is_quiet($node);
server_is_sound($node);
done_testing();
