-- What the other tests stand on: the extension, and a schema of functions that look at what was emitted.
CREATE EXTENSION socketio_emitter;

\getenv root PG_ABS_SRCDIR
\set inspect :root '/test/regress/inspect.sql'
\set ECHO none
\i :inspect
\set ECHO all

-- The msgpack decoder on documents taken from the msgpack specification.
SELECT hex, regress.msgpack(decode(hex, 'hex'))
FROM (VALUES
	('00'), ('7f'), ('ff'), ('e0'), ('c0'), ('c2'), ('c3'),
	('ccff'), ('cdffff'), ('ceffffffff'), ('cfffffffffffffffff'),
	('d080'), ('d18000'), ('d280000000'), ('d38000000000000000'),
	('cb3ff8000000000000'), ('cb0000000000000001'), ('cb7fefffffffffffff'), ('cbfff0000000000000'), ('cb7ff8000000000000'),
	('a0'), ('a3e282ac'), ('d90161'), ('da000161'), ('db0000000161'),
	('c400'), ('c402dead'), ('c50001ff'), ('c600000001ff'),
	('90'), ('9301a162c0'), ('dc000101'), ('dd0000000101'),
	('80'), ('82a16101a162a163'), ('de0001a16101'), ('df00000001a161920102')
) AS sample(hex);
SELECT regress.msgpack('\x0101');
