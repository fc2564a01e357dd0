// All changes that one statement made to a table, emitted in as few events as their targets allow.

#pragma once

#include "backend/change_plan.h"
#include "backend/row_change.h"

extern "C" {
#include "commands/trigger.h"
}

namespace socketio {

// Emit the rows of the transition tables of `trigger`: those that go to the same target in one event, with more events only
// where a message would become too long, and the targets in the order of their first rows.
void emit_statement_changes(const ChangePlan* plan, const TriggerData* trigger, ChangeOp op);

}  // namespace socketio
