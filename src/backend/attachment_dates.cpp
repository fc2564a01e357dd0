// See attachment_dates.h.

#include "backend/attachment_dates.h"

#include <algorithm>
#include <cstring>

#include "backend/delivery_record.h"

extern "C" {
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
}

namespace socketio {

namespace {

constexpr int kLate = 500;  // milliseconds from an emit to its commit
constexpr TimestampTz kUntilWorker = USECS_PER_DAY;
constexpr TimestampTz kOnceAndForAll = 10 * USECS_PER_MINUTE;
constexpr TimestampTz kPause = USECS_PER_MINUTE;  // of the worker's dating back, after it failed

// Rows of one table.
struct Rows {
    Oid table;
    TimestampTz earliest;  // of their dates
    char* ids;             // each with a NUL byte behind it
    std::size_t used;
    std::size_t capacity;
    std::size_t count;
    Rows* next;  // of another table
};

Rows* remembered = nullptr;  // in the transaction's memory

Rows* find_rows(Rows* rows, Oid table) {
    while (rows != nullptr && rows->table != table) {
        rows = rows->next;
    }
    return rows;
}

void add_id(Rows* rows, const char* id, MemoryContext context) {
    const std::size_t size = std::strlen(id) + 1;
    if (size > rows->capacity - rows->used) {
        rows->capacity = std::max(2 * rows->capacity, rows->used + size + 64);
        rows->ids = static_cast<char*>(rows->ids == nullptr ? MemoryContextAllocHuge(context, rows->capacity)
                                                            : repalloc_huge(rows->ids, rows->capacity));
    }
    std::memcpy(rows->ids + rows->used, id, size);
    rows->used += size;
    ++rows->count;
}

// Add a row to the list, which lives in `context`.
Rows* add_row(Rows* list, Oid table, const char* id, TimestampTz date, MemoryContext context) {
    Rows* rows = find_rows(list, table);
    if (rows == nullptr) {
        rows = static_cast<Rows*>(MemoryContextAllocZero(context, sizeof(Rows)));
        rows->table = table;
        rows->earliest = date;
        rows->next = list;
        list = rows;
    }
    add_id(rows, id, context);
    return list;
}

Rows* rows_of(std::string_view records) {
    Rows* list = nullptr;
    for (; !records.empty(); records.remove_prefix(record_at(records)->size)) {
        const DeliveryRecord* record = record_at(records);
        if (record->has_row) {
            list = add_row(list, record->table(), record->id(), 0, CurrentMemoryContext);
        }
    }
    return list;
}

bool have_rows(std::string_view records) {
    while (!records.empty() && !record_at(records)->has_row) {
        records.remove_prefix(record_at(records)->size);
    }
    return !records.empty();
}

bool has_update_triggers(const TriggerDesc* triggers) {
    return triggers != nullptr && (triggers->trig_update_before_row || triggers->trig_update_after_row ||
                                   triggers->trig_update_before_statement || triggers->trig_update_after_statement);
}

bool has_constraints(const TupleConstr* constraints) {
    if (constraints == nullptr) {
        return false;
    }
#if PG_VERSION_NUM >= 180000
    if (constraints->has_generated_virtual) {
        return true;
    }
#endif
    return constraints->num_check > 0 || constraints->has_generated_stored;
}

// The planner evaluates what it can of expressions in extended statistics.
bool has_statistics(Relation table) { return RelationGetStatExtList(table) != NIL; }

bool is_published(Relation table) {
    PublicationDesc publications;
    RelationBuildPublicationDesc(table, &publications);
    return publications.pubactions.pubupdate;
}

Oid base_type(Relation table, const char* column) {
    const AttrNumber number = get_attnum(RelationGetRelid(table), column);
    return number == InvalidAttrNumber ? InvalidOid : getBaseType(get_atttype(RelationGetRelid(table), number));
}

bool has_integer_id(Relation table) {
    const Oid type = base_type(table, "id");
    return type == INT2OID || type == INT4OID || type == INT8OID;
}

// Types that are the server's own, for the casts are as well; and for the date, no domain.
bool has_plain_types(Relation table) {
    const AttrNumber created_at = get_attnum(RelationGetRelid(table), "created_at");
    const Oid id_type = base_type(table, "id");
    if (created_at == InvalidAttrNumber || !OidIsValid(id_type) || id_type >= FirstNormalObjectId) {
        return false;
    }
    const Oid type = get_atttype(RelationGetRelid(table), created_at);
    return type == TIMESTAMPTZOID || type == TIMESTAMPOID;
}

// The owner may have taken its own rights away.
bool may_update(Relation table) {
    const Oid owner = table->rd_rel->relowner;
    return pg_class_aclcheck(RelationGetRelid(table), owner, ACL_SELECT) == ACLCHECK_OK &&
           pg_class_aclcheck(RelationGetRelid(table), owner, ACL_UPDATE) == ACLCHECK_OK;
}

// Neither expressions, nor anything that would have an UPDATE of created_at wait for another transaction's row.
bool is_plain_index(Oid index, AttrNumber created_at) {
    const HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
    if (!HeapTupleIsValid(tuple)) {
        return false;
    }
    const auto* form = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
    const int16* columns = form->indkey.values;
    const bool holds_date = std::find(columns, columns + form->indnatts, created_at) != columns + form->indnatts;
    const bool is_plain = heap_attisnull(tuple, Anum_pg_index_indexprs, nullptr) &&
                          heap_attisnull(tuple, Anum_pg_index_indpred, nullptr) && !form->indisexclusion &&
                          !(form->indisunique && holds_date);
    ReleaseSysCache(tuple);
    return is_plain;
}

bool has_plain_indexes(Relation table) {
    const AttrNumber created_at = get_attnum(RelationGetRelid(table), "created_at");
    List* indexes = RelationGetIndexList(table);
    ListCell* cell;
    foreach (cell, indexes) {
        if (!is_plain_index(lfirst_oid(cell), created_at)) {
            return false;
        }
    }
    list_free(indexes);
    return true;
}

// For the UPDATE and the SELECT FOR UPDATE in it, so that neither locks anything anew: with that it might learn of what has been
// put on the table since it was looked into.
bool lock_at_once(Oid relation) {
    return ConditionalLockRelationOid(relation, RowShareLock) && ConditionalLockRelationOid(relation, RowExclusiveLock);
}

bool lock_indexes_at_once(Relation table) {
    ListCell* cell;
    foreach (cell, RelationGetIndexList(table)) {
        if (!lock_at_once(lfirst_oid(cell))) {
            return false;
        }
    }
    return true;
}

// The table, locked for an UPDATE, its indexes as well; nothing where somebody else has locked them, or it is gone.
Relation open_at_once(Oid oid) {
    Relation table = lock_at_once(oid) ? try_relation_open(oid, NoLock) : nullptr;
    if (table != nullptr && !lock_indexes_at_once(table)) {
        relation_close(table, NoLock);
        return nullptr;
    }
    return table;
}

ArrayType* make_array(Datum* elements, int count, bool are_integers) {
#if PG_VERSION_NUM >= 160000
    return construct_array_builtin(elements, count, are_integers ? INT8OID : TEXTOID);
#else
    return are_integers ? construct_array(elements, count, INT8OID, sizeof(std::int64_t), FLOAT8PASSBYVAL, 'd')
                        : construct_array(elements, count, TEXTOID, -1, false, 'i');
#endif
}

// As an array: integers, for an index to be of use, else texts.
Datum array_of_ids(const Rows* rows, bool are_integers) {
    auto* ids = static_cast<Datum*>(MemoryContextAllocHuge(CurrentMemoryContext, rows->count * sizeof(Datum)));
    const char* id = rows->ids;
    for (std::size_t i = 0; i < rows->count; ++i, id += std::strlen(id) + 1) {
        ids[i] = are_integers ? DirectFunctionCall1(int8in, CStringGetDatum(id)) : CStringGetTextDatum(id);
    }
    return PointerGetDatum(make_array(ids, static_cast<int>(rows->count), are_integers));
}

// Rows that somebody else has locked stay as they are: nobody is waited for.
const char* update_command(Relation table, bool has_integers) {
    const char* name =
        quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)), RelationGetRelationName(table));
    return psprintf(
        "UPDATE ONLY %1$s SET created_at = $2 WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY("
        "SELECT ctid FROM ONLY %1$s WHERE %2$s OPERATOR(pg_catalog.=) ANY ($1) FOR UPDATE SKIP LOCKED))",
        name, has_integers ? "id" : "id::pg_catalog.text");
}

