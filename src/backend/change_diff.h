// What is different between a row before and after.

#pragma once

#include "backend/change_plan.h"
#include "backend/row_change.h"

namespace socketio {

// Whether the two rows of `change` differ in any of `columns`. True where there is only one of them.
//
// Values are compared as they are stored: 1.0 and 1.00 differ, since JSON would show it. A value that is kept out of
// line and was not assigned to is known by its address, and not fetched.
bool differs(const ChangePlan* plan, const ColumnSet& columns, const RowChange& change);

// Whether `change` is an UPDATE of which a trigger with payload=diff has nothing to tell.
bool is_silent(const ChangePlan* plan, const RowChange& change);

// Finds, for one change after another, the columns its records show.
class ShownColumns {
  public:
    // Memory comes from CurrentMemoryContext.
    explicit ShownColumns(const ChangePlan* plan);

    // All the plan's columns; with payload=diff, those in which the two rows of `change` differ. Valid until the next call.
    const ColumnSet& of(const RowChange& change);

  private:
    const ChangePlan* plan_;
    ColumnSet changed_;
};

}  // namespace socketio
