// Writes values as JSON text (RFC 8259), without white space.
//
// JSON has no binary: binary() marks the text as unfit, and the message has to travel as msgpack. The hot path of
// every emit runs through here, so strings are copied in runs and numbers arrive as finished digits.

#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "protocol/encoded.h"
#include "protocol/fixed_tokens.h"
#include "protocol/utf8.h"
#include "protocol/value_writer.h"

namespace socketio {

// Whether non-ASCII characters are written as they are, or as \uXXXX. A notification's payload is text in the
// encoding of the database, so in a database that is not UTF-8 only ASCII means the same on both sides.
enum class JsonCharacters { kUtf8, kAscii };

// For each byte of a string, whether it has to be escaped.
using JsonEscapes = std::array<bool, 256>;

constexpr JsonEscapes json_escapes(JsonCharacters characters) {
    JsonEscapes escaped{};
    for (std::size_t byte = 0; byte < escaped.size(); ++byte) {
        const bool ascii = byte < 0x80;
        escaped[byte] = byte < 0x20 || byte == '"' || byte == '\\' || (!ascii && characters == JsonCharacters::kAscii);
    }
    return escaped;
}

inline constexpr JsonEscapes kJsonEscapesUtf8 = json_escapes(JsonCharacters::kUtf8);
inline constexpr JsonEscapes kJsonEscapesAscii = json_escapes(JsonCharacters::kAscii);

template <class Sink>
class JsonWriter {
  public:
    explicit JsonWriter(Sink& sink, JsonCharacters characters = JsonCharacters::kUtf8)
        : sink_(sink), escapes_(characters == JsonCharacters::kUtf8 ? kJsonEscapesUtf8 : kJsonEscapesAscii) {}

    void null() { token("null"); }
    void boolean(bool value) { value ? token("true") : token("false"); }

    void integer(std::int64_t value) {
        char digits[20];
        const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        number({digits, static_cast<std::size_t>(end - digits)});
    }

    void number(std::string_view decimal) {
        put(decimal.size(), [&](char* place) { return copy(decimal, place); });
    }

    void string(std::string_view utf8) { string(utf8, escapes_); }

    // The same for text that may have surrogates in it, which pass as escapes.
    static constexpr bool kKeepsSurrogates = true;
    void string_of_units(std::string_view text) { string(text, kJsonEscapesAscii); }
    void key_of_units(std::string_view text) {
        string_of_units(text);
        end_key();
    }

    void fixed(const FixedTokens& tokens) {
        sink_.write(tokens.json().data(), tokens.json().size());
        behind_value_ = tokens.ends_behind_value();
    }

    void encoded(const EncodedValues& values) {
        if (!values.bytes.empty()) {
            number(values.bytes);
        }
    }

    void binary(std::string_view) { takes_binary(); }

    void begin_array(std::uint32_t) { open('['); }
    void end_array() { close(']'); }
    void begin_object(std::uint32_t) { open('{'); }
    void end_object() { close('}'); }

    void key(std::string_view utf8) {
        string(utf8);
        end_key();
    }

    void key(const EncodedKey& key) {
        number(key.json);
        behind_value_ = false;
    }

    bool takes_string(std::size_t size) {
        unfit_ = unfit_ || size > sink_.room();
        return !unfit_;
    }

    bool takes_binary() {
        holds_binary_ = true;
        unfit_ = true;
        return false;
    }

    bool holds_binary() const { return holds_binary_; }

    // True once the text is of no use: it met binary, or did not fit the sink.
    bool stopped() const { return unfit_ || sink_.full(); }

  private:
    void string(std::string_view utf8, const JsonEscapes& escapes) {
        char* place = takes_string(utf8.size()) ? sink_.reserve(utf8.size() + 2 + behind_value_) : nullptr;
        if (place == nullptr) {
            return;
        }
        place = separate(place);
        *place++ = '"';
        if (copy_unless_escaped(utf8, escapes, place)) {
            place += utf8.size();
            *place++ = '"';
            sink_.commit(place);
        } else {
            sink_.commit(place);
            escaped(utf8, escapes);
        }
    }

    void end_key() {
        sink_.write(":", 1);
        behind_value_ = false;
    }

    // Put a token of `size` bytes behind the comma it needs, if it needs one. `fill(place)` writes it and
    // returns its end.
    template <class Fill>
    void put(std::size_t size, const Fill& fill) {
        if (char* place = sink_.reserve(size + behind_value_)) {
            sink_.commit(fill(separate(place)));
        }
    }

    // Put the comma that a value or key needs behind another value, and return where it goes on.
    char* separate(char* place) {
        if (behind_value_) {
            *place++ = ',';
        }
        behind_value_ = true;
        return place;
    }

    static char* copy(std::string_view bytes, char* place) {
        std::memcpy(place, bytes.data(), bytes.size());
        return place + bytes.size();
    }

    template <std::size_t size>
    void token(const char (&text)[size]) {
        number({text, size - 1});
    }

    void open(char bracket) {
        put(1, [&](char* place) {
            *place++ = bracket;
            return place;
        });
        behind_value_ = false;
    }

    void close(char bracket) {
        sink_.write(&bracket, 1);
        behind_value_ = true;
    }

    // Copy `utf8`, and say whether it may stay as it is. Most text of most messages is a few bytes without escapes, for
    // which one pass is cheaper than a search and a copy.
    static bool copy_unless_escaped(std::string_view utf8, const JsonEscapes& escapes, char* place) {
        bool has_escapes = false;
        for (std::size_t i = 0; i < utf8.size(); ++i) {
            place[i] = utf8[i];
            has_escapes |= escapes[static_cast<unsigned char>(utf8[i])];
        }
        return !has_escapes;
    }

    // Write `utf8` and the closing quote.
    void escaped(std::string_view utf8, const JsonEscapes& escapes) {
        std::size_t run = 0;
        while (run < utf8.size() && !sink_.full()) {
            if (!escapes[static_cast<unsigned char>(utf8[run])]) {
                ++run;
                continue;
            }
            sink_.write(utf8.data(), run);
            utf8.remove_prefix(run);
            run = 0;
            escape(take_code_point(utf8));
        }
        sink_.write(utf8.data(), run);
        sink_.write("\"", 1);
    }

    void escape(char32_t code_point) {
        switch (code_point) {
            case '"':
                return sink_.write("\\\"", 2);
            case '\\':
                return sink_.write("\\\\", 2);
            case '\b':
                return sink_.write("\\b", 2);
            case '\f':
                return sink_.write("\\f", 2);
            case '\n':
                return sink_.write("\\n", 2);
            case '\r':
                return sink_.write("\\r", 2);
            case '\t':
                return sink_.write("\\t", 2);
            default:
                break;
        }
        if (code_point < 0x10000) {
            return escape_unit(code_point);
        }
        // Beyond the basic plane JSON takes a UTF-16 surrogate pair.
        escape_unit(0xD800 + ((code_point - 0x10000) >> 10));
        escape_unit(0xDC00 + ((code_point - 0x10000) & 0x3FF));
    }

    void escape_unit(char32_t unit) {
        constexpr char kHex[] = "0123456789abcdef";
        const char text[] = {'\\',           'u', kHex[unit >> 12 & 15], kHex[unit >> 8 & 15], kHex[unit >> 4 & 15],
                             kHex[unit & 15]};
        sink_.write(text, sizeof text);
    }

    Sink& sink_;
    const JsonEscapes& escapes_;
    bool behind_value_ = false;
    bool unfit_ = false;
    bool holds_binary_ = false;
};

}  // namespace socketio