void override_setting(const char* name, const char* value) {
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void update_rows(Relation table, const Rows* rows, TimestampTz date) {
    const bool has_integers = has_integer_id(table);
    Oid types[] = {static_cast<Oid>(has_integers ? INT8ARRAYOID : TEXTARRAYOID), TIMESTAMPTZOID};
    Datum values[] = {array_of_ids(rows, has_integers), TimestampTzGetDatum(date)};
    const int nest_level = NewGUCNestLevel();
    // However small the table looks, it may hold many megabytes of what has been deleted; nor is it worth compiling anything.
    override_setting("enable_seqscan", "off");
    override_setting("jit", "off");
    SPI_connect();
    const int result =
        SPI_execute_with_args(update_command(table, has_integers), lengthof(types), types, values, nullptr, false, 0);
    if (result != SPI_OK_UPDATE) {
        elog(ERROR, "could not date attachments again: %s", SPI_result_code_string(result));
    }
    SPI_finish();
    AtEOXact_GUC(true, nest_level);
}

// As the table's owner, whatever rights the current role has: it had those to insert them.
void update_as_owner(Relation table, const Rows* rows, TimestampTz date) {
    Oid role;
    int security_context;
    GetUserIdAndSecContext(&role, &security_context);
    SetUserIdAndSecContext(table->rd_rel->relowner,
                           security_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
    // A transaction may have become read-only after its emits, and a database's may all be.
    const bool was_read_only = XactReadOnly;
    XactReadOnly = false;
    update_rows(table, rows, date);
    XactReadOnly = was_read_only;
    SetUserIdAndSecContext(role, security_context);
}

void date_rows(const Rows* rows, TimestampTz date) {
    Relation table = open_at_once(rows->table);
    if (table == nullptr) {
        return;
    }
    if (can_be_dated_again(table)) {
        PushActiveSnapshot(GetTransactionSnapshot());
        update_as_owner(table, rows, date);
        PopActiveSnapshot();
    }
    relation_close(table, NoLock);
}

void date_in_transaction(std::string_view records) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    date_announced_attachments(records);
    CommitTransactionCommand();
}

void recover(MemoryContext context) {
    MemoryContextSwitchTo(context);
    HOLD_INTERRUPTS();
    EmitErrorReport();
    FlushErrorState();
    AbortCurrentTransaction();
    RESUME_INTERRUPTS();
}

}  // namespace

