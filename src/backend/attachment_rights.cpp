// See attachment_rights.h.

#include "backend/attachment_rights.h"

#include <cstring>

#include "backend/attachment_table.h"
#include "backend/extension.h"
#include "backend/owners_code.h"
#include "backend/settings.h"

extern "C" {
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"
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

// Whether some policy lets rows be read.
bool has_reading_policy(const RowSecurityDesc* security) {
    const ListCell* cell;
    foreach (cell, security->policies) {
        const auto* policy = static_cast<const RowSecurityPolicy*>(lfirst(cell));
        if (policy->polcmd == ACL_SELECT_CHR || policy->polcmd == '*') {
            return true;
        }
    }
    return false;
}

[[noreturn]] void report_hidden_rows(const char* detail) {
    ereport(
        ERROR,
        (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
         errmsg("attachment table \"%s\" has row-level security", settings.attachment_table), errdetail("%s", detail),
         errhint("ALTER TABLE %s DISABLE ROW LEVEL SECURITY: who may read the table is said by privileges on it.",
                 settings.attachment_table)));
    pg_unreachable();
}

// Without a policy nobody but the owner sees a row, and the message is lost without a word. One that lets rows be read was
// written on purpose, for the servers.
void require_visible_rows(Relation table, AttachmentPurpose purpose) {
    if (!table->rd_rel->relrowsecurity) {
        return;
    }
    if (check_enable_rls(RelationGetRelid(table), table->rd_rel->relowner, true) == RLS_ENABLED) {
        report_hidden_rows("It is forced upon the table's owner, as whom messages are stored and read.");
    }
    if (purpose == AttachmentPurpose::kInsert && !has_reading_policy(table->rd_rsdesc)) {
        report_hidden_rows("No policy lets a server read what is stored there.");
    }
}

[[noreturn]] void report_strange_trigger(Oid table, Oid stranger) {
    const char* name = stranger == ACL_ID_PUBLIC ? "PUBLIC" : GetUserNameFromId(stranger, false);
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("role \"%s\" may create triggers on attachment table \"%s\"", name, get_rel_name(table)),
                    errdetail("Triggers on it run with the rights of role \"%s\", whoever emits.",
                              GetUserNameFromId(table_owner(table), false)),
                    errhint("REVOKE TRIGGER on table \"%s\" from that role, and drop triggers it has made.",
                            get_rel_name(table))));
    pg_unreachable();
}

// A trigger made by somebody else could call whatever the owner may call. As long as there is none, no harm is done.
void require_own_triggers(Relation table) {
    if (table->trigdesc == nullptr) {
        return;
    }
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(RelationGetRelid(table)));
    bool is_null;
    const Datum acl = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relacl, &is_null);
    Oid stranger;
    if (!is_null && find_stranger(DatumGetAclP(acl), ACL_TRIGGER, table->rd_rel->relowner, stranger)) {
        report_strange_trigger(RelationGetRelid(table), stranger);
    }
    ReleaseSysCache(tuple);
}

void require_sound(Oid extension_table, AttachmentPurpose purpose) {
    Relation table = table_open(extension_table, NoLock);
    require_visible_rows(table, purpose);
    require_own_triggers(table);
    table_close(table, NoLock);
}

// Policies of row-level security hold for the caller alone, so they are left to work where the owner is a superuser.
Oid acting_role(Oid table, AttachmentPurpose purpose) {
    const Oid owner = table_owner(table);
    if (belongs_to_extension(table)) {
        require_sound(table, purpose);
        return owner;
    }
    purpose == AttachmentPurpose::kInsert ? require_insert(table) : require_select(table);
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

int set_search_path(Oid table) {
    const int level = NewGUCNestLevel();
    const char* path = owners_search_path(get_rel_namespace(table), table_owner(table));
    (void)set_config_option("search_path", path, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    return level;
}

}  // namespace

AttachmentRole::AttachmentRole(Oid table, AttachmentPurpose purpose) {
    GetUserIdAndSecContext(&role_, &security_context_);
    const Oid role = acting_role(table, purpose);
    settings_level_ = set_search_path(table);
    guarded_before_ = guarded_owner();
    guard_code_of(role == table_owner(table) ? role : guarded_before_);
    if (role != role_) {
        SetUserIdAndSecContext(role, security_context_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
    }
}

void AttachmentRole::end_guard() const { guard_code_of(guarded_before_); }

void AttachmentRole::end() const {
    end_guard();
    SetUserIdAndSecContext(role_, security_context_);
    AtEOXact_GUC(false, settings_level_);
}

}  // namespace socketio
