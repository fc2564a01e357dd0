# Emitting through a table that belongs to the application: the caller's own rights count, and whoever lacks one is told
# which and what to GRANT. Each hint is followed here until the emit works.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
$node->safe_psql('postgres', 'CREATE ROLE client LOGIN; CREATE ROLE application LOGIN; CREATE ROLE emitters;');

my $small = q{SELECT socketio_emit(event => 'small', args => '1');};
my $large = q{SELECT socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));};
my $emitted = [ [ 'small', 1 ], [ 'large', 'x' x 9000 ] ];

# A database whose application made the table, and the rights `$grants` gives.
sub application_database
{
    my ($database, $table, $grants) = @_;
    return create_database($node, $database, "$table ALTER TABLE socket_io_attachments OWNER TO application;"
          . "CREATE EXTENSION socketio_emitter; $grants");
}

my $no_table_rights = {
    sqlstate => '42501',
    message  => qr/^permission denied for attachment table "socket_io_attachments"$/,
    detail   => qr/takes rights of role "client" on the attachment table, which does not belong to the extension/,
    hint     => qr/^GRANT SELECT, INSERT on table "socket_io_attachments", and USAGE on the sequence of its column "id"/,
};
my $no_sequence_rights = {
    %$no_table_rights,
    message => qr/^permission denied for sequence "socket_io_attachments_id_seq"$/,
};

# No rights at all, then the hint step by step. Small messages never need any.
application_database('none', $README_TABLE, '');
my $session = session($node, 'none', "$small $large $small SELECT current_user", user => 'client');
is_refused($session, $no_table_rights, 'no rights');
is_deeply(events($session), [ [ 'small', 1 ], [ 'small', 1 ] ], 'no rights: small messages need none');
is_deeply($session->{rows}, ['client'], 'no rights: the session goes on');

$node->safe_psql('none', 'GRANT INSERT ON socket_io_attachments TO client');
is_refused(session($node, 'none', $large, user => 'client'), $no_table_rights, 'INSERT alone');
$node->safe_psql('none', 'REVOKE INSERT ON socket_io_attachments FROM client; GRANT SELECT ON socket_io_attachments TO client');
is_refused(session($node, 'none', $large, user => 'client'), $no_table_rights, 'SELECT alone');
$node->safe_psql('none', 'GRANT SELECT, INSERT ON socket_io_attachments TO client');
is_refused(session($node, 'none', $large, user => 'client'), $no_sequence_rights, 'SELECT and INSERT, no sequence');
$node->safe_psql('none', 'GRANT SELECT ON SEQUENCE socket_io_attachments_id_seq TO client');
is_refused(session($node, 'none', $large, user => 'client'), $no_sequence_rights, 'SELECT on the sequence does not count');
$node->safe_psql('none', 'GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO client');
is_emitted(session($node, 'none', "$small $large", user => 'client'), $emitted, 'the hint followed to its end');
is($node->safe_psql('none', 'SELECT count(*) FROM socket_io_attachments'), '1', 'refused emits leave no row');

# Rights that are taken away count at once, in a session that has used them.
my $other = $node->background_psql('none', on_error_stop => 0, extra_params => [ '-U', 'client', '-v', 'VERBOSITY=verbose' ]);
$other->query_safe($large);
$node->safe_psql('none', 'REVOKE INSERT ON socket_io_attachments FROM client');
$other->query($large);
like($other->{stderr}, qr/ERROR:  42501: permission denied for attachment table/, 'rights taken away in mid-session');
$other->{stderr} = '';
$node->safe_psql('none', 'GRANT INSERT ON socket_io_attachments TO client');
is($other->query_safe("$large SELECT 'through'"), "\nthrough", 'rights given back in mid-session');
$other->quit;

# A session that changes its role uses the rights of the role it is.
is_refused(session($node, 'none', "$large SET ROLE client; $large SET ROLE emitters; $large"),
    { %$no_table_rights, detail => qr/takes rights of role "emitters"/ }, 'SET ROLE in mid-session');

