// Changes of a statement on their way into as few messages as socketio_emitter.max_batch_bytes allows.
//
// How many changes fit a message is known only once they are encoded. So the entries of its lists are encoded first, one
// change after another, until the next one would be too much; then the message is written around them.

#pragma once

#include <utility>

#include "backend/change_plan.h"
#include "backend/change_target.h"
#include "backend/row_change.h"
#include "backend/row_groups.h"

namespace socketio {

// A change by itself, to be read as others are that come one after another.
struct SingleChange {
    const RowChange* left;

    const RowChange* next() { return std::exchange(left, nullptr); }
};

// Sends the changes of one kind, of one statement.
class BatchSender {
  public:
    // Memory comes from CurrentMemoryContext.
    BatchSender(const ChangePlan* plan, ChangeOp op);

    // Send all that `changes` has to `target`. `Changes` is TransitionRows or SingleChange.
    template <class Changes>
    void send(const ChangeTarget& target, Changes& changes);

    // Send all of `group`, which `changes` reads.
    void send_group(const RowGroup* group, GroupRows& changes);

    void close();

  private:
    void begin(const ChangeTarget& target);

    struct State;

    State* state_;
};

}  // namespace socketio
