// See attachment_table.h.

#include "backend/attachment_table.h"

#include <cstring>

#include "backend/extension.h"
#include "backend/prepared_insert.h"
#include "backend/settings.h"

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

[[noreturn]] void report_missing(std::size_t size) {
    ereport(
        ERROR,
        (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("attachment table \"%s\" does not exist", settings.attachment_table),
         errdetail("A message of %zu bytes, or one that holds binary, travels through this table.", size),
         errhint("Create it, or name the servers' table in socketio_emitter.attachment_table: CREATE TABLE %s "
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

// The table that the setting names, if there is one. In the extension's schema callers need no USAGE: whoever writes to a
// table that is watched need not know where messages go.
Oid look_up_table(LOCKMODE lock) {
    RangeVar* name = parse_table_name(settings.attachment_table);
    Oid table = RangeVarGetRelid(name, lock, true);
    if (!OidIsValid(table) && name->schemaname == nullptr) {
        table = get_relname_relid(name->relname, extension_schema());
        if (OidIsValid(table) && lock != NoLock) {
            LockRelationOid(table, lock);
        }
    }
    return table;
}

// Find the table and lock it as the INSERT will, so that it stays the same from here on.
Oid find_table(std::size_t size) {
    const Oid table = look_up_table(RowExclusiveLock);
    if (!OidIsValid(table)) {
        report_missing(size);
    }
    require_table(table);
    check_shape(table);
    return table;
}

// An application's table of the default name, in the extension's schema, has to be restored before the extension.
// CREATE EXTENSION sees to that, but pg_upgrade does not carry the dependency over: the next emit of somebody who may
// alter the extension mends it. Looked into once in a session.
void keep_dump_order(Oid table) {
    static Oid looked_into = InvalidOid;
    if (table == looked_into) {
        return;
    }
    looked_into = table;
    if (std::strcmp(get_rel_name(table), kDefaultAttachmentTable) == 0 &&
        get_rel_namespace(table) == extension_schema() && has_privs_of_role(GetUserId(), extension_owner())) {
        require_before_extension(table);
    }
}

[[noreturn]] void report_no_privilege(Oid table, const char* kind, Oid relation) {
    ereport(
        ERROR,
        (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
         errmsg("permission denied for %s \"%s\"", kind, get_rel_name(relation)),
         errdetail(
             "A message that is large or holds binary takes rights of role \"%s\" on the attachment table, which does "
             "not belong to the extension.",
             GetUserNameFromId(GetUserId(), false)),
         errhint("GRANT SELECT, INSERT on table \"%s\", and USAGE on the sequence of its column \"id\".",
                 get_rel_name(table))));
    pg_unreachable();
}

// Rights on a column count as much as rights on the table.
void require_privilege(Oid table, const char* column, AclMode privilege) {
    const Oid role = GetUserId();
    if (pg_class_aclcheck(table, role, privilege) != ACLCHECK_OK &&
        pg_attribute_aclcheck(table, get_attnum(table, column), role, privilege) != ACLCHECK_OK) {
        report_no_privilege(table, "attachment table", table);
    }
}

// A serial id draws from a sequence that needs rights of its own. (An identity column's does not.)
void require_sequence_privilege(Oid table) {
    ListCell* cell;
    foreach (cell, getOwnedSequences(table)) {
        const Oid sequence = lfirst_oid(cell);
        Oid owner;
        int32 column;
        if (sequenceIsOwned(sequence, DEPENDENCY_AUTO, &owner, &column) && column == get_attnum(table, "id") &&
            pg_class_aclcheck(sequence, GetUserId(), ACL_USAGE | ACL_UPDATE) != ACLCHECK_OK) {
            report_no_privilege(table, "sequence", sequence);
        }
    }
}

void require_privileges(Oid table) {
    require_privilege(table, "created_at", ACL_INSERT);
    require_privilege(table, "payload", ACL_INSERT);
    require_privilege(table, "id", ACL_SELECT);
    require_sequence_privilege(table);
}

// Whom the INSERT runs as: the table's owner. What code there is on a table, in triggers and defaults, is the owner's, and
// must not run with the rights of whoever emits; a SECURITY DEFINER function that emits may be called by anybody, with
// any attachment_table. The operation is restricted, too, so that no deferred trigger outlives the change of role.
//
// With a table that is not the extension's, the caller needs the rights an INSERT of his own would take. Policies of
// row-level security hold for the caller alone, so they are left to work where the owner is a superuser.
Oid role_for_insert(Oid table) {
    const Oid owner = table_owner(table);
    if (belongs_to_extension(table)) {
        return owner;
    }
    require_privileges(table);
    keep_dump_order(table);
    if (check_enable_rls(table, InvalidOid, true) != RLS_ENABLED) {
        return owner;
    }
    if (!superuser_arg(owner)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("attachment table \"%s\" has row-level security", settings.attachment_table),
                        errdetail("Its policies could run code of the table's owner with the rights of the caller."),
                        errhint("Disable row-level security on the table, or let a superuser own it.")));
    }
    return GetUserId();
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
char* insert_row(PreparedInsert* insert, Datum payload, MemoryContext result_context) {
    const int result = execute_insert(insert, payload);
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
    const Oid visible = RelnameGetRelid(set->relname);
    return OidIsValid(visible) ? visible == RelationGetRelid(relation) : schema == extension_schema();
}

const char* insert_attachment(Datum payload, std::size_t size) {
    require_read_write();
    const MemoryContext caller_context = CurrentMemoryContext;
    const Oid table = find_table(size);
    Oid role;
    int security_context;
    GetUserIdAndSecContext(&role, &security_context);
    const Oid inserting_role = role_for_insert(table);
    if (inserting_role != role) {
        SetUserIdAndSecContext(inserting_role,
                               security_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
    }
    SPI_connect();
    const char* id = insert_row(prepare_insert(table), payload, caller_context);
    SPI_finish();
    // After an ERROR the server puts the role back itself.
    SetUserIdAndSecContext(role, security_context);
    return id;
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
