// Writes single values as plain text, one behind another: what a template such as `user:{user_id}` is filled in with.
//
// A value looks as it would in JSON, without quotes and escapes.

#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

#include "backend/server.h"

extern "C" {
#include "lib/stringinfo.h"
}

namespace socketio {

class TextWriter {
  public:
    explicit TextWriter(StringInfo text) : text_(text) {}

    void boolean(bool value) { string(value ? "true" : "false"); }

    void integer(std::int64_t value) {
        char digits[20];
        const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        string({digits, static_cast<std::size_t>(end - digits)});
    }

    void number(std::string_view decimal) { string(decimal); }
    void string(std::string_view utf8) { appendBinaryStringInfo(text_, utf8.data(), static_cast<int>(utf8.size())); }
    bool takes_string(std::size_t) { return true; }

  private:
    StringInfo text_;
};

}  // namespace socketio
