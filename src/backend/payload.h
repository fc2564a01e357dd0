// A message on its way into the attachment table: a sink that is a bytea from the first byte on, so that it is never
// copied to become one.

#pragma once

#include <cstddef>

#include "backend/server.h"

extern "C" {
#include "lib/stringinfo.h"
}

namespace socketio {

class PayloadSink {
  public:
    // Allocates in CurrentMemoryContext.
    PayloadSink();

    // ERROR 54000 when the message outgrows what PostgreSQL can store in one value.
    void write(const char* bytes, std::size_t size);
    bool full() const { return false; }

    // The message as a bytea Datum, valid until release().
    Datum bytea();
    std::size_t size() const { return buffer_.len - VARHDRSZ; }
    void release() { pfree(buffer_.data); }

  private:
    StringInfoData buffer_;
};

}  // namespace socketio
