// socketio_check_trigger: an event trigger at the end of commands that create triggers. It looks at those that emit changes, so
// that mistakes in their options show where they are made.

#include <cstring>

#include "backend/change_plan.h"
#include "backend/guard.h"
#include "backend/statement_order.h"
#include "backend/watch_triggers.h"

extern "C" {
#include "access/relation.h"
#include "catalog/namespace.h"
#include "commands/event_trigger.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
}

namespace socketio {

namespace {

// The functions of triggers that are looked at.
struct TriggerFunctions {
    Oid emitter;
    Oid order;
};

void check_triggers(Relation relation, const char* name, const TriggerFunctions& functions) {
    const TriggerDesc* triggers = relation->trigdesc;
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
        const Trigger* trigger = &triggers->triggers[i];
        if (std::strcmp(trigger->tgname, name) != 0) {
            continue;
        }
        if (trigger->tgfoid == functions.emitter) {
            require_names(plan_changes(relation, trigger, CurrentMemoryContext));
        } else if (trigger->tgfoid == functions.order) {
            require_order_trigger(relation, trigger);
        }
    }
}

// The table on which CREATE SCHEMA, if it was that, has created a trigger. Up to PostgreSQL 18 the command writes the new
// schema into the names of its elements; from 19 on it only looks there first.
Oid find_table(const RangeVar* name, Oid new_schema) {
    Oid table = InvalidOid;
    if (OidIsValid(new_schema) && name->schemaname == nullptr) {
        table = get_relname_relid(name->relname, new_schema);
    }
    return OidIsValid(table) ? table : RangeVarGetRelid(name, NoLock, true);  // CREATE TRIGGER holds a lock
}

void check_statement(const CreateTrigStmt* statement, Oid new_schema, const TriggerFunctions& functions) {
    const Oid table = find_table(statement->relation, new_schema);
    if (OidIsValid(table)) {
        Relation relation = relation_open(table, AccessShareLock);
        check_triggers(relation, statement->trigname, functions);
        relation_close(relation, NoLock);
    }
}

// Without a name, a schema is called as its owner.
Oid created_schema(const CreateSchemaStmt* statement) {
    const char* name =
        statement->schemaname != nullptr ? statement->schemaname : get_rolespec_name(statement->authrole);
    return get_namespace_oid(name, false);
}

void check_statement(const CreateSchemaStmt* statement, const TriggerFunctions& functions) {
    const Oid schema = created_schema(statement);
    ListCell* cell;
    foreach (cell, statement->schemaElts) {
        const auto* element = static_cast<const Node*>(lfirst(cell));
        if (IsA(element, CreateTrigStmt)) {
            check_statement(reinterpret_cast<const CreateTrigStmt*>(element), schema, functions);
        }
    }
}

Datum check_trigger(FunctionCallInfo fcinfo) {
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo)) {
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("socketio_check_trigger() must be called as an event trigger")));
    }
    const Node* command = reinterpret_cast<const EventTriggerData*>(fcinfo->context)->parsetree;
    const Oid own = fcinfo->flinfo->fn_oid;
    const TriggerFunctions functions = {find_trigger_function(own), find_order_function(own)};
    if (IsA(command, CreateTrigStmt)) {
        check_statement(reinterpret_cast<const CreateTrigStmt*>(command), InvalidOid, functions);
    } else if (IsA(command, CreateSchemaStmt)) {
        check_statement(reinterpret_cast<const CreateSchemaStmt*>(command), functions);
    }
    PG_RETURN_NULL();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_check_trigger, socketio::check_trigger);
