// See prepared_insert.h.

#include "backend/prepared_insert.h"

#include "backend/attachment_dates.h"
#include "backend/attachment_errors.h"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
}

namespace socketio {

struct PreparedInsert {
    Oid table;
    SPIPlanPtr plan;
    bool can_be_dated;
    int running;
    IdSequence sequence;
};

namespace {

PreparedInsert* current = nullptr;
bool current_is_valid = false;  // false once the table's definition may have changed

// The plan names the table's schema, which may be renamed. A template, because what PostgreSQL passes as the cache's
// identifier has a type of its own from 19.
template <class CacheIdentifier>
void on_schema_change(Datum, CacheIdentifier, uint32) {
    current_is_valid = false;
}

void on_relation_change(Datum, Oid relation) {
    if (current == nullptr || relation == InvalidOid || relation == current->table) {
        current_is_valid = false;
    }
}

void watch_definitions() {
    static bool watching = false;
    if (!watching) {
        CacheRegisterRelcacheCallback(on_relation_change, 0);
        CacheRegisterSyscacheCallback(NAMESPACEOID, on_schema_change, 0);
        watching = true;
    }
}

IdSequence copy_to(MemoryContext context, const IdSequence& sequence) {
    if (sequence.name == nullptr) {
        return sequence;
    }
    return {MemoryContextStrdup(context, sequence.name), MemoryContextStrdup(context, sequence.qualified)};
}

void free_insert(PreparedInsert* insert) {
    SPI_freeplan(insert->plan);
    if (insert->sequence.name != nullptr) {
        pfree(insert->sequence.name);
        pfree(insert->sequence.qualified);
    }
    pfree(insert);
}

SPIPlanPtr plan_insert(Oid table) {
    const char* name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
    const char* command = psprintf("INSERT INTO %s (created_at, payload) VALUES ($2, $1) RETURNING id", name);
    Oid types[] = {BYTEAOID, TIMESTAMPTZOID};
    // A custom plan would make the payload a constant of its own, and copy it twice on the way.
    SPIPlanPtr plan = SPI_prepare_cursor(command, lengthof(types), types, CURSOR_OPT_GENERIC_PLAN);
    if (plan == nullptr || SPI_keepplan(plan) != 0) {
        elog(ERROR, "could not prepare the insertion into attachment table \"%s\"", name);
    }
    return plan;
}

bool look_into_dating(Oid oid) {
    Relation table = relation_open(oid, NoLock);
    const bool can_be_dated = can_be_dated_again(table);
    relation_close(table, NoLock);
    return can_be_dated;
}

void finish_insert(PreparedInsert* insert) {
    --insert->running;
    if (insert != current && insert->running == 0) {
        free_insert(insert);
    }
}

}  // namespace

PreparedInsert* prepare_insert(Oid table) {
    watch_definitions();
    if (current != nullptr && current_is_valid && current->table == table) {
        return current;
    }
    if (current != nullptr && current->running == 0) {
        free_insert(current);
    }
    current = nullptr;
    current_is_valid = true;  // before planning: what changes from here on counts
    const bool can_be_dated = look_into_dating(table);
    SPIPlanPtr plan = plan_insert(table);
    auto* insert = static_cast<PreparedInsert*>(MemoryContextAlloc(TopMemoryContext, sizeof(PreparedInsert)));
    *insert = {table, plan, can_be_dated, 0, copy_to(TopMemoryContext, id_sequence(table))};
    current = insert;
    return insert;
}

bool can_be_dated_again(const PreparedInsert* insert) { return insert->can_be_dated; }

int execute_insert(PreparedInsert* insert, Datum payload, TimestampTz date) {
    const MemoryContext context = CurrentMemoryContext;
    Datum values[] = {payload, TimestampTzGetDatum(date)};
    volatile int result = 0;
    ++insert->running;
    PG_TRY();
    { result = SPI_execute_plan(insert->plan, values, nullptr, false, 0); }
    PG_CATCH();
    {
        const Oid table = insert->table;
        const IdSequence sequence = copy_to(context, insert->sequence);
        finish_insert(insert);
        rethrow_insert_error(table, sequence, context);
    }
    PG_END_TRY();
    finish_insert(insert);
    return result;
}

}  // namespace socketio