# Other ways to have the rights.
for my $case (
    [ 'columns', 'GRANT INSERT (created_at, payload), SELECT (id) ON socket_io_attachments TO client;'
          . 'GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO client' ],
    [ 'sequence_update', 'GRANT INSERT, SELECT ON socket_io_attachments TO client;'
          . 'GRANT UPDATE ON SEQUENCE socket_io_attachments_id_seq TO client' ],
    [ 'membership', 'GRANT INSERT, SELECT ON socket_io_attachments TO emitters;'
          . 'GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO emitters; GRANT emitters TO client' ],
    [ 'everyone', 'GRANT INSERT, SELECT ON socket_io_attachments TO PUBLIC;'
          . 'GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO PUBLIC' ],
    [ 'predefined', 'GRANT pg_write_all_data, pg_read_all_data TO client' ],
  )
{
    my ($database, $grants) = @$case;
    application_database($database, $README_TABLE, $grants);
    is_emitted(session($node, $database, "$small $large", user => 'client'), $emitted, "rights by $database");
    $node->safe_psql('postgres', 'REVOKE emitters, pg_write_all_data, pg_read_all_data FROM client');
}

# Columns alone, one missing at a time.
my %columns = (
    without_created_at => 'INSERT (payload), SELECT (id)',
    without_payload    => 'INSERT (created_at), SELECT (id)',
    without_id         => 'INSERT (created_at, payload), SELECT (payload)',
);
for my $database (sort keys %columns)
{
    application_database($database, $README_TABLE, "GRANT $columns{$database} ON socket_io_attachments TO client;"
          . 'GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO client');
    is_refused(session($node, $database, $large, user => 'client'), $no_table_rights, "rights on columns $database");
}

# An identity column draws from its sequence with nobody's rights.
for my $kind ('ALWAYS', 'BY DEFAULT')
{
    my $database = 'identity_' . lc substr $kind, 0, 2;
    application_database($database,
        "CREATE TABLE socket_io_attachments (id bigint GENERATED $kind AS IDENTITY, created_at timestamptz, payload bytea);",
        'GRANT INSERT, SELECT ON socket_io_attachments TO client');
    is_emitted(session($node, $database, "$small $large", user => 'client'), $emitted, "identity, $kind: no right on the sequence");
}

# Sequences the insertion does not draw from need no rights; one of the application's own choosing does.
application_database('another_identity',
    'CREATE TABLE socket_io_attachments (id bigserial, created_at timestamptz, payload bytea,'
      . 'number bigint GENERATED ALWAYS AS IDENTITY);',
    'GRANT INSERT, SELECT ON socket_io_attachments TO client; GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO client');
is_emitted(session($node, 'another_identity', "$small $large", user => 'client'), $emitted,
    'a serial id and an identity column beside it');
application_database('uuid',
    'CREATE TABLE socket_io_attachments (id uuid DEFAULT gen_random_uuid(), created_at timestamptz, payload bytea);',
    'GRANT INSERT, SELECT ON socket_io_attachments TO client');
is_emitted(session($node, 'uuid', "$small $large", user => 'client'), $emitted, 'an id without a sequence');
application_database('shared_sequence',
    'CREATE SEQUENCE numbers; CREATE TABLE socket_io_attachments (id bigint DEFAULT nextval($$numbers$$), created_at timestamptz,'
      . 'payload bytea);',
    'GRANT INSERT, SELECT ON socket_io_attachments TO client');
is_refused(session($node, 'shared_sequence', $large, user => 'client'),
    { sqlstate => '42501', message => qr/permission denied for sequence "?numbers"?/ }, 'a sequence of the application\'s choosing');
$node->safe_psql('shared_sequence', 'GRANT USAGE ON SEQUENCE numbers TO application');
is_emitted(session($node, 'shared_sequence', "$small $large", user => 'client'), $emitted, 'a sequence of the application\'s choosing, granted');

# A schema out of reach.
create_database($node, 'schema', "CREATE SCHEMA hidden; SET search_path = hidden; $README_TABLE CREATE EXTENSION socketio_emitter SCHEMA public;"
      . 'GRANT ALL ON socket_io_attachments TO client; GRANT ALL ON SEQUENCE socket_io_attachments_id_seq TO client');
