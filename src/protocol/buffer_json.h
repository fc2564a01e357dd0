// What JSON.stringify() makes of a Buffer of Node.js: {"type":"Buffer","data":[1,2,255]} (Buffer.prototype.toJSON()).

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace socketio {

// The bytes of the Buffer that `json`, an object without white space, stands for; nothing if it is another object.
// Throws std::bad_alloc.
std::optional<std::string> read_buffer(std::string_view json);

}  // namespace socketio
