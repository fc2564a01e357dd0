// Base64 (RFC 4648, section 4), as which binary shows in JSON.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace socketio {

// How many characters `size` bytes take.
constexpr std::size_t base64_size(std::size_t size) { return (size + 2) / 3 * 4; }

// Write that many characters at `place`, and return what is behind them.
char* write_base64(std::string_view bytes, char* place);

// Throws std::bad_alloc.
std::string to_base64(std::string_view bytes);

}  // namespace socketio
