// See privileges.h.

#include "backend/privileges.h"

#include "backend/extension.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
}

namespace socketio {

namespace {

// Of each object: the privileges it has, those it should be made with, and those that defaults gave. What is new in this
// transaction nobody has granted anything on; of the rest it is known what its privileges were after CREATE EXTENSION
// (pg_init_privs, if the script changed them) and what the defaults are today.
//
// Parameters: the extension, the functions that are closed to PUBLIC, and the objects that are new.
constexpr char kPrivileges[] = R"(
WITH part AS MATERIALIZED (
    SELECT d.classid, d.objid, e.extowner, e.extnamespace, d.objid = ANY ($3) AS is_new
    FROM pg_extension AS e
        JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
    WHERE e.oid = $1
), member AS (
    SELECT part.*, 'FUNCTION' AS kind, p.oid::regprocedure::text AS name, 'f'::"char" AS type, p.proowner AS owner,
        p.proacl AS acl, CASE WHEN p.oid = ANY ($2) THEN NULL ELSE 'EXECUTE' END AS open
    FROM part JOIN pg_proc AS p ON p.oid = objid AND classid = 'pg_proc'::regclass
    UNION ALL
    SELECT part.*, CASE WHEN c.relkind = 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text,
        CASE WHEN c.relkind = 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner, c.relacl,
        CASE WHEN c.relkind = 'v' THEN 'SELECT' END
    FROM part JOIN pg_class AS c ON c.oid = objid AND classid = 'pg_class'::regclass AND c.relkind IN ('r', 'v', 'S')
    UNION ALL
    SELECT part.*, 'TYPE', format_type(t.oid, NULL), 'T'::"char", t.typowner, t.typacl, 'USAGE'
    FROM part JOIN pg_type AS t ON t.oid = objid AND classid = 'pg_type'::regclass AND t.typcategory <> 'A'
), has AS (
    SELECT m.*, a.grantee, a.privilege_type
    FROM member AS m CROSS JOIN aclexplode(coalesce(m.acl, acldefault(m.type, m.owner))) AS a
), should_have AS (
    SELECT m.*, a.grantee, a.privilege_type
    FROM member AS m CROSS JOIN aclexplode(acldefault(m.type, m.owner)) AS a WHERE a.grantee = m.owner
    UNION ALL
    SELECT m.*, 0::oid, m.open FROM member AS m WHERE m.open IS NOT NULL
), was_given AS (
    SELECT m.classid, m.objid, a.grantee, a.privilege_type
    FROM member AS m
        JOIN pg_init_privs AS i ON i.classoid = m.classid AND i.objoid = m.objid AND i.objsubid = 0
        CROSS JOIN aclexplode(i.initprivs) AS a
    UNION ALL
    SELECT m.classid, m.objid, a.grantee, a.privilege_type
    FROM member AS m
        JOIN pg_default_acl AS d ON d.defaclrole IN (m.owner, m.extowner, current_user::regrole)
            AND d.defaclnamespace IN (0, m.extnamespace) AND d.defaclobjtype = CASE m.type WHEN 's' THEN 'S' ELSE m.type END
        CROSS JOIN aclexplode(d.defaclacl) AS a
), stray AS (
    SELECT DISTINCT h.classid, h.objid, h.kind, h.name, h.grantee, h.privilege_type, h.is_new
    FROM has AS h
    WHERE h.grantee NOT IN (h.owner, h.extowner) AND h.privilege_type IS DISTINCT FROM CASE WHEN h.grantee = 0 THEN h.open END
        AND (h.is_new OR (h.classid, h.objid, h.grantee, h.privilege_type) IN (TABLE was_given))
), missing AS (
    SELECT s.kind, s.name, s.grantee, s.privilege_type
    FROM should_have AS s
    WHERE s.is_new AND (s.classid, s.objid, s.grantee, s.privilege_type) NOT IN (
        SELECT classid, objid, grantee, privilege_type FROM has)
)
)";

// As commands, which are as many as there are privileges to mend, and whether they are about what is new.
constexpr char kCommands[] = R"(
SELECT format('REVOKE %s ON %s %s FROM %s CASCADE', privilege_type, kind, name,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END), is_new
FROM stray
UNION ALL
SELECT format('GRANT %s ON %s %s TO %s', privilege_type, kind, name,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END), true
FROM missing
)";

