// See watch_triggers.h.

#include "backend/watch_triggers.h"

#include <algorithm>
#include <cstring>

#include "backend/change_plan.h"
#include "backend/extension.h"
#include "backend/row_template.h"
#include "backend/trigger_options.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/objectaddress.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace socketio {

namespace {

constexpr char kTriggerFunction[] = "socketio_emit_changes";
constexpr char kOrderFunction[] = "socketio_order_changes";

struct WatchTrigger {
    const char* name;
    const char* events;  // and when
    const char* level;
};

constexpr WatchTrigger kRowTriggers[] = {
    {"socketio_watch", "AFTER INSERT OR UPDATE OR DELETE", "FOR EACH ROW"},
};
constexpr WatchTrigger kStatementTriggers[] = {
    {"socketio_watch_insert", "AFTER INSERT", "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT"},
    {"socketio_watch_update", "AFTER UPDATE",
     "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT"},
    {"socketio_watch_delete", "AFTER DELETE", "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT"},
};
constexpr WatchTrigger kTruncateTrigger = {"socketio_watch_truncate", "AFTER TRUNCATE", "FOR EACH STATEMENT"};
constexpr WatchTrigger kOrderTrigger = {"socketio_watch_begin", "BEFORE INSERT OR UPDATE OR DELETE",
                                        "FOR EACH STATEMENT"};

bool is_watch_trigger(const char* name) {
    const auto has_name = [name](const WatchTrigger& trigger) { return std::strcmp(trigger.name, name) == 0; };
    return std::any_of(std::begin(kRowTriggers), std::end(kRowTriggers), has_name) ||
           std::any_of(std::begin(kStatementTriggers), std::end(kStatementTriggers), has_name) ||
           has_name(kTruncateTrigger);
}

enum class Origin {
    kOwn,    // made on the table itself
    kClone,  // made on a partitioned table, of which the table is a partition
};

Oid find_function_beside(Oid function, const char* name) {
    return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
                           PointerGetDatum(buildoidvector(nullptr, 0)), ObjectIdGetDatum(get_func_namespace(function)));
}

// Invalid where the extension's objects are still those of 0.1.0.
Oid find_order_function_beside(Oid trigger_function) { return find_function_beside(trigger_function, kOrderFunction); }

bool belongs_to_watch(const FormData_pg_trigger* trigger, Oid trigger_function, Oid order_function) {
    const char* name = NameStr(trigger->tgname);
    return (trigger->tgfoid == trigger_function && is_watch_trigger(name)) ||
           (trigger->tgfoid == order_function && std::strcmp(name, kOrderTrigger.name) == 0);
}

struct FoundTrigger {
    const char* name;
    char enabled;  // as in pg_trigger
};

// The triggers that make up a watch of `table`.
List* find_watch(Oid table, Oid trigger_function, Origin origin) {
    const Oid order_function = find_order_function_beside(trigger_function);
    Relation pg_trigger = table_open(TriggerRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
    SysScanDesc scan = systable_beginscan(pg_trigger, TriggerRelidNameIndexId, true, nullptr, 1, &key);
    List* found = NIL;
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple); tuple = systable_getnext(scan)) {
        const auto* trigger = reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple));
        const Origin its_origin = OidIsValid(trigger->tgparentid) ? Origin::kClone : Origin::kOwn;
        if (its_origin == origin && belongs_to_watch(trigger, trigger_function, order_function)) {
            auto* one = static_cast<FoundTrigger*>(palloc(sizeof(FoundTrigger)));
            *one = {pstrdup(NameStr(trigger->tgname)), trigger->tgenabled};
            found = lappend(found, one);
        }
    }
    systable_endscan(scan);
    table_close(pg_trigger, AccessShareLock);
    return found;
}

bool is_watched(Oid table, Oid trigger_function, Origin origin = Origin::kOwn) {
    return find_watch(table, trigger_function, origin) != NIL;
}

// The partitioned table whose watch reaches `partition`.
Oid find_watched_ancestor(Oid partition, Oid trigger_function) {
    ListCell* cell;
    foreach (cell, get_partition_ancestors(partition)) {
        if (is_watched(lfirst_oid(cell), trigger_function)) {
            return lfirst_oid(cell);
        }
    }
    elog(ERROR, "could not find the table that partition %u is watched with", partition);
}

