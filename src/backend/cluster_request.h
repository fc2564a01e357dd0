// Asks the Socket.IO servers of a namespace something, and waits for what they say.
//
// A session can neither LISTEN nor send in the middle of a transaction. So a background worker is started that connects to
// the database as the session did, sends the request in a transaction of its own, and passes the answers on through
// shared memory (request_worker.h). It ends with the request, whatever becomes of it.

#pragma once

#include <cstdint>
#include <string_view>

#include "backend/publish.h"
#include "backend/request_segment.h"
#include "protocol/conversation.h"

extern "C" {
#include "lib/stringinfo.h"
}

namespace socketio {

// What is asked. Made by begin_request().
struct Request {
    Question question;
    char id[17];  // 16 digits, as Socket.IO's own; unlike any other request's
    const Channel* channel;
    Conversation::Time timeout;
    std::string_view socket;  // the id of kOneSocket
    StringInfoData messages;  // what is sent: see request_segment.h

    std::string_view request_id() const { return {id, sizeof id - 1}; }
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

// A question to the servers of `nsp`, who listen on `channel`, which has to outlive the request. A heartbeat is its first
// message. ERROR 25006 on a standby.
void begin_request(Request& request, Question question, const Channel& channel, std::string_view nsp,
                   Conversation::Time timeout);

void add_message(Request& request, Moment moment, MessageType type, bool is_attachment, std::string_view bytes);

// Send `message`, behind those added before.
template <class Message>
void add_message(Request& request, const Message& message, Moment moment = Moment::kAtOnce) {
    NotificationBuffer payload;
    const std::uint32_t seq = next_seq();
    const std::size_t size = write_notification(
        payload, settings.payload_threshold, [&](NotificationWriter& writer) { write_message(writer, message, seq); });
    if (size > 0) {
        return add_message(request, moment, Message::kType, false, {payload, size});
    }
    PayloadSink sink;
    AttachmentWriter writer(sink);
    write_attached_message(writer, message);
    add_message(request, moment, Message::kType, true, sink.bytes());
    sink.release();
}

// How a request ended: with every answer, without some, or the worker was held up beyond the timeout, by a lock on the
// attachment table as a rule; nobody knows then what it has done.
enum class Ending { kComplete, kIncomplete, kHeldUp };

// Make the request and pass each row to `take_row`. That not every server answered is no error, but a WARNING if the timeout
// struck, and a NOTICE if somebody who listens may have been a server.
//
// ERROR 53000 where no worker can be started, 08006 where it is terminated, what the worker fails with, and whatever
// CHECK_FOR_INTERRUPTS() raises; the worker is ended then.
Ending make_request(Request& request, TakeRow take_row, void* result);

}  // namespace socketio
