// See statement_changes.h.

#include "backend/statement_changes.h"

#include "backend/change_batch.h"
#include "backend/change_target.h"
#include "backend/row_groups.h"
#include "backend/transition_rows.h"

extern "C" {
#include "utils/memutils.h"
}

namespace socketio {

namespace {

// Every row goes to the same target: there is nothing to sort.
void send_all(TargetFinder& finder, ChangeOp op, TransitionRows& rows, BatchSender& sender) {
    ChangeTarget target;
    if (finder.find({op, nullptr, nullptr}, target)) {
        sender.send(target, rows);
    }
}

void send_groups(const ChangePlan* plan, TargetFinder& finder, ChangeOp op, TransitionRows& rows, BatchSender& sender) {
    RowGroups groups(op, plan->descriptor);
    ChangeTarget target;
    while (const RowChange* change = rows.next()) {
        if (finder.find(*change, target)) {
            groups.add(target, *change);
        }
    }
    GroupRows changes(groups);
    for (const RowGroup* group = groups.first(); group != nullptr; group = group->next) {
        changes.open(group);
        sender.send(group->target, changes);
    }
    changes.close();
    groups.close();
}

}  // namespace

void emit_statement_changes(const ChangePlan* plan, const TriggerData* trigger, ChangeOp op) {
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "socketio_emitter changes", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext caller_context = MemoryContextSwitchTo(context);
    TransitionRows rows(plan, trigger, op);
    TargetFinder finder(plan);
    BatchSender sender(plan, op);
    if (finder.is_constant()) {
        send_all(finder, op, rows, sender);
    } else {
        send_groups(plan, finder, op, rows, sender);
    }
    sender.close();
    rows.close();
    MemoryContextSwitchTo(caller_context);
    MemoryContextDelete(context);
}

}  // namespace socketio
