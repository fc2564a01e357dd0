// What was encoded beforehand: the key of an object, once for all the objects that have it, as the rows of a table do, and
// values.

#pragma once

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
    bool hold_binary = false;
};

}  // namespace socketio
