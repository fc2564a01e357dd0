# What would lose large messages without a word, or send them elsewhere: row-level security on the extension's table, ids that
# are used up or given twice, and a writer's search_path under a watch.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN; CREATE ROLE client LOGIN; CREATE ROLE web_server LOGIN; CREATE ROLE tenant LOGIN;');

# Row-level security that nobody wrote a policy for: servers would see no row.
my $secured = sub { return { sqlstate => '0A000', message => qr/^attachment table "socket_io_attachments" has row-level security$/, @_ } };
for my $owner (undef, 'owner')
{
    my $database = 'secured_by_' . ($owner // 'superuser');
    create_database($node, $database, undef, options => 'OWNER ' . ($owner // 'postgres'));
    $node->safe_psql($database, 'CREATE EXTENSION socketio_emitter', extra_params => [ defined $owner ? ('-U', $owner) : () ]);
    $node->safe_psql($database, 'GRANT SELECT, INSERT, DELETE ON socket_io_attachments TO web_server;'
          . 'ALTER TABLE socket_io_attachments ENABLE ROW LEVEL SECURITY');
    for my $user ('client', $owner)
    {
        my $session = session($node, $database, large('lost') . small('small'), user => $user);
        is_refused($session, $secured->(detail => qr/^No policy lets a server read/, hint => qr/^ALTER TABLE socket_io_attachments DISABLE ROW LEVEL SECURITY/),
            "$database, emitted by " . ($user // 'a superuser'));
        is_deeply(events($session), [ ['small'] ], "$database: small messages go on");
    }
    $node->safe_psql($database, 'CREATE POLICY storing ON socket_io_attachments FOR INSERT WITH CHECK (true)');
    is_refused(session($node, $database, large('lost'), user => 'client'), $secured->(), "$database: a policy for other commands");
    $node->safe_psql($database, 'CREATE POLICY servers ON socket_io_attachments TO web_server USING (true)');
    is_emitted(session($node, $database, large('seen'), user => 'client'), [ [ 'seen', 'x' x 9000 ] ], "$database: a policy that lets servers read");
    is($node->safe_psql($database, 'SELECT count(*) FROM socket_io_attachments', extra_params => [ '-U', 'web_server' ]), '1', "$database: the server sees it");

    $node->safe_psql($database, 'DROP POLICY servers ON socket_io_attachments; ALTER TABLE socket_io_attachments FORCE ROW LEVEL SECURITY');
    my $detail = defined $owner ? qr/^It is forced upon the table's owner/ : qr/^No policy/;
    is_refused(session($node, $database, large('lost'), user => 'client'), $secured->(detail => $detail), "$database, forced");
    $node->safe_psql($database, 'ALTER TABLE socket_io_attachments DISABLE ROW LEVEL SECURITY');
    is_emitted(session($node, $database, large('seen'), user => 'client'), [ [ 'seen', 'x' x 9000 ] ], "$database: the hint followed");
}

# The sequence of the ids: at its end, and set back.
create_database($node, 'ids', "CREATE EXTENSION socketio_emitter; CREATE TABLE small (id smallserial PRIMARY KEY, created_at timestamptz, payload bytea);"
      . 'CREATE TABLE identity (id int GENERATED ALWAYS AS IDENTITY UNIQUE, created_at timestamptz, payload bytea);'
      . 'CREATE SEQUENCE numbers MAXVALUE 2 START 2; CREATE TABLE chosen (id int DEFAULT nextval($$numbers$$) UNIQUE, created_at timestamptz, payload bytea);');
my @tables = (
    [ 'socket_io_attachments', 'public.socket_io_attachments_id_seq', '9223372036854775807' ],
    [ 'small', 'public.small_id_seq', '32767' ],
    [ 'identity', 'public.identity_id_seq', '2147483647' ],
);
for (@tables)
{
    my ($table, $sequence, $end) = @$_;
    my $through = "SET socketio_emitter.attachment_table = '$table';";
    $node->safe_psql('ids', "SELECT setval('$sequence', $end)");
    is_refused(session($node, 'ids', $through . large('never')), {
            sqlstate => '2200H',
            message  => qr/^ids of attachment table "$table" are used up$/,
            detail   => qr/\Q$end\E/,
            hint     => qr/^ALTER SEQUENCE \Q$sequence\E RESTART/,
            context  => qr/while storing a message in attachment table "$table"/,
        }, "$table, ids used up");
    $node->safe_psql('ids', "ALTER SEQUENCE $sequence RESTART");
    is_emitted(session($node, 'ids', $through . large('one') . large('two')), [ map { [ $_, 'x' x 9000 ] } 'one', 'two' ], "$table, the hint followed", table => $table);

    $node->safe_psql('ids', "SELECT setval('$sequence', 1)");
    my $session = session($node, 'ids', $through . large('never') . small('on'));
    is_refused($session, {
            sqlstate => '23505',
            message  => qr/^attachment table "$table" has a row with the next id already$/,
            detail   => qr/\(id\)=\(2\)/,
            hint     => qr/^Its sequence has been set back: SELECT setval\('\Q$sequence\E', \(SELECT max\(id\) FROM $table\)\)/,
            context  => qr/while storing a message in attachment table "$table"/,
        }, "$table, a sequence set back");
    is_deeply(events($session), [ ['on'] ], "$table, a sequence set back: the session goes on");
    my ($command) = $session->{errors}[0]{hint} =~ /(SELECT setval.*)\.$/;
    is_emitted(session($node, 'ids', "$command; $through" . large('three')) , [ [ 'three', 'x' x 9000 ] ], "$table, a sequence set on as the hint says", table => $table);
}
my $through = q{SET socketio_emitter.attachment_table = 'chosen';};
is_clean(session($node, 'ids', $through . large('one')), 'a sequence of the application\'s choosing');
is_refused(session($node, 'ids', $through . large('never')),
    { sqlstate => '2200H', message => qr/"numbers"/, context => qr/while storing a message in attachment table "chosen"/ }, 'a sequence of the application\'s choosing, at its end');
$node->safe_psql('ids', 'ALTER SEQUENCE numbers RESTART');
is_refused(session($node, 'ids', $through . large('never')),
    { sqlstate => '23505', message => qr/^attachment table "chosen" has a row with the next id already$/, hint => qr/default of column "id"/ }, 'a sequence of the application\'s choosing, set back');

# The same errors of other tables, met by a trigger, are not taken for those.
$node->safe_psql('ids', q{
    CREATE TABLE other (id int PRIMARY KEY);
    CREATE SEQUENCE other_numbers MAXVALUE 2 START 2;
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('app.way', true) = 'sequence' THEN
            PERFORM nextval('other_numbers'), nextval('other_numbers');
        ELSE
            INSERT INTO other VALUES (1), (1);
        END IF;
        RETURN NEW;
    END$$;
    CREATE TRIGGER note BEFORE INSERT ON small FOR EACH ROW EXECUTE FUNCTION note();
});
my $session = session($node, 'ids', q{SET socketio_emitter.attachment_table = 'small';} . large('never') . 'SET app.way = sequence;' . large('never'));
is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ '23505', '2200H' ], 'errors of other tables: as they are');
like($session->{errors}[0]{message}, qr/unique constraint "other_pkey"/, 'errors of other tables: a duplicate');
like($session->{errors}[1]{message}, qr/"other_numbers"/, 'errors of other tables: a sequence at its end');
like($_->{context}, qr/while storing a message in attachment table "small"/, 'errors of other tables: where they were met') for @{ $session->{errors} };

# A writer's search_path does not decide where a change of a watched table goes.
create_database($node, 'watched', q{
    CREATE EXTENSION socketio_emitter;
    CREATE TABLE orders (id int PRIMARY KEY, t text);
    CREATE TABLE batches (id int PRIMARY KEY, t text);
    SELECT socketio_watch('orders', 'payload=record');
    SELECT socketio_watch_statement('batches', 'payload=record');
    GRANT INSERT ON orders, batches TO tenant;
    CREATE SCHEMA evil AUTHORIZATION tenant;
    SET ROLE tenant;
    CREATE TABLE evil.socket_io_attachments (id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea);
});
my $writer = q{
    SET search_path = evil, public;
    INSERT INTO orders VALUES (1, repeat('x', 9000));
    INSERT INTO batches VALUES (1, repeat('x', 9000));
};
my $row = { id => 1, t => 'x' x 9000 };
is_emitted(session($node, 'watched', $writer, user => 'tenant'),
    [ [ 'orders:insert', $row ], [ 'batches:insert', { count => 1, records => [$row] } ] ], 'a search_path of the writer\'s', table => 'public.socket_io_attachments');
is($node->safe_psql('watched', 'SELECT count(*) FROM evil.socket_io_attachments'), '0', 'a search_path of the writer\'s: nothing went elsewhere');
$session = session($node, 'watched', 'SET search_path = evil, public;' . large('own') . q{
    CREATE TEMP TABLE socket_io_attachments (id bigserial, created_at timestamptz, payload bytea);
    INSERT INTO public.orders VALUES (2, repeat('x', 9000));
    DO $$BEGIN
        INSERT INTO public.orders VALUES (2, 'twice');
    EXCEPTION WHEN unique_violation THEN
        NULL;
    END$$;
    DROP TABLE pg_temp.socket_io_attachments;
} . large('own'), user => 'tenant');
is_clean($session, 'an emit of one\'s own, and a temporary table of the name');
is($node->safe_psql('watched', 'SELECT count(*) FROM evil.socket_io_attachments'), '2', 'an emit of one\'s own is found by the search_path');
is($node->safe_psql('watched', 'SELECT count(*) FROM public.socket_io_attachments'), '3', 'and what triggers emit never is');

# A watch that fails leaves nothing behind that would send an emit of one's own elsewhere.
$node->safe_psql('watched', q{CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'failing' USING ERRCODE = 'U0001'; END$$;
    CREATE TRIGGER fail BEFORE INSERT ON public.socket_io_attachments FOR EACH ROW EXECUTE FUNCTION fail();});
$session = session($node, 'watched', q{SET search_path = evil, public;
    DO $$BEGIN
        INSERT INTO public.orders VALUES (3, repeat('x', 9000));
    EXCEPTION WHEN SQLSTATE 'U0001' THEN
        PERFORM socketio_emit(event => 'own', args => to_jsonb(repeat('x', 9000)));
    END$$;}, user => 'tenant');
is_emitted($session, [ [ 'own', 'x' x 9000 ] ], 'an emit of one\'s own after a watch that failed', table => 'evil.socket_io_attachments');

# Where the extension's schema has no such table, that in public is the one; and what it is, cannot be watched.
create_database($node, 'in_public', q{
    CREATE SCHEMA emitter;
    CREATE EXTENSION socketio_emitter SCHEMA emitter;
    ALTER DATABASE in_public SET socketio_emitter.attachment_table = 'files';
    CREATE TABLE files (id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea);
    GRANT ALL ON files TO PUBLIC;
    GRANT ALL ON SEQUENCE files_id_seq TO PUBLIC;
    CREATE TABLE orders (id int PRIMARY KEY, t text);
    SELECT emitter.socketio_watch('orders', 'payload=record');
    GRANT INSERT ON orders TO tenant;
    CREATE SCHEMA evil;
    CREATE TABLE evil.files (LIKE files INCLUDING ALL);
    GRANT ALL ON SCHEMA evil TO PUBLIC;
    GRANT ALL ON evil.files TO PUBLIC;
});
is_emitted(session($node, 'in_public', q{SET search_path = evil; INSERT INTO public.orders VALUES (1, repeat('x', 9000));}, user => 'tenant'),
    [ [ 'orders:insert', $row ] ], 'a table in public', table => 'public.files');
my $recursion = { sqlstate => '0A000', message => qr/cannot emit changes of the attachment table "files"/ };
is_refused(session($node, 'in_public', q{SET search_path = evil; SELECT emitter.socketio_watch('public.files');}), $recursion, 'a watch on it, whatever the search_path');
is_clean(session($node, 'in_public', q{SET search_path = evil; SELECT emitter.socketio_watch('evil.files');}), 'a watch on another of that name');
$node->safe_psql('in_public', 'DROP TABLE public.files CASCADE');
is_refused(session($node, 'in_public', q{SET search_path = evil; INSERT INTO public.orders VALUES (2, repeat('x', 9000));}, user => 'tenant'),
    { sqlstate => '42P01', message => qr/^attachment table "files" does not exist$/, hint => qr/with its schema/ }, 'neither here nor there');

server_is_sound($node);
done_testing();
