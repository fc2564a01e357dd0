# CREATE EXTENSION leaves the privileges that README states, whatever ALTER DEFAULT PRIVILEGES say; ALTER EXTENSION UPDATE takes
# away what they gave to the old version, and keeps what users granted; dump and restore keep that, too.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
$node->safe_psql('postgres', 'CREATE ROLE web_anon LOGIN; CREATE ROLE web_server LOGIN; CREATE ROLE moderator LOGIN;'
      . 'CREATE ROLE "Dr. O\'Wner" LOGIN; CREATE ROLE owner LOGIN;');

# Every privilege on the extension's objects, effective ones, as one reads them: who may do what to what.
my $privileges = q{
    SET search_path = pg_catalog;
    WITH part AS (SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
        AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'socketio_emitter')),
    object AS (
        SELECT p.oid::regprocedure::text AS name, p.proowner AS owner, coalesce(p.proacl, acldefault('f', p.proowner)) AS acl
        FROM part JOIN pg_proc AS p ON p.oid = objid AND classid = 'pg_proc'::regclass
        UNION ALL
        SELECT c.oid::regclass::text, c.relowner, coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner))
        FROM part JOIN pg_class AS c ON c.oid = objid AND classid = 'pg_class'::regclass AND c.relkind <> 'c'
        UNION ALL
        SELECT t.oid::regtype::text, t.typowner, coalesce(t.typacl, acldefault('T', t.typowner))
        FROM part JOIN pg_type AS t ON t.oid = objid AND classid = 'pg_type'::regclass)
    SELECT name || ': ' || CASE a.grantee WHEN o.owner THEN 'owner' WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END || ' '
        || string_agg(a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END, ',' ORDER BY a.privilege_type)
    FROM object AS o, aclexplode(o.acl) AS a GROUP BY o.name, a.grantee, o.owner ORDER BY 1;
};
# What pg_dump takes an object's privileges to have been at first.
my $initial = q{SET search_path = pg_catalog;
    SELECT pg_describe_object(classoid, objoid, objsubid), initprivs FROM pg_init_privs WHERE privtype = 'e' AND objoid IN (
        SELECT objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
            AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'socketio_emitter')) ORDER BY 1;};

sub privileges_in { my ($database) = @_; return $node->safe_psql($database, $privileges) }

my $create = 'CREATE EXTENSION socketio_emitter;';
create_database($node, 'plain', $create);
my $expected = privileges_in('plain');
my @lines = split /\n/, $expected;
ok((grep { $_ eq 'public.socket_io_attachments: owner DELETE,INSERT,REFERENCES,SELECT,TRIGGER,TRUNCATE,UPDATE' || /^public.socket_io_attachments: owner .*MAINTAIN/ } @lines), 'the table is its owner\'s');
is_deeply([ grep { /^public.socket_io_attachments/ && !/: owner/ } @lines ], [], 'and nobody else\'s');
is_deeply([ grep { /^public.socketio_(disconnect|sockets_|fetch)/ && !/: owner EXECUTE$/ } @lines ], [], 'what controls and asks is for the owner');
ok((grep { $_ eq 'public.socketio_of(text): PUBLIC EXECUTE' } @lines), 'the rest is for everyone');

# Before CREATE EXTENSION: what hosted databases have, and more. Each is to make no difference.
my $all = 'GRANT ALL ON TABLES TO %1$s; ALTER DEFAULT PRIVILEGES %2$s GRANT ALL ON SEQUENCES TO %1$s;'
  . 'ALTER DEFAULT PRIVILEGES %2$s GRANT ALL ON FUNCTIONS TO %1$s;';
my %defaults = (
    per_schema   => sprintf("ALTER DEFAULT PRIVILEGES IN SCHEMA public $all", 'web_anon', 'IN SCHEMA public'),
    global       => sprintf("ALTER DEFAULT PRIVILEGES $all", 'web_anon', '') . 'ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO web_anon;',
    for_public   => sprintf("ALTER DEFAULT PRIVILEGES IN SCHEMA public $all", 'PUBLIC', 'IN SCHEMA public'),
    grantable    => 'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO web_anon WITH GRANT OPTION; ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO web_anon WITH GRANT OPTION;',
    quoted       => sprintf("ALTER DEFAULT PRIVILEGES IN SCHEMA public $all", q{"Dr. O'Wner"}, 'IN SCHEMA public'),
    taken_away   => 'ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;',
    from_oneself => 'ALTER DEFAULT PRIVILEGES REVOKE SELECT, INSERT ON TABLES FROM CURRENT_USER; ALTER DEFAULT PRIVILEGES REVOKE USAGE ON SEQUENCES FROM CURRENT_USER;',
);
my $plain_initial = $node->safe_psql('plain', $initial);
for my $kind (sort keys %defaults)
{
    create_database($node, "fresh_$kind", "$defaults{$kind} $create");
    is(privileges_in("fresh_$kind"), $expected, "defaults $kind: CREATE EXTENSION");
    is($node->safe_psql("fresh_$kind", $initial), $plain_initial, "defaults $kind: what pg_dump leaves out");
}
# Of a trusted extension, the defaults of who creates it and those of the superuser in whose name the script runs.
for my $role ('owner', 'postgres')
{
    my $sql = sprintf "ALTER DEFAULT PRIVILEGES FOR ROLE $role $all", 'web_anon', "FOR ROLE $role";
    create_database($node, "trusted_$role", $sql =~ s/\bpostgres\b/CURRENT_USER/gr, options => 'OWNER owner');
    $node->safe_psql("trusted_$role", $create, extra_params => [ '-U', 'owner' ]);
    unlike(privileges_in("trusted_$role"), qr/web_anon/, "defaults of $role, created by owner: nothing for others");
    is($node->safe_psql("trusted_$role", q{SELECT has_function_privilege('owner', 'socketio_disconnect_sockets(socketio_target, boolean)', 'EXECUTE WITH GRANT OPTION'),
        has_table_privilege('owner', 'socket_io_attachments', 'SELECT, INSERT, DELETE')}), 't|t', "defaults of $role, created by owner: the owner has its own");
}

