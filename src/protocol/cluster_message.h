// The messages that Socket.IO servers running @socket.io/postgres-adapter exchange, as an emitter sends them.
//
// Source of the wire format: dist/index.js of @socket.io/postgres-adapter 0.1.1 (EventType, onEvent) and of
// socket.io-adapter 2.5 (ClusterAdapter, on which 0.4.0 and later build).
//
// Each message is a struct with the `kType` of its kind, a write_data() that describes its `data` once for every
// writer, and a release() for when it has been written the last time. write_message() puts the envelope around it:
//
//     {"uid": "emitter", "source": "_sio_adapter", "nsp": "/", "type": 3, "seq": 1, "data": {...}}
//
// uid     adapters never count a sender of this name as a server.
// source  what the workers of a Node.js cluster go by: behind setupPrimary() (adapter 0.5.0) they run
//         @socket.io/cluster-adapter, which drops a message without this mark (MESSAGE_SOURCE of its dist/index.js).
// nsp     adapters from 0.4.0 look up the namespace by it; older ones go by the channel.
// seq     ours alone: every adapter ignores it. NOTIFY sends equal payloads of a transaction only once, and a running
//         number keeps two equal emits two.

#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/fixed_tokens.h"
#include "protocol/target.h"

namespace socketio {

enum class MessageType : int {
    kInitialHeartbeat = 1,
    kHeartbeat = 2,
    kBroadcast = 3,
    kSocketsJoin = 4,
    kSocketsLeave = 5,
    kDisconnectSockets = 6,
    kFetchSockets = 7,
    kFetchSocketsResponse = 8,
    kServerSideEmit = 9,
    kServerSideEmitResponse = 10,
    kBroadcastClientCount = 11,
    kBroadcastAck = 12,
    kAdapterClose = 13,
};

// The value of "opts", from behind its `{"rooms":`, which the messages open with.
template <class Writer>
void write_opts_from_rooms(Writer& writer, const Target& target) {
    static constexpr auto kExcept = FixedTokens::after_value().key("except");
    static constexpr auto kFlags = FixedTokens::after_value().key("flags");
    static constexpr auto kPlainRest =
        FixedTokens::after_value().key("except").empty_array().key("flags").object(0).end_object().end_object();
    write_rooms(writer, target.rooms);
    if (target.except.empty() && !target.is_volatile && !target.compress) {
        return writer.fixed(kPlainRest);  // most messages by far
    }
    writer.fixed(kExcept);
    write_rooms(writer, target.except);
    writer.fixed(kFlags);
    write_flags(writer, target);
    writer.end_object();
}

// An event for clients: io.of(nsp).to(rooms).emit(event, ...args).
template <class Arguments>
struct Broadcast {
    static constexpr MessageType kType = MessageType::kBroadcast;
    static constexpr int kEvent = 2;  // PacketType.EVENT of socket.io-parser

    const Target& target;
    std::string_view event;
    const Arguments& arguments;

    std::string_view nsp() const { return target.nsp; }
    void release() const { arguments.release(); }

    template <class Writer>
    void write_data(Writer& writer) const {
        write_fields<2>(writer);
        writer.end_object();
    }

    // The first two of the `pairs` that the data has.
    template <std::uint8_t pairs, class Writer>
    void write_fields(Writer& writer) const {
        static constexpr auto kPacket =
            FixedTokens::after_key().object(pairs).key("packet").object(3).key("type").integer(kEvent).key("data");
        static constexpr auto kNsp = FixedTokens::after_value().key("nsp");
        static constexpr auto kOpts = FixedTokens::after_value().end_object().key("opts").object(3).key("rooms");
        writer.fixed(kPacket);
        write_event(writer, event, arguments);
        writer.fixed(kNsp);
        writer.string(target.nsp);
        writer.fixed(kOpts);
        write_opts_from_rooms(writer, target);
    }
};

// The last pair of a request's data: what its answers refer to.
template <class Writer>
void write_request_id(Writer& writer, std::string_view request_id) {
    static constexpr auto kRequestId = FixedTokens::after_value().key("requestId");
    writer.fixed(kRequestId);
    writer.string(request_id);
    writer.end_object();
}

// The same with acknowledgements: io.of(nsp).to(rooms).timeout(...).emit(event, ...args, callback).
template <class Arguments>
struct BroadcastWithAck {
    static constexpr MessageType kType = MessageType::kBroadcast;

    Broadcast<Arguments> broadcast;
    std::string_view request_id;

    std::string_view nsp() const { return broadcast.nsp(); }
    void release() const { broadcast.release(); }

    template <class Writer>
    void write_data(Writer& writer) const {
        broadcast.template write_fields<3>(writer);
        write_request_id(writer, request_id);
    }
};

// How the data of a message for sockets begins.
inline constexpr auto kOptsFirst = FixedTokens::after_key().object(2).key("opts").object(3).key("rooms");

// SOCKETS_JOIN and SOCKETS_LEAVE differ in their type alone.
template <MessageType type>
struct RoomsChange {
    static constexpr MessageType kType = type;

    const Target& target;
    Rooms rooms;

    std::string_view nsp() const { return target.nsp; }
    void release() const {}

