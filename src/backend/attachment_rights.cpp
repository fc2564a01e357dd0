// See attachment_rights.h.

#include "backend/attachment_rights.h"

#include <cstring>

#include "backend/attachment_table.h"
#include "backend/extension.h"
#include "backend/settings.h"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
}

namespace socketio {

namespace {

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

void require_insert(Oid table) {
    require_privilege(table, "created_at", ACL_INSERT);
    require_privilege(table, "payload", ACL_INSERT);
    require_privilege(table, "id", ACL_SELECT);
    require_sequence_privilege(table);
}

void require_select(Oid table) {
    require_privilege(table, "id", ACL_SELECT);
    require_privilege(table, "payload", ACL_SELECT);
}

// Policies of row-level security hold for the caller alone, so they are left to work where the owner is a superuser.
Oid acting_role(Oid table, AttachmentRole::Purpose purpose) {
    const Oid owner = table_owner(table);
    if (belongs_to_extension(table)) {
        return owner;
    }
    purpose == AttachmentRole::Purpose::kInsert ? require_insert(table) : require_select(table);
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

}  // namespace

AttachmentRole::AttachmentRole(Oid table, Purpose purpose) {
    GetUserIdAndSecContext(&role_, &security_context_);
    const Oid role = acting_role(table, purpose);
    if (role != role_) {
        SetUserIdAndSecContext(role, security_context_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
    }
}

void AttachmentRole::end() const { SetUserIdAndSecContext(role_, security_context_); }

}  // namespace socketio
