# Row changes are spelled the same for every writer where the rows of a statement wait for others of their group in a temporary
# file, too. (The rest is in sql/changes_spelling.sql.)

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main', settings => [ 'work_mem = 64kB', 'log_temp_files = 0' ]);
create_database($node, 'app', q{
    CREATE EXTENSION socketio_emitter;
    CREATE UNLOGGED TABLE slots (id int, at timestamptz, lasting interval, weight float8, t text);
    SELECT socketio_watch_statement('slots', 'rooms=slot:{at},{lasting},{weight}', 'columns=at,lasting,weight');
});

# What a session with these settings sends, and how many temporary files it has used.
sub sent
{
    my ($settings) = @_;
    my $log_before = -s $node->logfile;
    $node->safe_psql('app', qq{
        TRUNCATE socket_io_attachments RESTART IDENTITY;
        $settings;
        INSERT INTO slots SELECT i, timestamptz '2026-03-01 12:00Z' + i % 3 * interval '1 hour', interval '1 day 2 hours', 0.1::float8 + 0.2::float8,
            repeat(md5(i::text), 32) FROM generate_series(1, 25000) AS i;
    });
    my $log = slurp_file($node->logfile, $log_before);
    my $messages = $node->safe_psql('app', q{SELECT encode(payload, 'hex') FROM socket_io_attachments ORDER BY id});
    return { messages => $messages, files => scalar(() = $log =~ /temporary file: path/g) };
}

my $in_utc = sent(q{SET TimeZone = 'UTC'});
my $elsewhere = sent(q{SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 0});
cmp_ok($_->{files}, '>=', 1, 'rows have waited in a temporary file') for $in_utc, $elsewhere;
my $room = unpack('H*', 'slot:2026-03-01T12:00:00+00:00');
like($in_utc->{messages}, qr/$room/, 'a room in UTC');
ok($elsewhere->{messages} eq $in_utc->{messages}, 'the same messages, byte for byte');

done_testing();
