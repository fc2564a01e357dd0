# Who may emit: everyone, until a superuser revokes it; what a role without the right can do nevertheless; and what of that a dump
# brings back. Restored by the owner of the database it is lost, which is not what anybody wants: it is here because the README says
# it. In a schema of its own the extension keeps its callers, whoever restores.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
my $dumps = PostgreSQL::Test::Utils::tempdir;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE publisher LOGIN; CREATE ROLE mallory LOGIN;');

my $functions = q{FROM pg_proc WHERE proname ~ '^socketio_(server_side_)?emit(_values|_changes)?$'};
my $revoke = "SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure) $functions \\gexec\n";
my $grant = "SELECT format('GRANT EXECUTE ON FUNCTION %s TO publisher', oid::regprocedure) $functions \\gexec\n";
my $who_may = q{
    SELECT proc.oid::regprocedure, coalesce(nullif(grantee, 0)::regrole::text, 'PUBLIC')
    FROM pg_proc AS proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
    WHERE proname ~ '^socketio_(server_side_)?emit(_values|_changes)?$' AND grantee <> proowner ORDER BY 1, 2};

sub who_may_emit
{
    my ($database) = @_;
    return $node->safe_psql($database, $who_may);
}

sub owned_database
{
    my ($database, $sql, %options) = @_;
    return create_database($node, $database, $sql, options => 'OWNER app TEMPLATE template0', %options);
}

# One statement for each way to send, and what arrives if all of them may. `$schema` is where the functions are.
sub emits
{
    my ($schema) = @_;
    return map { s/socketio_/$schema.socketio_/gr }
      q{SELECT socketio_emit(event => 'e');},
      q{SELECT socketio_emit(socketio_to('room'), 'e');},
      q{SELECT socketio_emit_values(NULL, 'e');},
      q{SELECT socketio_emit_values(NULL, 'e', 1);},
      q{SELECT socketio_server_side_emit(event => 'e');},
      q{SELECT socketio_server_side_emit(socketio_of('/'), 'e');},
      q{SELECT socketio_server_side_emit_values('/', 'e');},
      q{SELECT socketio_server_side_emit_values('/', 'e', 1);},
      q{SELECT socketio_server_side_emit_values(socketio_of('/'), 'e');},
      q{SELECT socketio_server_side_emit_values(socketio_of('/'), 'e', 1);};
}

# A table of one's own that tells what its owner likes, made in three ways.
sub watches
{
    my ($schema) = @_;
    my $table = 'CREATE TEMPORARY TABLE IF NOT EXISTS mine (id int PRIMARY KEY);';
    return map { "$table $_" }
      "SELECT $schema.socketio_watch('mine', 'event=forged');",
      "SELECT $schema.socketio_watch_statement('mine', 'event=forged');",
      "CREATE TRIGGER forged AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION $schema.socketio_emit_changes('event=forged');";
}

# The names of the events that such a table sends.
sub forged_by
{
    my ($user) = @_;
    my $session = session($node, 'app', (watches('public'))[0] . 'INSERT INTO mine VALUES (1);', user => $user);
    is_clean($session, 'a table of her own');
    return [ map { $_->[0] } @{ events($session) } ];
}