// What an object's privileges were at first is what pg_dump leaves out: those of strangers were never meant to be there.
constexpr char kInitialPrivileges[] = R"(
, initial AS (
    SELECT i.classoid, i.objoid, (
        SELECT array_agg(CASE a.grantee WHEN 0 THEN makeaclitem(0, a.grantor, m.open, false)
            WHEN m.owner THEN (
                SELECT d FROM unnest(acldefault(m.type, m.owner)) AS d, aclexplode(ARRAY[d]) AS e
                WHERE e.grantee = m.owner LIMIT 1
            ) ELSE item END
            ORDER BY a.grantee <> m.owner, n)
        FROM unnest(i.initprivs) WITH ORDINALITY AS u(item, n), LATERAL (
            SELECT e.grantee, e.grantor FROM aclexplode(ARRAY[item]) AS e
            WHERE e.grantee IN (m.owner, m.extowner) OR e.grantee = 0 AND e.privilege_type = m.open LIMIT 1
        ) AS a
    ) AS own
    FROM member AS m JOIN pg_init_privs AS i ON i.classoid = m.classid AND i.objoid = m.objid AND i.objsubid = 0
)
UPDATE pg_init_privs AS i SET initprivs = initial.own FROM initial
WHERE i.classoid = initial.classoid AND i.objoid = initial.objoid AND i.objsubid = 0 AND initial.own <> i.initprivs
)";

// From PostgreSQL 17 on a role cannot be dropped while such privileges name it.
constexpr char kInitialDependencies[] = R"(
DELETE FROM pg_shdepend AS s USING member AS m
WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.classid = m.classid
    AND s.objid = m.objid AND s.deptype = 'i' AND s.refclassid = 'pg_authid'::regclass
    AND s.refobjid NOT IN (m.owner, m.extowner)
)";

// What this transaction has made.
ArrayType* new_objects() {
    Relation catalog = table_open(DependRelationId, AccessShareLock);
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(ExtensionRelationId));
    ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(CurrentExtensionObject));
    SysScanDesc scan = systable_beginscan(catalog, DependReferenceIndexId, true, nullptr, lengthof(keys), keys);
    ArrayBuildState* objects = initArrayResult(OIDOID, CurrentMemoryContext, false);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple); tuple = systable_getnext(scan)) {
        const auto* row = reinterpret_cast<Form_pg_depend>(GETSTRUCT(tuple));
        if (row->deptype == DEPENDENCY_EXTENSION &&
            TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data))) {
            accumArrayResult(objects, ObjectIdGetDatum(row->objid), false, OIDOID, CurrentMemoryContext);
        }
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return DatumGetArrayTypeP(makeArrayResult(objects, CurrentMemoryContext));
}

struct Parameters {
    Oid types[3] = {OIDOID, REGPROCEDUREARRAYOID, OIDARRAYOID};
    Datum values[3];
};

void execute(const char* command, Parameters* parameters, int expected) {
    const int result = SPI_execute_with_args(command, lengthof(parameters->types), parameters->types,
                                             parameters->values, nullptr, false, 0);
    if (result != expected) {
        elog(ERROR, "could not settle the extension's privileges: %s", SPI_result_code_string(result));
    }
}

// Not as the script's own, which would be taken for what the object was made with, and with it all that users have granted.
void execute_as_users_would(const char* command) {
    creating_extension = false;  // an ERROR ends the script, and this with it
    if (SPI_execute(command, false, 0) != SPI_OK_UTILITY) {
        elog(ERROR, "could not settle the extension's privileges");
    }
    creating_extension = true;
}

// Whom the defaults served well, servers perhaps, now lacks something.
void warn_of_loss() {
    ereport(WARNING,
            (errcode(ERRCODE_WARNING),
             errmsg("what default privileges gave on objects of extension \"socketio_emitter\" has been revoked"),
             errhint("GRANT what roles need, as servers do on the attachment table.")));
}

void execute_all(const SPITupleTable* commands, uint64 count) {
    bool is_loss = false;
    for (uint64 i = 0; i < count; ++i) {
        execute_as_users_would(SPI_getvalue(commands->vals[i], commands->tupdesc, 1));
        is_loss = is_loss || *SPI_getvalue(commands->vals[i], commands->tupdesc, 2) == 'f';
    }
    if (is_loss) {
        warn_of_loss();
    }
}

}  // namespace

void settle_privileges(ArrayType* closed_functions) {
    require_creating_extension();
    const int level = NewGUCNestLevel();
    (void)set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                            false);
    Parameters parameters;
    parameters.values[0] = ObjectIdGetDatum(CurrentExtensionObject);
    parameters.values[1] = PointerGetDatum(closed_functions);
    parameters.values[2] = PointerGetDatum(new_objects());
    SPI_connect();
    execute(psprintf("%s%s", kPrivileges, kCommands), &parameters, SPI_OK_SELECT);
    execute_all(SPI_tuptable, SPI_processed);
    execute(psprintf("%s%s", kPrivileges, kInitialPrivileges), &parameters, SPI_OK_UPDATE);
    execute(psprintf("%s%s", kPrivileges, kInitialDependencies), &parameters, SPI_OK_DELETE);
    SPI_finish();
    AtEOXact_GUC(true, level);
}

}  // namespace socketio
