-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION socketio_emitter UPDATE" to load this file. \quit

-- A fresh install runs the script of 0.1.0 and then this one, so that it ends where an update does.
