// The triggers of a watch: what socketio_watch() and socketio_watch_statement() make and socketio_unwatch() drops.
//
// A watch is nothing but triggers of certain names that call socketio_emit_changes(), so dumps and ALTER TABLE treat it
// as they treat any trigger. Nothing else is ever dropped: neither a trigger of another name that calls that function,
// nor one of such a name that calls another, nor the clone of a partitioned table's trigger on a partition.
//
// All of it is done with CREATE TRIGGER, DROP TRIGGER and ALTER TABLE, as the current user.

#pragma once

#include "backend/server.h"

namespace socketio {

enum class WatchLevel { kRow, kStatement };

struct TriggerArguments {
    char** values;
    int count;
};

// The trigger function, which is in the schema of `function`, another one of the extension's.
Oid find_trigger_function(Oid function);

// The one that says where a statement begins (statement_order.h); invalid where the extension has not been updated to 0.2.0.
Oid find_order_function(Oid function);

// Watch `table` through `trigger_function`, in place of the watch there may be. Besides the errors of the commands, ERROR
// 42809 for what is no table, and 42710 where a partition and its partitioned table would both be watched.
void create_watch(Oid table, Oid trigger_function, WatchLevel level, const TriggerArguments& arguments);

// ERROR 42704 where `table` has no watch of its own.
void drop_watch(Oid table, Oid trigger_function);

}  // namespace socketio
