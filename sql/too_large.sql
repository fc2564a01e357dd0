-- A message of more than 1 GB, which no value of PostgreSQL's can hold. (A test of its own: it takes a gigabyte of memory.)
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
\set SHOW_CONTEXT never
LISTEN "socket.io#/";
WITH part AS MATERIALIZED (SELECT repeat('x', 100000000) AS x)
SELECT socketio_emit_values(NULL, 'large', x, x, x, x, x, x, x, x, x, x, x) FROM part;

-- Nothing was stored or sent, and the session goes on.
SELECT count(*) FROM socket_io_attachments;
SELECT socketio_emit(event => 'small');
