// Runs of tokens that are the same in every message, encoded at compile time for both formats.
//
// Most of a small message is its frame: braces, keys, the sender's name. Written token by token the frame costs
// more than the event inside; as a run it is one copy.
//
//     constexpr auto kPacket = FixedTokens::after_key().object(2).key("type").integer(2).key("data");
//     writer.fixed(kPacket);

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace socketio {

class FixedTokens {
  public:
    // Where the run will stand decides whether JSON needs a comma before it.
    static constexpr FixedTokens at_start() { return FixedTokens(false); }
    static constexpr FixedTokens after_key() { return FixedTokens(false); }
    static constexpr FixedTokens after_value() { return FixedTokens(true); }

    // Open an object of `count` pairs, at most 15.
    constexpr FixedTokens object(std::uint8_t count) const {
        require(count <= 15);
        FixedTokens run = separated();
        run.json_.append('{');
        run.msgpack_.append(static_cast<char>(0x80 | count));
        run.behind_value_ = false;
        return run;
    }

    constexpr FixedTokens end_object() const {
        FixedTokens run = *this;
        run.json_.append('}');
        run.behind_value_ = true;
        return run;
    }

    constexpr FixedTokens empty_array() const {
        FixedTokens run = separated();
        run.json_.append("[]");
        run.msgpack_.append(static_cast<char>(0x90));
        return run;
    }

    // ASCII without anything to escape, at most 31 bytes.
    constexpr FixedTokens key(std::string_view name) const {
        FixedTokens run = string(name);
        run.json_.append(':');
        run.behind_value_ = false;
        return run;
    }

    // The same.
    constexpr FixedTokens string(std::string_view value) const {
        require(value.size() <= 31);
        FixedTokens run = separated();
        run.json_.append('"');
        run.json_.append(value);
        run.json_.append('"');
        run.msgpack_.append(static_cast<char>(0xA0 | value.size()));
        run.msgpack_.append(value);
        return run;
    }

    // 0 to 99.
    constexpr FixedTokens integer(int value) const {
        require(value >= 0 && value <= 99);
        FixedTokens run = separated();
        if (value >= 10) {
            run.json_.append(static_cast<char>('0' + value / 10));
        }
        run.json_.append(static_cast<char>('0' + value % 10));
        run.msgpack_.append(static_cast<char>(value));
        return run;
    }

    constexpr std::string_view json() const { return json_.view(); }
    constexpr std::string_view msgpack() const { return msgpack_.view(); }
    constexpr bool ends_behind_value() const { return behind_value_; }

  private:
    // A run that does not fit stops the compiler.
    struct Bytes {
        std::array<char, 64> bytes{};
        std::size_t size = 0;

        constexpr void append(char byte) { bytes[size++] = byte; }
        constexpr void append(std::string_view text) {
            for (const char byte : text) {
                append(byte);
            }
        }
        constexpr std::string_view view() const { return {bytes.data(), size}; }
    };

    // What has no encoding of the one kind used here stops the compiler, too: a throw is no constant expression.
    static constexpr void require(bool fits) {
        if (!fits) {
            throw "out of the range of fixed tokens";
        }
    }

    explicit constexpr FixedTokens(bool behind_value) : behind_value_(behind_value) {}

    constexpr FixedTokens separated() const {
        FixedTokens run = *this;
        if (run.behind_value_) {
            run.json_.append(',');
        }
        run.behind_value_ = true;
        return run;
    }

    Bytes json_;
    Bytes msgpack_;
    bool behind_value_;
};

}  // namespace socketio
