// Reads jsonb.

#pragma once

#include <cstdint>

#include "backend/event_arguments.h"
#include "backend/server.h"

extern "C" {
#include "utils/jsonb.h"
}

namespace socketio {

// Report the value of `jsonb` to `writer`, a NotificationWriter or an AttachmentWriter.
template <class Writer>
void read_jsonb(Jsonb* jsonb, Writer& writer);

// The arguments of an event out of one jsonb value: an array is the list of arguments, anything else the only one,
// and no jsonb at all (SQL NULL) none.
class JsonbArguments final : public ArgumentsOf<JsonbArguments> {
  public:
    // Takes a jsonb argument of an SQL function, which may be NULL.
    JsonbArguments(FunctionCallInfo fcinfo, int argument);

    std::uint32_t count() const override;

    template <class Writer>
    void write_values(Writer& writer) const;

    // Give back the memory of a detoasted argument. Nothing can be written afterwards.
    void release() const override;

  private:
    Datum argument_;
    Jsonb* jsonb_;  // null for SQL NULL
};

}  // namespace socketio