$session = session($node, 'schema', "SET socketio_emitter.attachment_table = 'hidden.socket_io_attachments'; $large $small", user => 'client');
is_refused($session, { sqlstate => '42501', message => qr/permission denied for schema hidden/ }, 'a schema out of reach');
is_deeply(events($session), [ [ 'small', 1 ] ], 'a schema out of reach: the session goes on');

# Row security of the application's holds for emits as well, where its policies can be trusted to run as the caller.
application_database('row_security', $README_TABLE, 'GRANT ALL ON socket_io_attachments TO client;'
      . 'GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO client; ALTER TABLE socket_io_attachments ENABLE ROW LEVEL SECURITY');
is_refused(session($node, 'row_security', $large, user => 'client'),
    { sqlstate => '0A000', message => qr/"socket_io_attachments" has row-level security/, hint => qr/superuser/ }, 'row security');
$node->safe_psql('row_security', 'ALTER TABLE socket_io_attachments OWNER TO postgres');
is_refused(session($node, 'row_security', $large, user => 'client'),
    { sqlstate => '42501', message => qr/row-level security policy for table "socket_io_attachments"/ }, 'row security without a policy');
$node->safe_psql('row_security', 'CREATE POLICY everyone ON socket_io_attachments USING (true)');
is_emitted(session($node, 'row_security', "$small $large", user => 'client'), $emitted, 'row security with a policy');

# A SECURITY DEFINER function lends its rights, and takes them back.
create_database($node, 'definer', "$README_TABLE ALTER TABLE socket_io_attachments OWNER TO application; CREATE EXTENSION socketio_emitter;"
      . 'GRANT CREATE ON SCHEMA public TO application; SET ROLE application;'
      . "CREATE FUNCTION announce() RETURNS void LANGUAGE sql SECURITY DEFINER AS \$\$$large\$\$");
$session = session($node, 'definer', "SELECT announce(); $large SELECT current_user; SELECT announce();", user => 'client');
is_refused($session, $no_table_rights, 'SECURITY DEFINER: outside of it no rights');
is_deeply(events($session), [ ([ 'large', 'x' x 9000 ]) x 2 ], 'SECURITY DEFINER: inside of it the definer\'s');
is_deeply($session->{rows}, ['client'], 'SECURITY DEFINER: the caller stays the caller');

# Nor does emitting lend rights to the owner of a table: whoever calls a function that emits chooses the table, and what
# triggers are on it, but those run as the table's owner.
create_database($node, 'hostile', q{
    CREATE EXTENSION socketio_emitter;
    CREATE FUNCTION say(t text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $$SELECT public.socketio_emit(event => 'said', args => to_jsonb(t))$$;
    CREATE SCHEMA clients AUTHORIZATION client;
});
my $trap = q{
    CREATE FUNCTION clients.seize() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN EXECUTE 'ALTER ROLE client SUPERUSER'; RETURN NEW; END$$;
    CREATE %s (id bigserial, created_at timestamptz, payload bytea);
    CREATE TRIGGER seize BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION clients.seize();
    GRANT ALL ON %2$s TO PUBLIC;
    SET socketio_emitter.payload_threshold = 1;
    SET socketio_emitter.attachment_table = %3$s;
    SELECT say('hello');
};
is_refused(session($node, 'hostile', sprintf($trap, 'TABLE clients.box', 'clients.box', q{'clients.box'}), user => 'client'),
    { sqlstate => '42501', message => qr/permission denied|must be superuser/ }, 'a trap in a table');
is_refused(session($node, 'hostile', sprintf($trap =~ s/seize\(\) RETURNS/seize() RETURNS/r =~ s/CREATE FUNCTION/CREATE OR REPLACE FUNCTION/r,
            'TEMP TABLE box', 'pg_temp.box', q{'pg_temp.box'}), user => 'client'),
    { sqlstate => '42809', message => qr/attachment table "pg_temp.box" is temporary/ }, 'a trap in a temporary table');
is($node->safe_psql('hostile', 'SELECT rolsuper FROM pg_roles WHERE rolname = $$client$$'), 'f', 'the client is no superuser');

server_is_sound($node);
done_testing();
