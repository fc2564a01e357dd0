-- What belongs to the extension. (A test of its own: later versions of psql also list the types that come with tables.)
\dx+ socketio_emitter
