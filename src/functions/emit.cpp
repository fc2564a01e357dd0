// socketio_emit: an event to clients, its arguments as jsonb.

#include "backend/dialect.h"
#include "backend/guard.h"
#include "backend/jsonb_reader.h"
#include "backend/settings.h"
#include "functions/arguments.h"

namespace socketio {

namespace {

// (nsp, rooms, except_rooms, event, args, volatile, compress)
Datum emit_flat(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        Destination destination;
        read_flat_target(fcinfo, destination);
        const std::string_view event = read_client_event(fcinfo, 3);
        const JsonbArguments arguments(fcinfo, 4);
        destination.target.is_volatile = read_flag(fcinfo, 5);
        if (!PG_ARGISNULL(6)) {
            destination.target.compress = PG_GETARG_BOOL(6);
        }
        dialect().emit({destination.target, event, arguments});
    }
    PG_RETURN_VOID();
}

// (target, event, args)
Datum emit_to_target(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        Destination destination;
        read_target(fcinfo, 0, destination);
        const std::string_view event = read_client_event(fcinfo, 1);
        const JsonbArguments arguments(fcinfo, 2);
        dialect().emit({destination.target, event, arguments});
    }
    PG_RETURN_VOID();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_emit_flat, socketio::emit_flat);
SQL_FUNCTION(socketio_emit_to_target, socketio::emit_to_target);
