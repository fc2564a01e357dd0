// See statement_changes.h.

#include "backend/statement_changes.h"

#include "backend/change_batch.h"
#include "backend/change_target.h"
#include "backend/group_rows.h"
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

// There is one row, and nothing to sort either.
void send_one(TargetFinder& finder, TransitionRows& rows, BatchSender& sender) {
    SingleChange change{rows.next()};
    ChangeTarget target;
    if (change.left != nullptr && finder.find(*change.left, target)) {
        sender.send(target, change);
    }
}

void sort(TargetFinder& finder, TransitionRows& rows, RowGroups& groups) {
    // Output functions leave behind what they like. The rows themselves belong to their slots.
    const MemoryContext row_context =
        AllocSetContextCreate(CurrentMemoryContext, "socketio_emitter row", ALLOCSET_SMALL_SIZES);
    ChangeTarget target;
    while (const RowChange* change = rows.next()) {
        const MemoryContext caller_context = MemoryContextSwitchTo(row_context);
        if (finder.find(*change, target)) {
            groups.add(target, *change);
        }
        MemoryContextSwitchTo(caller_context);
        MemoryContextReset(row_context);
    }
    MemoryContextDelete(row_context);
}

void send_groups(const ChangePlan* plan, TargetFinder& finder, ChangeOp op, TransitionRows& rows, BatchSender& sender) {
    RowGroups groups(plan, op);
    sort(finder, rows, groups);
    GroupRows changes(groups);
    for (const RowGroup* group = groups.first(); group != nullptr; group = group->next) {
        sender.send_group(group, changes);
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
    } else if (rows.count() == 1) {
        send_one(finder, rows, sender);
    } else {
        send_groups(plan, finder, op, rows, sender);
    }
    sender.close();
    rows.close();
    MemoryContextSwitchTo(caller_context);
    MemoryContextDelete(context);
}

}  // namespace socketio
