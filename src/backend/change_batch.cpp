// See change_batch.h.

#include "backend/change_batch.h"

#include <algorithm>
#include <limits>
#include <new>
#include <optional>

#include "backend/batch_lists.h"
#include "backend/change_message.h"
#include "backend/publish.h"
#include "backend/row_groups.h"
#include "backend/stored_change.h"
#include "backend/transition_rows.h"

extern "C" {
#include "utils/memutils.h"
}

namespace socketio {

namespace {

using Batch = Broadcast<BatchArguments>;

constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

// Bytes of an entry in a list that every change has one in: its names, and values of a digit. Which columns kDiff shows, and
// of how many changes, is not known beforehand.
std::uint64_t least_entry_of(const ChangePlan* plan) {
    std::uint64_t size = 0;
    for (int i = 0; i < plan->record.count && plan->payload != ChangePayload::kDiff; ++i) {
        size += plan->columns[plan->record.columns[i]].name.json.size() + 2;
    }
    return size;
}

std::size_t less(std::size_t limit, std::size_t taken) { return limit > taken ? limit - taken : 0; }

}  // namespace

struct BatchSender::State {
    State(const ChangePlan* the_plan, ChangeOp the_op)
        : plan(the_plan),
          op(the_op),
          kept_context(
              AllocSetContextCreate(CurrentMemoryContext, "socketio_emitter kept rows", ALLOCSET_DEFAULT_SIZES)),
          row_context(AllocSetContextCreate(CurrentMemoryContext, "socketio_emitter row", ALLOCSET_SMALL_SIZES)),
          message_context(
              AllocSetContextCreate(CurrentMemoryContext, "socketio_emitter message", ALLOCSET_DEFAULT_SIZES)),
          least_entry(least_entry_of(the_plan)),
          shown(the_plan),
          reader(the_op, the_plan->descriptor),
          notification(the_plan, the_op) {}

    // The message around empty lists, as long as its frame may become.
    template <class Write>
    void with_frame(const Write& write) {
        const BatchArguments arguments(plan, op, std::numeric_limits<std::uint32_t>::max());
        write(Batch{address.target, event, arguments});
    }

    std::size_t notification_frame() {
        char memory[kMaxNotification];
        BoundedSink sink(memory, sizeof memory);
        NotificationWriter writer(sink, json_characters());
        with_frame(
            [&](const Batch& frame) { write_message(writer, frame, std::numeric_limits<std::uint32_t>::max()); });
        return sink.full() ? kUnlimited : sink.bytes().size();
    }

    std::size_t attachment_frame() {
        PayloadSink sink;
        AttachmentWriter writer(sink);
        with_frame([&](const Batch& frame) { write_attached_message(writer, frame); });
        const std::size_t size = sink.size();
        sink.release();
        return size;
    }

    void begin_notification() {
        const auto limit = static_cast<std::size_t>(settings.payload_threshold - 1);
        const auto batch_limit = std::min<std::size_t>(limit, settings.max_batch_bytes);
        const std::size_t around = notification_frame();
        notification.begin(less(batch_limit, around), less(limit, around));
        forget_kept();
    }

    void forget_kept() {
        MemoryContextReset(kept_context);
        first_kept = last_kept = nullptr;
    }

    void begin_attachment() {
        if (!attachment) {
            attachment.emplace(plan, op);
        }
        frame = attachment_frame();
        attachment->begin(less(settings.max_batch_bytes, frame), kUnlimited);
    }

    // Whether `count` changes cannot fit one notification, as they hold the names of columns at least. A limit shorter than
    // a notification cuts them into several.
    bool is_too_long(std::uint64_t count) const {
        return settings.max_batch_bytes >= settings.payload_threshold &&
               count * least_entry >= static_cast<std::uint64_t>(settings.payload_threshold);
    }

    void keep(const RowChange& change) {
        const MemoryContext caller_context = MemoryContextSwitchTo(kept_context);
        StoredChange* stored = store_change(change);
        MemoryContextSwitchTo(caller_context);
        (last_kept == nullptr ? first_kept : last_kept->next) = stored;
        last_kept = stored;
    }

