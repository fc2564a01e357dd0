// socketio_sockets_join, socketio_sockets_leave, socketio_disconnect_sockets: control over the sockets of a target.

#include "backend/dialect.h"
#include "backend/guard.h"
#include "backend/settings.h"
#include "functions/arguments.h"

namespace socketio {

namespace {

// (nsp, rooms, except_rooms, <parameter>)
Datum change_rooms_flat(FunctionCallInfo fcinfo, SocketAction action, const char* parameter) {
    if (settings.enabled) {
        Destination destination;
        read_flat_target(fcinfo, destination);
        RoomScratch scratch;
        const Rooms rooms = read_required_rooms(fcinfo, 3, parameter, scratch);
        dialect().command_sockets({action, destination.target, rooms});
    }
    PG_RETURN_VOID();
}

// (target, <parameter>)
Datum change_rooms_of_target(FunctionCallInfo fcinfo, SocketAction action, const char* parameter) {
    if (settings.enabled) {
        Destination destination;
        read_target(fcinfo, 0, destination);
        RoomScratch scratch;
        const Rooms rooms = read_required_rooms(fcinfo, 1, parameter, scratch);
        dialect().command_sockets({action, destination.target, rooms});
    }
    PG_RETURN_VOID();
}

Datum join_flat(FunctionCallInfo fcinfo) { return change_rooms_flat(fcinfo, SocketAction::kJoin, "join_rooms"); }
Datum join_target(FunctionCallInfo fcinfo) { return change_rooms_of_target(fcinfo, SocketAction::kJoin, "join_rooms"); }
Datum leave_flat(FunctionCallInfo fcinfo) { return change_rooms_flat(fcinfo, SocketAction::kLeave, "leave_rooms"); }
Datum leave_target(FunctionCallInfo fcinfo) {
    return change_rooms_of_target(fcinfo, SocketAction::kLeave, "leave_rooms");
}

// (nsp, rooms, except_rooms, close)
Datum disconnect_flat(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        Destination destination;
        read_flat_target(fcinfo, destination);
        dialect().command_sockets({SocketAction::kDisconnect, destination.target, {}, read_flag(fcinfo, 3)});
    }
    PG_RETURN_VOID();
}

// (target, close)
Datum disconnect_target(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        Destination destination;
        read_target(fcinfo, 0, destination);
        dialect().command_sockets({SocketAction::kDisconnect, destination.target, {}, read_flag(fcinfo, 1)});
    }
    PG_RETURN_VOID();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_sockets_join_flat, socketio::join_flat);
SQL_FUNCTION(socketio_sockets_join_target, socketio::join_target);
SQL_FUNCTION(socketio_sockets_leave_flat, socketio::leave_flat);
SQL_FUNCTION(socketio_sockets_leave_target, socketio::leave_target);
SQL_FUNCTION(socketio_disconnect_sockets_flat, socketio::disconnect_flat);
SQL_FUNCTION(socketio_disconnect_sockets_target, socketio::disconnect_target);
