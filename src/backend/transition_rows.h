// The rows of a statement, read from the transition tables of a trigger.

#pragma once

#include <algorithm>

#include "backend/change_plan.h"
#include "backend/row_change.h"
#include "backend/server.h"

extern "C" {
#include "commands/trigger.h"
}

namespace socketio {

// The transition table for the rows before or after, through a read pointer of our own: other triggers read the same table.
class TransitionTable {
  public:
    // `table` may be null: then there are no rows. Memory comes from CurrentMemoryContext.
    TransitionTable(Tuplestorestate* table, TupleDesc descriptor);

    std::int64_t count() const;

    // The next row, in a slot that is used for all of them; null at the end.
    TupleTableSlot* next();

    void close();

  private:
    Tuplestorestate* table_;
    TupleTableSlot* slot_ = nullptr;
    int read_pointer_ = 0;
};

class TransitionRows {
  public:
    TransitionRows(const ChangePlan* plan, const TriggerData* trigger, ChangeOp op);

    // The next change that is not silent (change_diff.h), valid until the one after; null at the end.
    //
    // The rows of an UPDATE come in pairs, as PostgreSQL stores them: old and new in the same order. Only where there are more
    // old rows than new ones do they not: a row was moved to another partition, and a BEFORE trigger there did not let it in.
    // Then nothing says which belong together, and each is a change of its own.
    const RowChange* next();

    // The most changes there can be.
    std::int64_t count() const { return std::max(old_rows_.count(), rows_.count()); }

    void close();

  private:
    bool advance();

    const ChangePlan* plan_;
    TransitionTable old_rows_;
    TransitionTable rows_;
    bool is_paired_;
    RowChange change_;
};

}  // namespace socketio