# Who relied on what the defaults gave to the old version is told.
my $old = q{CREATE EXTENSION socketio_emitter VERSION '0.1.0';};
my $update = 'ALTER EXTENSION socketio_emitter UPDATE;';
my $warning = qr/WARNING:  what default privileges gave on objects of extension "socketio_emitter" has been revoked/;
create_database($node, 'told', $defaults{per_schema});
create_database($node, 'not_told', '');
for my $case ([ 'told', "$old $update", 1 ], [ 'told', "DROP EXTENSION socketio_emitter; $create", 0 ], [ 'not_told', "$old $update", 0 ])
{
    my ($database, $sql, $told) = @$case;
    my ($status, $out, $err) = $node->psql($database, $sql);
    is($status, 0, "$database: $sql");
    is($err =~ $warning ? 1 : 0, $told, "$database: told of it, or not") or diag $err;
}

# What follows from it: who has all by default may neither read, forge, truncate nor control.
my $session = session($node, 'fresh_per_schema', q{
    SELECT count(*) FROM socket_io_attachments;
    INSERT INTO socket_io_attachments (payload) VALUES ('x');
    TRUNCATE socket_io_attachments;
    SELECT nextval('socket_io_attachments_id_seq');
    SELECT * FROM socketio_fetch_sockets();
    SELECT socketio_disconnect_sockets();
    SELECT socketio_disconnect_sockets(socketio_to('a'));
} . small('may emit') . large('and large'), user => 'web_anon');
is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ ('42501') x 7 ], 'a role with all by default may do none of it');
is_deeply(events($session), [ ['may emit'], [ 'and large', 'x' x 9000 ] ], 'and emits as everyone does');
is($node->safe_psql('fresh_per_schema', q{CREATE TABLE mine (); SELECT has_table_privilege('web_anon', 'mine', 'SELECT')}), 't', 'the defaults go on for others');

# A table of the application's is its own, and keeps what it has.
create_database($node, 'application', "$defaults{per_schema} $README_TABLE $create");
is($node->safe_psql('application', q{SELECT has_table_privilege('web_anon', 'socket_io_attachments', 'SELECT')}), 't', 'a table of the application\'s keeps its privileges');

# An update: what the defaults gave goes, what users granted stays, whatever they took from PUBLIC stays away.
my $granted = q{
    GRANT SELECT, INSERT, DELETE ON socket_io_attachments TO web_server;
    GRANT SELECT (id) ON socket_io_attachments TO moderator;
    GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO web_server;
    GRANT EXECUTE ON FUNCTION socketio_disconnect_sockets(socketio_target, boolean) TO moderator WITH GRANT OPTION;
    REVOKE EXECUTE ON FUNCTION socketio_emit(socketio_target, text, jsonb) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION socketio_emit(socketio_target, text, jsonb) TO moderator;
};
my $columns = q{SELECT attname, attacl FROM pg_attribute WHERE attrelid = 'socket_io_attachments'::regclass AND attacl IS NOT NULL;};
create_database($node, 'plain_granted', "$create $granted");
my $expected_granted = privileges_in('plain_granted');
isnt($expected_granted, $expected, 'there was something granted');
for my $kind ('none', 'per_schema', 'global', 'grantable', 'quoted')
{
    create_database($node, "updated_$kind", ($defaults{$kind} // '') . "$old $granted");
    isnt(privileges_in("updated_$kind"), $expected_granted, "defaults $kind, 0.1.0: they gave something") if $kind ne 'none';
    $node->safe_psql("updated_$kind", $update);
    is(privileges_in("updated_$kind"), $expected_granted, "defaults $kind: ALTER EXTENSION UPDATE");
    is($node->safe_psql("updated_$kind", $columns), $node->safe_psql('plain_granted', $columns), "defaults $kind: columns");
    is($node->safe_psql("updated_$kind", $initial), $plain_initial, "defaults $kind, updated: what pg_dump leaves out");
}

# Dumped, and restored where other defaults are in place.
my $dump = $node->basedir . '/dump.sql';
for my $from ('plain_granted', 'fresh_per_schema', 'updated_per_schema', 'updated_global')
{
    $node->command_ok([ 'pg_dump', '--no-sync', '--file', $dump, $node->connstr($from) ], "$from: dumped");
    for my $kind ('none', 'global', 'taken_away')
    {
        my $to = create_database($node, "${from}_to_$kind", $defaults{$kind} // '');
        $node->command_ok([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '--file', $dump, $node->connstr($to) ], "$from, restored among defaults $kind");
        is(privileges_in($to), $from eq 'fresh_per_schema' ? $expected : $expected_granted, "$from, restored among defaults $kind: privileges");
    }
}

# A role that the defaults gave something once can be dropped.
$node->safe_psql('updated_quoted', q{ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM "Dr. O'Wner";
    ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM "Dr. O'Wner"; ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM "Dr. O'Wner";});
$node->safe_psql('postgres', 'DROP DATABASE fresh_quoted');
is_clean(session($node, 'updated_quoted', q{DROP ROLE "Dr. O'Wner";}), 'a role of the defaults can be dropped');

server_is_sound($node);
done_testing();
