// Reads SQL values, straight from their Datums, as to_jsonb() would map them; only bytea is binary.

#pragma once

#include <cstdint>

#include "backend/event_arguments.h"
#include "backend/server.h"
#include "backend/value_plan.h"

namespace socketio {

// Report `value`, of the type that `plan` was made for, to `writer`: a NotificationWriter or an AttachmentWriter.
template <class Writer>
void read_value(ValuePlan* plan, Datum value, bool is_null, Writer& writer);

// The same for a value that is_scalar(plan) and not NULL, and for a TextWriter.
template <class Writer>
void read_scalar(ValuePlan* plan, Datum value, Writer& writer);

// The arguments of an event: the VARIADIC "any" parameter of an SQL function, one event argument per SQL value. A call
// with the keyword VARIADIC passes them as the elements of one array.
class ValueArguments final : public ArgumentsOf<ValueArguments> {
  public:
    // `first` is the position of the VARIADIC parameter. Plans are kept in fcinfo->flinfo for the next call.
    ValueArguments(FunctionCallInfo fcinfo, int first);

    std::uint32_t count() const override;

    template <class Writer>
    void write_values(Writer& writer) const;

    void release() const override {}  // values are given back one by one

  private:
    struct Plans;

    static Plans* plans_of(FunctionCallInfo fcinfo, int first);
    bool is_array_given() const;

    FunctionCallInfo fcinfo_;
    int first_;
    Plans* plans_;
};

}  // namespace socketio
