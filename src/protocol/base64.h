// Base64 (RFC 4648, section 4), as which binary shows in JSON.

#pragma once

#include <string>
#include <string_view>

namespace socketio {

// Throws std::bad_alloc.
std::string to_base64(std::string_view bytes);

}  // namespace socketio
