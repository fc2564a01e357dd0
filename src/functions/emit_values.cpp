// socketio_emit_values: an event to clients, its arguments any SQL values.

#include "backend/dialect.h"
#include "backend/guard.h"
#include "backend/settings.h"
#include "backend/spelling.h"
#include "backend/value_reader.h"
#include "functions/arguments.h"

namespace socketio {

namespace {

// (target, event [, VARIADIC args])
Datum emit_values(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        Destination destination;
        read_target(fcinfo, 0, destination);
        const std::string_view event = read_client_event(fcinfo, 1);
        const ValueArguments arguments(fcinfo, 2);
        with_spelling(exact_spelling(), [&] {
            run_guarded([&] { dialect().emit({destination.target, event, arguments}); });
        });
    }
    PG_RETURN_VOID();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_emit_values, socketio::emit_values);
