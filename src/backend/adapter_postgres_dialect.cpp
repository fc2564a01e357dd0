// socket.io-adapter-postgres 1.2, for Socket.IO 2: one channel for everything, on which each payload is a topic and a text
// (protocol/adapter_postgres_message.h).

#include <algorithm>

#include "backend/cluster_request.h"
#include "backend/dialect.h"
#include "backend/listeners.h"
#include "backend/text.h"
#include "protocol/adapter_postgres_conversation.h"
#include "protocol/adapter_postgres_message.h"
#include "protocol/socket_id.h"

extern "C" {
#include "miscadmin.h"
}

namespace socketio {

namespace {

using namespace adapter_postgres;

constexpr Channel kChannel = {"socketio"};
constexpr int kNotificationKind = 0;  // of a request's messages: there are no others

static_assert(kMaxPayload == kMaxNotification - 1);

// Servers put a text together in one string, which has at most 2^28 - 16 characters in the Node.js of their time.
constexpr std::size_t kMaxText = 256'000'000;
constexpr std::size_t kMaxBytes = kMaxText / 4 * 3;
constexpr const char* kTextsEnd = "Its servers cannot put together more.";

// What begins a payload: `["topic","`.
struct Head {
    char bytes[kMaxHead];
    std::size_t size;

    std::string_view view() const { return {bytes, size}; }
};

// False, and there is none, if the topic is too long.
bool try_set_head(Head& head, std::string_view topic) {
    BoundedSink sink(head.bytes, sizeof head.bytes);
    NotificationWriter writer(sink, json_characters());
    writer.begin_array(2);
    writer.string(topic);
    sink.write(",\"", 2);
    head.size = sink.bytes().size();
    return !writer.stopped();
}

[[noreturn]] void report_namespace_too_long(std::string_view nsp) {
    ereport(ERROR, (errcode(ERRCODE_NAME_TOO_LONG),
                    errmsg("a namespace of %zu bytes is too long for protocol \"adapter-postgres\"", nsp.size()),
                    errdetail("The topic that its messages begin with may have %zu bytes as JSON.", kMaxTopic),
                    errhint("Shorten the namespace or socketio_emitter.channel_prefix.")));
    pg_unreachable();
}

// Servers look for socket ids only: the event would reach those it must not reach.
void require_socket_ids(const Target& target) {
    for (const std::string_view entry : target.except) {
        if (!is_socket_id(target.nsp, entry)) {
            const std::string_view name = from_utf8(entry);
            ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                            errmsg("protocol \"adapter-postgres\" cannot except \"%.*s\": it is no socket id",
                                   static_cast<int>(name.size()), name.data()),
                            errdetail("Its servers do not except rooms."),
                            errhint("Socket ids have 20 characters, behind the namespace and \"#\" where that is not "
                                    "\"/\". socketio_clients() lists those of a room.")));
        }
    }
}

// What is done to many sockets takes their ids, one by one.
std::string_view require_one_socket(const Target& target) {
    const bool is_one =
        target.rooms.count == 1 && target.except.empty() && is_socket_id(target.nsp, *target.rooms.begin());
    if (!is_one) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("protocol \"adapter-postgres\" can make only one socket at a time join, leave or "
                               "disconnect"),
                        errdetail("The target has to be one socket id, with nothing excepted."),
                        errhint("socketio_clients() lists the ids of a room's sockets.")));
    }
    return *target.rooms.begin();
}

// JSON in ASCII, in CurrentMemoryContext, or nothing if it is longer than a text may be. It must hold no binary. Requests are
// short, as a rule, so that it is hardly ever tried twice.
template <class Write>
std::string_view write_json(const Write& write) {
    constexpr std::size_t kUsualSize = 8 * 1024;
    for (std::size_t size = kUsualSize;; size = std::min(2 * size, kMaxText)) {
        auto* memory = static_cast<char*>(palloc(size));
        BoundedSink sink(memory, size);
        NotificationWriter writer(sink, JsonCharacters::kAscii);
        write(writer);
        if (!writer.stopped()) {
            return sink.bytes();
        }
        pfree(memory);
        if (size == kMaxText) {
            return {};
        }
    }
}

std::string_view clients_request(std::string_view id, const Rooms& rooms) {
    return write_json([&](NotificationWriter& writer) {
        write_request(writer, RequestType::kClients, id, 1, [&] {
            writer.key("rooms");
            write_rooms(writer, rooms);
        });
    });
}

std::string_view client_rooms_request(std::string_view id, std::string_view socket) {
    return write_json([&](NotificationWriter& writer) {
        write_request(writer, RequestType::kClientRooms, id, 1, [&] {
            writer.key("sid");
            writer.string(socket);
        });
    });
}

std::string_view all_rooms_request(std::string_view id) {
    return write_json([&](NotificationWriter& writer) { write_request(writer, RequestType::kAllRooms, id, 0, [] {}); });
}

std::string_view custom_request(std::string_view id, const EventArguments& data) {
    return write_json([&](NotificationWriter& writer) {
        write_request(writer, RequestType::kCustomRequest, id, 1, [&] {
            writer.key("data");
            data.write(writer);
        });
    });
}

std::string_view room_request(std::string_view id, SocketAction action, std::string_view socket,
                              std::string_view room) {
    const RequestType type = action == SocketAction::kJoin ? RequestType::kRemoteJoin : RequestType::kRemoteLeave;
    return write_json([&](NotificationWriter& writer) {
        write_request(writer, type, id, 2, [&] {
            writer.key("sid");
            writer.string(socket);
            writer.key("room");
            writer.string(room);
        });
    });
}

