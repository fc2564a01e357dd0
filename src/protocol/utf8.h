// Reading UTF-8 one code point at a time, for text that has to leave as pure ASCII.

#pragma once

#include <cstdint>
#include <string_view>

namespace socketio {

// Take the first code point off the front of `text`, which must be valid UTF-8 and not empty.
// Bytes cut off by the end of `text` count as zero bits, so that damaged input never reads out of bounds.
inline char32_t take_code_point(std::string_view& text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const int length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t code_point = length == 1 ? lead : lead & (0x7F >> length);
    text.remove_prefix(1);
    for (int i = 1; i < length; ++i) {
        code_point <<= 6;
        if (!text.empty()) {
            code_point |= static_cast<unsigned char>(text.front()) & 0x3F;
            text.remove_prefix(1);
        }
    }
    return code_point;
}

}  // namespace socketio
