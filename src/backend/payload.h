// A message that is msgpack, most often on its way into the attachment table: a sink that is a bytea from the first byte on,
// so that it is never copied to become one.

#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "backend/server.h"

namespace socketio {

// Memory from CurrentMemoryContext that doubles as it fills. Not a StringInfo: a document of a hundred thousand small
// values is as many calls of write(), which therefore has to be inline (make bench).
class PayloadSink {
  public:
    static constexpr std::size_t kUsualSize = 16 * 1024;
    static constexpr std::size_t kLargestSize = 0x3fffffff - 1024;  // MaxAllocSize, less the row around it

    // `expected_size` is a guess.
    explicit PayloadSink(std::size_t expected_size = kUsualSize);

    // ERROR 54000 when the message outgrows what PostgreSQL can store in one value.
    void write(const char* bytes, std::size_t size) {
        if (size > capacity_ - used_) {
            grow(size);
        }
        std::memcpy(data_ + used_, bytes, size);
        used_ += size;
    }

    bool full() const { return false; }

    // The message as a bytea Datum, valid until release().
    Datum bytea();
    std::size_t size() const { return used_ - VARHDRSZ; }
    std::string_view bytes() const { return {data_ + VARHDRSZ, size()}; }
    void clear() { used_ = VARHDRSZ; }
    void release() { pfree(data_); }

  private:
    void grow(std::size_t size);

    char* data_;
    std::size_t used_ = VARHDRSZ;
    std::size_t capacity_;
};

}  // namespace socketio
