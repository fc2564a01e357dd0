// See attachment_table.h.

#include "backend/attachment_table.h"

#include <cstring>

#include "backend/attachment_rights.h"
#include "backend/extension.h"
#include "backend/prepared_insert.h"
#include "backend/settings.h"
#include "backend/spelling.h"
#include "backend/text.h"

extern "C" {
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"
#include "utils/varlena.h"
}

namespace socketio {

namespace {

RangeVar* parse_table_name(const char* name) {
    return makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
}

bool found_for_watches = false;

constexpr std::size_t kAnswer = 0;  // the size of a message that is to be read

[[noreturn]] void report_missing(std::size_t size) {
    ereport(
        ERROR,
        (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("attachment table \"%s\" does not exist", settings.attachment_table),
         size == kAnswer
             ? errdetail("A server's answer that is large or holds binary travels through this table.")
             : errdetail("A message of %zu bytes, or one that holds binary, travels through this table.", size),
         found_for_watches
             ? errhint("Name the servers' table with its schema in socketio_emitter.attachment_table: for changes of "
                       "rows it is "
                       "not looked for by the search_path.")
             : errhint("Create it, or name the servers' table in socketio_emitter.attachment_table: CREATE TABLE %s "
                       "(id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea).",
                       settings.attachment_table)));
    pg_unreachable();
}

// What servers can read through connections of their own, and an INSERT can write to.
void require_table(Oid table) {
    const char kind = get_rel_relkind(table);
    const bool is_insertable = kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_VIEW ||
                               kind == RELKIND_FOREIGN_TABLE;
    if (is_insertable && get_rel_persistence(table) != RELPERSISTENCE_TEMP) {
        return;
    }
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("attachment table \"%s\" is %s", settings.attachment_table,
                           is_insertable ? "temporary" : "not a table"),
                    errdetail("Socket.IO servers read attachments through connections of their own."),
                    errhint("Name the servers' table in socketio_emitter.attachment_table.")));
}

[[noreturn]] void report_misshapen(int sqlstate, Oid table, const char* column, const char* problem) {
    ereport(ERROR,
            (errcode(sqlstate), errmsg("attachment table \"%s\" %s \"%s\"", get_rel_name(table), problem, column),
             errhint("The table needs the columns id bigserial, created_at timestamptz and payload bytea.")));
    pg_unreachable();
}

Oid column_type(Oid table, const char* column) {
    const AttrNumber number = get_attnum(table, column);
    if (number == InvalidAttrNumber) {
        report_misshapen(ERRCODE_UNDEFINED_COLUMN, table, column, "has no column");
    }
    return getBaseType(get_atttype(table, number));
}

[[noreturn]] void report_wrong_type(Oid table, const char* column) {
    report_misshapen(ERRCODE_DATATYPE_MISMATCH, table, column, "has the wrong type for its column");
}

void check_shape(Oid table) {
    column_type(table, "id");  // of any type: servers get it back as it was printed
    const Oid created_at = column_type(table, "created_at");
    if (created_at != TIMESTAMPTZOID && created_at != TIMESTAMPOID) {
        report_wrong_type(table, "created_at");
    }
    if (column_type(table, "payload") != BYTEAOID) {
        report_wrong_type(table, "payload");
    }
}

// In the extension's schema callers need no USAGE: whoever writes to a table that is watched need not know where messages go.
Oid look_up_for_everybody(const char* name) { return get_relname_relid(name, extension_schema()); }

