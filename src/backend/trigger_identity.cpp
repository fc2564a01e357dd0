// See trigger_identity.h.

#include "backend/trigger_identity.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace socketio {

namespace {

struct TriggerRow {
    Oid parent;  // the trigger that this one is a clone of
    Oid table;
};

// False where there is no such trigger: somebody may drop it while it is about to fire.
bool find_trigger(Relation pg_trigger, Oid trigger, TriggerRow& found) {
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
    SysScanDesc scan = systable_beginscan(pg_trigger, TriggerOidIndexId, true, nullptr, 1, &key);
    const HeapTuple tuple = systable_getnext(scan);
    if (HeapTupleIsValid(tuple)) {
        const auto* row = reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple));
        found = {row->tgparentid, row->tgrelid};
    }
    systable_endscan(scan);
    return HeapTupleIsValid(tuple);
}

// The table of the trigger that `clone`, on `table`, descends from.
Oid table_of_original(Oid clone, Oid table) {
    Relation pg_trigger = table_open(TriggerRelationId, AccessShareLock);
    TriggerRow row = {clone, table};
    while (OidIsValid(row.parent) && find_trigger(pg_trigger, row.parent, row)) {
    }
    table_close(pg_trigger, AccessShareLock);
    return row.table;
}

}  // namespace

TriggerIdentity identify_trigger(Relation relation, const Trigger* trigger) {
    const Oid own_table = RelationGetRelid(relation);
    const Oid table = trigger->tgisclone ? table_of_original(trigger->tgoid, own_table) : own_table;
    return {pstrdup(trigger->tgname), get_namespace_name(get_rel_namespace(table)), get_rel_name(table)};
}

}  // namespace socketio
