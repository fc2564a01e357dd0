// See change_plan.h.

#include "backend/change_plan.h"

#include "backend/attachment_table.h"
#include "backend/channel.h"
#include "backend/dialect.h"
#include "backend/text.h"
#include "protocol/event_name.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_index.h"
#include "catalog/pg_trigger.h"
#include "nodes/bitmapset.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
}

namespace socketio {

namespace {

void require_timing(const Trigger* trigger, const TriggerIdentity& identity) {
    if (TRIGGER_FOR_BEFORE(trigger->tgtype)) {
        ereport(ERROR,
                (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                 errmsg("trigger \"%s\" on table \"%s\" must fire AFTER the change", identity.trigger, identity.table),
                 errdetail("Before it, the row is not final, and may not be written at all."),
                 errhint("Create it with AFTER, or on a view with INSTEAD OF.")));
    }
}

// Rows of a statement come in transition tables, which PostgreSQL makes only on demand.
void require_transition_tables(const Trigger* trigger, const TriggerIdentity& identity) {
    const bool needs_old = TRIGGER_FOR_UPDATE(trigger->tgtype) || TRIGGER_FOR_DELETE(trigger->tgtype);
    const bool needs_new = TRIGGER_FOR_UPDATE(trigger->tgtype) || TRIGGER_FOR_INSERT(trigger->tgtype);
    if (TRIGGER_FOR_ROW(trigger->tgtype) ||
        ((!needs_old || trigger->tgoldtable != nullptr) && (!needs_new || trigger->tgnewtable != nullptr))) {
        return;
    }
    ereport(ERROR,
            (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
             errmsg("trigger \"%s\" on table \"%s\" needs transition tables", identity.trigger, identity.table),
             errdetail("FOR EACH STATEMENT, the rows are read from there: from NEW TABLE for INSERT, OLD TABLE for "
                       "DELETE, and both for UPDATE."),
             errhint("Create a trigger for each event with REFERENCING OLD TABLE AS old_rows NEW TABLE AS "
                     "new_rows, or call socketio_watch_statement().")));
}

// Its rows hold binary: a change of one would be an attachment, which is a change.
void require_other_than_attachments(Relation relation, const TriggerIdentity& identity) {
    if (is_attachment_table(relation)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("trigger \"%s\" cannot emit changes of the attachment table \"%s\"", identity.trigger,
                               identity.table),
                        errdetail("To emit a change could take an attachment, which is a change again."),
                        errhint("Drop the trigger, or name another table in socketio_emitter.attachment_table.")));
    }
}

ColumnSet columns_of(const Bitmapset* members, int capacity) {
    ColumnSet set = {static_cast<int*>(palloc(capacity * sizeof(int))), 0, 0};
    for (int column = -1; (column = bms_next_member(members, column)) >= 0;) {
        set.add(column);
    }
    return set;
}

// The columns that a row has for a trigger to read.
Bitmapset* readable_columns(TupleDesc descriptor) {
    Bitmapset* readable = nullptr;
    for (int i = 0; i < descriptor->natts; ++i) {
        const auto* attribute = TupleDescAttr(descriptor, i);
#if PG_VERSION_NUM >= 180000
        if (attribute->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL) {
            continue;
        }
#endif
        if (!attribute->attisdropped) {
            readable = bms_add_member(readable, i);
        }
    }
    return readable;
}

Bitmapset* listed_columns(const TemplateScope& scope, const char* option, std::string_view list) {
    Bitmapset* listed = nullptr;
    std::string_view rest = list;
    do {
        const std::string_view name = name_of(take_name(rest));
        if (name.empty()) {
            report_problem(scope, option, list, "has an empty name in it");
        }
        listed = bms_add_member(listed, find_column(scope, option, name));
    } while (rest.data() != nullptr);
    return listed;
}

Bitmapset* index_columns(Form_pg_index index) {
    Bitmapset* columns = nullptr;
    for (int i = 0; i < index->indnkeyatts; ++i) {
        columns = bms_add_member(columns, index->indkey.values[i] - 1);
    }
    return columns;
}

