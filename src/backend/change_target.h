// Whom a change is for: the templates of a trigger, filled in from one row.

#pragma once

#include <string_view>

#include "backend/change_plan.h"
#include "backend/row_change.h"
#include "protocol/target.h"

extern "C" {
#include "lib/stringinfo.h"
}

namespace socketio {

// What an event is called and whom it reaches, as UTF-8. No rooms means everyone.
struct ChangeTarget {
    std::string_view event;
    Rooms rooms;
    Rooms except;
};

// The target of the messages about changes of kind `op` that `found` is for. Valid as long as that.
inline Target address_of(const ChangePlan* plan, ChangeOp op, const ChangeTarget& found) {
    return {plan->nsp[static_cast<int>(op)], found.rooms, found.except, plan->is_volatile, plan->compress};
}

// Finds the targets of one row after another in the same memory.
class TargetFinder {
  public:
    // Memory comes from CurrentMemoryContext.
    explicit TargetFinder(const ChangePlan* plan);

    // Whether anybody is to receive `change`, and if so, `target`, which is valid until the next call.
    //
    // A template that names a column that is NULL names no room, and where none of the trigger's rooms is left, the event
    // is for nobody. An UPDATE is for the rooms of the row before and after. What is excepted follows the row as it was
    // last seen.
    // ERROR 22004 for an event's name of which a column is NULL, 22023 for one that Socket.IO reserves. A row that has got such a
    // name, as emits were off, can still be deleted and mended: a change that does not bring the name about is for nobody, with
    // a WARNING.
    bool find(const RowChange& change, ChangeTarget& target);

    // Whether every change of one kind has the same target.
    bool is_constant() const;

  private:
    struct Span {
        int begin;
        int end;
    };

    bool add(const RowTemplate& source, ChangeOp op, TupleTableSlot* row);
    void add_all(const TemplateList& list, ChangeOp op, TupleTableSlot* row);
    void add_rooms(const RowChange& change);
    Rooms collect(int first, int end);
    bool name_event(ChangeOp op, TupleTableSlot* row, std::string_view& event);
    bool brings_name_about(const RowChange& change);
    void warn_once();
    bool find_event(const RowChange& change, std::string_view& event);
    std::string_view constant_event(ChangeOp op);

    const ChangePlan* plan_;
    MemoryContext context_;
    std::string_view events_[kChangeOps];  // where no column is in the event's name; without data till it is needed
    StringInfoData text_;                  // what was filled in, one name behind another
    Span* spans_;                          // where each name is
    std::string_view* names_;
    int count_ = 0;
    bool has_warned_ = false;
};

}  // namespace socketio
