// socketio_watch, socketio_watch_statement, socketio_unwatch: the triggers that emit a table's changes, made and dropped.

#include "backend/guard.h"
#include "backend/watch_triggers.h"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
}

namespace socketio {

namespace {

Oid read_table(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("table must not be NULL"),
                        errhint("Name a table that exists; of any other, to_regclass() makes NULL.")));
    }
    return PG_GETARG_OID(argument);
}

TriggerArguments read_options(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("options must not be NULL"),
                        errhint("Pass '{}' for no options.")));
    }
    TriggerArguments options;
    Datum* elements;
    bool* nulls;
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls,
                      &options.count);
    options.values = static_cast<char**>(palloc(options.count * sizeof(char*)));
    for (int i = 0; i < options.count; ++i) {
        if (nulls[i]) {
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("options must not contain NULL"),
                            errhint("Each is a text, as in 'key=value'; what is joined with NULL by || is NULL.")));
        }
        options.values[i] = TextDatumGetCString(elements[i]);
    }
    return options;
}

// (table [, VARIADIC options])
template <WatchLevel level>
Datum watch(FunctionCallInfo fcinfo) {
    const Oid table = read_table(fcinfo, 0);
    const TriggerArguments options = read_options(fcinfo, 1);
    create_watch(table, find_trigger_function(fcinfo->flinfo->fn_oid), level, options);
    PG_RETURN_VOID();
}

// (table)
Datum unwatch(FunctionCallInfo fcinfo) {
    drop_watch(read_table(fcinfo, 0), find_trigger_function(fcinfo->flinfo->fn_oid));
    PG_RETURN_VOID();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_watch, socketio::watch<socketio::WatchLevel::kRow>);
SQL_FUNCTION(socketio_watch_statement, socketio::watch<socketio::WatchLevel::kStatement>);
SQL_FUNCTION(socketio_unwatch, socketio::unwatch);
