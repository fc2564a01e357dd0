// What an error that comes from inside a row's values says of where it was: trigger, table and column, as its CONTEXT.

#pragma once

#include "backend/change_plan.h"
#include "backend/server.h"

namespace socketio {

// The column whose value is being read, as its index in the table's description; -1 between values.
inline int column_being_read = -1;

// While it is alive, errors have the context. An ERROR skips the destructor: whoever catches it puts the stack back, and
// the next one begins with no column.
class ChangeContext {
  public:
    explicit ChangeContext(const ChangePlan* plan) : plan_(plan), outer_column_(column_being_read) {
        callback_ = {error_context_stack, add_context, this};
        error_context_stack = &callback_;
        column_being_read = -1;
    }
    ChangeContext(const ChangeContext&) = delete;
    ChangeContext& operator=(const ChangeContext&) = delete;
    ~ChangeContext() {
        error_context_stack = callback_.previous;
        column_being_read = outer_column_;
    }

  private:
    static void add_context(void* context);

    const ChangePlan* plan_;
    int outer_column_;
    ErrorContextCallback callback_;
};

}  // namespace socketio
