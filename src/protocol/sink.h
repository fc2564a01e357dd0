// Where encoded bytes go.
//
// Writers append to a sink they are given and know nothing else about memory, so the same writer fills a PostgreSQL
// buffer, a std::string in a unit test, or the fixed buffer below. A sink is any type with
//
//     void write(const char* bytes, std::size_t size);   append; the shape msgpack-c asks of its streams
//     bool full() const;                                  whether something did not fit
//
// and, for JsonWriter, which puts a token together in place,
//
//     char* reserve(std::size_t size);   where `size` bytes can be put, or null if they do not fit
//     void commit(char* end);            keep what was put there up to `end`
//     std::size_t room() const;          how many bytes still fit

#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace socketio {

// A sink over memory of a fixed size. What does not fit is dropped and full() stays true from then on: the
// caller learns that the message is too long for its buffer at the cost of at most one buffer of encoding.
class BoundedSink {
  public:
    BoundedSink(char* memory, std::size_t capacity) : begin_(memory), next_(memory), end_(memory + capacity) {}

    char* reserve(std::size_t size) {
        if (size > room()) {
            full_ = true;
            end_ = next_;  // nothing shorter may slip in behind what was dropped
            return nullptr;
        }
        return next_;
    }

    void commit(char* end) { next_ = end; }

    void write(const char* bytes, std::size_t size) {
        if (char* place = reserve(size)) {
            std::memcpy(place, bytes, size);
            commit(place + size);
        }
    }

    bool full() const { return full_; }
    std::size_t room() const { return static_cast<std::size_t>(end_ - next_); }
    std::string_view bytes() const { return {begin_, static_cast<std::size_t>(next_ - begin_)}; }

  private:
    char* begin_;
    char* next_;
    char* end_;
    bool full_ = false;
};

// A sink that grows on the C++ heap: for what comes in, which is parsed out of the server's sight, and for unit tests, fuzzers
// and benchmarks.
class StringSink {
  public:
    char* reserve(std::size_t size) {
        bytes_.resize(used_ + size);
        return bytes_.data() + used_;
    }

    void commit(char* end) {
        used_ = static_cast<std::size_t>(end - bytes_.data());
        bytes_.resize(used_);
    }

    void write(const char* bytes, std::size_t size) {
        bytes_.append(bytes, size);
        used_ = bytes_.size();
    }

    // Take back all but the first `size` bytes.
    void truncate(std::size_t size) { bytes_.resize(used_ = size); }

    bool full() const { return false; }
    std::size_t room() const { return bytes_.max_size() - bytes_.size(); }
    const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
    std::size_t used_ = 0;
};

}  // namespace socketio