char require_relation(Oid relation) {
    const char kind = get_rel_relkind(relation);
    if (kind == '\0') {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relation)));
    }
    return kind;
}

[[noreturn]] void report_view(const char* name) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("cannot watch view \"%s\"", name),
                    errdetail("A view has no rows of its own that could change."),
                    errhint("Watch the tables it reads, or emit what is written to the view, with a trigger made by "
                            "hand: CREATE TRIGGER ... INSTEAD OF INSERT OR UPDATE OR DELETE ON ... FOR EACH ROW "
                            "EXECUTE FUNCTION %s().",
                            kTriggerFunction)));
    pg_unreachable();
}

void require_watchable(Oid table, WatchLevel level) {
    const char kind = require_relation(table);
    const char* name = get_rel_name(table);
    if (kind == RELKIND_VIEW) {
        report_view(name);
    }
    if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_FOREIGN_TABLE) {
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("cannot watch relation \"%s\"", name),
                        errdetail_relkind_not_supported(kind)));
    }
    if (kind == RELKIND_FOREIGN_TABLE && level == WatchLevel::kStatement) {
        ereport(
            ERROR,
            (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("cannot watch foreign table \"%s\" by statement", name),
             errdetail("Triggers on foreign tables cannot have transition tables."), errhint("Use socketio_watch().")));
    }
}

[[noreturn]] void report_denied(AclResult reason, Oid table) {
    aclcheck_error(reason, get_relkind_objtype(get_rel_relkind(table)), get_rel_name(table));
    pg_unreachable();
}

// The commands ask for the same rights, but not before they hold a lock that keeps others waiting.
void require_trigger_privilege(Oid table) {
    const AclResult result = pg_class_aclcheck(table, GetUserId(), ACL_TRIGGER);
    if (result != ACLCHECK_OK) {
        report_denied(result, table);
    }
}

void require_ownership(Oid table) {
    if (!has_privs_of_role(GetUserId(), table_owner(table))) {
        report_denied(ACLCHECK_NOT_OWNER, table);
    }
}

// Until the end of the transaction. ERROR where the table is gone by the time the lock is granted.
void lock_table(Oid table, LOCKMODE mode) { relation_close(relation_open(table, mode), NoLock); }

// A watch is replaced under the lock of DROP TRIGGER from the start: to ask for it while holding the weaker one of CREATE
// TRIGGER could end in a deadlock with those who read the table and are about to write to it.
void lock_to_create(Oid table, Oid trigger_function) {
    require_trigger_privilege(table);
    if (!is_watched(table, trigger_function)) {
        lock_table(table, ShareRowExclusiveLock);
        if (!is_watched(table, trigger_function)) {  // still, for somebody else may have held the lock
            return;
        }
        UnlockRelationOid(table, ShareRowExclusiveLock);
    }
    require_ownership(table);
    lock_table(table, AccessExclusiveLock);
}

// A row trigger of a partitioned table is cloned onto every partition, under its name. Of a watch of the partition's own
// CREATE TRIGGER would say that there is a trigger of that name, or, where the names differ, nothing: then both would
// emit every change.
void require_not_watched_with_ancestor(Oid table, Oid trigger_function) {
    if (!is_watched(table, trigger_function, Origin::kClone)) {
        return;
    }
    const char* ancestor = get_rel_name(find_watched_ancestor(table, trigger_function));
    ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
                    errmsg("partition \"%s\" is watched already, with table \"%s\"", get_rel_name(table), ancestor),
                    errhint("Call socketio_unwatch() for table \"%s\" first.", ancestor)));
}

void require_no_watched_partition(Oid table, Oid trigger_function) {
    if (get_rel_relkind(table) != RELKIND_PARTITIONED_TABLE) {
        return;  // the triggers of a table that others inherit from are not for them
    }
    ListCell* cell;
    foreach (cell, find_all_inheritors(table, NoLock, nullptr)) {
        const Oid partition = lfirst_oid(cell);
        if (partition != table && is_watched(partition, trigger_function)) {
            ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
                            errmsg("partition \"%s\" of table \"%s\" is watched already", get_rel_name(partition),
                                   get_rel_name(table)),
                            errhint("Call socketio_unwatch() for the partition first.")));
        }
    }
}

