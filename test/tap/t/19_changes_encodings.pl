# Row changes in databases that are not UTF-8: names of schemas, tables and columns, values and options in letters beyond ASCII
# arrive as what they are, and what cannot be converted is an error that takes the write back.

use strict;
use warnings;
use utf8;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');

my %encodings = (
    LATIN1    => { schema => 'Größen', table => 'Käufe', column => 'Größe ½', text => "für 5 £ \"«ÿ»\" \\ / \x{a0}\x{ad} \t", none => 'Übrig' },
    EUC_JP    => { schema => '店', table => '注文', column => '名前 丂', text => "日本語のテキスト ｶﾅ 丂 §±× \"引用\" \\ 、。", none => '無い' },
    WIN1251   => { schema => 'склад', table => 'заказы', column => 'имя №', text => "Привет, \"мир\" € № \\ \t", none => 'нет' },
    UTF8      => { schema => 'Größen', table => '注文 😀', column => 'имя €', text => "Größe € 部屋 😀 \"quoted\" \\ \t", none => 'нет 部屋' },
    SQL_ASCII => { schema => 'Größen', table => '注文 😀', column => 'имя €', text => "Größe € 部屋 😀 \"quoted\" \\ \t", none => 'нет 部屋' },
);

for my $encoding (sort keys %encodings)
{
    my ($schema, $table, $column, $text, $none) = @{ $encodings{$encoding} }{qw(schema table column text none)};
    my $database = lc $encoding;
    create_database($node, $database, 'CREATE EXTENSION socketio_emitter', options => "ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    my ($row, $other) = ({ id => 1, $column => $text }, { id => 2, $column => 'ascii' });
    my $options = { rooms => [ "$schema.$table", $text ], except => ["nicht $text"], flags => {} };
    my $common = "'rooms={schema}.{table},{$column}', 'except=nicht {$column}', 'event=$none {op}'";
    my $change = sub { my ($op, @rest) = @_; return [ "$none $op", { op => $op, schema => $schema, table => $table, @rest } ] };

    for my $way ('notification', 'attachment')
    {
        my $session = session($node, $database, qq{
            CREATE SCHEMA "$schema";
            CREATE TABLE "$schema"."$table" (id int PRIMARY KEY, "$column" text);
            SELECT socketio_watch('"$schema"."$table"', 'nsp=/$schema', $common, 'payload=diff');
            SET socketio_emitter.payload_threshold = @{[ $way eq 'attachment' ? 1 : 8000 ]};
            INSERT INTO "$schema"."$table" VALUES (1, '$text');
            UPDATE "$schema"."$table" SET "$column" = NULL;
            TRUNCATE "$schema"."$table";
            SELECT socketio_watch_statement('"$schema"."$table"', 'nsp=/$schema', $common, 'columns=$column, id');
            INSERT INTO "$schema"."$table" VALUES (1, '$text'), (2, 'ascii');
            DELETE FROM "$schema"."$table" WHERE id = 1;
            SELECT "table", trigger, options[2] FROM socketio_watches WHERE trigger = 'socketio_watch_insert';
        }, channels => ["socket.io#/$schema"]);
        my $name = "$encoding, $way";
        is_clean($session, $name);
        is_deeply(ways($session), [ ($way) x 6 ], "$name: the way it goes");
        is_deeply(events($session), [
                $change->('insert', key => { id => 1 }, record => $row, old_record => undef),
                $change->('update', key => { id => 1 }, record => { $column => undef }, old_record => { $column => $text }),
                $change->('truncate'),
                $change->('insert', count => 1, records => [$row], old_records => undef),
                $change->('insert', count => 1, records => [$other], old_records => undef),
                $change->('delete', count => 1, records => undef, old_records => [$row]),
            ], "$name: what arrives");
        my @options = map { $_->{data}{opts} } @{ messages($session) };
        is_deeply(\@options, [
                $options, { %$options, except => [] }, { %$options, rooms => ["$schema.$table"], except => [] },
                $options, { %$options, rooms => [ "$schema.$table", 'ascii' ], except => ['nicht ascii'] }, $options,
            ], "$name: rooms");
        is_deeply($session->{rows}, [qq{"$schema"."$table"|socketio_watch_insert|rooms={schema}.{table},{$column}}], "$name: the view");

        # What an error shows is text as its user knows it.
        is_refused(session($node, $database, qq{CREATE TRIGGER "$none" AFTER INSERT ON "$schema"."$table" FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('rooms={$none}')}),
            { sqlstate => '42703', message => qr/^option "rooms" of trigger "\Q$none\E" on table "\Q$table\E" names column "\Q$none\E", which does not exist$/ },
            "$name: an error that shows text");
        is_clean(session($node, $database, qq{SELECT socketio_unwatch('"$schema"."$table"'); DROP SCHEMA "$schema" CASCADE}), "$name: unwatched");
    }

    # Rows whose text grows or shrinks as UTF-8, about the sizes where a message changes its way.
    my $letter = substr $text =~ s/[\x00-\x7f]//gr, 0, 1;
    my $session = session($node, $database, qq{
        CREATE TABLE long (t text);
        SELECT socketio_watch('long', 'payload=record');
        INSERT INTO long SELECT repeat('$letter', length) FROM unnest('{1333,2600,2665,3900,3999,7800,7995,20000}'::int[]) AS length;
        SELECT socketio_watch_statement('long', 'payload=record', 'event=batch');
        INSERT INTO long SELECT repeat('$letter', 5000) FROM generate_series(1, 3);
    });
    is_emitted($session, [ (map { [ 'long:insert', { t => $letter x $_ } ] } 1333, 2600, 2665, 3900, 3999, 7800, 7995, 20000),
            [ 'batch', { count => 3, records => [ ({ t => $letter x 5000 }) x 3 ] } ] ], "$encoding: long text");
}

# Characters of json that are written as escapes, with those that the database's encoding lacks, which jsonb refuses; in keys, too.
for my $database (map { lc } sort keys %encodings)
{
    for my $way ('notification', 'attachment')
    {
        my $session = session($node, $database, qq{
            CREATE TABLE escaped (id int PRIMARY KEY, v json);
            SELECT socketio_watch('escaped', 'payload=record', 'event=e');
            SET socketio_emitter.payload_threshold = @{[ $way eq 'attachment' ? 1 : 8000 ]};
            INSERT INTO escaped VALUES (1, '{"\\u20ac": "a\\u00e9\\u0416\\u4e2d\\ud83d\\ude00\\u0000\\u0001z", "k": 1, "\\u006b": [2]}');
            DELETE FROM escaped;
            SELECT socketio_emit_values(NULL, 'v', '"\\u20ac \\u4e2d"'::json);
            DROP TABLE escaped;
        });
        my $row = { id => 1, v => { '€' => "aéЖ中😀\x{0}\x{1}z", k => [2] } };
        is_emitted($session, [ [ 'e', $row ], [ 'e', $row ], [ 'v', '€ 中' ] ], "$database, $way: escapes in json");
        is_deeply(ways($session), [ ($way) x 3 ], "$database, $way: escapes in json: the way they go");
    }
}
# What is equal as a character is one key, and the last one counts.
{
    my $session = session($node, 'latin1', q{
        CREATE TABLE escaped (v json);
        SELECT socketio_watch('escaped', 'payload=record', 'event=e');
        INSERT INTO escaped VALUES ('{"é": 1, "\u20ac": 2, "\u00e9": 3}'), ('{"\u00e9": 1, "é": 3}');
    });
    is_emitted($session, [ [ 'e', { v => { 'é' => 3, '€' => 2 } } ], [ 'e', { v => { 'é' => 3 } } ] ], 'equal keys');
}

# Bytes that are no text: SQL_ASCII takes any, WIN1251 one that means nothing. The write is refused wherever they stand, and the session goes on.
my %broken = (
    sql_ascii => [ q{convert_from('\xe4'::bytea, 'SQL_ASCII')}, { sqlstate => '22021', message => qr/invalid byte sequence for encoding "UTF8": 0xe4/ } ],
    win1251   => [ q{convert_from('\x98'::bytea, 'WIN1251')},   { sqlstate => '22P05', message => qr/character with byte sequence 0x98 in encoding "WIN1251" has no equivalent in encoding "UTF8"/ } ],
);
my %places = (
    'a record'        => q{'payload=record'},
    'a diff'          => q{'payload=diff'},
    'a room'          => q{'rooms={t}', 'payload=keys'},
    'a room left out' => q{'rooms=a', 'except=b,{t}', 'payload=keys'},
    'an event'        => q{'event=x{t}', 'payload=keys'},
);
for my $database (sort keys %broken)
{
    my ($bytes, $error) = @{ $broken{$database} };
    for my $level ('socketio_watch', 'socketio_watch_statement')
    {
        for my $place (sort keys %places)
        {
            my $name = "$database, $level, bytes that are no text in $place";
            my $session = session($node, $database, qq{
                CREATE TABLE broken (id int PRIMARY KEY, t text);
                SELECT $level('broken', $places{$place});
                BEGIN;
                INSERT INTO broken VALUES (1, 'before');
                SAVEPOINT s;
                INSERT INTO broken SELECT i, CASE i WHEN 50 THEN $bytes ELSE 'undone' END FROM generate_series(2, 100) AS i;
                ROLLBACK TO s;
                INSERT INTO broken VALUES (101, 'after');
                COMMIT;
                SELECT id FROM broken ORDER BY id;
                DROP TABLE broken;
            });
            is_refused($session, $error, $name);
            is(scalar @{ $session->{notifications} }, 2, "$name: what was written before and after is emitted");
            is_deeply($session->{rows}, [ 1, 101 ], "$name: the rows");
        }
    }
}
# Names and options as well.
{
    my $session = session($node, 'sql_ascii', q{
        DO $$
        DECLARE bad text := convert_from('\xe4'::bytea, 'SQL_ASCII');
        BEGIN
            EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, t text)', 'table ' || bad);
            EXECUTE format('CREATE TABLE named (id int, %I text)', bad);
        END$$;
        SELECT socketio_watch('named', 'payload=record');
        INSERT INTO named VALUES (1, 'x');
        SELECT socketio_watch('named', 'columns=id', 'payload=record');
        INSERT INTO named VALUES (2, 'x');
    });
    is_refused($session, $broken{sql_ascii}[1], 'a column\'s name that is no text');
    is_deeply(events($session), [ [ 'named:insert', { id => 2 } ] ], 'a column\'s name that is no text, left out');
    $session = session($node, 'sql_ascii', q{
        DO $$
        DECLARE bad text := convert_from('\xe4'::bytea, 'SQL_ASCII'); watched regclass;
        BEGIN
            FOR watched IN SELECT oid FROM pg_class WHERE relname LIKE 'table %' LOOP
                PERFORM socketio_watch(watched, 'payload=keys');
                EXECUTE format('INSERT INTO %s VALUES (1)', watched);
            END LOOP;
        END$$;
    });
    is_refused($session, $broken{sql_ascii}[1], 'a table\'s name that is no text');
    $session = session($node, 'sql_ascii', q{
        CREATE TABLE optioned (id int PRIMARY KEY);
        DO $$BEGIN PERFORM socketio_watch('optioned', 'rooms=a' || convert_from('\xe4'::bytea, 'SQL_ASCII')); END$$;
        INSERT INTO optioned VALUES (1);
    });
    is($session->{errors}[0]{sqlstate}, '22021', 'an option that is no text');
    is_deeply(events($session), [ [ 'optioned:insert', { op => 'insert', schema => 'public', table => 'optioned', record => { id => 1 }, old_record => undef } ] ], 'an option that is no text') if @{ $session->{errors} } == 0;
}

server_is_sound($node);
done_testing();
