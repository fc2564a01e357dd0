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

    // Whether `count` changes will hardly fit a notification, going by those that were tried last. A limit shorter than a
    // notification cuts them into several.
    bool is_likely_long(std::uint64_t count) const {
        return settings.max_batch_bytes >= settings.payload_threshold &&
               count * bytes_of_one >= static_cast<std::uint64_t>(settings.payload_threshold);
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
        if (notification.count() > 0) {
            bytes_of_one = notification.size() / notification.count();
        }
        const bool is_small = settings.max_batch_bytes < settings.payload_threshold && notification.count() > 0;
        if (change == nullptr || is_small) {
            send_notification();
            return change;
        }
        begin_attachment();
        for (StoredChange* kept = first_kept; kept != nullptr; kept = kept->next) {
            add_to_attachment(*reader.read(kept));
        }
        send_rest(change, changes);
        return nullptr;
    }

    // Send what was added to the attachment, and all from `change` on.
    template <class Changes>
    void send_rest(const RowChange* change, Changes& changes) {
        for (; change != nullptr; change = changes.next()) {
            add_to_attachment(*change);
        }
        send_attachment();
    }

    template <class Changes>
    void send(Changes& changes) {
        for (const RowChange* change = changes.next(); change != nullptr;) {
            change = send_some(change, changes);
        }
    }

    // Send all as attachments, without trying a notification in vain. False, and nothing is sent, if they might fit one.
    bool send_long(GroupRows& changes) {
        begin_attachment();
        const RowChange* change = changes.next();
        while (change != nullptr && add_to(*attachment, *change)) {
            change = changes.next();
        }
        const auto threshold = static_cast<std::size_t>(settings.payload_threshold);
        if (change == nullptr && attachment->least_json() + notification_frame() < threshold) {
            return false;
        }
        send_rest(change, changes);
        return true;
    }

    const ChangePlan* plan;
    ChangeOp op;
    MemoryContext kept_context;     // changes that a notification holds
    MemoryContext row_context;      // what encoding a change takes
    MemoryContext message_context;  // what sending an attachment takes
    ChangeAddress address;
    std::string_view event;
    std::size_t frame = 0;         // bytes of an attachment around its entries
    std::size_t bytes_of_one = 0;  // of a change in a notification, on average
    ShownColumns shown;
    StoredChangeReader reader;
    StoredChange* first_kept = nullptr;
    StoredChange* last_kept = nullptr;
    BatchLists<JsonEntries> notification;
    std::optional<BatchLists<MsgpackEntries>> attachment;  // with its buffers, which most statements do not need
};

BatchSender::BatchSender(const ChangePlan* plan, ChangeOp op) : state_(new (palloc(sizeof(State))) State(plan, op)) {}

void BatchSender::begin(const ChangeTarget& target) {
    set_address(state_->plan, state_->op, target, state_->address);
    state_->event = target.event;
}

template <class Changes>
void BatchSender::send(const ChangeTarget& target, Changes& changes) {
    begin(target);
    state_->send(changes);
}

template void BatchSender::send(const ChangeTarget&, TransitionRows&);
template void BatchSender::send(const ChangeTarget&, SingleChange&);

void BatchSender::send_group(const RowGroup* group, GroupRows& changes) {
    begin(group->target);
    changes.open(group);
    if (state_->is_likely_long(group->total_count)) {
        if (state_->send_long(changes)) {
            return;
        }
        changes.open(group);
    }
    state_->send(changes);
}

void BatchSender::close() { state_->reader.close(); }

}  // namespace socketio