    // Output functions leave behind what they like.
    template <class Lists>
    bool add_to(Lists& lists, const RowChange& change) {
        const MemoryContext caller_context = MemoryContextSwitchTo(row_context);
        const bool fits = lists.add(change, shown.of(change));
        MemoryContextSwitchTo(caller_context);
        MemoryContextReset(row_context);
        return fits;
    }

    bool add_to_notification(const RowChange& change) {
        if (!add_to(notification, change)) {
            return false;
        }
        keep(change);
        return true;
    }

    void add_to_attachment(const RowChange& change) {
        if (!add_to(*attachment, change)) {
            send_attachment();
            begin_attachment();
            add_to(*attachment, change);  // alone, a change always fits
        }
    }

    void send_notification() {
        if (notification.count() == 0) {
            return;
        }
        const BatchArguments arguments = notification.arguments();
        const Batch batch{address.target, event, arguments};
        if (!publish_notification(address.channel, settings.payload_threshold, batch, next_in_transaction())) {
            elog(ERROR, "changes of table \"%s\" did not fit a notification", plan->identity.table);
        }
    }

    void send_attachment() {
        if (attachment->count() == 0) {
            return;
        }
        const BatchArguments arguments = attachment->arguments();
        const MemoryContext caller_context = MemoryContextSwitchTo(message_context);
        publish_attachment(address.channel, Batch{address.target, event, arguments}, frame + attachment->size());
        MemoryContextSwitchTo(caller_context);
        MemoryContextReset(message_context);
    }

    // Send as many changes, from `change` on, as fit a notification, and return the first one that was not sent.
    template <class Changes>
    const RowChange* send_some(const RowChange* change, Changes& changes) {
        begin_notification();
        while (change != nullptr && add_to_notification(*change)) {
            change = changes.next();
        }
        const bool is_small = settings.max_batch_bytes < settings.payload_threshold && notification.count() > 0;
        if (change == nullptr || is_small) {
            send_notification();
            return change;
        }
        send_rest(change, changes);
        return nullptr;
    }

    // Send what was meant for a notification, and all from `change` on, as attachments.
    template <class Changes>
    void send_rest(const RowChange* change, Changes& changes) {
        begin_attachment();
        for (StoredChange* kept = first_kept; kept != nullptr; kept = kept->next) {
            add_to_attachment(*reader.read(kept));
        }
        for (; change != nullptr; change = changes.next()) {
            add_to_attachment(*change);
        }
        send_attachment();
    }

    const ChangePlan* plan;
    ChangeOp op;
    MemoryContext kept_context;     // changes that a notification holds
    MemoryContext row_context;      // what encoding a change takes
    MemoryContext message_context;  // what sending an attachment takes
    ChangeAddress address;
    std::string_view event;
    std::size_t frame = 0;      // bytes of an attachment around its entries
    std::uint64_t least_entry;  // bytes that a change takes in a notification, whatever its values
    ShownColumns shown;
    StoredChangeReader reader;
    StoredChange* first_kept = nullptr;
    StoredChange* last_kept = nullptr;
    BatchLists<JsonEntries> notification;
    std::optional<BatchLists<MsgpackEntries>> attachment;  // with its buffers, which most statements do not need
};

BatchSender::BatchSender(const ChangePlan* plan, ChangeOp op) : state_(new (palloc(sizeof(State))) State(plan, op)) {}

template <class Changes>
void BatchSender::send(const ChangeTarget& target, Changes& changes) {
    set_address(state_->plan, state_->op, target, state_->address);
    state_->event = target.event;
    const RowChange* change = changes.next();
    if (state_->is_too_long(changes.count())) {
        state_->forget_kept();
        return state_->send_rest(change, changes);
    }
    while (change != nullptr) {
        change = state_->send_some(change, changes);
    }
}

template void BatchSender::send(const ChangeTarget&, TransitionRows&);
template void BatchSender::send(const ChangeTarget&, GroupRows&);
template void BatchSender::send(const ChangeTarget&, SingleChange&);

void BatchSender::close() { state_->reader.close(); }

}  // namespace socketio