const char* qualified_name(Oid table) {
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
}

const char* qualified_function_name(Oid function) {
    return quote_qualified_identifier(get_namespace_name(get_func_namespace(function)), get_func_name(function));
}

const char* list_of_literals(const TriggerArguments& arguments) {
    StringInfoData list;
    initStringInfo(&list);
    for (int i = 0; i < arguments.count; ++i) {
        appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", quote_literal_cstr(arguments.values[i]));
    }
    return list.data;
}

// SPI is connected, here and below.
void execute(const char* command) {
    if (const int result = SPI_execute(command, false, 0); result != SPI_OK_UTILITY) {
        elog(ERROR, "command failed: %s: %s", SPI_result_code_string(result), command);
    }
}

void create_trigger(Oid table, Oid trigger_function, const WatchTrigger& trigger, const TriggerArguments& arguments) {
    execute(psprintf("CREATE TRIGGER %s %s ON %s %s EXECUTE FUNCTION %s(%s)", trigger.name, trigger.events,
                     qualified_name(table), trigger.level, qualified_function_name(trigger_function),
                     list_of_literals(arguments)));
}

void drop_triggers(Oid table, const List* watch) {
    const ListCell* cell;
    foreach (cell, watch) {
        const auto* trigger = static_cast<const FoundTrigger*>(lfirst(cell));
        execute(psprintf("DROP TRIGGER %s ON %s", trigger->name, qualified_name(table)));
    }
}

// A trigger that somebody made fire where changes are replicated goes on doing so. One that was disabled does not stay so:
// who watches wants to be told.
void set_firing(Oid table, const FoundTrigger& trigger) {
    if (trigger.enabled == TRIGGER_FIRES_ALWAYS || trigger.enabled == TRIGGER_FIRES_ON_REPLICA) {
        execute(psprintf("ALTER TABLE %s ENABLE %s TRIGGER %s", qualified_name(table),
                         trigger.enabled == TRIGGER_FIRES_ALWAYS ? "ALWAYS" : "REPLICA", trigger.name));
    }
}

// How a new trigger by that name is to fire: as one by the same name did, else as the others did if they agree.
char find_firing(const List* earlier, const char* name) {
    char common = '\0';
    const ListCell* cell;
    foreach (cell, earlier) {
        const auto* trigger = static_cast<const FoundTrigger*>(lfirst(cell));
        if (std::strcmp(trigger->name, name) == 0) {
            return trigger->enabled;
        }
        if (std::strcmp(trigger->name, kTruncateTrigger.name) != 0) {
            common = common == '\0' || common == trigger->enabled ? trigger->enabled : TRIGGER_FIRES_ON_ORIGIN;
        }
    }
    return common;
}

void keep_firing(Oid table, Oid trigger_function, const List* earlier) {
    if (earlier == NIL) {
        return;
    }
    const ListCell* cell;
    foreach (cell, find_watch(table, trigger_function, Origin::kOwn)) {
        const auto* trigger = static_cast<const FoundTrigger*>(lfirst(cell));
        set_firing(table, {trigger->name, find_firing(earlier, trigger->name)});
    }
}

// Whether the event's name holds a column's value. A TRUNCATE has none.
bool event_names_column(Oid table, const char* trigger_name, const TriggerArguments& arguments) {
    Trigger trigger = {};
    trigger.tgname = const_cast<char*>(trigger_name);
    trigger.tgargs = arguments.values;
    // What is cut off is more than there are options: one of those left is given twice.
    trigger.tgnargs = static_cast<int16>(std::min(arguments.count, PG_INT16_MAX));
    Relation relation = relation_open(table, NoLock);
    const TriggerIdentity identity = identify_trigger(relation, &trigger);
    const TriggerOptions options = read_trigger_options(&trigger, identity);
    TupleDesc descriptor = RelationGetDescr(relation);
    auto* columns = static_cast<ColumnPlan*>(palloc0(descriptor->natts * sizeof(ColumnPlan)));
    const RowTemplate event =
        compile_template({identity, descriptor, columns, CurrentMemoryContext}, "event", options.event);
    relation_close(relation, NoLock);
    return event.names_columns();
}

