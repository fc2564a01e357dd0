// Asks the Socket.IO servers of a namespace something, and waits for what they say.
//
// A session can neither LISTEN nor send in the middle of a transaction. So a background worker is started that connects to
// the database as the session did, sends the request in a transaction of its own, and passes the answers on through
// shared memory (request_worker.h). It ends with the request, whatever becomes of it.

#pragma once

#include <string_view>

#include "backend/dialect.h"
#include "backend/random_id.h"
#include "backend/request_segment.h"
#include "protocol/conversation.h"

extern "C" {
#include "lib/stringinfo.h"
}

namespace socketio {

struct Request {
    Question question;
    const Target& target;
    Conversation::Time timeout;
    std::string_view socket = {};            // id of the one that is wanted: kClientRooms, kCommand
    const SocketCommand* command = nullptr;  // what is done to it: kCommand
    const Event* event = nullptr;            // kClientAcks, kServerAcks, kCustom

    // From here on it is filled in by make_request() and the dialect.
    RandomId id = {};  // unlike any other request's
    Channel channel = {};
    StringInfoData messages = {};  // what is sent: see request_segment.h

    std::string_view request_id() const { return id.view(); }
};

// Fields of a row, as Question describes them: UTF-8 text, or no data() for null. Valid for the call they are passed to.
struct RowFields {
    int count;
    const std::string_view* fields;

    std::string_view operator[](int i) const { return fields[i]; }
    bool is_null(int i) const { return fields[i].data() == nullptr; }
};

// Takes a row; `result` is the caller's. Called in a memory context that is reset behind each row.
using TakeRow = void (*)(const RowFields& row, void* result);

// Let `request` send a message, behind those added before. `kind` and `bytes` are what Dialect::send() will be given.
void add_message(Request& request, Moment moment, int kind, std::string_view bytes);

// How a request ended: with every answer, without some, or the worker was held up beyond the timeout, by a lock on the
// attachment table as a rule; nobody knows then what it has done.
enum class Ending { kComplete, kIncomplete, kHeldUp };

// Make the request and pass each row to `take_row`. That not every server answered is no error, but a WARNING if the timeout
// struck, and a NOTICE if somebody who listens may have been a server.
//
// ERROR 25006 on a standby, 53000 where no worker can be started, 08006 where it is terminated, what the worker fails with, and whatever
// CHECK_FOR_INTERRUPTS() raises; the worker is ended then.
Ending make_request(Request& request, TakeRow take_row, void* result);

}  // namespace socketio
