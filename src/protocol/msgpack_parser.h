// Parses msgpack, by msgpack-c, without building a document.

#pragma once

#include <cstddef>
#include <cstdint>
#include <msgpack/null_visitor.hpp>
#include <msgpack/unpack.hpp>
#include <string>
#include <string_view>

#include "protocol/timestamp.h"
#include "protocol/value_handler.h"

namespace socketio {

// What msgpack-c calls as it goes; each answer says whether to go on.
template <class Handler>
class MsgpackEvents : public msgpack::null_visitor {
  public:
    explicit MsgpackEvents(Handler& handler) : handler_(handler) {}

    bool failed() const { return failed_; }

    bool visit_nil() {
        return value([&] { handler_.null(); });
    }
    bool visit_boolean(bool value_) {
        return value([&] { handler_.boolean(value_); });
    }
    bool visit_positive_integer(std::uint64_t number) {
        return value([&] {
            number <= INT64_MAX ? handler_.integer(static_cast<std::int64_t>(number)) : handler_.large_integer(number);
        });
    }
    bool visit_negative_integer(std::int64_t number) {
        return value([&] { handler_.integer(number); });
    }
    bool visit_float32(float number) { return visit_float64(number); }
    bool visit_float64(double number) {
        return value([&] { handler_.real(number); });
    }

    bool visit_str(const char* bytes, std::uint32_t size) {
        const std::string_view text(bytes, size);
        in_key_ ? handler_.key(text) : handler_.string(text);
        return true;
    }

    bool visit_bin(const char* bytes, std::uint32_t size) {
        return value([&] { handler_.binary({bytes, size}); });
    }

    // `bytes` begins with the extension's type.
    bool visit_ext(const char* bytes, std::uint32_t size) {
        return value([&] { extension(static_cast<signed char>(bytes[0]), {bytes + 1, size - 1}); });
    }

    bool start_array(std::uint32_t) {
        return enter() && value([&] { handler_.begin_array(); });
    }
    bool end_array() {
        --depth_;
        return value([&] { handler_.end_array(); });
    }
    bool start_map(std::uint32_t) {
        return enter() && value([&] { handler_.begin_object(); });
    }
    bool end_map() {
        --depth_;
        return value([&] { handler_.end_object(); });
    }
    bool start_map_key() { return in_key_ = true; }
    bool end_map_key() {
        in_key_ = false;
        return true;
    }

    void parse_error(std::size_t, std::size_t) { failed_ = true; }
    void insufficient_bytes(std::size_t, std::size_t) { failed_ = true; }

  private:
    // Each level costs memory, and no more than a byte of the message.
    static constexpr int kMaxDepth = 10'000;

    bool enter() {
        failed_ = failed_ || ++depth_ > kMaxDepth;
        return !failed_;
    }

    // An object of JavaScript's has only strings for keys.
    template <class Report>
    bool value(const Report& report) {
        if (in_key_) {
            failed_ = true;
            return false;
        }
        report();
        return true;
    }

    void extension(int type, std::string_view payload) {
        const std::string time = type == kTimestampExtension ? timestamp_to_iso(payload) : std::string();
        time.empty() ? handler_.binary(payload) : handler_.string(time);
    }

    Handler& handler_;
    int depth_ = 0;
    bool in_key_ = false;
    bool failed_ = false;
};

// Report the value of `bytes` to `handler`. False where they are not those of one value, or of one nested too deep, which shows
// only after what came before was reported. A Date comes as the string JSON has for it. Throws what the handler throws, and
// std::bad_alloc.
template <class Handler>
bool parse_msgpack(std::string_view bytes, Handler& handler) {
    MsgpackEvents<Handler> events(handler);
    std::size_t end = 0;
    return msgpack::parse(bytes.data(), bytes.size(), end, events) && !events.failed() && end == bytes.size();
}

}  // namespace socketio