bool can_have_truncate_trigger(Oid table) {
    return PG_VERSION_NUM >= 160000 || get_rel_relkind(table) != RELKIND_FOREIGN_TABLE;
}

template <std::size_t count>
void create_triggers(Oid table, Oid trigger_function, const WatchTrigger (&triggers)[count],
                     const TriggerArguments& arguments) {
    const bool is_fit_for_truncate = !event_names_column(table, triggers[0].name, arguments);
    for (const WatchTrigger& trigger : triggers) {
        create_trigger(table, trigger_function, trigger, arguments);
    }
    if (is_fit_for_truncate && can_have_truncate_trigger(table)) {
        create_trigger(table, trigger_function, kTruncateTrigger, arguments);
    }
}

void create_order_trigger(Oid table, Oid trigger_function) {
    const Oid function = find_order_function_beside(trigger_function);
    if (OidIsValid(function)) {
        create_trigger(table, function, kOrderTrigger, {nullptr, 0});
    }
}

// CREATE TRIGGER cannot ask for a key, which a dump may restore later; whoever calls a function can.
void require_keys(Oid table, Oid trigger_function) {
    Relation relation = relation_open(table, NoLock);
    for (int i = 0; i < relation->trigdesc->numtriggers; ++i) {
        const Trigger* trigger = &relation->trigdesc->triggers[i];
        if (trigger->tgfoid == trigger_function && is_watch_trigger(trigger->tgname)) {
            require_key(plan_changes(relation, trigger, CurrentMemoryContext));
        }
    }
    relation_close(relation, NoLock);
}

[[noreturn]] void report_not_watched(Oid table, Oid trigger_function) {
    const char* name = get_rel_name(table);
    if (is_watched(table, trigger_function, Origin::kClone)) {
        const char* ancestor = get_rel_name(find_watched_ancestor(table, trigger_function));
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("partition \"%s\" is not watched by itself, but with table \"%s\"", name, ancestor),
                        errhint("Call socketio_unwatch() for table \"%s\".", ancestor)));
    }
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("table \"%s\" is not watched", name),
                    errhint("View socketio_watches shows what is; a trigger made by hand goes with DROP TRIGGER.")));
    pg_unreachable();
}

void require_watch(Oid table, Oid trigger_function) {
    if (!is_watched(table, trigger_function)) {
        report_not_watched(table, trigger_function);
    }
}

}  // namespace

// Not LookupFuncName(): who creates a trigger need not have USAGE on the extension's schema.
Oid find_trigger_function(Oid function) {
    const Oid found = find_function_beside(function, kTriggerFunction);
    if (!OidIsValid(found)) {
        elog(ERROR, "function %s() is not where function %u is", kTriggerFunction, function);
    }
    return found;
}

Oid find_order_function(Oid function) { return find_order_function_beside(function); }

void create_watch(Oid table, Oid trigger_function, WatchLevel level, const TriggerArguments& arguments) {
    require_watchable(table, level);
    lock_to_create(table, trigger_function);
    require_not_watched_with_ancestor(table, trigger_function);
    if (level == WatchLevel::kRow) {
        require_no_watched_partition(table, trigger_function);
    }
    SPI_connect();
    const List* earlier = find_watch(table, trigger_function, Origin::kOwn);
    drop_triggers(table, earlier);
    if (level == WatchLevel::kRow) {
        create_triggers(table, trigger_function, kRowTriggers, arguments);
    } else {
        create_triggers(table, trigger_function, kStatementTriggers, arguments);
        create_order_trigger(table, trigger_function);
    }
    keep_firing(table, trigger_function, earlier);
    require_keys(table, trigger_function);
    SPI_finish();
}

void drop_watch(Oid table, Oid trigger_function) {
    require_relation(table);
    require_watch(table, trigger_function);
    require_ownership(table);
    lock_table(table, AccessExclusiveLock);
    require_watch(table, trigger_function);  // still
    SPI_connect();
    drop_triggers(table, find_watch(table, trigger_function, Origin::kOwn));
    SPI_finish();
}

}  // namespace socketio
