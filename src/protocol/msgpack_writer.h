// Writes values as msgpack, by msgpack-c's packer. Strings are `str`, bytea is `bin`, so that @msgpack/msgpack and notepack.io,
// which the adapters decode with, make strings and Buffers of them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <msgpack/pack.hpp>
#include <string_view>
#include <variant>

#include "protocol/encoded.h"
#include "protocol/fixed_tokens.h"
#include "protocol/number.h"
#include "protocol/value_writer.h"

namespace socketio {

template <class Sink>
class MsgpackWriter {
  public:
    explicit MsgpackWriter(Sink& sink) : sink_(sink), packer_(sink) {}

    void null() { packer_.pack_nil(); }
    void boolean(bool value) { value ? packer_.pack_true() : packer_.pack_false(); }
    void integer(std::int64_t value) { packer_.pack_int64(value); }

    void number(std::string_view decimal) {
        const BinaryNumber number = parse_number(decimal);
        if (const auto* value = std::get_if<std::int64_t>(&number)) {
            packer_.pack_int64(*value);
        } else if (const auto* large = std::get_if<std::uint64_t>(&number)) {
            packer_.pack_uint64(*large);
        } else {
            pack_float64(std::get<double>(number));
        }
    }

    void string(std::string_view utf8) {
        surplus_ += utf8.size() <= kShortString ? 0 : kStringSurplus;
        packer_.pack_str(length(utf8));
        packer_.pack_str_body(utf8.data(), length(utf8));
    }

    void binary(std::string_view bytes) {
        ++binaries_;
        packer_.pack_bin(length(bytes));
        packer_.pack_bin_body(bytes.data(), length(bytes));
    }

    void begin_array(std::uint32_t count) { packer_.pack_array(count); }
    void end_array() {}
    void begin_object(std::uint32_t count) { packer_.pack_map(count); }
    void end_object() {}
    void key(std::string_view utf8) { string(utf8); }
    // The same; msgpack has no room for surrogates.
    static constexpr bool kKeepsSurrogates = false;
    void string_of_units(std::string_view utf8) { string(utf8); }
    void key_of_units(std::string_view utf8) { string(utf8); }
    void key(const EncodedKey& key) { sink_.write(key.msgpack.data(), key.msgpack.size()); }

    void fixed(const FixedTokens& tokens) { sink_.write(tokens.msgpack().data(), tokens.msgpack().size()); }

    void encoded(const EncodedValues& values) {
        binaries_ += values.binaries;
        if (!values.bytes.empty()) {
            sink_.write(values.bytes.data(), values.bytes.size());
        }
    }

    // How many bytes more than JSON what has been written may take: elsewhere JSON is never the shorter one.
    std::size_t surplus() const { return surplus_; }

    bool takes_string(std::size_t) { return true; }
    bool takes_binary() { return true; }
    // How many it has met.
    std::size_t binaries() const { return binaries_; }
    bool holds_binary() const { return binaries_ > 0; }
    bool stopped() const { return sink_.full(); }

  private:
    static constexpr std::size_t kShortestDecimal = 3;  // 0.5
    static constexpr std::size_t kShortString = 255;    // up to here, its header is no longer than two quotes
    static constexpr std::size_t kStringSurplus = 3;

    // Not pack_double(): msgpack-c turns a double without a fraction back into an integer there, and for 2^64 by way of a
    // conversion that is undefined.
    void pack_float64(double value) {
        std::uint64_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        char bytes[1 + sizeof bits] = {'\xcb'};
        surplus_ += sizeof bytes - kShortestDecimal;
        for (std::size_t i = sizeof bits; i > 0; --i, bits >>= 8) {
            bytes[i] = static_cast<char>(bits);
        }
        sink_.write(bytes, sizeof bytes);
    }

    // No value of PostgreSQL's reaches 4 GB, the most msgpack can name.
    static std::uint32_t length(std::string_view bytes) { return static_cast<std::uint32_t>(bytes.size()); }

    Sink& sink_;
    std::size_t surplus_ = 0;
    std::size_t binaries_ = 0;
    msgpack::packer<Sink> packer_;
};

}  // namespace socketio
