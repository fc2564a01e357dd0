// Writes values as JSON text (RFC 8259), without white space.
//
// JSON has no binary: binary() marks the text as unfit, and the message has to travel as msgpack. The hot path of
// every emit runs through here, so strings are copied in runs and numbers arrive as finished digits.

#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

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
        escaped[byte] =
            byte < 0x20 || byte == '"' || byte == '\\' || (!ascii && characters == JsonCharacters::kAscii);
    }
    return escaped;
}

inline constexpr JsonEscapes kJsonEscapesUtf8 = json_escapes(JsonCharacters::kUtf8);
inline constexpr JsonEscapes kJsonEscapesAscii = json_escapes(JsonCharacters::kAscii);

template <class Sink>
class JsonWriter {
  public:
    explicit JsonWriter(Sink& sink, JsonCharacters characters = JsonCharacters::kUtf8)
        : sink_(sink),
          escapes_(characters == JsonCharacters::kUtf8 ? kJsonEscapesUtf8 : kJsonEscapesAscii) {}

    void null() { token("null"); }
    void boolean(bool value) { value ? token("true") : token("false"); }

    void integer(std::int64_t value) {
        std::array<char, 20> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        number({digits.data(), static_cast<std::size_t>(end - digits.data())});
    }

    void number(std::string_view decimal) {
        separate();
        sink_.write(decimal.data(), decimal.size());
    }

    void string(std::string_view utf8) {
        separate();
        quoted(utf8);
    }

    void binary(std::string_view) { takes_binary(); }

    void begin_array(std::uint32_t) { open('['); }
    void end_array() { close(']'); }
    void begin_object(std::uint32_t) { open('{'); }
    void end_object() { close('}'); }

    void key(std::string_view utf8) {
        separate();
        quoted(utf8);
        sink_.write(':');
        behind_value_ = false;
    }

    template <std::size_t size>
    void field(const char (&name)[size]) {
        separate();
        sink_.write('"');
        sink_.write(name, size - 1);
        sink_.write("\":", 2);
        behind_value_ = false;
    }

    bool takes_string(std::size_t size) {
        unfit_ = unfit_ || size > sink_.room();
        return !unfit_;
    }

    bool takes_binary() {
        unfit_ = true;
        return false;
    }

    // True once the text is of no use: it met binary, or did not fit the sink.
    bool stopped() const { return unfit_ || sink_.full(); }

  private:
    void separate() {
        if (behind_value_) {
            sink_.write(',');
        }
        behind_value_ = true;
    }

    template <std::size_t size>
    void token(const char (&text)[size]) {
        number({text, size - 1});
    }

    void open(char bracket) {
        separate();
        sink_.write(bracket);
        behind_value_ = false;
    }

    void close(char bracket) {
        sink_.write(bracket);
        behind_value_ = true;
    }

    void quoted(std::string_view utf8) {
        sink_.write('"');
        std::size_t run = 0;
        while (run < utf8.size() && !sink_.full()) {
            if (!escapes_[static_cast<unsigned char>(utf8[run])]) {
                ++run;
                continue;
            }
            sink_.write(utf8.data(), run);
            utf8.remove_prefix(run);
            run = 0;
            escape(take_code_point(utf8));
        }
        sink_.write(utf8.data(), run);
        sink_.write('"');
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
        const char text[] = {
            '\\', 'u', kHex[unit >> 12 & 15], kHex[unit >> 8 & 15], kHex[unit >> 4 & 15], kHex[unit & 15]};
        sink_.write(text, sizeof text);
    }

    Sink& sink_;
    const JsonEscapes& escapes_;
    bool behind_value_ = false;
    bool unfit_ = false;
};

}  // namespace socketio
