// Who listens.
//
// PostgreSQL keeps that in each backend for itself. But @socket.io/postgres-adapter keeps a connection for nothing else than
// LISTEN, so the command it sent last, which pg_stat_activity shows, says what it listens on: with adapters up to 0.2.0, which have
// a connection for each namespace, exactly; from 0.3.0 on, with one for all, what it listened on last. And
// socket.io-adapter-postgres gives its connection a name, that of the namespace it made last.

#pragma once

#include <string_view>

#include "protocol/conversation.h"

namespace socketio {

// Count the connections to this database that listen on `channel`, or on another whose name begins with `prefix` and "#".
// None are found where track_activities is off.
Listeners count_listeners(std::string_view channel, std::string_view prefix);

// Count the connections to this database whose application_name is `names` with `nsp` and "#" behind it, or another that begins with
// `names`. Compared is what PostgreSQL keeps of a name: 63 bytes of ASCII.
Listeners count_applications(std::string_view names, std::string_view nsp);

}  // namespace socketio
