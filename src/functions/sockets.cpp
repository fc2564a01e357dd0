// socketio_sockets_join, socketio_sockets_leave, socketio_disconnect_sockets: control over the sockets of a target.

#include "backend/guard.h"
#include "backend/publish.h"
#include "functions/arguments.h"

namespace socketio {

namespace {

// (nsp, rooms, except_rooms, <parameter>)
template <class Message>
Datum change_rooms_flat(FunctionCallInfo fcinfo, const char* parameter) {
    if (settings.enabled) {
        const Destination destination = read_flat_target(fcinfo);
        publish(destination.channel, Message{destination.target, read_required_rooms(fcinfo, 3, parameter)});
    }
    PG_RETURN_VOID();
}

// (target, <parameter>)
template <class Message>
Datum change_rooms_of_target(FunctionCallInfo fcinfo, const char* parameter) {
    if (settings.enabled) {
        const Destination destination = read_target(fcinfo, 0);
        publish(destination.channel, Message{destination.target, read_required_rooms(fcinfo, 1, parameter)});
    }
    PG_RETURN_VOID();
}

Datum join_flat(FunctionCallInfo fcinfo) { return change_rooms_flat<SocketsJoin>(fcinfo, "join_rooms"); }
Datum join_target(FunctionCallInfo fcinfo) { return change_rooms_of_target<SocketsJoin>(fcinfo, "join_rooms"); }
Datum leave_flat(FunctionCallInfo fcinfo) { return change_rooms_flat<SocketsLeave>(fcinfo, "leave_rooms"); }
Datum leave_target(FunctionCallInfo fcinfo) { return change_rooms_of_target<SocketsLeave>(fcinfo, "leave_rooms"); }

// (nsp, rooms, except_rooms, close)
Datum disconnect_flat(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        const Destination destination = read_flat_target(fcinfo);
        publish(destination.channel, DisconnectSockets{destination.target, read_flag(fcinfo, 3)});
    }
    PG_RETURN_VOID();
}

// (target, close)
Datum disconnect_target(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        const Destination destination = read_target(fcinfo, 0);
        publish(destination.channel, DisconnectSockets{destination.target, read_flag(fcinfo, 1)});
    }
    PG_RETURN_VOID();
}

}  // namespace

}  // namespace socketio

extern "C" {

PG_FUNCTION_INFO_V1(socketio_sockets_join_flat);
Datum socketio_sockets_join_flat(PG_FUNCTION_ARGS) { return socketio::guarded<socketio::join_flat>(fcinfo); }

PG_FUNCTION_INFO_V1(socketio_sockets_join_target);
Datum socketio_sockets_join_target(PG_FUNCTION_ARGS) { return socketio::guarded<socketio::join_target>(fcinfo); }

PG_FUNCTION_INFO_V1(socketio_sockets_leave_flat);
Datum socketio_sockets_leave_flat(PG_FUNCTION_ARGS) { return socketio::guarded<socketio::leave_flat>(fcinfo); }

PG_FUNCTION_INFO_V1(socketio_sockets_leave_target);
Datum socketio_sockets_leave_target(PG_FUNCTION_ARGS) { return socketio::guarded<socketio::leave_target>(fcinfo); }

PG_FUNCTION_INFO_V1(socketio_disconnect_sockets_flat);
Datum socketio_disconnect_sockets_flat(PG_FUNCTION_ARGS) { return socketio::guarded<socketio::disconnect_flat>(fcinfo); }

PG_FUNCTION_INFO_V1(socketio_disconnect_sockets_target);
Datum socketio_disconnect_sockets_target(PG_FUNCTION_ARGS) {
    return socketio::guarded<socketio::disconnect_target>(fcinfo);
}

}  // extern "C"
