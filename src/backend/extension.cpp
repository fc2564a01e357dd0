// See extension.h.

#include "backend/extension.h"

#include <cstring>

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace socketio {

namespace {

constexpr char kExtensionName[] = "socketio_emitter";

struct ExtensionRow {
    Oid schema = InvalidOid;
    Oid owner = InvalidOid;
};

ExtensionRow read_extension_row() {
    Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum(kExtensionName));
    SysScanDesc scan = systable_beginscan(catalog, ExtensionNameIndexId, true, nullptr, 1, &key);
    ExtensionRow row;
    if (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple)) {
        const auto* form = reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple));
        row = {form->extnamespace, form->extowner};
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    if (!OidIsValid(row.schema)) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("extension \"%s\" does not exist", kExtensionName),
                        errhint("If it has just been created, commit that first.")));
    }
    return row;
}

bool depends_on(const ObjectAddress& dependent, const ObjectAddress& referenced) {
    Relation catalog = table_open(DependRelationId, AccessShareLock);
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(dependent.classId));
    ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(dependent.objectId));
    SysScanDesc scan = systable_beginscan(catalog, DependDependerIndexId, true, nullptr, lengthof(keys), keys);
    bool found = false;
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple) && !found; tuple = systable_getnext(scan)) {
        const auto* row = reinterpret_cast<Form_pg_depend>(GETSTRUCT(tuple));
        found = row->refclassid == referenced.classId && row->refobjid == referenced.objectId;
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return found;
}

}  // namespace

Oid extension_schema() { return read_extension_row().schema; }

Oid extension_owner() { return read_extension_row().owner; }

bool belongs_to_extension(Oid table) {
    const Oid extension = getExtensionOfObject(RelationRelationId, table);
    if (!OidIsValid(extension)) {
        return false;
    }
    const char* name = get_extension_name(extension);
    return name != nullptr && std::strcmp(name, kExtensionName) == 0;
}

Oid table_owner(Oid table) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
    if (!HeapTupleIsValid(tuple)) {
        elog(ERROR, "cache lookup failed for relation %u", table);
    }
    const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

void require_creating_extension() {
    if (!creating_extension) {
        elog(ERROR, "this function runs inside CREATE EXTENSION only");
    }
}

void grant_to_extension_owner(Oid function) {
    require_creating_extension();
    const Oid owner = extension_owner();
    if (superuser_arg(owner)) {
        return;
    }
    SPI_connect();
    const char* command =
        psprintf("GRANT EXECUTE ON FUNCTION %s TO %s WITH GRANT OPTION", format_procedure_qualified(function),
                 quote_identifier(GetUserNameFromId(owner, false)));
    if (SPI_execute(command, false, 0) != SPI_OK_UTILITY) {
        elog(ERROR, "could not grant a function to the owner of the extension");
    }
    SPI_finish();
}

void require_before_extension(Oid table) {
    ObjectAddress extension;
    ObjectAddress relation;
    ObjectAddressSet(extension, ExtensionRelationId, get_extension_oid(kExtensionName, false));
    ObjectAddressSet(relation, RelationRelationId, table);
    if (!depends_on(extension, relation)) {
        recordDependencyOn(&extension, &relation, DEPENDENCY_NORMAL);
    }
}

}  // namespace socketio
