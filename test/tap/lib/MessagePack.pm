# Decode msgpack, with the strictness a test wants: text must be UTF-8, and nothing may be left over.
#
# Written from the format's specification (https://github.com/msgpack/msgpack/blob/master/spec.md), for what JavaScript
# values become: nil, booleans, numbers, text, binary, arrays and maps. Text comes back as Perl characters, binary
# as a MessagePack::Binary, so that a test can tell one from the other.

package MessagePack;

use strict;
use warnings;

use Encode ();
use JSON::PP ();

# The value that the bytes `$packed` stand for. Dies where they are not one whole value.
sub decode
{
    my ($packed) = @_;
    my $reader = { bytes => $packed, next => 0 };
    my $value  = value($reader);
    my $rest   = length($packed) - $reader->{next};
    die "msgpack: $rest bytes after the value\n" if $rest;
    return $value;
}

sub take
{
    my ($reader, $size) = @_;
    die "msgpack: ends early\n" if $reader->{next} + $size > length $reader->{bytes};
    my $bytes = substr $reader->{bytes}, $reader->{next}, $size;
    $reader->{next} += $size;
    return $bytes;
}

sub number
{
    my ($reader, $template, $size) = @_;
    return unpack $template, take($reader, $size);
}

sub text
{
    my ($reader, $size) = @_;
    return Encode::decode('UTF-8', take($reader, $size), Encode::FB_CROAK);
}

sub binary
{
    my ($reader, $size) = @_;
    return bless { bytes => take($reader, $size) }, 'MessagePack::Binary';
}

sub array
{
    my ($reader, $count) = @_;
    return [ map { value($reader) } 1 .. $count ];
}

sub map_of
{
    my ($reader, $count) = @_;
    my %map;
    for (1 .. $count)
    {
        my $key = value($reader);
        die "msgpack: key '$key' twice\n" if exists $map{$key};
        $map{$key} = value($reader);
    }
    return \%map;
}

my %formats = (
    0xc0 => sub { undef },
    0xc2 => sub { JSON::PP::false() },
    0xc3 => sub { JSON::PP::true() },
    0xc4 => sub { binary($_[0], number($_[0], 'C', 1)) },
    0xc5 => sub { binary($_[0], number($_[0], 'n', 2)) },
    0xc6 => sub { binary($_[0], number($_[0], 'N', 4)) },
    0xca => sub { number($_[0], 'f>', 4) },
    0xcb => sub { number($_[0], 'd>', 8) },
    0xcc => sub { number($_[0], 'C',  1) },
    0xcd => sub { number($_[0], 'n',  2) },
    0xce => sub { number($_[0], 'N',  4) },
    0xcf => sub { number($_[0], 'Q>', 8) },
    0xd0 => sub { number($_[0], 'c',  1) },
    0xd1 => sub { number($_[0], 's>', 2) },
    0xd2 => sub { number($_[0], 'l>', 4) },
    0xd3 => sub { number($_[0], 'q>', 8) },
    0xd9 => sub { text($_[0], number($_[0], 'C', 1)) },
    0xda => sub { text($_[0], number($_[0], 'n', 2)) },
    0xdb => sub { text($_[0], number($_[0], 'N', 4)) },
    0xdc => sub { array($_[0], number($_[0], 'n', 2)) },
    0xdd => sub { array($_[0], number($_[0], 'N', 4)) },
    0xde => sub { map_of($_[0], number($_[0], 'n', 2)) },
    0xdf => sub { map_of($_[0], number($_[0], 'N', 4)) },
);

sub value
{
    my ($reader) = @_;
    my $format = number($reader, 'C', 1);
    return $format if $format < 0x80;
    return map_of($reader, $format & 0x0f) if $format < 0x90;
    return array($reader, $format & 0x0f) if $format < 0xa0;
    return text($reader, $format & 0x1f) if $format < 0xc0;
    return $format - 0x100 if $format >= 0xe0;
    my $read = $formats{$format} or die sprintf "msgpack: format 0x%02x is none of ours\n", $format;
    return $read->($reader);
}

1;
