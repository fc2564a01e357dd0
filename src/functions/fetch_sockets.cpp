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

enum SocketField { kServer, kId, kData, kHandshake, kFirstRoom };

// A row as Question::kSockets describes it.
struct Socket {
    explicit Socket(const RowFields& fields) : fields_(fields) {}

    bool has_id() const { return !fields_.is_null(kId); }

    int room_count() const { return fields_.count - kFirstRoom; }
    std::string_view room(int i) const { return fields_[kFirstRoom + i]; }

  private:
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
    bool nulls[5] = {};
    const Datum values[] = {text_field(fields, kId, nulls[0]), room_array(Socket(fields)),
                            jsonb_field(fields, kData, nulls[2]), jsonb_field(fields, kHandshake, nulls[3]),
                            text_field(fields, kServer, nulls[4])};
    put_row(static_cast<ReturnSetInfo*>(rows), values, nulls);
}

void ask(Question question, const Destination& destination, Conversation::Time timeout, TakeRow take_row,
         void* result) {
    Request request = {question, destination.target, timeout};
    make_request(request, take_row, result);
}

// (nsp, rooms, except_rooms, timeout)
Datum fetch_flat(FunctionCallInfo fcinfo) {
    Destination destination;
    read_flat_target(fcinfo, destination);
    ask(Question::kSockets, destination, read_timeout(fcinfo, 3), put_socket, begin_rows(fcinfo));
    return Datum(0);
}

// (target)
Datum fetch_target(FunctionCallInfo fcinfo) {
    Destination destination;
    read_target(fcinfo, 0, destination);
    ask(Question::kSockets, destination, kDefaultTimeout, put_socket, begin_rows(fcinfo));
    return Datum(0);
}

void put_client(const RowFields& fields, void* rows) {
    bool is_null = false;
    const Datum id = text_field(fields, kId, is_null);
    put_row(static_cast<ReturnSetInfo*>(rows), &id, &is_null);
}

// (nsp, rooms, timeout)
Datum clients(FunctionCallInfo fcinfo) {
    Destination destination;
    read_namespace_target(fcinfo, 0, destination);
    destination.target.rooms = read_required_rooms(fcinfo, 1, "rooms", destination.rooms);
    ask(Question::kClients, destination, read_timeout(fcinfo, 2), put_client, begin_rows(fcinfo));
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
    destination.target.rooms = {&id, 1};  // each socket is in a room of its own, named by its id
    ReturnSetInfo* rows = begin_rows(fcinfo);
    Request request = {Question::kClientRooms, destination.target, read_timeout(fcinfo, 2), id};
    make_request(request, put_rooms, rows);
    return Datum(0);
}

// The rooms of all sockets, or of all servers, one behind another, in `context`.
struct RoomList {
    MemoryContext context;
    std::string_view* rooms;
    std::size_t count;
    std::size_t capacity;
    bool are_of_sockets = true;

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
    list.are_of_sockets &= socket.has_id();
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
        const bool nulls[] = {false, !list.are_of_sockets};
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
    ask(Question::kRooms, destination, read_timeout(fcinfo, 1), list_rooms, &list);
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
