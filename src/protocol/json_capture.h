// Keeps a value that comes in as JSON text that PostgreSQL can read, whatever it was sent as.
//
// What JSON or PostgreSQL has no room for becomes the next best: binary base64 text, a number that is not finite null,
// U+0000 U+FFFD, and what is nested deeper than 200 levels null, for jsonb is read with a stack. A Buffer that was made JSON of
// on its way, as happens to those in a socket's data and to all behind setupPrimary(), is binary again.

#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base64.h"
#include "protocol/buffer_json.h"
#include "protocol/clean_text.h"
#include "protocol/json_writer.h"
#include "protocol/sink.h"
#include "protocol/value_handler.h"

namespace socketio {

// A handler, as value_handler.h describes it, for one value. All members may throw std::bad_alloc.
class JsonCapture {
  public:
    static constexpr int kMaxDepth = 200;

    JsonCapture() = default;
    JsonCapture(const JsonCapture&) = delete;
    JsonCapture& operator=(const JsonCapture&) = delete;

    // Whether a value has begun whose end is still to come.
    bool is_open() const { return depth_ > 0; }

    // The text of the value that has ended.
    const std::string& json() const { return sink_.bytes(); }

    void null() {
        write([&] { writer_.null(); });
    }
    void boolean(bool value) {
        write([&] { writer_.boolean(value); });
    }
    void integer(std::int64_t value) {
        write([&] { writer_.integer(value); });
    }
    void large_integer(std::uint64_t value) {
        write([&] { writer_.number(std::to_string(value)); });
    }
    void string(std::string_view text) {
        write([&] { writer_.string(clean_utf8(text, scratch_)); });
    }
    void binary(std::string_view bytes) {
        write([&] { writer_.string(to_base64(bytes)); });
    }
    void key(std::string_view text) {
        write([&] { writer_.key(clean_utf8(text, scratch_)); });
    }

    void real(double value) {
        if (!std::isfinite(value)) {
            return null();
        }
        char digits[32];
        const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        write([&] { writer_.number({digits, static_cast<std::size_t>(end - digits)}); });
    }

    void begin_array() {
        begin([&] { writer_.begin_array(0); });
    }
    void begin_object() {
        begin([&] {
            writer_.begin_object(0);
            begins_[depth_] = sink_.bytes().size() - 1;
        });
    }
    void end_array() {
        end([&] { writer_.end_array(); });
    }
    void end_object() {
        end([&] { writer_.end_object(); });
        if (depth_ < kMaxDepth) {
            restore_buffer(begins_[depth_]);
        }
    }

  private:
    template <class Write>
    void write(const Write& write) {
        if (depth_ <= kMaxDepth) {
            write();
        }
    }

    template <class Write>
    void begin(const Write& write) {
        if (depth_ == kMaxDepth) {
            writer_.null();
        } else if (depth_ < kMaxDepth) {
            write();
        }
        ++depth_;
    }

    template <class Write>
    void end(const Write& write) {
        --depth_;
        if (depth_ < kMaxDepth) {
            write();
        }
    }

    // What the text has from `begin` on is an object that has just ended.
    void restore_buffer(std::size_t begin) {
        const std::string_view object = std::string_view(sink_.bytes()).substr(begin);
        if (const std::optional<std::string> bytes = read_buffer(object)) {
            const std::string text = '"' + to_base64(*bytes) + '"';
            sink_.truncate(begin);
            sink_.write(text.data(), text.size());
        }
    }

    StringSink sink_;
    JsonWriter<StringSink> writer_{sink_};
    std::string scratch_;
    std::size_t begins_[kMaxDepth];  // where the text of the object at each depth begins
    std::int64_t depth_ = 0;         // how many arrays and objects are open
};

}  // namespace socketio