Oid look_up_for_watches(const char* name) {
    const Oid table = look_up_for_everybody(name);
    if (OidIsValid(table)) {
        return table;
    }
    const Oid schema = get_namespace_oid("public", true);
    return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

Oid lock_table(Oid table, LOCKMODE lock) {
    if (OidIsValid(table) && lock != NoLock) {
        LockRelationOid(table, lock);
    }
    return table;
}

// The table that the setting names, if there is one.
Oid look_up_table(LOCKMODE lock) {
    RangeVar* name = parse_table_name(settings.attachment_table);
    if (name->schemaname == nullptr && found_for_watches) {
        return lock_table(look_up_for_watches(name->relname), lock);
    }
    const Oid table = RangeVarGetRelid(name, lock, true);
    if (OidIsValid(table) || name->schemaname != nullptr) {
        return table;
    }
    return lock_table(look_up_for_everybody(name->relname), lock);
}

// Find the table and lock it as the command will, so that it stays the same from here on.
Oid find_table(LOCKMODE lock, std::size_t size) {
    const Oid table = look_up_table(lock);
    if (!OidIsValid(table)) {
        report_missing(size);
    }
    require_table(table);
    check_shape(table);
    return table;
}

void require_read_write() {
    if (XactReadOnly) {
        ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
                        errmsg("cannot store an attachment in a read-only transaction"),
                        errdetail("A message that is large or holds binary travels through table \"%s\".",
                                  settings.attachment_table),
                        errhint("Emit it in a read-write transaction; a message that fits a notification may be "
                                "emitted in a read-only one.")));
    }
}

// Insert the row and return its id. SPI is connected.
char* insert_row(PreparedInsert* insert, Datum payload, TimestampTz date, MemoryContext result_context) {
    const int result = execute_insert(insert, payload, date);
    if (result != SPI_OK_INSERT_RETURNING) {
        elog(ERROR, "insertion into the attachment table failed: %s", SPI_result_code_string(result));
    }
    char* id = SPI_processed == 1 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : nullptr;
    if (id == nullptr) {
        ereport(ERROR, (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
                        errmsg("attachment table \"%s\" did not keep the message", settings.attachment_table),
                        errdetail("The insertion returned no id."),
                        errhint("Look for a trigger, a rule or a missing default of column \"id\".")));
    }
    return MemoryContextStrdup(result_context, id);
}

bool has_integer_id(Oid table) {
    const Oid type = column_type(table, "id");
    return type == INT2OID || type == INT4OID || type == INT8OID;
}

// Servers name rows by what "id" prints as. An integer is looked up as one, for an index to be of use.
const char* select_command(Oid table) {
    const char* name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
    return psprintf(has_integer_id(table)
                        ? "SELECT payload FROM %s WHERE id OPERATOR(pg_catalog.=) $1::pg_catalog.int8"
                        : "SELECT payload FROM %s WHERE id::pg_catalog.text OPERATOR(pg_catalog.=) $1",
                    name);
}

// Whether a row can have this id: what is no number would be an ERROR to look up.
bool is_plausible_id(Oid table, const char* id) {
    constexpr std::size_t kMaxDigits = 18;  // any number of so many is an int8
    const std::size_t length = std::strlen(id);
    return !has_integer_id(table) || (length > 0 && length <= kMaxDigits && std::strspn(id, "0123456789") == length);
}

// The payload of a row, in `result_context`, or nothing where there is no such row. SPI is connected.
std::string_view select_payload(Oid table, const char* id, MemoryContext result_context) {
    Oid type = TEXTOID;
    Datum parameter = CStringGetTextDatum(id);
    const int result = SPI_execute_with_args(select_command(table), 1, &type, &parameter, nullptr, false, 1);
    if (result != SPI_OK_SELECT) {
        elog(ERROR, "selection from the attachment table failed: %s", SPI_result_code_string(result));
    }
    bool is_null = true;
    Datum payload = SPI_processed == 1 ? SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null) : 0;
    if (is_null) {
        return {};
    }
    const MemoryContext spi_context = MemoryContextSwitchTo(result_context);
    const std::string_view bytes = varlena_view(PG_DETOAST_DATUM_COPY(payload));
    MemoryContextSwitchTo(spi_context);
    return bytes;
}

void execute_ddl(const char* command) {
    if (SPI_execute(command, false, 0) != SPI_OK_UTILITY) {
        elog(ERROR, "could not create the attachment table");
    }
}

void adopt_table(Oid table) {
    require_before_extension(table);
    if (table_owner(table) != extension_owner()) {
        ereport(NOTICE, (errmsg("using table \"%s\" of role \"%s\" for attachments", kDefaultAttachmentTable,
                                GetUserNameFromId(table_owner(table), false)),
                         errdetail("If that role drops the table with CASCADE, the extension is dropped with it.")));
    }
}

}  // namespace

