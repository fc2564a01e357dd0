# What the TAP tests share: clusters, sessions that listen to what they emit, and the messages servers would receive.
#
# A session() runs a whole SQL script in one psql that listens first, so that one call shows everything its user
# sees: the rows, the errors with SQLSTATE, detail and hint, and what went out when a transaction committed. Errors do not
# end the script: what stands behind one shows whether the session survived it.

package EmitterTest;

use strict;
use warnings;

use Encode ();
use Exporter 'import';
use JSON::PP ();
use MessagePack ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  start_cluster create_database session messages events errors ways attachments
  small large
  is_emitted is_refused is_clean server_is_sound
  $README_TABLE
);

# The attachment table as the README of @socket.io/postgres-adapter makes it.
our $README_TABLE = 'CREATE TABLE socket_io_attachments '
  . '(id bigserial UNIQUE, created_at timestamptz DEFAULT NOW(), payload bytea);';

# psql speaks UTF-8 whatever the locale says; PostgreSQL::Test::Utils has taken the variable away before.
$ENV{PGCLIENTENCODING} = 'UTF8';

my @settings = (
    q{log_line_prefix = '%m [%p] %e '},    # SQLSTATEs, for server_is_sound() to see internal errors
    'restart_after_crash = on',            # one crash does not hide what the rest of a test has to say
);

# Statements that emit: by notification, and by attachment. A schema is named where the search_path does not have it.
sub small
{
    my ($event) = @_;
    return "SELECT socketio_emit(event => '$event');\n";
}

sub large
{
    my ($event, $schema) = @_;
    my $prefix = defined $schema ? "$schema." : '';
    return "SELECT ${prefix}socketio_emit(event => '$event', args => to_jsonb(repeat('x', 9000)));\n";
}

