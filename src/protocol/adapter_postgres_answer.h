// What servers running socket.io-adapter-postgres answer (adapter_postgres_message.h). Everything here comes from the network, or
// from whoever may NOTIFY: what is missing or of another type than it should be is left out.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace socketio::adapter_postgres {

// A payload, ["topic", "text"]. Both as they stand there: JSON strings without their quotes.
struct RawPayload {
    std::string_view topic;
    std::string_view text;
};

// Nothing where `json` is something else.
std::optional<RawPayload> split_payload(std::string_view json);

// The text that a JSON string without its quotes is. Nothing where it is none. Throws std::bad_alloc.
std::optional<std::string> unescape(std::string_view raw);

// A piece of a text. The pieces are put together as they stand in their payloads: the adapter may cut a character in two, of which
// each half is an escape sequence of its own.
struct Piece {
    std::string_view id;
    std::size_t index;
    std::size_t count;  // of all pieces
    std::string_view raw;
};

// Nothing where the raw text is a whole one.
std::optional<Piece> read_piece(std::string_view raw);

struct Answer {
    std::string request_id;
    std::vector<std::string> clients;
    std::vector<std::string> rooms;
    std::optional<std::string> data;  // JSON
};

// Read the text of an answer. Nothing where it is not the JSON of an object, or made to fill memory. Throws std::bad_alloc.
std::optional<Answer> read_answer(std::string_view json);

}  // namespace socketio::adapter_postgres