bool is_table_name(const char* name) {
    char* copy = pstrdup(name);  // the list's elements point into it
    List* parts = NIL;
    const bool valid = SplitIdentifierString(copy, '.', &parts);
    const int length = list_length(parts);
    list_free(parts);
    pfree(copy);
    return valid && (length == 1 || length == 2);
}

// Without asking for rights on anything: it is asked by those who only write to some other table.
bool is_attachment_table(Relation relation) {
    const char* name = RelationGetRelationName(relation);
    if (strcasestr(settings.attachment_table, name) == nullptr) {
        return false;  // most often, and without parsing the setting
    }
    const RangeVar* set = parse_table_name(settings.attachment_table);
    const Oid schema = RelationGetNamespace(relation);
    if (std::strcmp(set->relname, name) != 0) {
        return false;
    }
    if (set->schemaname != nullptr) {
        return std::strcmp(set->schemaname, get_namespace_name(schema)) == 0;
    }
    return look_up_for_watches(set->relname) == RelationGetRelid(relation);
}

void find_for_watches(bool on) { found_for_watches = on; }

bool is_found_for_watches() { return found_for_watches; }

Attachment insert_attachment(Datum payload, std::size_t size, Announcement announcement) {
    require_read_write();
    const MemoryContext caller_context = CurrentMemoryContext;
    const Oid table = find_table(RowExclusiveLock, size);
    const char* id = nullptr;
    bool can_be_dated = false;
    TimestampTz date = 0;
    within_session_spelling([&] {
        with_attachment_role(table, AttachmentPurpose::kInsert, [&] {
            SPI_connect();
            PreparedInsert* insert = prepare_insert(table);
            can_be_dated = can_be_dated_again(insert);
            date = attachment_date(can_be_dated, announcement);
            id = insert_row(insert, payload, date, caller_context);
            SPI_finish();
        });
    });
    const bool is_for_worker = announcement == Announcement::kByWorker;
    if (can_be_dated && !is_for_worker) {
        remember_attachment(table, id, date);
    }
    return {id, size, can_be_dated && is_for_worker ? table : InvalidOid};
}

std::string_view read_attachment(const char* id) {
    const MemoryContext caller_context = CurrentMemoryContext;
    const Oid table = find_table(AccessShareLock, kAnswer);
    std::string_view payload;
    if (is_plausible_id(table, id)) {
        with_attachment_role(table, AttachmentPurpose::kSelect, [&] {
            SPI_connect();
            payload = select_payload(table, id, caller_context);
            SPI_finish();
        });
    }
    return payload;
}

void create_attachment_table() {
    require_creating_extension();
    const char* schema = get_namespace_name(extension_schema());
    const char* name = quote_qualified_identifier(schema, kDefaultAttachmentTable);
    const Oid existing = get_relname_relid(kDefaultAttachmentTable, extension_schema());
    if (OidIsValid(existing)) {
        adopt_table(existing);
        return;
    }
    const char* definition = psprintf(
        // Notifications do not survive a crash, and no standby can LISTEN: a logged table would keep nothing more.
        "CREATE UNLOGGED TABLE %1$s ("
        "id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), payload "
        "bytea);"
        // Payloads are read once and deleted: compressing them costs more than the space is worth.
        "ALTER TABLE %1$s ALTER COLUMN payload SET STORAGE EXTERNAL;"
        "ALTER TABLE %1$s OWNER TO %2$s;"
        "COMMENT ON TABLE %1$s IS 'Socket.IO messages too large or too binary for a notification; servers delete them "
        "after half a minute';"
        "COMMENT ON COLUMN %1$s.id IS 'named by the notification that announces the message';"
        "COMMENT ON COLUMN %1$s.created_at IS 'when the message was emitted';"
        "COMMENT ON COLUMN %1$s.payload IS 'the message, encoded as msgpack';",
        name, quote_identifier(GetUserNameFromId(extension_owner(), false)));
    SPI_connect();
    execute_ddl(definition);
    const Oid table = get_relname_relid(kDefaultAttachmentTable, extension_schema());
    const Oid sequence = linitial_oid(getOwnedSequences(table));
    execute_ddl(psprintf("COMMENT ON SEQUENCE %s IS 'ids of Socket.IO messages in the attachment table'",
                         quote_qualified_identifier(schema, get_rel_name(sequence))));
    SPI_finish();
}

}  // namespace socketio
