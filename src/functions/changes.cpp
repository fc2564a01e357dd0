// socketio_emit_changes: the trigger function that emits what happened to a table's rows.

#include "backend/attachment_table.h"
#include "backend/change_context.h"
#include "backend/change_diff.h"
#include "backend/change_payload.h"
#include "backend/change_plan.h"
#include "backend/change_target.h"
#include "backend/dialect.h"
#include "backend/guard.h"
#include "backend/settings.h"
#include "backend/spelling.h"
#include "backend/statement_changes.h"
#include "backend/statement_order.h"

extern "C" {
#include "commands/trigger.h"
}

namespace socketio {

namespace {

// What is kept from one row of a statement to the next.
struct Firing {
    explicit Firing(const ChangePlan* the_plan) : plan(the_plan), finder(the_plan), shown(the_plan) {}

    const ChangePlan* plan;
    TargetFinder finder;
    ShownColumns shown;
};

Firing* firing_of(FunctionCallInfo fcinfo, const TriggerData* trigger) {
    FmgrInfo* call_site = fcinfo->flinfo;
    if (call_site->fn_extra == nullptr) {
        const MemoryContext caller_context = MemoryContextSwitchTo(call_site->fn_mcxt);
        const ChangePlan* plan = plan_changes(trigger->tg_relation, trigger->tg_trigger, call_site->fn_mcxt);
        require_key(plan);
        call_site->fn_extra = new (palloc(sizeof(Firing))) Firing(plan);
        MemoryContextSwitchTo(caller_context);
    }
    return static_cast<Firing*>(call_site->fn_extra);
}

ChangeOp op_of(const TriggerData* trigger) {
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) {
        return ChangeOp::kInsert;
    }
    if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)) {
        return ChangeOp::kUpdate;
    }
    return TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? ChangeOp::kDelete : ChangeOp::kTruncate;
}

// The row or rows that a row-level trigger is fired for.
RowChange change_of(const TriggerData* trigger) {
    const ChangeOp op = op_of(trigger);
    switch (op) {
        case ChangeOp::kInsert:
            return {op, trigger->tg_trigslot, nullptr};
        case ChangeOp::kUpdate:
            return {op, trigger->tg_newslot, trigger->tg_trigslot};
        case ChangeOp::kDelete:
            return {op, nullptr, trigger->tg_trigslot};
        default:
            return {op, nullptr, nullptr};
    }
}

void emit_change(Firing* firing, const RowChange& change) {
    ChangeTarget target;
    if (is_silent(firing->plan, change) || !firing->finder.find(change, target)) {
        return;
    }
    const Target address = address_of(firing->plan, change.op, target);
    const RowArguments arguments(firing->plan, change, firing->shown.of(change));
    dialect().emit({address, target.event, arguments});
}

void emit_for(FunctionCallInfo fcinfo, const TriggerData* trigger) {
    Firing* firing = firing_of(fcinfo, trigger);
    const ChangeContext context(firing->plan);
    const ChangeOp op = op_of(trigger);
    if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || op == ChangeOp::kTruncate) {
        emit_change(firing, change_of(trigger));
    } else {
        require_primary();
        emit_statement_changes(firing->plan, trigger, op);
    }
}

bool is_for_statement(const TriggerData* trigger) {
    return !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && op_of(trigger) != ChangeOp::kTruncate;
}

void emit(FunctionCallInfo fcinfo, const TriggerData* trigger) {
    if (settings.enabled) {
        emit_for_watch([&] { with_fixed_spelling([&] { run_guarded([&] { emit_for(fcinfo, trigger); }); }); });
    }
}

// Whatever a statement emits, it ends here.
void emit_in_order(FunctionCallInfo fcinfo, const TriggerData* trigger) {
    StatementEvents events(trigger);
    emit(fcinfo, trigger);
    events.end();
}

// INSTEAD OF triggers pass the row on; what AFTER triggers return is not looked at.
Datum returned_row(const TriggerData* trigger) {
    const bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
    return PointerGetDatum(is_update ? trigger->tg_newtuple : trigger->tg_trigtuple);
}

Datum emit_changes(FunctionCallInfo fcinfo) {
    if (!CALLED_AS_TRIGGER(fcinfo)) {
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("socketio_emit_changes() must be called as a trigger")));
    }
    const auto* trigger = reinterpret_cast<const TriggerData*>(fcinfo->context);
    if (is_for_statement(trigger)) {
        emit_in_order(fcinfo, trigger);
    } else {
        emit(fcinfo, trigger);
    }
    return returned_row(trigger);
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_emit_changes, socketio::emit_changes);
