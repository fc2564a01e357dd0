// socketio_remote_join, socketio_remote_leave, socketio_remote_disconnect: control over one socket, at once, and an error if no
// server has it.

#include "backend/guard.h"
#include "functions/asking.h"

namespace socketio {

namespace {

struct Search {
    std::string_view id;
    bool is_found;
};

// The second field of Question::kSockets. Other sockets may be in the room that has the id for a name.
bool look_for_socket(const RowFields& socket, void* result) {
    auto& search = *static_cast<Search*>(result);
    search.is_found = socket[1] == search.id;
    return !search.is_found;
}

// ERROR P0002 unless a server answers that it has the socket.
void require_socket(Request& request, std::string_view id) {
    Search search = {id, false};
    make_request(request, look_for_socket, &search);
    if (!search.is_found) {
        ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
                        errmsg("no server has a socket with id \"%.*s\"", static_cast<int>(id.size()), id.data()),
                        errhint("socketio_clients() lists the sockets of a namespace.")));
    }
}

// (id, room, nsp, timeout)
template <class Message>
Datum change_room(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        const std::string_view id = read_required_text(fcinfo, 0, "id");
        const std::string_view room = read_required_text(fcinfo, 1, "room");
        Destination destination;
        read_namespace_target(fcinfo, 2, destination);
        destination.target.rooms = {&id, 1};
        Request request;
        begin_request(request, Question::kSockets, destination.channel, read_timeout(fcinfo, 3));
        add_message(request, InitialHeartbeat{destination.target.nsp});
        add_message(request, Message{destination.target, {&room, 1}});
        add_message(request, FetchSockets{destination.target, request.request_id()});
        require_socket(request, id);
    }
    PG_RETURN_VOID();
}

// (id, close, nsp, timeout)
Datum disconnect(FunctionCallInfo fcinfo) {
    if (settings.enabled) {
        const std::string_view id = read_required_text(fcinfo, 0, "id");
        Destination destination;
        read_namespace_target(fcinfo, 2, destination);
        destination.target.rooms = {&id, 1};
        Request request;
        begin_request(request, Question::kSockets, destination.channel, read_timeout(fcinfo, 3));
        add_message(request, InitialHeartbeat{destination.target.nsp});
        add_message(request, FetchSockets{destination.target, request.request_id()});  // while it is there
        add_message(request, DisconnectSockets{destination.target, read_flag(fcinfo, 1)});
        require_socket(request, id);
    }
    PG_RETURN_VOID();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_remote_join, socketio::change_room<socketio::SocketsJoin>);
SQL_FUNCTION(socketio_remote_leave, socketio::change_room<socketio::SocketsLeave>);
SQL_FUNCTION(socketio_remote_disconnect, socketio::disconnect);
