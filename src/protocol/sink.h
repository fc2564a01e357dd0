// Where encoded bytes go.
//
// A sink is any type with `void write(const char* bytes, std::size_t size)`, the shape msgpack-c asks of its
// streams, `bool full() const`, and for JSON `void write(char byte)` and `std::size_t room() const` besides. Writers append to the sink they are given and know nothing else about
// memory, so the same writer fills a PostgreSQL buffer, a std::string in a unit test, or the fixed buffer below.

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
    BoundedSink(char* memory, std::size_t capacity) : begin_(memory), next_(memory), left_(capacity) {}

    void write(const char* bytes, std::size_t size) {
        if (size > left_) {
            mark_full();
            return;
        }
        std::memcpy(next_, bytes, size);
        next_ += size;
        left_ -= size;
    }

    void write(char byte) {
        if (left_ == 0) {
            mark_full();
            return;
        }
        *next_++ = byte;
        --left_;
    }

    bool full() const { return full_; }
    std::size_t room() const { return left_; }
    std::string_view bytes() const { return {begin_, static_cast<std::size_t>(next_ - begin_)}; }

  private:
    void mark_full() {
        full_ = true;
        left_ = 0;  // nothing shorter may slip in behind what was dropped
    }

    char* begin_;
    char* next_;
    std::size_t left_;
    bool full_ = false;
};

// A sink that grows on the C++ heap, for code that runs outside the server: unit tests, fuzzers, benchmarks.
class StringSink {
  public:
    void write(const char* bytes, std::size_t size) { bytes_.append(bytes, size); }
    void write(char byte) { bytes_.push_back(byte); }
    bool full() const { return false; }
    std::size_t room() const { return bytes_.max_size() - bytes_.size(); }
    const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
};

}  // namespace socketio
