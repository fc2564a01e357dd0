// The key of an object, encoded once for all the objects that have it, as the rows of a table do.

#pragma once

#include <string_view>

namespace socketio {

// A view of bytes that live elsewhere: what a JsonWriter and a MsgpackWriter write for key(name), with no comma before it.
struct EncodedKey {
    std::string_view json;
    std::string_view msgpack;
};

}  // namespace socketio