# A running cluster. Options: settings (lines for postgresql.conf), streaming (allow standbys), initdb (arguments).
sub start_cluster
{
    my ($name, %options) = @_;
    my $node = PostgreSQL::Test::Cluster->new($name);
    $node->init(
        allows_streaming => $options{streaming},
        extra            => [ '--locale=C', '--encoding=UTF8', @{ $options{initdb} // [] } ]);
    $node->append_conf('postgresql.conf', join "\n", @settings, @{ $options{settings} // [] }, '');
    $node->start;
    return $node;
}

# A database, and what `$sql` makes in it. Options: those of CREATE DATABASE, as text; user.
sub create_database
{
    my ($node, $database, $sql, %options) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE $database " . ($options{options} // ''));
    $node->safe_psql($database, $sql, extra_params => [ user_option(%options) ]) if defined $sql;
    return $database;
}

sub user_option
{
    my (%options) = @_;
    return defined $options{user} ? ('-U', $options{user}) : ();
}

sub listen_to
{
    my (@channels) = @_;
    return join '', map { qq{LISTEN "$_";\n} } @channels;
}

# Run `$sql`, statement by statement, in one session that listens to its own emits. Options: user; channels (default:
# that of namespace /).
sub session
{
    my ($node, $database, $sql, %options) = @_;
    my $script = listen_to(@{ $options{channels} // ['socket.io#/'] }) . $sql;
    my ($status, $stdout, $stderr) = $node->psql(
        $database,
        Encode::encode('UTF-8', $script),
        on_error_stop => 0,
        timeout       => $PostgreSQL::Test::Utils::timeout_default,
        extra_params  => [ '-v', 'VERBOSITY=verbose', user_option(%options) ]);
    my $session = {
        node     => $node,
        database => $database,
        status   => $status,
        errors   => read_errors(Encode::decode('UTF-8', $stderr)),
    };
    read_output($session, Encode::decode('UTF-8', $stdout));
    return $session;
}

my $notification = qr/^Asynchronous\ notification\ "(?<channel>.*)"\ with\ payload\ "(?<payload>.*)"
    \ received\ from\ server\ process\ with\ PID\ \d+\.$/x;

# Tell notifications from rows. void is the empty row, and says nothing.
sub read_output
{
    my ($session, $stdout) = @_;
    my (@notifications, @rows);
    for my $line (split /\n/, $stdout)
    {
        if ($line =~ $notification)
        {
            push @notifications, { channel => $+{channel}, message => decode_json_text($+{payload}) };
        }
        elsif ($line ne '')
        {
            push @rows, $line;
        }
    }
    @{$session}{qw(notifications rows)} = (\@notifications, \@rows);
    return;
}

sub decode_json_text
{
    my ($text) = @_;
    return JSON::PP->new->allow_nonref->decode($text);
}

# psql's verbose report of errors, each as {sqlstate, message, detail, hint, context}. A line that belongs to no error,
# such as that the connection is lost, becomes an error of its own; notices are left out.
sub read_errors
{
    my ($stderr) = @_;
    my (@errors, $current, $field);
    for my $line (split /\n/, $stderr)
    {
        if ($line =~ /^psql:<stdin>:\d+: (?:ERROR|FATAL|PANIC):  (\w{5}): (.*)/)
        {
            push @errors, $current = { sqlstate => $1, message => $2 };
            $field = 'message';
        }
        elsif ($line =~ /^psql:<stdin>:\d+: (?:NOTICE|WARNING|INFO):/)
        {
            $current = {};
            $field   = 'message';
        }
        elsif ($current && $line =~ /^(DETAIL|HINT|CONTEXT|LOCATION|QUERY|LINE \d+):  ?(.*)/)
        {
            $field = lc $1;
            $current->{$field} = $2;
        }
        elsif ($current && $line !~ /^psql:/)
        {
            $current->{$field} .= "\n$line";
        }
        else
        {
            push @errors, $current = { sqlstate => 'none', message => $line };
            $field = 'message';
        }
    }
    return \@errors;
}

# Rows of an attachment table, decoded: {id => message}.
sub attachments
{
    my ($node, $database, $table, @ids) = @_;
    my $list = join ', ', map { "'$_'" } @ids;
    my $rows = $node->safe_psql($database, qq{SELECT id, encode(payload, 'hex') FROM $table WHERE id::text IN ($list)});
    return { map { my ($id, $hex) = split /\|/; $id => MessagePack::decode(pack 'H*', $hex) } split /\n/, $rows };
}

# The messages of a session as servers see them: those announced by their id are fetched from the table, which has to
# hold them still.
sub messages
{
    my ($session, $table) = @_;
    my @messages = map { $_->{message} } @{ $session->{notifications} };
    my @ids = map { $_->{attachmentId} // () } @messages;
    return \@messages if !@ids;
    my $stored = attachments($session->{node}, $session->{database}, $table // 'socket_io_attachments', @ids);
    my $fetched = sub { $stored->{ $_[0] } // "no row with id $_[0]" };
    return [ map { defined $_->{attachmentId} ? $fetched->($_->{attachmentId}) : $_ } @messages ];
}

# The events of a session as clients see them: [name, argument, ...] each.
sub events
{
    my ($session, $table) = @_;
    return [ map { ref $_ ? $_->{data}{packet}{data} // $_ : $_ } @{ messages($session, $table) } ];
}

# How the messages of a session travelled.
sub ways
{
    my ($session) = @_;
    return [ map { exists $_->{message}{attachmentId} ? 'attachment' : 'notification' } @{ $session->{notifications} } ];
}

# The session ran without error and emitted exactly these events, or none.
sub is_emitted
{
    my ($session, $events, $name, %options) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $fine = is_clean($session, "$name: no error");
    $fine &= is_deeply(events($session, $options{table}), $events, "$name: what arrives");
    return $fine;
}

# The session ran without error.
sub is_clean
{
    my ($session, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply(errors($session), [], $name);
}

# The errors of a session, each in one line: SQLSTATE and message.
sub errors
{
    my ($session) = @_;
    return [ map { "$_->{sqlstate} $_->{message}" } @{ $session->{errors} } ];
}

# The session met exactly one error, which says this; `$expected` holds the SQLSTATE, and patterns for the parts that matter.
sub is_refused
{
    my ($session, $expected, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @errors = @{ $session->{errors} };
    is(scalar @errors, 1, "$name: one error") or diag explain \@errors;
    my $error = $errors[0] // {};
    is($error->{sqlstate}, $expected->{sqlstate}, "$name: SQLSTATE");
    for my $part (grep { $_ ne 'sqlstate' } sort keys %$expected)
    {
        like($error->{$part} // '', $expected->{$part}, "$name: $part");
    }
    return;
}

# Nothing crashed, nothing leaked, and no error was an internal one. Option: allowed (pattern of lines that may be there).
sub server_is_sound
{
    my ($node, %options) = @_;
    my $allowed = $options{allowed} // qr/(?!)/;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $trouble = qr/PANIC|terminated by signal|XX\d{3} ERROR|WARNING:.*(?:leak|SPI stack|still referenced)/;
    my @lines = grep { /$trouble/ && !/$allowed/ } split /\n/, slurp_file($node->logfile);
    return is_deeply(\@lines, [], $node->name . ': no crash, no leak, no internal error in the server log');
}

1;