    template <class Writer>
    void write_data(Writer& writer) const {
        static constexpr auto kRooms = FixedTokens::after_value().key("rooms");
        writer.fixed(kOptsFirst);
        write_opts_from_rooms(writer, target);
        writer.fixed(kRooms);
        write_rooms(writer, rooms);
        writer.end_object();
    }
};

// io.of(nsp).in(target.rooms).socketsJoin(rooms) and socketsLeave(rooms).
using SocketsJoin = RoomsChange<MessageType::kSocketsJoin>;
using SocketsLeave = RoomsChange<MessageType::kSocketsLeave>;

// io.of(nsp).in(rooms).disconnectSockets(close).
struct DisconnectSockets {
    static constexpr MessageType kType = MessageType::kDisconnectSockets;

    const Target& target;
    bool close = false;  // the whole connection, not this namespace alone

    std::string_view nsp() const { return target.nsp; }
    void release() const {}

    template <class Writer>
    void write_data(Writer& writer) const {
        static constexpr auto kClose = FixedTokens::after_value().key("close");
        writer.fixed(kOptsFirst);
        write_opts_from_rooms(writer, target);
        writer.fixed(kClose);
        writer.boolean(close);
        writer.end_object();
    }
};

// io.of(nsp).in(rooms).fetchSockets().
struct FetchSockets {
    static constexpr MessageType kType = MessageType::kFetchSockets;

    const Target& target;
    std::string_view request_id;

    std::string_view nsp() const { return target.nsp; }
    void release() const {}

    template <class Writer>
    void write_data(Writer& writer) const {
        writer.fixed(kOptsFirst);
        write_opts_from_rooms(writer, target);
        write_request_id(writer, request_id);
    }
};

// An event for the servers themselves: io.of(nsp).serverSideEmit(event, ...args).
template <class Arguments>
struct ServerSideEmit {
    static constexpr MessageType kType = MessageType::kServerSideEmit;

    std::string_view namespace_name;
    std::string_view event;
    const Arguments& arguments;

    std::string_view nsp() const { return namespace_name; }
    void release() const { arguments.release(); }

    template <class Writer>
    void write_data(Writer& writer) const {
        static constexpr auto kPacket = FixedTokens::after_key().object(1).key("packet");
        writer.fixed(kPacket);
        write_event(writer, event, arguments);
        writer.end_object();
    }
};

// The same with acknowledgements: io.of(nsp).serverSideEmit(event, ...args, callback).
template <class Arguments>
struct ServerSideEmitWithAck {
    static constexpr MessageType kType = MessageType::kServerSideEmit;

    std::string_view namespace_name;
    std::string_view event;
    const Arguments& arguments;
    std::string_view request_id;

    std::string_view nsp() const { return namespace_name; }
    void release() const { arguments.release(); }

    template <class Writer>
    void write_data(Writer& writer) const {
        static constexpr auto kPacket = FixedTokens::after_key().object(2).key("packet");
        writer.fixed(kPacket);
        write_event(writer, event, arguments);
        write_request_id(writer, request_id);
    }
};

// A question to all servers, whether they are there. It has no data; the adapters look for none.
struct InitialHeartbeat {
    static constexpr MessageType kType = MessageType::kInitialHeartbeat;

    std::string_view namespace_name;

    std::string_view nsp() const { return namespace_name; }
    void release() const {}

    template <class Writer>
    void write_data(Writer& writer) const {
        static constexpr auto kNothing = FixedTokens::after_key().object(0).end_object();
        writer.fixed(kNothing);
    }
};

// The envelope of a message from its brace to the value of "nsp".
constexpr FixedTokens envelope_head(std::uint8_t pairs) {
    return FixedTokens::at_start()
        .object(pairs)
        .key("uid")
        .string("emitter")
        .key("source")
        .string("_sio_adapter")
        .key("nsp");
}

// "type" and the key that follows it.
constexpr FixedTokens type_and_key(MessageType type, std::string_view key) {
    return FixedTokens::after_value().key("type").integer(static_cast<int>(type)).key(key);
}

// Write `message` whole, with a number that sets it apart from all others a transaction may notify with it.
template <class Writer, class Message>
void write_message(Writer& writer, const Message& message, std::uint32_t seq) {
    static constexpr auto kHead = envelope_head(6);
    static constexpr auto kSeq = type_and_key(Message::kType, "seq");
    static constexpr auto kData = FixedTokens::after_value().key("data");
    writer.fixed(kHead);
    writer.string(message.nsp());
    writer.fixed(kSeq);
    writer.integer(seq);
    writer.fixed(kData);
    message.write_data(writer);
    writer.end_object();
}

// Write `message` as an attachment: without "seq", since no two attachments are announced alike.
template <class Writer, class Message>
void write_attached_message(Writer& writer, const Message& message) {
    static constexpr auto kHead = envelope_head(5);
    static constexpr auto kData = type_and_key(Message::kType, "data");
    writer.fixed(kHead);
    writer.string(message.nsp());
    writer.fixed(kData);
    message.write_data(writer);
    writer.end_object();
}

// Write the notification that stands for a message kept in the attachment table. The id is a string: the Go adapter
// refuses a number.
template <class Writer>
void write_attachment_header(Writer& writer, MessageType type, std::string_view nsp, std::string_view id) {
    writer.begin_object(4);
    writer.key("uid");
    writer.string("emitter");
    writer.key("nsp");
    writer.string(nsp);
    writer.key("type");
    writer.integer(static_cast<int>(type));
    writer.key("attachmentId");
    writer.string(id);
    writer.end_object();
}

}  // namespace socketio
