// UTF-8 one code point at a time.

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

// Write `code_point` to `place`, which has room for four bytes. Returns its end. A surrogate is written as if it were a character.
inline char* put_code_point(char32_t code_point, char* place) {
    if (code_point < 0x80) {
        *place++ = static_cast<char>(code_point);
        return place;
    }
    const int length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (int i = length - 1; i > 0; --i) {
        place[i] = static_cast<char>(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    place[0] = static_cast<char>((0xF00 >> length & 0xFF) | code_point);
    return place + length;
}

}  // namespace socketio
