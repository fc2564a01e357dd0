// Runs a description of a value through the writers. `write` is a callable that takes any writer:
//
//     encode_json([](auto& writer) { writer.null(); })   // "null"

#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "protocol/json_writer.h"
#include "protocol/msgpack_writer.h"
#include "protocol/sink.h"

namespace socketio {

template <class Write>
std::string encode_json(const Write& write, JsonCharacters characters = JsonCharacters::kUtf8) {
    StringSink sink;
    JsonWriter<StringSink> writer(sink, characters);
    write(writer);
    return sink.bytes();
}

template <class Write>
std::string encode_msgpack(const Write& write) {
    StringSink sink;
    MsgpackWriter<StringSink> writer(sink);
    write(writer);
    return sink.bytes();
}

// Memory for a BoundedSink between two guards, which show what was written beyond it.
class GuardedMemory {
  public:
    explicit GuardedMemory(std::size_t capacity) : bytes_(capacity + 2 * kGuard, kUntouched) {}

    char* data() { return bytes_.data() + kGuard; }
    std::size_t capacity() const { return bytes_.size() - 2 * kGuard; }

    bool guards_are_intact() const {
        const auto untouched = [](char byte) { return byte == kUntouched; };
        return std::all_of(bytes_.begin(), bytes_.begin() + kGuard, untouched) &&
               std::all_of(bytes_.end() - kGuard, bytes_.end(), untouched);
    }

  private:
    static constexpr std::size_t kGuard = 64;
    static constexpr char kUntouched = '\xA5';

    std::vector<char> bytes_;
};

// What became of a value in a buffer of limited size.
struct Bounded {
    std::string bytes;
    bool stopped;
    bool in_bounds;
};

template <class Write>
Bounded encode_bounded_json(std::size_t capacity, const Write& write,
                            JsonCharacters characters = JsonCharacters::kUtf8) {
    GuardedMemory memory(capacity);
    BoundedSink sink(memory.data(), memory.capacity());
    JsonWriter<BoundedSink> writer(sink, characters);
    write(writer);
    return {std::string(sink.bytes()), writer.stopped(), memory.guards_are_intact()};
}

template <class Write>
Bounded encode_bounded_msgpack(std::size_t capacity, const Write& write) {
    GuardedMemory memory(capacity);
    BoundedSink sink(memory.data(), memory.capacity());
    MsgpackWriter<BoundedSink> writer(sink);
    write(writer);
    return {std::string(sink.bytes()), writer.stopped(), memory.guards_are_intact()};
}

}  // namespace socketio
