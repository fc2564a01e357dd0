# What the tests of dumps share: ways to restore one, each a sub that takes the name of an empty database.

package DumpTest;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(run_file run_pg_restore);

# With psql, a dump in plain text.
sub run_file
{
    my ($node, $file) = @_;
    return sub {
        my ($database) = @_;
        $node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $file, $database ], "$database: psql restores");
    };
}

# With pg_restore, a dump in custom format. In parallel, emits are off, as the documents advise: a partitioned table may get its
# triggers before its partitions get their rows.
sub run_pg_restore
{
    my ($node, $file, @options) = @_;
    return sub {
        my ($database) = @_;
        local $ENV{PGOPTIONS} = '-c socketio_emitter.enabled=off' if grep { /^-j/ } @options;
        $node->command_ok([ 'pg_restore', '--exit-on-error', @options, '-d', $database, $file ], "$database: pg_restore @options");
    };
}

1;
