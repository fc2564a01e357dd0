// See owners_code.h.

#include "backend/owners_code.h"

#include "backend/extension.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
}

namespace socketio {

namespace {

Oid guarded = InvalidOid;

needs_fmgr_hook_type previous_needs_hook;
fmgr_hook_type previous_call_hook;
ExecutorCheckPerms_hook_type previous_check_hook;

// Inside a function with rights of its own (SECURITY DEFINER), the code runs with those.
bool is_guarded() { return OidIsValid(guarded) && GetUserId() == guarded; }

Oid function_owner(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) {
        elog(ERROR, "cache lookup failed for function %u", function);
    }
    const Oid owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->proowner;
    ReleaseSysCache(tuple);
    return owner;
}

bool is_strange(Oid function) { return is_guarded() && !has_privs_of_role(function_owner(function), guarded); }

// Whether calls of a function pass through on_call(). Those with settings of their own do anyway.
bool needs_call_hook(Oid function) {
    return is_strange(function) || (previous_needs_hook != nullptr && previous_needs_hook(function));
}

[[noreturn]] void report_strange_function(Oid function) {
    ereport(
        ERROR,
        (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
         errmsg("function %s of role \"%s\" may not run with the rights of role \"%s\"", format_procedure(function),
                GetUserNameFromId(function_owner(function), false), GetUserNameFromId(guarded, false)),
         errdetail("Code on an attachment table runs as the table's owner, whoever emits."),
         errhint("Let a trigger, default or check of the table call functions of its owner, named with their schema, "
                 "or make the function SECURITY DEFINER; drop triggers of roles that are not to have the owner's "
                 "rights.")));
    pg_unreachable();
}

void on_call(FmgrHookEventType event, FmgrInfo* function, Datum* state) {
    if (event == FHET_START && is_strange(function->fn_oid)) {
        report_strange_function(function->fn_oid);
    }
    if (previous_call_hook != nullptr) {
        previous_call_hook(event, function, state);
    }
}

[[noreturn]] void report_temporary(Oid relation) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("temporary table \"%s\" of role \"%s\" may not be used with the rights of role \"%s\"",
                           get_rel_name(relation), GetUserNameFromId(table_owner(relation), false),
                           GetUserNameFromId(guarded, false)),
                    errdetail("Code on an attachment table runs as the table's owner, whoever emits."),
                    errhint("Let triggers and rules of the table name tables with their schema.")));
    pg_unreachable();
}

void require_no_temporary(List* range_table) {
    ListCell* cell;
    foreach (cell, range_table) {
        const Oid relation = lfirst_node(RangeTblEntry, cell)->relid;  // a view's, too
        if (OidIsValid(relation) && get_rel_persistence(relation) == RELPERSISTENCE_TEMP &&
            !has_privs_of_role(table_owner(relation), guarded)) {
            report_temporary(relation);
        }
    }
}

#if PG_VERSION_NUM >= 160000
bool check_permissions(List* range_table, List* permissions, bool reports) {
    if (is_guarded()) {
        require_no_temporary(range_table);
    }
    return previous_check_hook == nullptr || previous_check_hook(range_table, permissions, reports);
}
#else
bool check_permissions(List* range_table, bool reports) {
    if (is_guarded()) {
        require_no_temporary(range_table);
    }
    return previous_check_hook == nullptr || previous_check_hook(range_table, reports);
}
#endif

Oid database_owner() {
    HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
    if (!HeapTupleIsValid(tuple)) {
        elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
    }
    const Oid owner = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple))->datdba;
    ReleaseSysCache(tuple);
    return owner;
}

// The owner of a database is a member of pg_database_owner, which no catalog of members shows.
bool has_rights_of(Oid role, Oid owner) {
    return has_privs_of_role(role == ROLE_PG_DATABASE_OWNER ? database_owner() : role, owner);
}

bool is_closed_schema(Oid schema, Oid owner) {
    HeapTuple tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
    if (!HeapTupleIsValid(tuple)) {
        elog(ERROR, "cache lookup failed for schema %u", schema);
    }
    bool is_closed = has_rights_of(reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple))->nspowner, owner);
    bool is_null;
    const Datum acl = SysCacheGetAttr(NAMESPACEOID, tuple, Anum_pg_namespace_nspacl, &is_null);
    Oid stranger;
    is_closed = is_closed && (is_null || !find_stranger(DatumGetAclP(acl), ACL_CREATE, owner, stranger));
    ReleaseSysCache(tuple);
    return is_closed;
}

}  // namespace

void install_code_guard() {
    previous_needs_hook = needs_fmgr_hook;
    needs_fmgr_hook = needs_call_hook;
    previous_call_hook = fmgr_hook;
    fmgr_hook = on_call;
    previous_check_hook = ExecutorCheckPerms_hook;
    ExecutorCheckPerms_hook = check_permissions;
}

void guard_code_of(Oid owner) { guarded = owner; }

Oid guarded_owner() { return guarded; }

const char* owners_search_path(Oid schema, Oid owner) {
    return is_closed_schema(schema, owner)
               ? psprintf("pg_catalog, %s, pg_temp", quote_identifier(get_namespace_name(schema)))
               : "pg_catalog, pg_temp";
}

bool find_stranger(const Acl* acl, AclMode privilege, Oid owner, Oid& stranger) {
    const AclItem* items = ACL_DAT(acl);
    for (int i = 0; i < ACL_NUM(acl); ++i) {
        stranger = items[i].ai_grantee;
        if ((ACLITEM_GET_PRIVS(items[i]) & privilege) != 0 &&
            (stranger == ACL_ID_PUBLIC || !has_rights_of(stranger, owner))) {
            return true;
        }
    }
    return false;
}

}  // namespace socketio
