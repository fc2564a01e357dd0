// socketio_emit_changes: the trigger function that emits what happened to a table's rows; and socketio_check_trigger, which
// looks at such a trigger as soon as it is created.

#include "backend/change_diff.h"
#include "backend/change_message.h"
#include "backend/change_payload.h"
#include "backend/change_plan.h"
#include "backend/change_target.h"
#include "backend/guard.h"
#include "backend/publish.h"
#include "backend/statement_changes.h"
#include "backend/watch_triggers.h"

extern "C" {
#include "access/relation.h"
#include "catalog/namespace.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "nodes/parsenodes.h"
}

namespace socketio {

namespace {

[[noreturn]] void report_not_a_trigger(const char* function) {
    ereport(ERROR,
            (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("%s() must be called as a trigger", function)));
    pg_unreachable();
}

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
    ChangeAddress address;
    set_address(firing->plan, change.op, target, address);
    const RowArguments arguments(firing->plan, change, firing->shown.of(change));
    publish(address.channel, Broadcast<RowArguments>{address.target, target.event, arguments});
}

void emit_for(FunctionCallInfo fcinfo, const TriggerData* trigger) {
    Firing* firing = firing_of(fcinfo, trigger);
    const ChangeOp op = op_of(trigger);
    if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || op == ChangeOp::kTruncate) {
        emit_change(firing, change_of(trigger));
    } else {
        require_primary();
        emit_statement_changes(firing->plan, trigger, op);
    }
}

// INSTEAD OF triggers pass the row on; what AFTER triggers return is not looked at.
Datum returned_row(const TriggerData* trigger) {
    const bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
    return PointerGetDatum(is_update ? trigger->tg_newtuple : trigger->tg_trigtuple);
}

Datum emit_changes(FunctionCallInfo fcinfo) {
    if (!CALLED_AS_TRIGGER(fcinfo)) {
        report_not_a_trigger("socketio_emit_changes");
    }
    const auto* trigger = reinterpret_cast<const TriggerData*>(fcinfo->context);
    if (settings.enabled) {
        emit_for(fcinfo, trigger);
    }
    return returned_row(trigger);
}

void check_triggers(Relation relation, const char* name, Oid function) {
    const TriggerDesc* triggers = relation->trigdesc;
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
        const Trigger* trigger = &triggers->triggers[i];
        if (trigger->tgfoid == function && std::strcmp(trigger->tgname, name) == 0) {
            require_names(plan_changes(relation, trigger, CurrentMemoryContext));
        }
    }
}

void check_statement(const CreateTrigStmt* statement, Oid function) {
    const Oid table = RangeVarGetRelid(statement->relation, NoLock, true);  // CREATE TRIGGER holds a lock
    if (OidIsValid(table)) {
        Relation relation = relation_open(table, AccessShareLock);
        check_triggers(relation, statement->trigname, function);
        relation_close(relation, NoLock);
    }
}

void check_statement(const CreateSchemaStmt* statement, Oid function) {
    ListCell* cell;
    foreach (cell, statement->schemaElts) {
        const auto* element = static_cast<const Node*>(lfirst(cell));
        if (IsA(element, CreateTrigStmt)) {
            check_statement(reinterpret_cast<const CreateTrigStmt*>(element), function);
        }
    }
}

// Event trigger at the end of a command that creates triggers, so that mistakes show where they are made.
Datum check_trigger(FunctionCallInfo fcinfo) {
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo)) {
        report_not_a_trigger("socketio_check_trigger");
    }
    const Node* command = reinterpret_cast<const EventTriggerData*>(fcinfo->context)->parsetree;
    const Oid function = find_trigger_function(fcinfo->flinfo->fn_oid);
    if (IsA(command, CreateTrigStmt)) {
        check_statement(reinterpret_cast<const CreateTrigStmt*>(command), function);
    } else if (IsA(command, CreateSchemaStmt)) {
        check_statement(reinterpret_cast<const CreateSchemaStmt*>(command), function);
    }
    PG_RETURN_NULL();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_emit_changes, socketio::emit_changes);
SQL_FUNCTION(socketio_check_trigger, socketio::check_trigger);
