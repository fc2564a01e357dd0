// socketio_order_changes: the trigger function that says where a statement begins, for its events to come in order.

#include "backend/guard.h"
#include "backend/settings.h"
#include "backend/statement_order.h"
#include "backend/watch_triggers.h"

extern "C" {
#include "commands/trigger.h"
}

namespace socketio {

namespace {

// Looked up once: it costs more than all the rest.
Oid emitter_beside(Oid function) {
    static Oid known_function = InvalidOid;
    static Oid emitter = InvalidOid;
    if (known_function != function) {
        emitter = find_trigger_function(function);
        known_function = function;
    }
    return emitter;
}

Datum order_changes(FunctionCallInfo fcinfo) {
    if (!CALLED_AS_TRIGGER(fcinfo)) {
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("socketio_order_changes() must be called as a trigger")));
    }
    const auto* trigger = reinterpret_cast<const TriggerData*>(fcinfo->context);
    require_order_trigger(trigger->tg_relation, trigger->tg_trigger);
    if (settings.enabled) {
        begin_statement(trigger, emitter_beside(fcinfo->flinfo->fn_oid));
    }
    PG_RETURN_POINTER(nullptr);
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_order_changes, socketio::order_changes);
