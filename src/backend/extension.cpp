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
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "utils/fmgroids.h"
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
        elog(ERROR, "extension \"%s\" does not exist", kExtensionName);
    }
    return row;
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

void require_before_extension(Oid table) {
    ObjectAddress extension;
    ObjectAddress relation;
    ObjectAddressSet(extension, ExtensionRelationId, CurrentExtensionObject);
    ObjectAddressSet(relation, RelationRelationId, table);
    recordDependencyOn(&extension, &relation, DEPENDENCY_NORMAL);
}

}  // namespace socketio
