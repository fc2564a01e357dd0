// How the changes of one table are emitted by one trigger: its options, compiled against the table's columns.
//
// A plan is made at a trigger's first firing in a statement and used for all of the statement's rows. It is not kept
// longer: between statements, anybody may alter the table.

#pragma once

#include <optional>
#include <string_view>

#include "backend/row_change.h"
#include "backend/row_template.h"
#include "backend/trigger_identity.h"
#include "backend/trigger_options.h"
#include "backend/value_plan.h"

namespace socketio {

// Some columns of a table, in its order.
struct ColumnSet {
    int* columns;  // indexes in the table's description
    int count;
    int last_column;  // number of the last one: how far a row has to be taken apart

    void add(int column) {
        columns[count++] = column;
        last_column = column + 1;
    }
};

struct ChangePlan {
    TriggerIdentity identity;
    std::string_view schema;  // as UTF-8
    std::string_view table;
    TupleDesc descriptor;
    ColumnPlan* columns;  // descriptor->natts; planned are those that something below names

    ChangePayload payload;
    ColumnSet record;   // what a record holds; with kDiff, the key as well
    ColumnSet key;      // with kDiff and kKeys, the primary key, or what replica identity has in its place
    ColumnSet noticed;  // with kDiff: an UPDATE of none of these is not told; those of the record, and those rooms name

    std::string_view nsp[kChangeOps];  // as UTF-8
    RowTemplate event;
    TemplateList rooms;
    TemplateList except;
    bool is_volatile;
    std::optional<bool> compress;
};

// Compile the options of `trigger` on `relation`. The plan lives in `context`. ERROR as in trigger_options.h and
// row_template.h, and 39P01 where the trigger is of a kind that cannot emit changes.
ChangePlan* plan_changes(Relation relation, const Trigger* trigger, MemoryContext context);

// ERROR 55000 where the payload identifies rows by a key and the table has none. Not part of plan_changes(): a dump may
// restore the trigger before the primary key.
void require_key(const ChangePlan* plan);

// ERROR 22023 for an event's name that Socket.IO reserves. `event` is UTF-8; those names are ASCII.
void require_client_event(const ChangePlan* plan, std::string_view event);

// The same, and ERROR 42622 for a namespace too long for a channel, as far as the names are known without a row.
void require_names(const ChangePlan* plan);

}  // namespace socketio
