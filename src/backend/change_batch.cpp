// See change_batch.h.

#include "backend/change_batch.h"

#include <algorithm>
#include <limits>

#include "backend/settings.h"
#include "backend/transition_rows.h"

extern "C" {
#include "utils/memutils.h"
}

namespace socketio {

namespace {

constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

std::size_t less(std::size_t limit, std::size_t taken) { return limit > taken ? limit - taken : 0; }

}  // namespace

BatchSender::BatchSender(const ChangePlan* plan, ChangeOp op)
    : dialect_(dialect()),
      plan_(plan),
      op_(op),
      kept_context_(AllocSetContextCreate(CurrentMemoryContext, "socketio_emitter kept rows", ALLOCSET_DEFAULT_SIZES)),
      row_context_(AllocSetContextCreate(CurrentMemoryContext, "socketio_emitter row", ALLOCSET_SMALL_SIZES)),
      message_context_(AllocSetContextCreate(CurrentMemoryContext, "socketio_emitter message", ALLOCSET_DEFAULT_SIZES)),
      shown_(plan),
      notification_(plan, op),
      kept_reader_(op, plan->descriptor) {}

void BatchSender::begin(const ChangeTarget& target) {
    target_ = address_of(plan_, op_, target);
    event_ = target.event;
}

// How long the message is around empty lists, at most.
std::size_t BatchSender::notification_frame() {
    return dialect_.text_size({target_, event_, BatchArguments(plan_, op_, UINT32_MAX)});
}

std::size_t BatchSender::attachment_frame() {
    return dialect_.binary_size({target_, event_, BatchArguments(plan_, op_, UINT32_MAX)});
}

// Most bytes of a notification; 0 where messages are binary only.
std::size_t BatchSender::notification_limit() const { return less(dialect_.text_limit(), 1); }

// Whether changes that do not fit a notification go into further ones.
bool BatchSender::is_cut() const {
    return dialect_.binary_limit() == 0 || static_cast<std::size_t>(settings.max_batch_bytes) <= notification_limit();
}

// Encode a change. Output functions leave behind what they like.
template <class Lists>
bool BatchSender::add(Lists& lists, const RowChange& change) {
    const MemoryContext caller_context = MemoryContextSwitchTo(row_context_);
    const bool fits = lists.add(change, shown_.of(change));
    MemoryContextSwitchTo(caller_context);
    MemoryContextReset(row_context_);
    return fits;
}

void BatchSender::begin_notification() {
    const auto batch_limit = std::min<std::size_t>(notification_limit(), settings.max_batch_bytes);
    const std::size_t frame = notification_frame();
    // Where there is no other way, it is tried whether a single change fits, whose frame may be shorter than the longest.
    const std::size_t alone = less(notification_limit(), dialect_.binary_limit() == 0 ? 0 : frame);
    notification_.begin(less(batch_limit, frame), alone);
    MemoryContextReset(kept_context_);
    first_kept_ = last_kept_ = nullptr;
}

bool BatchSender::add_to_notification(const RowChange& change) {
    if (!add(notification_, change)) {
        return false;
    }
    keep(change);
    return true;
}

void BatchSender::keep(const RowChange& change) {
    const MemoryContext caller_context = MemoryContextSwitchTo(kept_context_);
    StoredChange* stored = store_change(change);
    MemoryContextSwitchTo(caller_context);
    (last_kept_ == nullptr ? first_kept_ : last_kept_->next) = stored;
    last_kept_ = stored;
}

void BatchSender::send_notification() {
    if (notification_.count() == 0) {
        return;
    }
    const Fit fit = dialect_.emit_text({target_, event_, notification_.arguments()});
    if (fit == Fit::kFits) {
        return;
    }
    if (dialect_.binary_limit() == 0) {
        dialect_.report_unfit(fit);
    }
    attach_kept();  // what was read may have set a shorter limit
    send_attachment();
}

void BatchSender::learn_length() {
    if (notification_.count() > 0) {
        bytes_of_one_ = notification_.size() / notification_.count();
    }
}

// Whether `count` changes will hardly fit a notification, going by those that were tried last.
bool BatchSender::is_likely_long(std::uint64_t count) const {
    return !is_cut() && count * bytes_of_one_ > notification_limit();
}

void BatchSender::begin_attachment() {
    if (!attachment_) {
        attachment_.emplace(plan_, op_);
    }
    attachment_frame_ = attachment_frame();
    const auto limit = std::min<std::size_t>(settings.max_batch_bytes, dialect_.binary_limit());
    attachment_->begin(less(limit, attachment_frame_), kUnlimited);
}

void BatchSender::add_to_attachment(const RowChange& change) {
    if (!add(*attachment_, change)) {
        send_attachment();
        begin_attachment();
        add(*attachment_, change);  // alone, a change always fits
    }
}

// Begin an attachment with the changes that the notification holds.
void BatchSender::attach_kept() {
    begin_attachment();
    for (StoredChange* kept = first_kept_; kept != nullptr; kept = kept->next) {
        add_to_attachment(*kept_reader_.read(kept));
    }
}

void BatchSender::send_attachment() {
    if (attachment_->count() == 0) {
        return;
    }
    const MemoryContext caller_context = MemoryContextSwitchTo(message_context_);
    dialect_.emit_binary({target_, event_, attachment_->arguments()}, attachment_frame_ + attachment_->size());
    MemoryContextSwitchTo(caller_context);
    MemoryContextReset(message_context_);
}

template <class Changes>
void BatchSender::send_all(Changes& changes) {
    if (dialect_.text_limit() == 0) {
        begin_attachment();
        return send_attached(changes.next(), changes);
    }
    for (const RowChange* change = changes.next(); change != nullptr;) {
        change = send_some(change, changes);
    }
}

// Send as many changes, from `change` on, as fit a notification, and return the first one that was not sent. Where it is the
// notification that is too short, all of them go as attachments: a notification behind those would overtake them.
template <class Changes>
const RowChange* BatchSender::send_some(const RowChange* change, Changes& changes) {
    begin_notification();
    while (change != nullptr && add_to_notification(*change)) {
        change = changes.next();
    }
    learn_length();
    if (change == nullptr || (is_cut() && notification_.count() > 0)) {
        send_notification();
        return change;
    }
    if (dialect_.binary_limit() == 0) {
        dialect_.report_unfit(notification_.have_met_binary() ? Fit::kHoldsBinary : Fit::kTooLong);
    }
    attach_kept();
    send_attached(change, changes);
    return nullptr;
}

// Send what was added to the attachment, and all from `change` on.
template <class Changes>
void BatchSender::send_attached(const RowChange* change, Changes& changes) {
    for (; change != nullptr; change = changes.next()) {
        add_to_attachment(*change);
    }
    send_attachment();
}

// Send all as attachments, without trying a notification in vain. False, and nothing is sent, if they might fit one.
bool BatchSender::send_long(GroupRows& changes) {
    begin_attachment();
    const RowChange* change = changes.next();
    while (change != nullptr && add(*attachment_, *change)) {
        change = changes.next();
    }
    if (change == nullptr && attachment_->least_json() <= less(notification_limit(), notification_frame())) {
        return false;
    }
    if (change != nullptr) {
        send_attachment();
        begin_attachment();
    }
    send_attached(change, changes);
    return true;
}

template <class Changes>
void BatchSender::send(const ChangeTarget& target, Changes& changes) {
    begin(target);
    send_all(changes);
}

template void BatchSender::send(const ChangeTarget&, TransitionRows&);
template void BatchSender::send(const ChangeTarget&, SingleChange&);

void BatchSender::send_group(const RowGroup* group, GroupRows& changes) {
    begin(group->target);
    changes.open(group);
    if (is_likely_long(group->total_count)) {
        if (send_long(changes)) {
            return;
        }
        changes.open(group);
    }
    send_all(changes);
}

}  // namespace socketio
