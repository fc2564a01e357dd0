// Writes what is read from JSON with marks (protocol/json_marks.h): the characters themselves in their place.

#pragma once

#include <string_view>

#include "backend/server.h"
#include "protocol/json_marks.h"

namespace socketio {

template <class Writer>
class MarkedWriter {
  public:
    explicit MarkedWriter(Writer& writer) : writer_(writer) {}

    void null() { writer_.null(); }
    void boolean(bool value) { writer_.boolean(value); }
    void number(std::string_view decimal) { writer_.number(decimal); }
    void begin_array(std::uint32_t count) { writer_.begin_array(count); }
    void end_array() { writer_.end_array(); }
    void begin_object(std::uint32_t count) { writer_.begin_object(count); }
    void end_object() { writer_.end_object(); }
    bool stopped() const { return writer_.stopped(); }

    void string(std::string_view utf8) {
        with_characters(
            utf8, [&](std::string_view plain) { writer_.string(plain); },
            [&](std::string_view text) { writer_.string_of_units(text); });
    }

    void key(std::string_view utf8) {
        with_characters(
            utf8, [&](std::string_view plain) { writer_.key(plain); },
            [&](std::string_view text) { writer_.key_of_units(text); });
    }

  private:
    template <class Plain, class Units>
    void with_characters(std::string_view utf8, const Plain& write_plain, const Units& write_units) {
        if (!has_marks(utf8)) {
            return write_plain(utf8);
        }
        auto* text = static_cast<char*>(palloc(utf8.size()));
        const char* end = unmark_text(utf8, Writer::kKeepsSurrogates, text);
        write_units({text, static_cast<std::size_t>(end - text)});
        pfree(text);
    }

    Writer& writer_;
};

}  // namespace socketio
