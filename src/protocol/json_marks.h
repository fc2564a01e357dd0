// Takes JSON text past a reader that refuses some characters, as jsonb refuses U+0000, surrogates without their other half, and what
// the encoding of the database has no character for.
//
// Each escape of such a character becomes a mark (a pair of surrogates two), which is U+0001 and the four hexadecimal digits; so does
// an escape of U+0001. JSON text cannot hold U+0001 but as an escape, so nothing else looks like a mark.

#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "protocol/utf8.h"

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

inline char32_t join_surrogates(int high, int low) {
    return 0x10000 + (static_cast<char32_t>(high - 0xD800) << 10) + static_cast<char32_t>(low - 0xDC00);
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

// The character of an escape that is not a surrogate by itself.
inline char32_t code_point_of(std::string_view json, int unit, std::size_t size) {
    return size == kEscape ? static_cast<char32_t>(unit) : join_surrogates(unit, unit_at(json.substr(kEscape)));
}

template <class CanHold>
bool needs_mark(std::string_view json, int unit, std::size_t size, const CanHold& can_hold) {
    return is_refused(unit, size) || (unit >= 0x80 && !can_hold(code_point_of(json, unit, size)));
}

inline char* append(char* place, std::string_view text) {
    std::memcpy(place, text.data(), text.size());
    return place + text.size();
}

// Marks for the escapes, one or a pair, that `escapes` consists of.
inline char* append_marks(char* place, std::string_view escapes) {
    for (; !escapes.empty(); escapes.remove_prefix(kEscape)) {
        place = append(place, kJsonMarkEscape);
        place = append(place, escapes.substr(2, kJsonMarkDigits));
    }
    return place;
}

inline int take_mark(std::string_view& text) {
    const int unit = read_digits(text.substr(1, kJsonMarkDigits));
    text.remove_prefix(std::min(1 + kJsonMarkDigits, text.size()));
    return unit;
}

// The character of the mark at the beginning of `text`, or of the two that are a pair; a surrogate by itself is itself.
inline char32_t take_marked(std::string_view& text) {
    const int unit = take_mark(text);
    if (!is_high_surrogate(unit) || text.empty() || text.front() != kJsonMark) {
        return static_cast<char32_t>(unit);
    }
    std::string_view rest = text;
    const int low = take_mark(rest);
    if (!is_low_surrogate(low)) {
        return static_cast<char32_t>(unit);
    }
    text = rest;
    return join_surrogates(unit, low);
}

inline bool is_surrogate(char32_t code_point) { return code_point >= 0xD800 && code_point < 0xE000; }

}  // namespace json_marks

// Whether the valid JSON text `json` may need marks.
inline bool may_need_marks(std::string_view json) { return json.find("\\u") != std::string_view::npos; }

// Copy the valid JSON text `json` to `place`, which has room for twice its size, with marks in it. Returns the end of the copy, or
// null where none was needed.
// `can_hold(code_point)` says whether the reader takes a character beyond ASCII.
template <class CanHold>
char* mark_json(std::string_view json, char* place, const CanHold& can_hold) {
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
        if (json_marks::needs_mark(json, unit, size, can_hold)) {
            has_marks = true;
            place = json_marks::append_marks(place, json.substr(0, size));
        } else {
            place = json_marks::append(place, json.substr(0, size));
        }
        json.remove_prefix(size);
    }
    return has_marks ? place : nullptr;
}

inline char* mark_json(std::string_view json, char* place) {
    return mark_json(json, place, [](char32_t) { return true; });
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
        const char32_t character = json_marks::take_marked(text);
        const bool is_kept = keeps_surrogates || !json_marks::is_surrogate(character);
        place = put_code_point(is_kept ? character : 0xFFFD, place);
    }
    return place;
}

}  // namespace socketio