// The columns of the primary key, else of the replica identity's index. Not RelationGetIndexAttrBitmap(): to that, a
// primary key that is deferrable is none.
Bitmapset* find_key_index(Relation relation) {
    Bitmapset* key = nullptr;
    List* indexes = RelationGetIndexList(relation);
    ListCell* cell;
    foreach (cell, indexes) {
        const HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
        if (!HeapTupleIsValid(tuple)) {
            continue;
        }
        const auto index = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
        const bool is_primary = index->indisprimary;
        if (is_primary || index->indisreplident) {
            key = index_columns(index);
        }
        ReleaseSysCache(tuple);
        if (is_primary) {
            break;
        }
    }
    list_free(indexes);
    return key;
}

bool is_keyed(ChangePayload payload) { return payload == ChangePayload::kDiff || payload == ChangePayload::kKeys; }

Bitmapset* find_key(Relation relation, ChangePayload payload) {
    if (!is_keyed(payload)) {
        return nullptr;
    }
    Bitmapset* key = find_key_index(relation);
    const bool whole_row = key == nullptr && relation->rd_rel->relreplident == REPLICA_IDENTITY_FULL;
    return whole_row && payload == ChangePayload::kDiff ? readable_columns(RelationGetDescr(relation)) : key;
}

Bitmapset* find_record(const TemplateScope& scope, const TriggerOptions& options, Bitmapset* key) {
    if (options.payload == ChangePayload::kKeys) {
        return key;
    }
    if (options.columns.data() != nullptr) {
        return listed_columns(scope, "columns", options.columns);
    }
    Bitmapset* readable = readable_columns(scope.descriptor);
    if (options.exclude.data() == nullptr) {
        return readable;
    }
    return bms_del_members(readable, listed_columns(scope, "exclude", options.exclude));
}

// A row cannot be told apart without its key, and what somebody excluded must not leave.
void require_key_allowed(const TemplateScope& scope, const TriggerOptions& options, const Bitmapset* record,
                         const Bitmapset* key) {
    const Bitmapset* excluded = options.exclude.data() != nullptr ? bms_difference(key, record) : nullptr;
    if (!bms_is_empty(excluded)) {
        const auto* attribute = TupleDescAttr(scope.descriptor, bms_next_member(excluded, -1));
        report_unfit_column(scope.identity, "exclude", NameStr(attribute->attname),
                            "It belongs to the key, which payload=diff sends.");
    }
}

void set_columns(const TemplateScope& scope, Relation relation, const TriggerOptions& options, ChangePlan* plan) {
    Bitmapset* key = find_key(relation, options.payload);
    Bitmapset* record = find_record(scope, options, key);
    if (options.payload == ChangePayload::kDiff) {
        require_key_allowed(scope, options, record, key);
        record = bms_union(record, key);
    }
    const int count = scope.descriptor->natts;
    plan->record = columns_of(record, count);
    plan->key = columns_of(key, count);
    for (const ColumnSet* set : {&plan->record, &plan->key}) {
        for (int i = 0; i < set->count; ++i) {
            ColumnPlan& column = plan->columns[set->columns[i]];
            if (column.value == nullptr) {
                column = plan_column(TupleDescAttr(scope.descriptor, set->columns[i]), scope.context);
            }
        }
    }
}

Bitmapset* members_of(const ColumnSet& set) {
    Bitmapset* members = nullptr;
    for (int i = 0; i < set.count; ++i) {
        members = bms_add_member(members, set.columns[i]);
    }
    return members;
}

// A row that moves to other rooms is news there, whatever of it is shown.
void set_noticed_columns(ChangePlan* plan) {
    Bitmapset* noticed = members_of(plan->record);
    for (int i = 0; i < plan->rooms.count; ++i) {
        const RowTemplate& room = plan->rooms.templates[i];
        for (int part = 0; part < room.count; ++part) {
            if (room.parts[part].kind == TemplatePart::Kind::kColumn) {
                noticed = bms_add_member(noticed, room.parts[part].column);
            }
        }
    }
    plan->noticed = columns_of(noticed, plan->descriptor->natts);
}