sub may_emit
{
    my ($database, $user, $name, $schema) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $session = session($node, $database, join('', emits($schema // 'public')), user => $user);
    is_clean($session, "$name: $user may emit");
    is(@{ $session->{notifications} }, 10, "$name: all that $user emits arrives");
    return;
}

sub may_not_emit
{
    my ($database, $user, $name, $schema) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @statements = (emits($schema // 'public'), watches($schema // 'public'));
    my $session = session($node, $database, join('', @statements) . 'INSERT INTO mine VALUES (1);', user => $user);
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ ('42501') x @statements ], "$name: $user may not emit") or diag explain errors($session);
    is_deeply($session->{notifications}, [], "$name: nothing arrives of what $user tries");
    return;
}

my $restored = 0;

# A new database of the owner's, and what `@restore` says when it fills that.
sub restore
{
    my (@restore) = @_;
    my $database = owned_database('restored_' . ++$restored);
    my ($stdout, $stderr) = ('', '');
    my $done = run_log([ @restore, '-d', $node->connstr($database) ], '>', \$stdout, '2>', \$stderr);
    return ($database, $done, $stderr);
}

# What CREATE EXTENSION leaves.
owned_database('app', 'CREATE EXTENSION socketio_emitter; CREATE TABLE notes (id int PRIMARY KEY); ALTER TABLE notes OWNER TO app;'
      . q{GRANT INSERT ON notes TO mallory; SELECT socketio_watch('notes', 'payload=record');});
may_emit('app', 'mallory', 'as created');
is_deeply(forged_by('mallory'), ['forged'], 'as created: a table of her own says what she likes');
my $by_everyone = join "\n", map { "$_|PUBLIC" } split /\n/, $node->safe_psql('app', "SELECT oid::regprocedure $functions ORDER BY 1");
is(who_may_emit('app'), $by_everyone, 'as created: PUBLIC has each function, and nobody else');

# Revoked.
$node->safe_psql('app', "$revoke $grant");
my $by_publisher = $by_everyone =~ s/PUBLIC/publisher/gr;
is(who_may_emit('app'), $by_publisher, 'revoked: the publisher has each function, and nobody else');
may_not_emit('app', 'mallory', 'revoked');
may_not_emit('app', 'app', 'revoked');
may_emit('app', 'publisher', 'revoked');
is_emitted(session($node, 'app', 'INSERT INTO notes VALUES (1)', user => 'mallory'), [ [ 'notes:insert', { id => 1 } ] ],
    'revoked: a table that is watched tells of her rows');

# NOTIFY knows no rights.
my $forged = q{{"uid":"emitter","nsp":"/","type":3,"data":{"packet":{"type":2,"data":["forged"],"nsp":"/"},"opts":{"rooms":[],"except":[],"flags":{}}}}};
is_emitted(session($node, 'app', "SELECT pg_notify('socket.io#/', '$forged')", user => 'mallory'), [ ['forged'] ], 'revoked: pg_notify sends the same');

# Restored by a superuser it is all there.
my ($custom, $plain) = ("$dumps/app.custom", "$dumps/app.sql");
$node->command_ok([ 'pg_dump', '-Fc', '-f', $custom, 'app' ], 'pg_dump, custom');
$node->command_ok([ 'pg_dump', '-f', $plain, 'app' ], 'pg_dump, plain');
for my $case ([ 'pg_restore', $custom ], [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $plain ])
{
    my $name = "a superuser's $case->[0]";
    my ($database, $done, $stderr) = restore(@$case);
    ok($done, "$name: succeeds");
    is($stderr, '', "$name: says nothing");
    is(who_may_emit($database), $by_publisher, "$name: the publisher alone");
    may_not_emit($database, 'mallory', $name);
    may_emit($database, 'publisher', $name);
}

# Restored by the owner it is lost: the functions are the superuser's.
my $warning = qr/WARNING:  no privileges could be revoked for "socketio_emit"/;
for my $case (
    [ 'pg_restore', qr/\A\Z/, 'pg_restore', '-U', 'app', $custom ],
    [ 'pg_restore --role', qr/\A\Z/, 'pg_restore', '--role=app', $custom ],
    [ 'psql', $warning, 'psql', '-Xq', '-U', 'app', '-f', $plain ])
{
    my ($command, $says, @restore) = @$case;
    my $name = "the owner's $command";
    my ($database, $done, $stderr) = restore(@restore);
    ok($done, "$name: succeeds");
    like($stderr, $says, "$name: what it says");
    is(who_may_emit($database), $by_everyone, "$name: everyone");
    may_emit($database, 'mallory', $name);
    $node->safe_psql($database, "$revoke $grant");
    is(who_may_emit($database), $by_publisher, "$name: revoked once more");
    may_not_emit($database, 'mallory', "$name, and once more");
}

# The owner cannot revoke in the first place.
owned_database('owned', 'CREATE EXTENSION socketio_emitter', user => 'app');
my ($status, $stdout, $stderr) = $node->psql('owned', $revoke, extra_params => [ '-U', 'app' ]);
is($status, 0, 'the owner revokes: no error');
is(() = $stderr =~ /WARNING:  no privileges could be revoked/g, 11, 'the owner revokes: a warning for each function');
is(who_may_emit('owned'), $by_everyone, 'the owner revokes: everyone still');

# In a schema of its own, USAGE decides, and that is the owner's to give.
my $in_schema = q{
    CREATE SCHEMA socketio;
    CREATE EXTENSION socketio_emitter SCHEMA socketio;
    GRANT USAGE ON SCHEMA socketio TO publisher;
    CREATE TABLE notes (id int PRIMARY KEY);
    GRANT INSERT ON notes TO mallory;
    SELECT socketio.socketio_watch('notes', 'payload=record');
};
sub is_kept_by_schema
{
    my ($database, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    may_not_emit($database, 'mallory', $name, 'socketio');
    may_emit($database, 'publisher', $name, 'socketio');
    is_emitted(session($node, $database, 'INSERT INTO notes VALUES (1)', user => 'mallory'), [ [ 'notes:insert', { id => 1 } ] ],
        "$name: a table that is watched tells of her rows");
    return;
}
owned_database('in_schema', $in_schema, user => 'app');
owned_database('in_schema_by_superuser', $in_schema);
for my $original ('in_schema', 'in_schema_by_superuser')
{
    $node->command_ok([ 'pg_dump', '-Fc', '-f', "$dumps/$original", $original ], "$original: pg_dump");
    is_kept_by_schema($original, $original);
    for my $who ([ 'a superuser' ], [ 'the owner', '-U', 'app', '--no-owner' ])
    {
        my ($user, @options) = @$who;
        my ($database, $done, $said) = restore('pg_restore', @options, "$dumps/$original");
        ok($done, "$original, restored by $user: pg_restore succeeds");
        is($said, '', "$original, restored by $user: it says nothing");
        is_kept_by_schema($database, "$original, restored by $user");
    }
}

server_is_sound($node);
done_testing();