bool can_be_dated_again(Relation table) {
    const FormData_pg_class* form = table->rd_rel;
    return form->relkind == RELKIND_RELATION && !form->relispartition && !form->relhasrules && !form->relrowsecurity &&
           !has_update_triggers(table->trigdesc) && !has_constraints(table->rd_att->constr) && has_plain_types(table) &&
           may_update(table) && has_plain_indexes(table) && !has_statistics(table) && !is_published(table);
}

TimestampTz attachment_date(bool can_be_dated, Announcement announcement) {
    const TimestampTz now = GetCurrentTimestamp();
    if (!can_be_dated) {
        return now + kOnceAndForAll;
    }
    return announcement == Announcement::kByWorker ? now + kUntilWorker : now;
}

void remember_attachment(Oid table, const char* id, TimestampTz date) {
    remembered = add_row(remembered, table, id, date, TopTransactionContext);
}

void date_attachments_before_commit() {
    for (Rows* rows = remembered; rows != nullptr; rows = rows->next) {
        const TimestampTz now = GetCurrentTimestamp();
        if (TimestampDifferenceExceeds(rows->earliest, now, kLate)) {
            date_rows(rows, now);
        }
    }
}

void forget_attachments() { remembered = nullptr; }

void date_announced_attachments(std::string_view records) {
    for (Rows* rows = rows_of(records); rows != nullptr; rows = rows->next) {
        date_rows(rows, GetCurrentTimestamp());
    }
}

void date_sent_attachments(std::string_view records) {
    static TimestampTz not_before = 0;
    if (!have_rows(records) || GetCurrentTimestamp() < not_before) {
        return;
    }
    const MemoryContext context = CurrentMemoryContext;
    PG_TRY();
    { date_in_transaction(records); }
    PG_CATCH();
    {
        recover(context);
        not_before = GetCurrentTimestamp() + kPause;
    }
    PG_END_TRY();
    MemoryContextSwitchTo(context);
}

}  // namespace socketio