void set_namespaces(const TemplateScope& scope, const TriggerOptions& options, ChangePlan* plan) {
    const RowTemplate nsp = compile_template(scope, "nsp", options.nsp.empty() ? "/" : options.nsp);
    for (int i = 0; i < nsp.count; ++i) {
        if (nsp.parts[i].kind == TemplatePart::Kind::kColumn) {
            report_unfit_column(scope.identity, "nsp",
                                NameStr(TupleDescAttr(scope.descriptor, nsp.parts[i].column)->attname),
                                "All changes of a table go to one namespace.");
        }
    }
    for (int op = 0; op < kChangeOps; ++op) {
        plan->nsp[op] =
            op == 0 || nsp.names_op ? normalise_namespace(fill_in_name(nsp, static_cast<ChangeOp>(op))) : plan->nsp[0];
    }
}

// A TRUNCATE has no row to take an event's name from.
void require_event_for_truncate(const TemplateScope& scope, const Trigger* trigger, const RowTemplate& event) {
    if (TRIGGER_FOR_TRUNCATE(trigger->tgtype) && event.names_columns()) {
        const auto* attribute = TupleDescAttr(scope.descriptor, event.last_column - 1);
        report_unfit_column(scope.identity, "event", NameStr(attribute->attname),
                            "TRUNCATE has no row to take it from.");
    }
}

void set_templates(const TemplateScope& scope, const Trigger* trigger, const TriggerOptions& options,
                   ChangePlan* plan) {
    set_namespaces(scope, options, plan);
    plan->event = compile_template(scope, "event", options.event);
    require_event_for_truncate(scope, trigger, plan->event);
    plan->rooms = compile_templates(scope, "rooms", options.rooms);
    plan->except = compile_templates(scope, "except", options.except);
}

ChangePlan* make_plan(Relation relation, const Trigger* trigger, MemoryContext context) {
    auto* plan = static_cast<ChangePlan*>(palloc0(sizeof(ChangePlan)));
    plan->identity = identify_trigger(relation, trigger);
    require_timing(trigger, plan->identity);
    require_transition_tables(trigger, plan->identity);
    require_other_than_attachments(relation, plan->identity);
    const TriggerOptions options = read_trigger_options(trigger, plan->identity);
    plan->descriptor = RelationGetDescr(relation);
    plan->columns = static_cast<ColumnPlan*>(palloc0(plan->descriptor->natts * sizeof(ColumnPlan)));
    plan->schema = to_utf8(plan->identity.schema);
    plan->table = to_utf8(plan->identity.table);
    plan->payload = options.payload;
    plan->is_volatile = options.is_volatile;
    plan->compress = options.compress;
    const TemplateScope scope = {plan->identity, plan->descriptor, plan->columns, context};
    set_columns(scope, relation, options, plan);
    set_templates(scope, trigger, options, plan);
    if (plan->payload == ChangePayload::kDiff) {
        set_noticed_columns(plan);
    }
    return plan;
}

}  // namespace

ChangePlan* plan_changes(Relation relation, const Trigger* trigger, MemoryContext context) {
    const MemoryContext caller_context = MemoryContextSwitchTo(context);
    ChangePlan* plan = make_plan(relation, trigger, context);
    MemoryContextSwitchTo(caller_context);
    return plan;
}

void require_key(const ChangePlan* plan) {
    if (is_keyed(plan->payload) && plan->key.count == 0) {
        ereport(
            ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("trigger \"%s\" on table \"%s\" needs a primary key", plan->identity.trigger, plan->identity.table),
             errdetail("With payload=diff and payload=keys, receivers know rows by their key."),
             errhint("Add a primary key or set the table's REPLICA IDENTITY to an index; or choose payload=change "
                     "or payload=record.")));
    }
}

void require_client_event(const ChangePlan* plan, std::string_view event) {
    if (is_reserved_event(event)) {
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg("event \"%.*s\" of trigger \"%s\" on table \"%s\" is reserved by Socket.IO",
                        static_cast<int>(event.size()), event.data(), plan->identity.trigger, plan->identity.table),
                 errhint("Choose another name in option \"event\".")));
    }
}

void require_names(const ChangePlan* plan) {
    for (int op = 0; op < kChangeOps; ++op) {
        dialect().require_namespace(plan->nsp[op]);
        if (!plan->event.names_columns()) {
            require_client_event(plan, fill_in_name(plan->event, static_cast<ChangeOp>(op)));
        }
    }
}

}  // namespace socketio
