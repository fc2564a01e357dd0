// socketio_fetch_sockets, and what else can be told from the sockets of a namespace: socketio_clients,
// socketio_client_rooms, socketio_all_rooms.

#include <algorithm>

#include "backend/guard.h"
#include "backend/text.h"
#include "functions/asking.h"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
}

namespace socketio {

namespace {

// A row as Question::kSockets describes it.
struct Socket {
    explicit Socket(const RowFields& fields) : fields_(fields) {}

    std::string_view server() const { return fields_[0]; }
    std::string_view id() const { return fields_[1]; }
    std::string_view data() const { return fields_[2]; }
    std::string_view handshake() const { return fields_[3]; }

    int room_count() const { return fields_.count - kFirstRoom; }
    std::string_view room(int i) const { return fields_[kFirstRoom + i]; }

  private:
    static constexpr int kFirstRoom = 4;

    const RowFields& fields_;
};

Datum room_array(const Socket& socket) {
    const int count = socket.room_count();
    auto* rooms = static_cast<Datum*>(palloc(sizeof(Datum) * count));
    for (int i = 0; i < count; ++i) {
        rooms[i] = text_datum(socket.room(i));
    }
    return PointerGetDatum(construct_array(rooms, count, TEXTOID, -1, false, TYPALIGN_INT));
}

// (id, rooms, data, handshake, server)
void put_socket(const RowFields& fields, void* rows) {
    const Socket socket(fields);
    const bool has_data = !socket.data().empty();
    const bool has_handshake = !socket.handshake().empty();
    const Datum values[] = {text_datum(socket.id()), room_array(socket),
                            has_data ? jsonb_datum(socket.data()) : Datum(0),
                            has_handshake ? jsonb_datum(socket.handshake()) : Datum(0), text_datum(socket.server())};
    const bool nulls[] = {false, false, !has_data, !has_handshake, false};
    put_row(static_cast<ReturnSetInfo*>(rows), values, nulls);
}

// (nsp, rooms, except_rooms, timeout)
Datum fetch_flat(FunctionCallInfo fcinfo) {
    Destination destination;
    read_flat_target(fcinfo, destination);
    fetch_sockets(destination, read_timeout(fcinfo, 3), put_socket, begin_rows(fcinfo));
    return Datum(0);
}

// (target)
Datum fetch_target(FunctionCallInfo fcinfo) {
    Destination destination;
    read_target(fcinfo, 0, destination);
    fetch_sockets(destination, kDefaultTimeout, put_socket, begin_rows(fcinfo));
    return Datum(0);
}

void put_client(const RowFields& fields, void* rows) {
    const Datum id = text_datum(Socket(fields).id());
    const bool is_null = false;
    put_row(static_cast<ReturnSetInfo*>(rows), &id, &is_null);
}

// (nsp, rooms, timeout)
Datum clients(FunctionCallInfo fcinfo) {
    Destination destination;
    read_namespace_target(fcinfo, 0, destination);
    destination.target.rooms = read_required_rooms(fcinfo, 1, "rooms", destination.rooms);
    fetch_sockets(destination, read_timeout(fcinfo, 2), put_client, begin_rows(fcinfo));
    return Datum(0);
}

void put_rooms(const RowFields& fields, void* rows) {
    const Socket socket(fields);
    for (int i = 0; i < socket.room_count(); ++i) {
        const Datum room = text_datum(socket.room(i));
        const bool is_null = false;
        put_row(static_cast<ReturnSetInfo*>(rows), &room, &is_null);
    }
}

// (id, nsp, timeout)
Datum client_rooms(FunctionCallInfo fcinfo) {
    const std::string_view id = read_required_text(fcinfo, 0, "id");
    Destination destination;
    read_namespace_target(fcinfo, 1, destination);
    ReturnSetInfo* rows = begin_rows(fcinfo);
    Request request;
    begin_search(request, destination, id, read_timeout(fcinfo, 2));
    make_request(request, put_rooms, rows);
    return Datum(0);
}

// The rooms of all sockets, one behind another, in `context`.
struct RoomList {
    MemoryContext context;
    std::string_view* rooms;
    std::size_t count;
    std::size_t capacity;

    std::string_view* begin() const { return rooms; }
    std::string_view* end() const { return rooms + count; }

    void add(std::string_view room) {
        if (count == capacity) {
            capacity *= 2;
            rooms = static_cast<std::string_view*>(repalloc_huge(rooms, sizeof *rooms * capacity));
        }
        rooms[count++] = copy_text(room);
    }
};

RoomList make_room_list() {
    constexpr std::size_t kUsualCapacity = 1024;
    return {CurrentMemoryContext, static_cast<std::string_view*>(palloc(sizeof(std::string_view) * kUsualCapacity)), 0,
            kUsualCapacity};
}

void list_rooms(const RowFields& fields, void* result) {
    auto& list = *static_cast<RoomList*>(result);
    const Socket socket(fields);
    const MemoryContext context = MemoryContextSwitchTo(list.context);
    for (int i = 0; i < socket.room_count(); ++i) {
        list.add(socket.room(i));
    }
    MemoryContextSwitchTo(context);
}

// (room, sockets)
void put_counted_rooms(const RoomList& list, ReturnSetInfo* rows) {
    std::sort(list.begin(), list.end());
    for (const std::string_view* room = list.begin(); room != list.end();) {
        const std::string_view* next = std::upper_bound(room, const_cast<const std::string_view*>(list.end()), *room);
        const Datum values[] = {text_datum(*room), Int64GetDatum(next - room)};
        const bool nulls[] = {false, false};
        put_row(rows, values, nulls);
        pfree(DatumGetPointer(values[0]));
        room = next;
    }
}

// (nsp, timeout)
Datum all_rooms(FunctionCallInfo fcinfo) {
    Destination destination;
    read_namespace_target(fcinfo, 0, destination);
    ReturnSetInfo* rows = begin_rows(fcinfo);
    RoomList list = make_room_list();
    fetch_sockets(destination, read_timeout(fcinfo, 1), list_rooms, &list);
    put_counted_rooms(list, rows);
    return Datum(0);
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_fetch_sockets_flat, socketio::fetch_flat);
SQL_FUNCTION(socketio_fetch_sockets_target, socketio::fetch_target);
SQL_FUNCTION(socketio_clients, socketio::clients);
SQL_FUNCTION(socketio_client_rooms, socketio::client_rooms);
SQL_FUNCTION(socketio_all_rooms, socketio::all_rooms);
