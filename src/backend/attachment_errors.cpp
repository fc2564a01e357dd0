// See attachment_errors.h.

#include "backend/attachment_errors.h"

#include <cstring>

extern "C" {
#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_index.h"
#include "commands/sequence.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace socketio {

namespace {

bool equals(const char* field, const char* value) { return field != nullptr && std::strcmp(field, value) == 0; }

bool is_index_of_id(Oid index, Oid table) {
    HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
    if (!HeapTupleIsValid(tuple)) {
        return false;
    }
    const auto* form = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
    const bool is_id =
        form->indrelid == table && form->indnkeyatts == 1 && form->indkey.values[0] == get_attnum(table, "id");
    ReleaseSysCache(tuple);
    return is_id;
}

// Not one that a trigger met elsewhere.
bool is_duplicate_id(const ErrorData* error, Oid table) {
    const Oid schema = get_rel_namespace(table);
    return error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION && error->constraint_name != nullptr &&
           equals(error->table_name, get_rel_name(table)) && equals(error->schema_name, get_namespace_name(schema)) &&
           is_index_of_id(get_relname_relid(error->constraint_name, schema), table);
}

bool is_end_of_sequence(const ErrorData* error, const IdSequence& sequence) {
    return error->sqlerrcode == ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED && sequence.name != nullptr &&
           std::strstr(error->message, sequence.name) != nullptr;
}

[[noreturn]] void report_duplicate_id(const ErrorData* error, Oid table, const IdSequence& sequence) {
    ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
                    errmsg("attachment table \"%s\" has a row with the next id already", get_rel_name(table)),
                    errdetail("%s", error->detail != nullptr ? error->detail : error->message),
                    sequence.name != nullptr
                        ? errhint("Its sequence has been set back: SELECT setval('%s', (SELECT max(id) FROM %s)).",
                                  sequence.qualified, quote_identifier(get_rel_name(table)))
                        : errhint("Let the default of column \"id\" yield ids that the table does not have.")));
    pg_unreachable();
}

// Nothing but the name is known for certain here: the sequence may be locked.
[[noreturn]] void report_end_of_sequence(const ErrorData* error, Oid table, const IdSequence& sequence) {
    ereport(ERROR,
            (errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
             errmsg("ids of attachment table \"%s\" are used up", get_rel_name(table)), errdetail("%s", error->message),
             errhint("ALTER SEQUENCE %s RESTART, as servers have deleted the first rows long since; or ALTER SEQUENCE "
                     "%s CYCLE, so that it happens by itself.",
                     sequence.qualified, sequence.qualified)));
    pg_unreachable();
}

}  // namespace

AttachmentErrorContext::AttachmentErrorContext(const char* action, Oid table)
    : callback_{error_context_stack, describe, this}, action_(action), table_(get_rel_name(table)) {
    error_context_stack = &callback_;
}

void AttachmentErrorContext::describe(void* context) {
    const auto* self = static_cast<AttachmentErrorContext*>(context);
    errcontext("%s attachment table \"%s\"", self->action_, self->table_);
}

IdSequence id_sequence(Oid table) {
    ListCell* cell;
    foreach (cell, getOwnedSequences(table)) {
        const Oid sequence = lfirst_oid(cell);
        Oid owner;
        int32 column;
        if ((sequenceIsOwned(sequence, DEPENDENCY_AUTO, &owner, &column) ||
             sequenceIsOwned(sequence, DEPENDENCY_INTERNAL, &owner, &column)) &&
            column == get_attnum(table, "id")) {
            char* name = get_rel_name(sequence);
            return {name, quote_qualified_identifier(get_namespace_name(get_rel_namespace(sequence)), name)};
        }
    }
    return {nullptr, nullptr};
}

void rethrow_insert_error(Oid table, const IdSequence& sequence, MemoryContext context) {
    MemoryContextSwitchTo(context);
    const ErrorData* error = CopyErrorData();
    if (is_end_of_sequence(error, sequence)) {
        FlushErrorState();
        report_end_of_sequence(error, table, sequence);
    }
    if (is_duplicate_id(error, table)) {
        FlushErrorState();
        report_duplicate_id(error, table, sequence);
    }
    PG_RE_THROW();
    pg_unreachable();
}

}  // namespace socketio