std::string_view disconnect_request(std::string_view id, std::string_view socket, bool close) {
    return write_json([&](NotificationWriter& writer) {
        write_request(writer, RequestType::kRemoteDisconnect, id, 2, [&] {
            writer.key("sid");
            writer.string(socket);
            writer.key("close");
            writer.boolean(close);
        });
    });
}

// Call `take` with each of the requests that `command` is, for the one socket it concerns.
template <class Take>
void with_requests(const SocketCommand& command, std::string_view id, std::string_view socket, const Take& take) {
    if (command.action == SocketAction::kDisconnect) {
        return take(disconnect_request(id, socket, command.close));
    }
    for (const std::string_view room : command.rooms) {
        take(room_request(id, command.action, socket, room));
    }
}

class AdapterPostgresDialect final : public Dialect {
  public:
    constexpr AdapterPostgresDialect() : Dialect("adapter-postgres", "socket.io") {}

    void require_namespace(std::string_view nsp) const override {
        Head head;
        set_event_head(head, nsp);
    }

    std::size_t binary_limit() const override { return kMaxBytes; }

    void emit_binary(const Event& event, std::size_t expected_size) const override {
        require_socket_ids(event.target);
        Head head;
        set_event_head(head, event.target);
        PayloadSink sink(expected_size);
        AttachmentWriter writer(sink);
        write_broadcast(writer, event.target, event.name, event.arguments, next_seq());
        event.arguments.release();
        if (sink.size() > kMaxBytes) {
            report_too_long(kMaxBytes, kTextsEnd);
        }
        write_payloads(head.view(), Base64Text(sink.bytes()), make_random_id, notify_servers);
        sink.release();
    }

    std::size_t binary_size(const Event& event) const override {
        PayloadSink sink;
        AttachmentWriter writer(sink);
        write_broadcast(writer, event.target, event.name, event.arguments, kLargestSeq);
        const std::size_t size = sink.size();
        sink.release();
        return size;
    }

    void command_sockets(const SocketCommand& command) const override {
        require_primary();
        const std::string_view socket = require_one_socket(command.target);
        Head head;
        set_head(head, "-request#", command.target.nsp);
        with_requests(command, make_random_id().view(), socket, [&](std::string_view request) {
            write_payloads(head.view(), checked(request), make_random_id, notify_servers);
        });
    }

    void ask(Request& request) const override {
        request.channel = kChannel;
        const std::string_view id = request.request_id();
        const std::string_view second_id = concatenate({id, {&kSecond, 1}});
        switch (request.question) {
            case Question::kClients:
                return add(request, clients_request(id, request.target.rooms));
            case Question::kRooms:
                return add(request, all_rooms_request(id));
            case Question::kClientRooms:
                add(request, clients_request(id, {&request.socket, 1}));
                return add(request, client_rooms_request(second_id, request.socket));
            case Question::kCommand:
                add(request, clients_request(id, {&request.socket, 1}));
                return with_requests(*request.command, second_id, request.socket,
                                     [&](std::string_view action) { add(request, action, Moment::kWhenFound); });
            case Question::kCustom:
                return add(request, custom_request(id, request.event->arguments));
            default:
                Dialect::ask(request);
        }
    }

    Conversation* converse(const Inquiry& inquiry, const Channel&) const override {
        const std::string_view names = concatenate({"socket.io-", prefix(), "-request#"});
        const std::string_view topic = concatenate({to_utf8(prefix()), "-response#", inquiry.nsp, "#"});
        return new AdapterPostgresConversation(inquiry, topic, count_applications(names, from_utf8(inquiry.nsp)));
    }

  private:
    static void notify_servers(const char* payload, std::size_t size) {
        CHECK_FOR_INTERRUPTS();
        notify(kChannel, payload, size);
    }

    void add(Request& request, std::string_view text, Moment moment = Moment::kAtOnce) const {
        Head head;
        set_head(head, "-request#", request.target.nsp);
        write_payloads(head.view(), checked(text), make_random_id, [&](const char* payload, std::size_t size) {
            add_message(request, moment, kNotificationKind, {payload, size});
        });
    }

    JsonText checked(std::string_view json) const {
        if (json.empty()) {
            report_too_long(kMaxText, kTextsEnd);
        }
        return JsonText(json);
    }

    void set_head(Head& head, std::string_view kind, std::string_view nsp) const {
        if (!try_set_head(head, concatenate({to_utf8(prefix()), kind, nsp, "#"}))) {
            report_namespace_too_long(nsp);
        }
    }

    void set_event_head(Head& head, std::string_view nsp) const { set_head(head, "#", nsp); }

    // A topic with a room spares servers that have nobody in it the reading. What counts are the rooms in the options.
    void set_event_head(Head& head, const Target& target) const {
        const bool has_room =
            target.rooms.count == 1 &&
            try_set_head(head, concatenate({to_utf8(prefix()), "#", target.nsp, "#", *target.rooms.begin(), "#"}));
        if (!has_room) {
            set_event_head(head, target.nsp);
        }
    }
};

constexpr AdapterPostgresDialect kDialect;

}  // namespace

const Dialect& adapter_postgres_dialect = kDialect;

}  // namespace socketio
