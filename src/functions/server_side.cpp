// socketio_server_side_emit and its _values twin: an event for the Socket.IO servers themselves.

#include "backend/dialect.h"
#include "backend/guard.h"
#include "backend/jsonb_reader.h"
#include "backend/settings.h"
#include "backend/spelling.h"
#include "backend/value_reader.h"
#include "functions/arguments.h"

namespace socketio {

namespace {

void emit_to_servers(const Destination& destination, std::string_view event, const EventArguments& arguments) {
    dialect().emit_to_servers({destination.target, event, arguments});
}

// The event's name is argument 1, its values those behind it.
void emit_values_to_servers(FunctionCallInfo fcinfo, const Destination& destination) {
    const std::string_view event = read_event(fcinfo, 1);
    const ValueArguments arguments(fcinfo, 2);
    with_spelling(exact_spelling(), [&] { run_guarded([&] { emit_to_servers(destination, event, arguments); }); });
}

// Servers are in no rooms: an event meant for some clients must not be taken for one to all servers.
void read_servers_of_target(FunctionCallInfo fcinfo, Destination& destination) {
    read_target(fcinfo, 0, destination);
    const Target& target = destination.target;
    if (!target.rooms.empty() || !target.except.empty() || target.is_volatile || target.compress) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("a server-side emit goes to every server of a namespace"),
                        errdetail("The target names rooms or flags, which only clients have."),
                        errhint("Use a target of socketio_of(...) alone, or socketio_emit() to reach clients.")));
    }
}

// (nsp, event, args)
Datum server_side_flat(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        Destination destination;
        read_namespace_target(fcinfo, 0, destination);
        emit_to_servers(destination, read_event(fcinfo, 1), JsonbArguments(fcinfo, 2));
    }
    PG_RETURN_VOID();
}

// (target, event, args)
Datum server_side_target(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        Destination destination;
        read_servers_of_target(fcinfo, destination);
        emit_to_servers(destination, read_event(fcinfo, 1), JsonbArguments(fcinfo, 2));
    }
    PG_RETURN_VOID();
}

// (nsp, event [, VARIADIC args])
Datum server_side_values_flat(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        Destination destination;
        read_namespace_target(fcinfo, 0, destination);
        emit_values_to_servers(fcinfo, destination);
    }
    PG_RETURN_VOID();
}

// (target, event [, VARIADIC args])
Datum server_side_values_target(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        Destination destination;
        read_servers_of_target(fcinfo, destination);
        emit_values_to_servers(fcinfo, destination);
    }
    PG_RETURN_VOID();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_server_side_emit_flat, socketio::server_side_flat);
SQL_FUNCTION(socketio_server_side_emit_target, socketio::server_side_target);
SQL_FUNCTION(socketio_server_side_emit_values_flat, socketio::server_side_values_flat);
SQL_FUNCTION(socketio_server_side_emit_values_target, socketio::server_side_values_target);
