// See change_target.h.

#include "backend/change_target.h"

#include "protocol/event_name.h"

namespace socketio {

namespace {

void take_apart(TupleTableSlot* row, int last_column) {
    if (row != nullptr && last_column > 0) {
        slot_getsomeattrs(row, last_column);
    }
}

[[noreturn]] void report_null_event(const ChangePlan* plan) {
    ereport(ERROR,
            (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
             errmsg("event of trigger \"%s\" on table \"%s\" is NULL", plan->identity.trigger, plan->identity.table),
             errdetail("A column that option \"event\" names is NULL in the row."),
             errhint("Use columns that are NOT NULL, or leave such rows out with the trigger's WHEN.")));
    pg_unreachable();
}

}  // namespace

TargetFinder::TargetFinder(const ChangePlan* plan) : plan_(plan), context_(CurrentMemoryContext) {
    const int capacity = 2 * plan->rooms.count + plan->except.count;
    initStringInfo(&text_);
    spans_ = static_cast<Span*>(palloc(capacity * sizeof(Span)));
    names_ = static_cast<std::string_view*>(palloc(capacity * sizeof(std::string_view)));
}

bool TargetFinder::is_constant() const {
    return !plan_->event.names_columns() && !plan_->rooms.names_columns() && !plan_->except.names_columns();
}

// Whether the name could be filled in.
bool TargetFinder::add(const RowTemplate& source, ChangeOp op, TupleTableSlot* row) {
    const int begin = text_.len;
    if (!fill_in(source, op, plan_->columns, row, &text_)) {
        text_.len = begin;
        return false;
    }
    spans_[count_++] = {begin, text_.len};
    return true;
}

void TargetFinder::add_all(const TemplateList& list, ChangeOp op, TupleTableSlot* row) {
    take_apart(row, list.last_column);
    for (int i = 0; i < list.count; ++i) {
        add(list.templates[i], op, row);
    }
}

void TargetFinder::add_rooms(const RowChange& change) {
    add_all(plan_->rooms, change.op, change.earliest());
    if (change.latest() != change.earliest() && plan_->rooms.names_columns()) {
        add_all(plan_->rooms, change.op, change.latest());
    }
}

// The names from the `first`th to before the `end`th, once each.
Rooms TargetFinder::collect(int first, int end) {
    for (int i = first; i < end; ++i) {
        names_[i] = {text_.data + spans_[i].begin, static_cast<std::size_t>(spans_[i].end - spans_[i].begin)};
    }
    const auto count = static_cast<std::size_t>(end - first);
    return {names_ + first, count > 1 ? drop_duplicate_rooms(names_ + first, count) : count};
}

std::string_view TargetFinder::constant_event(ChangeOp op) {
    std::string_view& event = events_[static_cast<int>(op)];
    if (event.data() == nullptr) {
        const MemoryContext caller_context = MemoryContextSwitchTo(context_);
        event = fill_in_name(plan_->event, op);
        MemoryContextSwitchTo(caller_context);
        require_client_event(plan_, event);
    }
    return event;
}

// Put the event's name behind all that is in the text. Without data where a column of it is NULL; false for that, and for a name that
// Socket.IO reserves.
bool TargetFinder::name_event(ChangeOp op, TupleTableSlot* row, std::string_view& event) {
    const int begin = text_.len;
    take_apart(row, plan_->event.last_column);
    if (!fill_in(plan_->event, op, plan_->columns, row, &text_)) {
        event = {};
        return false;
    }
    event = {text_.data + begin, static_cast<std::size_t>(text_.len - begin)};
    return !is_reserved_event(event);
}

// Whether the row had a name before that an event can have, or was not there.
bool TargetFinder::brings_name_about(const RowChange& change) {
    std::string_view old_event;
    return change.op != ChangeOp::kDelete &&
           (change.old_row == nullptr || name_event(change.op, change.old_row, old_event));
}

// A finder is for one statement. There may be a warning for each of a million rows otherwise.
void TargetFinder::warn_once() {
    if (has_warned_) {
        return;
    }
    has_warned_ = true;
    ereport(
        WARNING,
        (errmsg("rows of table \"%s\" are not told of by trigger \"%s\": they have no event's name",
                plan_->identity.table, plan_->identity.trigger),
         errdetail("A column that option \"event\" names is NULL in them, or makes a name that Socket.IO reserves, and "
                   "was so before."),
         errhint(
             "Such rows come in while socketio_emitter.enabled is off. Give these columns other values by UPDATE.")));
}

bool TargetFinder::find_event(const RowChange& change, std::string_view& event) {
    if (!plan_->event.names_columns()) {
        event = constant_event(change.op);
        return true;
    }
    if (name_event(change.op, change.latest(), event)) {
        return true;
    }
    if (!brings_name_about(change)) {
        warn_once();
        return false;
    }
    if (!name_event(change.op, change.latest(), event) && event.data() == nullptr) {
        report_null_event(plan_);
    }
    require_client_event(plan_, event);
    return true;
}

bool TargetFinder::find(const RowChange& change, ChangeTarget& target) {
    resetStringInfo(&text_);
    count_ = 0;
    add_rooms(change);
    const int rooms = count_;
    if (rooms == 0 && plan_->rooms.count > 0) {
        return false;
    }
    add_all(plan_->except, change.op, change.latest());
    if (!find_event(change, target.event)) {
        return false;
    }
    // Only now does the text stay where it is.
    target.rooms = collect(0, rooms);
    target.except = collect(rooms, count_);
    return true;
}

}  // namespace socketio
