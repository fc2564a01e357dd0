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

extern "C" {

PG_FUNCTION_INFO_V1(socketio_create_attachment_table);
Datum socketio_create_attachment_table(PG_FUNCTION_ARGS) {
    return socketio::guarded<socketio::make_attachment_table>(fcinfo);
}

}  // extern "C"
