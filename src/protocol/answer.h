// A message of a Socket.IO server's, as far as it answers a request.
//
// Source of the wire format: dist/cluster-adapter.js of socket.io-adapter 2.5 (publishResponse) and dist/index.js of
// @socket.io/postgres-adapter 0.1.1 to 0.3.1 (onEvent, publishWithAttachment). Everything here comes from the network, or from
// whoever may NOTIFY: what is missing or of another type than it should be is left at its default.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace socketio {

// One of the sockets of a FETCH_SOCKETS_RESPONSE, all of which have an id. `data` and `handshake` are JSON, empty where there
// was none.
struct AnswerSocket {
    std::string id;
    std::vector<std::string> rooms;
    std::string data;
    std::string handshake;
};

struct Answer {
    std::int64_t type = 0;      // a MessageType, if it is one
    std::string uid;            // of the server
    std::string node;           // "nodeId": the Node.js cluster it is a worker of, where setupPrimary() speaks for it
    bool has_nsp = false;       // adapters from 0.4.0 say which namespace a message is for
    std::string attachment_id;  // where the rest of the message is to be read
    std::string request_id;
    std::optional<std::int64_t> client_count;
    std::optional<std::string> packet;  // JSON
    std::vector<AnswerSocket> sockets;
};

// Read a notification's payload. Nothing where it is not the JSON of an object. Throws std::bad_alloc.
std::optional<Answer> read_answer(std::string_view json);

// Read an attachment. Nothing where it is not the msgpack of an object. Throws std::bad_alloc.
std::optional<Answer> read_attached_answer(std::string_view msgpack);

}  // namespace socketio
