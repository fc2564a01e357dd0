// Takes JSON text past a reader that refuses some characters, as jsonb refuses U+0000 and surrogates without their other half.
//
// Each escape of such a character becomes a mark, which is U+0001 and the four hexadecimal digits; so does an escape of U+0001. JSON
// text cannot hold U+0001 but as an escape, so nothing else looks like a mark.

#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace socketio {

inline constexpr char kJsonMark = '\x01';
inline constexpr std::size_t kJsonMarkDigits = 4;
inline constexpr std::string_view kJsonMarkEscape = "\\u0001";

namespace json_marks {

inline constexpr std::size_t kEscape = 6;  // \uXXXX

inline bool is_high_surrogate(int unit) { return unit >= 0xD800 && unit < 0xDC00; }
inline bool is_low_surrogate(int unit) { return unit >= 0xDC00 && unit < 0xE000; }

inline int read_digits(std::string_view digits) {
    int unit = -1;
    std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    return unit;
}

// The unit of UTF-16 that `json` has as an escape at its beginning; -1 where it does not begin with one.
inline int unit_at(std::string_view json) {
    const bool is_unit = json.size() >= kEscape && json[0] == '\\' && json[1] == 'u';
    return is_unit ? read_digits(json.substr(2, kJsonMarkDigits)) : -1;
}

// How many bytes the escape at the beginning of `json` takes, a pair of surrogates counted as one.
inline std::size_t escape_size(std::string_view json, int unit) {
    if (unit < 0) {
        return json.size() < 2 ? json.size() : 2;
    }
    const bool is_pair = is_high_surrogate(unit) && is_low_surrogate(unit_at(json.substr(kEscape)));
    return is_pair ? 2 * kEscape : kEscape;
}

inline bool is_refused(int unit, std::size_t size) {
    const bool is_alone = size == kEscape;
    return unit == 0 || unit == kJsonMark || (is_alone && (is_high_surrogate(unit) || is_low_surrogate(unit)));
}

inline char* append(char* place, std::string_view text) {
    std::memcpy(place, text.data(), text.size());
    return place + text.size();
}

}  // namespace json_marks

// Whether the valid JSON text `json` may need marks.
inline bool may_need_marks(std::string_view json) { return json.find("\\u") != std::string_view::npos; }

// Copy the valid JSON text `json` to `place`, which has room for twice its size, with marks in it. Returns the end of the copy, or
// null where none was needed.
inline char* mark_json(std::string_view json, char* place) {
    bool has_marks = false;
    while (!json.empty()) {
        const std::size_t run = std::min(json.find('\\'), json.size());
        place = json_marks::append(place, json.substr(0, run));
        json.remove_prefix(run);
        if (json.empty()) {
            break;
        }
        const int unit = json_marks::unit_at(json);
        const std::size_t size = json_marks::escape_size(json, unit);
        if (json_marks::is_refused(unit, size)) {
            has_marks = true;
            place = json_marks::append(place, kJsonMarkEscape);
            place = json_marks::append(place, json.substr(2, kJsonMarkDigits));
        } else {
            place = json_marks::append(place, json.substr(0, size));
        }
        json.remove_prefix(size);
    }
    return has_marks ? place : nullptr;
}

inline bool has_marks(std::string_view text) { return text.find(kJsonMark) != std::string_view::npos; }

// Copy `text`, UTF-8 with marks, to `place`, which has room for its size, with the characters in place of their marks. A surrogate
// becomes what UTF-8 would make of it if it were a character, or U+FFFD. Returns the end of the copy.
inline char* unmark_text(std::string_view text, bool keeps_surrogates, char* place) {
    while (!text.empty()) {
        const std::size_t run = std::min(text.find(kJsonMark), text.size());
        place = json_marks::append(place, text.substr(0, run));
        text.remove_prefix(run);
        if (text.empty()) {
            break;
        }
        int unit = json_marks::read_digits(text.substr(1, kJsonMarkDigits));
        text.remove_prefix(std::min(1 + kJsonMarkDigits, text.size()));
        if (unit < 0x80) {
            *place++ = static_cast<char>(unit);
            continue;
        }
        unit = keeps_surrogates ? unit : 0xFFFD;
        *place++ = static_cast<char>(0xE0 | unit >> 12);
        *place++ = static_cast<char>(0x80 | (unit >> 6 & 0x3F));
        *place++ = static_cast<char>(0x80 | (unit & 0x3F));
    }
    return place;
}

}  // namespace socketio
