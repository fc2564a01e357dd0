// What the extension script calls once, while CREATE EXTENSION runs. The script itself cannot: it has no conditions, and
// @extowner@ does not take every name a role may have.

#include "backend/attachment_table.h"
#include "backend/extension.h"
#include "backend/guard.h"
#include "backend/privileges.h"

namespace socketio {

namespace {

Datum make_attachment_table(FunctionCallInfo) {
    create_attachment_table();
    PG_RETURN_VOID();
}

// (function)
Datum grant_to_owner(FunctionCallInfo fcinfo) {
    grant_to_extension_owner(PG_GETARG_OID(0));
    PG_RETURN_VOID();
}

// (closed_functions)
Datum settle(FunctionCallInfo fcinfo) {
    settle_privileges(PG_GETARG_ARRAYTYPE_P(0));
    PG_RETURN_VOID();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_create_attachment_table, socketio::make_attachment_table);
SQL_FUNCTION(socketio_grant_to_extension_owner, socketio::grant_to_owner);
SQL_FUNCTION(socketio_settle_privileges, socketio::settle);
