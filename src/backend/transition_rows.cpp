// See transition_rows.h.

#include "backend/transition_rows.h"

#include "backend/change_diff.h"

extern "C" {
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"
}

namespace socketio {

TransitionTable::TransitionTable(Tuplestorestate* table, TupleDesc descriptor) : table_(table) {
    if (table_ != nullptr) {
        read_pointer_ = tuplestore_alloc_read_pointer(table_, EXEC_FLAG_REWIND);
        tuplestore_select_read_pointer(table_, read_pointer_);
        tuplestore_rescan(table_);
        slot_ = MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple);
    }
}

std::int64_t TransitionTable::count() const { return table_ == nullptr ? 0 : tuplestore_tuple_count(table_); }

TupleTableSlot* TransitionTable::next() {
    if (table_ == nullptr) {
        return nullptr;
    }
    tuplestore_select_read_pointer(table_, read_pointer_);
    return tuplestore_gettupleslot(table_, true, false, slot_) ? slot_ : nullptr;
}

void TransitionTable::close() {
    if (slot_ != nullptr) {
        ExecDropSingleTupleTableSlot(slot_);
    }
}

TransitionRows::TransitionRows(const ChangePlan* plan, const TriggerData* trigger, ChangeOp op)
    : plan_(plan),
      old_rows_(trigger->tg_oldtable, RelationGetDescr(trigger->tg_relation)),
      rows_(trigger->tg_newtable, RelationGetDescr(trigger->tg_relation)),
      is_paired_(old_rows_.count() == rows_.count()),
      change_{op, nullptr, nullptr} {}

bool TransitionRows::advance() {
    CHECK_FOR_INTERRUPTS();
    change_.old_row = old_rows_.next();
    change_.row = is_paired_ || change_.old_row == nullptr ? rows_.next() : nullptr;
    return change_.latest() != nullptr;
}

const RowChange* TransitionRows::next() {
    while (advance()) {
        if (!is_silent(plan_, change_)) {
            return &change_;
        }
    }
    return nullptr;
}

void TransitionRows::close() {
    old_rows_.close();
    rows_.close();
}

}  // namespace socketio
