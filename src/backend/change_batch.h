// Changes of a statement on their way into as few messages as socketio_emitter.max_batch_bytes allows.
//
// How many changes fit a message is known only once they are encoded. So the entries of its lists are encoded first, one
// change after another, until the next one would be too much; then the message is written around them. As for any emit,
// JSON comes first; the changes that were tried in vain are kept for the attachment, which is what a message that is binary
// is called here.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "backend/batch_lists.h"
#include "backend/change_diff.h"
#include "backend/change_plan.h"
#include "backend/change_target.h"
#include "backend/dialect.h"
#include "backend/group_rows.h"
#include "backend/row_change.h"
#include "backend/stored_change.h"

namespace socketio {

// A change by itself, to be read as others are that come one after another.
struct SingleChange {
    const RowChange* left;

    const RowChange* next() { return std::exchange(left, nullptr); }
};

// Sends the changes of one kind, of one statement.
class BatchSender {
  public:
    // Memory comes from CurrentMemoryContext, and is taken there by the other members.
    BatchSender(const ChangePlan* plan, ChangeOp op);

    // Send all that `changes` has to `target`. `Changes` is TransitionRows or SingleChange.
    template <class Changes>
    void send(const ChangeTarget& target, Changes& changes);

    // Send all of `group`, which `changes` reads.
    void send_group(const RowGroup* group, GroupRows& changes);

    void close() { kept_reader_.close(); }

  private:
    void begin(const ChangeTarget& target);
    std::size_t notification_limit() const;
    bool is_cut() const;
    std::size_t notification_frame();
    std::size_t attachment_frame();

    void begin_notification();
    bool add_to_notification(const RowChange& change);
    void keep(const RowChange& change);
    void send_notification();
    void learn_length();
    bool is_likely_long(std::uint64_t count) const;

    void begin_attachment();
    void add_to_attachment(const RowChange& change);
    void attach_kept();
    void send_attachment();

    template <class Lists>
    bool add(Lists& lists, const RowChange& change);
    template <class Changes>
    void send_all(Changes& changes);
    template <class Changes>
    const RowChange* send_some(const RowChange* change, Changes& changes);
    template <class Changes>
    void send_attached(const RowChange* change, Changes& changes);
    bool send_long(GroupRows& changes);

    const Dialect& dialect_;
    const ChangePlan* plan_;
    ChangeOp op_;
    MemoryContext kept_context_;
    MemoryContext row_context_;      // what encoding a change takes
    MemoryContext message_context_;  // what sending an attachment takes
    ShownColumns shown_;

    Target target_;
    std::string_view event_;

    BatchLists<JsonEntries> notification_;
    StoredChange* first_kept_ = nullptr;  // the changes that the notification holds
    StoredChange* last_kept_ = nullptr;
    StoredChangeReader kept_reader_;
    std::size_t bytes_of_one_ = 0;  // of a change in a notification, on average

    std::optional<BatchLists<MsgpackEntries>> attachment_;  // with its buffers, which most statements do not need
    std::size_t attachment_frame_ = 0;                      // bytes of the message around its entries
};

}  // namespace socketio
