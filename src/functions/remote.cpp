// socketio_remote_join, socketio_remote_leave, socketio_remote_disconnect: control over one socket, at once, and an error if no
// server has it.

#include "backend/guard.h"
#include "backend/settings.h"
#include "backend/text.h"
#include "functions/asking.h"

namespace socketio {

namespace {

void note_found(const RowFields&, void* is_found) { *static_cast<bool*>(is_found) = true; }

[[noreturn]] void report_not_found(Ending ending, std::string_view id) {
    const int size = static_cast<int>(id.size());
    if (ending == Ending::kIncomplete) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("no server that answered has a socket with id \"%.*s\"", size, id.data()),
                        errdetail("Not every server answered."), errhint("Try again, or allow a longer timeout.")));
    }
    ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND), errmsg("no server has a socket with id \"%.*s\"", size, id.data()),
                    errhint("socketio_clients() lists the sockets of a namespace.")));
    pg_unreachable();
}

// ERROR P0002 unless a server answers that it has the socket, 55000 where some have not answered, 55P03 where it is not known
// whether all was done.
void require_socket(Request& request) {
    bool is_found = false;
    const Ending ending = make_request(request, note_found, &is_found);
    const std::string_view id = from_utf8_lossily(request.socket);
    if (ending == Ending::kHeldUp) {
        ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                        errmsg("timeout reached before all was done for the socket with id \"%.*s\"",
                               static_cast<int>(id.size()), id.data()),
                        errhint("It may have gone meanwhile, or its server be busy; or something holds up commits, or "
                                "the attachment table.")));
    }
    if (!is_found) {
        report_not_found(ending, id);
    }
}

// Do what `command` says to the socket with this id.
void command_socket(std::string_view id, SocketCommand command, Conversation::Time timeout) {
    Request request = {Question::kCommand, command.target, timeout, id, &command};
    require_socket(request);
}

// Each socket is in a room of its own, named by its id.
void read_socket(FunctionCallInfo fcinfo, int nsp, const std::string_view& id, Destination& destination) {
    read_namespace_target(fcinfo, nsp, destination);
    destination.target.rooms = {&id, 1};
}

// (id, room, nsp, timeout)
template <SocketAction action>
Datum change_room(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        const std::string_view id = read_required_text(fcinfo, 0, "id");
        const std::string_view room = read_required_text(fcinfo, 1, "room");
        Destination destination;
        read_socket(fcinfo, 2, id, destination);
        command_socket(id, {action, destination.target, {&room, 1}}, read_timeout(fcinfo, 3));
    }
    PG_RETURN_VOID();
}

// (id, close, nsp, timeout)
Datum disconnect(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        const std::string_view id = read_required_text(fcinfo, 0, "id");
        Destination destination;
        read_socket(fcinfo, 2, id, destination);
        command_socket(id, {SocketAction::kDisconnect, destination.target, {}, read_flag(fcinfo, 1)},
                       read_timeout(fcinfo, 3));
    }
    PG_RETURN_VOID();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_remote_join, socketio::change_room<socketio::SocketAction::kJoin>);
SQL_FUNCTION(socketio_remote_leave, socketio::change_room<socketio::SocketAction::kLeave>);
SQL_FUNCTION(socketio_remote_disconnect, socketio::disconnect);
