// The messages of socket.io-adapter-postgres 1.2, for Socket.IO 2. All of them go by one channel, as payloads of a topic and
// a text:
//
//     ["socket.io#/#", "<base64>"]                    an event: msgpack of ["emitter", packet, options]
//     ["socket.io#/#room#", "<base64>"]               the same, for exactly one room
//     ["socket.io-request#/#", "{\"requestid\":…}"]   a request to all servers
//     ["socket.io-response#/#", "{\"requestid\":…}"]  an answer
//     [topic, "_chunk_<id>_<index>_<count>   …"]      a piece of a text that is too long: 50 characters, then the piece
//
// Source of the wire format: index.js of socket.io-adapter-postgres 1.2.1.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "protocol/base64.h"
#include "protocol/target.h"

namespace socketio::adapter_postgres {

// An event for clients. Binary makes another type of packet of it, which shows only behind the arguments; so the type comes last.
// "seq" sets apart equal events of a transaction, of which NOTIFY would send one. The adapter hands the options to the one that
// Socket.IO 2 comes with, which looks at nothing but rooms, flags and, in `except`, socket ids.
template <class Writer, class Arguments>
void write_broadcast(Writer& writer, const Target& target, std::string_view event, const Arguments& arguments,
                     std::uint32_t seq) {
    constexpr int kEvent = 2;  // packet types of socket.io-parser 3
    constexpr int kBinaryEvent = 5;
    writer.begin_array(3);
    writer.string("emitter");
    writer.begin_object(3);
    writer.key("data");
    write_event(writer, event, arguments);
    writer.key("nsp");
    writer.string(target.nsp);
    writer.key("type");
    writer.integer(writer.holds_binary() ? kBinaryEvent : kEvent);
    writer.end_object();
    writer.begin_object(4);
    writer.key("rooms");
    write_rooms(writer, target.rooms);
    writer.key("except");
    write_rooms(writer, target.except);
    writer.key("flags");
    write_flags(writer, target);
    writer.key("seq");
    writer.integer(seq);
    writer.end_object();
    writer.end_array();
}

enum class RequestType : int {
    kClients = 0,
    kClientRooms = 1,
    kAllRooms = 2,
    kRemoteJoin = 3,
    kRemoteLeave = 4,
    kCustomRequest = 5,
    kRemoteDisconnect = 6,
};

// Write the text of a request; `write_rest` writes the `pairs` that this type has beside its own two.
template <class Writer, class WriteRest>
void write_request(Writer& writer, RequestType type, std::string_view id, std::uint32_t pairs,
                   const WriteRest& write_rest) {
    writer.begin_object(2 + pairs);
    writer.key("requestid");
    writer.string(id);
    writer.key("type");
    writer.integer(static_cast<int>(type));
    write_rest();
    writer.end_object();
}

inline constexpr std::size_t kMaxPayload = 7999;  // what NOTIFY takes
inline constexpr std::size_t kPieceHeader = 50;
inline constexpr std::size_t kMaxPiece = 5000;  // what the adapter cuts texts into
inline constexpr std::string_view kTail = "\"]";
// Of `["topic","`, so that a whole piece always fits behind it, and of the topic in it.
inline constexpr std::size_t kMaxHead = kMaxPayload - kPieceHeader - kMaxPiece - kTail.size();
inline constexpr std::size_t kMaxTopic = kMaxHead - std::string_view(R"(["",")").size();

// A text that is base64 of bytes.
class Base64Text {
  public:
    explicit Base64Text(std::string_view bytes) : rest_(bytes) {}

    // How long it is in a payload.
    std::size_t size() const { return base64_size(rest_.size()); }

    // How many pieces of at most kMaxPiece characters it makes.
    std::size_t pieces() const { return (rest_.size() + kMaxPiece / 4 * 3 - 1) / (kMaxPiece / 4 * 3); }

    // Write the next piece, of at most `room` characters, at `place`, and return what is behind it.
    char* write_piece(char* place, std::size_t room) {
        const std::string_view piece = rest_.substr(0, room / 4 * 3);
        rest_.remove_prefix(piece.size());
        return write_base64(piece, place);
    }

  private:
    std::string_view rest_;
};

// A text that is JSON in ASCII, of which quotes and backslashes are escaped once more.
class JsonText {
  public:
    explicit JsonText(std::string_view ascii) : rest_(ascii) {}

    std::size_t size() const {
        return rest_.size() + std::count_if(rest_.begin(), rest_.end(), [](char c) { return is_escaped(c); });
    }

    std::size_t pieces() const {
        std::array<char, kMaxPiece> piece;
        std::size_t count = 0;
        for (JsonText left = *this; !left.rest_.empty(); ++count) {
            left.write_piece(piece.data(), piece.size());
        }
        return count;
    }

    char* write_piece(char* place, std::size_t room) {
        const char* end = place + room;
        while (!rest_.empty() && place + (is_escaped(rest_.front()) ? 2 : 1) <= end) {
            if (is_escaped(rest_.front())) {
                *place++ = '\\';
            }
            *place++ = rest_.front();
            rest_.remove_prefix(1);
        }
        return place;
    }

  private:
    static bool is_escaped(char c) { return c == '"' || c == '\\'; }

    std::string_view rest_;
};

// Write that piece `index` of `count` follows.
inline char* write_piece_header(char* place, std::string_view id, std::size_t index, std::size_t count) {
    char header[kPieceHeader + 1];
    const int size = std::snprintf(header, sizeof header, "_chunk_%.*s_%zu_%zu", static_cast<int>(id.size()), id.data(),
                                   index, count);
    std::memset(place, ' ', kPieceHeader);
    std::memcpy(place, header, static_cast<std::size_t>(size));
    return place + kPieceHeader;
}

// Call `put(payload, size)` with each of the payloads that `text` takes, with a NUL byte behind it. `head` is `["topic","`, at
// most kMaxHead bytes; `make_id()` gives an id that no other text has, of at most 16 letters and digits, if there are pieces.
template <class Text, class MakeId, class Put>
void write_payloads(std::string_view head, Text text, const MakeId& make_id, const Put& put) {
    std::array<char, kMaxPayload + 1> payload;
    char* const begin = std::copy(head.begin(), head.end(), payload.data());
    const auto finish = [&](char* end) {
        end = std::copy(kTail.begin(), kTail.end(), end);
        *end = '\0';
        put(payload.data(), static_cast<std::size_t>(end - payload.data()));
    };
    const std::size_t size = text.size();
    if (head.size() + size + kTail.size() <= kMaxPayload) {
        return finish(text.write_piece(begin, size));
    }
    const auto id = make_id();
    const std::size_t count = text.pieces();
    for (std::size_t index = 0; index < count; ++index) {
        finish(text.write_piece(write_piece_header(begin, id.view(), index, count), kMaxPiece));
    }
}

// What is behind the id of a request to be that of a second one, which goes with it.
inline constexpr char kSecond = '+';

}  // namespace socketio::adapter_postgres
