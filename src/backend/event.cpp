// See event.h.

#include "backend/event.h"

namespace socketio {

void report_reserved_event(std::string_view event) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("\"%.*s\" is a reserved event name", static_cast<int>(event.size()), event.data()),
                    errdetail("Socket.IO emits connect, connect_error, disconnect, disconnecting, newListener and "
                              "removeListener itself."),
                    errhint("Choose another name.")));
    pg_unreachable();
}

}  // namespace socketio
