// How one kind of Socket.IO adapter is spoken to: what socketio_emitter.protocol chooses.
//
// A dialect is a file that derives from Dialect, and a line in dialects.cpp. What it does not override its protocol does not
// have: that is refused, with an ERROR which names the protocol.
//
//     an event --emit_text--> fits a notification as JSON? --yes--> it is one
//                                  | no: too long, or holds binary
//                                  +--emit_binary--> msgpack, on whatever way the protocol has
//
// JSON is tried first, in a buffer of at most 8000 bytes, and given up at the first byte too many, so that a message
// of any size costs one full encoding. What was read till then is read again: an output function or a cast to json that
// users wrote may be called twice for one value.

#pragma once

#include <cstddef>
#include <string_view>

#include "backend/channel.h"
#include "backend/event_arguments.h"
#include "backend/notification.h"
#include "backend/payload.h"
#include "protocol/conversation.h"
#include "protocol/target.h"

namespace socketio {

struct Request;

// An event, for the clients of a target or for the servers of its namespace. Text is UTF-8.
struct Event {
    const Target& target;
    std::string_view name;
    const EventArguments& arguments;
};

// What can be done to the sockets of a target.
enum class SocketAction { kJoin, kLeave, kDisconnect };

struct SocketCommand {
    SocketAction action;
    const Target& target;
    Rooms rooms = {};    // to join or leave
    bool close = false;  // kDisconnect: the whole connection, not this namespace alone
};

class Dialect {
  public:
    const char* const name;  // as socketio_emitter.protocol has it

    // What names on the wire begin with: socketio_emitter.channel_prefix, or this protocol's default if that is not set. In the
    // encoding of the database, with a NUL byte behind it.
    std::string_view prefix() const;

    // Send `event` to clients, when and if the current transaction commits. ERROR 25006 on a standby.
    void emit(const Event& event) const;

    // ERROR 42622 where no message can be addressed to a namespace of this name.
    virtual void require_namespace(std::string_view nsp) const = 0;

    // A message that is JSON has fewer bytes than this; 0 where no message is.
    virtual std::size_t text_limit() const { return 0; }

    // Send `event` as JSON, unless it does not fit.
    virtual Fit emit_text(const Event&) const { return Fit::kTooLong; }

    // How many bytes a message may have on the way for binary and for what is too long for JSON; 0 where there is no such way.
    virtual std::size_t binary_limit() const { return 0; }

    // Send `event` on that way. Its message has about `expected_size` bytes.
    virtual void emit_binary(const Event& event, std::size_t expected_size) const;

    // What becomes of a message that does not fit JSON where there is none: ERROR 54000, or 0A000 for binary.
    [[noreturn]] void report_unfit(Fit fit) const;

    // How long the message of `event` is as JSON, at most, and as binary.
    virtual std::size_t text_size(const Event&) const { return 0; }
    virtual std::size_t binary_size(const Event&) const { return 0; }

    // Send `event` to the servers of its target's namespace.
    virtual void emit_to_servers(const Event& event) const;

    virtual void command_sockets(const SocketCommand& command) const;

    // Add to `request` what asks its question.
    virtual void ask(Request& request) const;

    // What follows, in the process that has sent the request. It has begun to listen on `channel`. Not called where ask() refuses.
    virtual Conversation* converse(const Inquiry& inquiry, const Channel& channel) const;

    // Send a message of a request's there. `kind` is what add_message() was given with it.
    virtual void send(const Channel& channel, std::string_view nsp, int kind, std::string_view bytes) const;

  protected:
    constexpr Dialect(const char* protocol_name, const char* usual_prefix)
        : name(protocol_name), default_prefix_(usual_prefix) {}
    ~Dialect() = default;

    // ERROR 54000: messages of this protocol have not more than `limit` bytes.
    [[noreturn]] void report_too_long(std::size_t limit, const char* detail) const;

    // ERROR 0A000: this protocol cannot do it. `what` is a verb and what goes with it.
    [[noreturn]] void refuse(const char* what) const;

  private:
    const char* default_prefix_;
};

// The dialects there are; their numbers are the values of Settings::protocol.
const Dialect& dialect_number(int number);
int count_dialects();

// The one that socketio_emitter.protocol names.
const Dialect& dialect();

}  // namespace socketio
