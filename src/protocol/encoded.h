// What was encoded beforehand: the key of an object, once for all the objects that have it, as the rows of a table do, and
// values.

#pragma once

#include <cstddef>
#include <string_view>

namespace socketio {

// A view of bytes that live elsewhere: what a JsonWriter and a MsgpackWriter write for key(name), with no comma before it.
struct EncodedKey {
    std::string_view json;
    std::string_view msgpack;
};

// The same of what a writer wrote.
struct EncodedValues {
    std::string_view bytes;
    std::size_t binaries = 0;  // among them
};

}  // namespace socketio
