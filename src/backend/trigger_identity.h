// Which trigger, on which table: what receivers and errors call them.

#pragma once

#include "backend/server.h"

extern "C" {
#include "utils/rel.h"
#include "utils/reltrigger.h"
}

namespace socketio {

// In the encoding of the database.
struct TriggerIdentity {
    const char* trigger;
    const char* schema;
    const char* table;
};

// The names of `trigger` and of the table it was made on. A row trigger of a partitioned table has a clone on each
// partition, where it fires: the table it was made on is the partitioned one, whose name the user knows.
// The names live in CurrentMemoryContext.
TriggerIdentity identify_trigger(Relation relation, const Trigger* trigger);

}  // namespace socketio
