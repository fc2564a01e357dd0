#include "protocol/clean_text.h"

#include <charconv>
#include <cstddef>

namespace socketio {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// How many bytes the character at the front of `text` has, or 0 where none of UTF-8 (RFC 3629) is there.
std::size_t character_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
    const unsigned char lead = byte(0);
    if (lead < 0x80) {
        return lead == 0 ? 0 : 1;
    }
    if (lead < 0xC2 || lead > 0xF4 || !is_continuation(byte(1))) {
        return 0;
    }
    if (lead < 0xE0) {
        return 2;
    }
    // The first byte behind the lead is what rules out long forms, surrogates, and what is beyond U+10FFFF.
    const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    const bool fits = byte(1) >= low && byte(1) <= high && is_continuation(byte(2));
    if (lead < 0xF0) {
        return fits ? 3 : 0;
    }
    return fits && is_continuation(byte(3)) ? 4 : 0;
}

std::size_t clean_length(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size()) {
        const std::size_t character = character_length(text.substr(length));
        if (character == 0) {
            break;
        }
        length += character;
    }
    return length;
}

// How many bytes U+FFFD stands for where no character is. Half of a surrogate pair is three, as JavaScript's encoders write it.
std::size_t damage_length(std::string_view text) {
    const bool is_surrogate = text.size() >= 3 && text[0] == '\xED' && static_cast<unsigned char>(text[1]) >= 0xA0 &&
                              is_continuation(text[1]) && is_continuation(text[2]);
    return is_surrogate ? 3 : 1;
}

constexpr std::size_t kEscapeLength = 6;  // of \uXXXX

// The UTF-16 unit that the escape at `json[at]` stands for, or -1 where none is.
int escaped_unit(const std::string& json, std::size_t at) {
    if (json.size() < at + kEscapeLength || json[at] != '\\' || json[at + 1] != 'u') {
        return -1;
    }
    unsigned unit = 0;  // without a sign, which std::from_chars would take
    const char* end = json.data() + at + kEscapeLength;
    const auto [last, error] = std::from_chars(json.data() + at + 2, end, unit, 16);
    return error == std::errc() && last == end ? static_cast<int>(unit) : -1;
}

bool is_high_surrogate(int unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(int unit) { return unit >= 0xDC00 && unit < 0xE000; }

}  // namespace

std::string_view clean_utf8(std::string_view bytes, std::string& scratch) {
    std::size_t length = clean_length(bytes);
    if (length == bytes.size()) {
        return bytes;
    }
    scratch.clear();
    for (; length < bytes.size(); length = clean_length(bytes)) {
        scratch.append(bytes.substr(0, length)).append(kReplacement);
        bytes.remove_prefix(length);
        bytes.remove_prefix(damage_length(bytes));
    }
    return scratch.append(bytes);
}

void clean_json_escapes(std::string& json) {
    for (std::size_t at = json.find('\\'); at != std::string::npos; at = json.find('\\', at)) {
        const int unit = escaped_unit(json, at);
        if (unit < 0) {
            at += 2;  // the escape of one character, which may be a backslash
        } else if (is_high_surrogate(unit) && is_low_surrogate(escaped_unit(json, at + kEscapeLength))) {
            at += 2 * kEscapeLength;
        } else {
            if (unit == 0 || is_high_surrogate(unit) || is_low_surrogate(unit)) {
                json.replace(at, kEscapeLength, "\\ufffd");
            }
            at += kEscapeLength;
        }
    }
}

}  // namespace socketio
