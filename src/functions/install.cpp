// What the extension script calls once, while CREATE EXTENSION runs.

#include "backend/attachment_table.h"
#include "backend/guard.h"

namespace socketio {

namespace {

Datum make_attachment_table(FunctionCallInfo) {
    create_attachment_table();
    PG_RETURN_VOID();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_create_attachment_table, socketio::make_attachment_table);
