# Values arrive the same however PostgreSQL holds them: made on the spot, out of a row (short header), compressed, out of
# line, or expanded in a variable of PL/pgSQL.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
create_database($node, 'app', q{
    CREATE EXTENSION socketio_emitter;
    CREATE TYPE item AS (name text, tags text[], data bytea);
    CREATE TABLE held (
        size int, way text, rooms text[], target socketio_target, t text, a text[], d text[], b bytea, j jsonb, n json, c item, cs item[], m numeric);
});

# Sizes: short headers below 128 bytes, compression and storage out of line from 2 kB on; a random text does not compress.
my @ways = ('plain', 'extended', 'external', 'main');
for my $way (@ways)
{
    my $columns = join ', ', map { "ALTER $_ SET STORAGE $way" } qw(rooms target t a d b j n c cs m);
    is_clean(session($node, 'app', "ALTER TABLE held $columns;"), "storage $way") if $way ne 'plain';
    $node->safe_psql('app', qq{
        INSERT INTO held
        SELECT size, '$way', rooms, socketio_except(socketio_to(VARIADIC rooms), 'not ' || size),
            t, a, ARRAY[a, a], t::bytea, jsonb_build_object('a', a, 't', t), json_build_object('a', a, 't', t),
            ROW(t, a, t::bytea)::item, ARRAY[ROW(t, a, t::bytea), NULL, ROW('', '{}', '')]::item[], repeat('7', least(size, 1000))::numeric
        FROM unnest('{1, 10, 100, 1000}'::int[]) AS size,
            LATERAL (SELECT array_agg('room ' || i) AS rooms, array_agg(CASE WHEN i % 7 <> 0 THEN md5(i::text) END) AS a,
                string_agg(md5(i::text), '') AS t FROM generate_series(1, size) AS i) AS made
        WHERE '$way' <> 'plain' OR size <= 10;
    });
}


# How a value is handed over: straight from its row, and from variables.
my %handed = (
    'from rows' => q{
        SELECT socketio_emit('/', rooms, ARRAY['not ' || size], 'flat', to_jsonb(size)) FROM held WHERE %1$s;
        SELECT socketio_emit(target, 'target', to_jsonb(size)) FROM held WHERE %1$s;
        SELECT socketio_emit_values(target, 'values', size, t, a, d, b, j, n, c, cs, m) FROM held WHERE %1$s;
        SELECT socketio_emit_values(socketio_except(socketio_to(VARIADIC rooms), 'not ' || size), 'variadic', VARIADIC a) FROM held WHERE %1$s;
    },
    'from variables' => q{
        DO $$
        DECLARE
            h held; rooms text[]; target socketio_target; a text[]; d text[]; c item; cs item[];
        BEGIN
            SELECT * INTO h FROM held WHERE %1$s;
            rooms := h.rooms; target := h.target; a := h.a; d := h.d; c := h.c; cs := h.cs;
            -- An assignment to a part makes PL/pgSQL hold the whole in its expanded form.
            rooms[1] := rooms[1]; target.nsp := '/'; a[1] := a[1]; d[1][1] := d[1][1]; c.name := c.name; cs[1] := c;
            PERFORM socketio_emit('/', rooms, ARRAY['not ' || h.size], 'flat', to_jsonb(h.size));
            PERFORM socketio_emit(target, 'target', to_jsonb(h.size));
            PERFORM socketio_emit_values(target, 'values', h.size, h.t, a, d, h.b, h.j, h.n, c, cs, h.m);
            PERFORM socketio_emit_values(socketio_except(socketio_to(VARIADIC rooms), 'not ' || h.size), 'variadic', VARIADIC a);
        END$$;
    },
);

# What is to arrive of `$size`, from what the table holds by PostgreSQL's own account.
my %texts = map { split /\|/ } split /\n/, $node->safe_psql('app', q{SELECT DISTINCT size, t FROM held});
sub expected_events
{
    my ($size) = @_;
    my $text = $texts{$size};
    my @list = map { $_ % 7 ? substr $text, 32 * ($_ - 1), 32 : undef } 1 .. $size;
    my $bytes = sub { bless { bytes => $_[0] }, 'MessagePack::Binary' };
    my $document = { a => [@list], t => $text };
    my $item = { name => $text, tags => [@list], data => $bytes->($text) };
    my $empty = { name => '', tags => [], data => $bytes->('') };
    my $number = $size <= 15 ? '7' x $size : unpack 'd', pack 'd', '7' x ($size < 1000 ? $size : 1000);
    return [
        [ 'flat', $size ], [ 'target', $size ],
        [ 'values', $size, $text, [@list], [ [@list], [@list] ], $bytes->($text), $document, $document, $item, [ $item, undef, $empty ], $number ],
        [ 'variadic', @list ],
    ];
}

for my $way (@ways)
{
    for my $size ($way eq 'plain' ? (1, 10) : (1, 10, 100, 1000))
    {
        for my $handed (sort keys %handed)
        {
            my $name = "$size, stored $way, $handed";
            my $session = session($node, 'app', sprintf $handed{$handed}, "way = '$way' AND size = $size");
            is_emitted($session, expected_events($size), $name);
            my $opts = { rooms => [ map { "room $_" } 1 .. $size ], except => ["not $size"], flags => {} };
            is_deeply([ map { $_->{data}{opts} } @{ messages($session) } ], [ ($opts) x 4 ], "$name: rooms");
        }
    }
}

server_is_sound($node);
done_testing();
