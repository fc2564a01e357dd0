// Whom a message is for, and what every protocol says of it alike: rooms, flags, and the event itself.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/rooms.h"

namespace socketio {

// Whom a message is for, and how: the chain of io.of(nsp).to(rooms).except(...).volatile.compress(...).
// All text is UTF-8. No rooms means everyone in the namespace.
struct Target {
    std::string_view nsp = "/";
    Rooms rooms;
    Rooms except;
    bool is_volatile = false;
    std::optional<bool> compress;
};

template <class Writer>
void write_rooms(Writer& writer, const Rooms& rooms) {
    writer.begin_array(static_cast<std::uint32_t>(rooms.count));
    for (const std::string_view room : rooms) {
        writer.string(room);
    }
    writer.end_array();
}

template <class Writer>
void write_flags(Writer& writer, const Target& target) {
    writer.begin_object((target.is_volatile ? 1 : 0) + (target.compress ? 1 : 0));
    if (target.is_volatile) {
        writer.key("volatile");
        writer.boolean(true);
    }
    if (target.compress) {
        writer.key("compress");
        writer.boolean(*target.compress);
    }
    writer.end_object();
}

// [event, ...args]. `Arguments` has `std::uint32_t count() const`, a template `void write(Writer&) const`, which writes
// that many values, and `void release() const`, which frees what they were read from.
template <class Writer, class Arguments>
void write_event(Writer& writer, std::string_view event, const Arguments& arguments) {
    writer.begin_array(arguments.count() + 1);
    writer.string(event);
    arguments.write(writer);
    writer.end_array();
}

}  // namespace socketio
