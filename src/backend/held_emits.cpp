// See held_emits.h.

#include "backend/held_emits.h"

#include <cstring>
#include <string_view>

#include "backend/delivery_counts.h"
#include "backend/delivery_queue.h"
#include "backend/delivery_record.h"
#include "backend/statement_order.h"

extern "C" {
#include "access/parallel.h"
#include "access/xact.h"
#include "commands/async.h"
#include "utils/memutils.h"
}

namespace socketio {

namespace {

// What was emitted at one level of savepoints, from here on.
struct Level {
    int nest_level;
    std::size_t begin;      // in the records
    DeliveryCounts counts;  // before it
};

// Lives in the transaction's memory.
struct HeldEmits {
    char* records;  // no StringInfo: a transaction may emit more than 1 GB
    std::size_t used;
    std::size_t capacity;
    Level* levels;  // the innermost last; those without emits have none
    int level_count;
    int level_capacity;
    DeliveryCounts counts;
    std::uint64_t attachment_bytes;  // of the attachment that the next notification announces, if any
    bool has_attachment;
    std::size_t reserved;  // room in the queue
    bool has_fallen_back;  // to NOTIFY
};

HeldEmits* held = nullptr;
bool is_sealed = false;  // the transaction commits: nothing can be held any more

HeldEmits* current() {
    if (held == nullptr) {
        held = static_cast<HeldEmits*>(MemoryContextAllocZero(TopTransactionContext, sizeof(HeldEmits)));
    }
    return held;
}

template <class Element>
Element* grow(Element* array, std::size_t count) {
    return static_cast<Element*>(array == nullptr
                                     ? MemoryContextAllocHuge(TopTransactionContext, count * sizeof(Element))
                                     : repalloc_huge(array, count * sizeof(Element)));
}

void enter_level(HeldEmits* emits) {
    const int nest_level = GetCurrentTransactionNestLevel();
    if (emits->level_count > 0 && emits->levels[emits->level_count - 1].nest_level == nest_level) {
        return;
    }
    if (emits->level_count == emits->level_capacity) {
        const int capacity = emits->level_capacity == 0 ? 8 : 2 * emits->level_capacity;
        emits->levels = grow(emits->levels, capacity);
        emits->level_capacity = capacity;
    }
    emits->levels[emits->level_count++] = {nest_level, emits->used, emits->counts};
}

char* make_room(HeldEmits* emits, std::size_t size) {
    if (size > emits->capacity - emits->used) {
        std::size_t capacity = emits->capacity == 0 ? 1024 : 2 * emits->capacity;
        while (size > capacity - emits->used) {
            capacity *= 2;
        }
        emits->records = grow(emits->records, capacity);
        emits->capacity = capacity;
    }
    return emits->records + emits->used;
}

void count(HeldEmits* emits, PathCounts& path, std::size_t bytes) {
    ++path.emits;
    path.bytes += bytes + emits->attachment_bytes;
    path.attachments += emits->has_attachment;
    emits->attachment_bytes = 0;
    emits->has_attachment = false;
}

std::string_view records_of(const HeldEmits* emits) { return {emits->records, emits->used}; }

// The last moment at which anything may fail.
void before_commit(HeldEmits* emits) {
    if (emits->used == 0) {
        return;
    }
    if (reserve_in_queue(emits->used)) {
        emits->reserved = emits->used;
        return;
    }
    notify_records(records_of(emits));
    emits->has_fallen_back = true;
    emits->counts.notify.emits += emits->counts.worker.emits;
    emits->counts.notify.bytes += emits->counts.worker.bytes;
    emits->counts.notify.attachments += emits->counts.worker.attachments;
    emits->counts.worker = {};
}

void after_commit(const HeldEmits* emits) {
    if (emits->reserved > 0) {
        append_to_queue(records_of(emits));
    }
    count_emits(emits->counts);
    if (emits->has_fallen_back) {
        count_fallback();
    }
}

void refuse_to_prepare(const HeldEmits* emits) {
    if (emits->used > 0) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot PREPARE a transaction that has emitted"),
                        errhint("Emit in a transaction of its own, or COMMIT instead.")));
    }
}

void on_transaction(XactEvent event, void*) {
    is_sealed = event == XACT_EVENT_PRE_COMMIT;
    if (held == nullptr) {
        return;
    }
    switch (event) {
        case XACT_EVENT_PRE_COMMIT:
            return before_commit(held);
        case XACT_EVENT_PRE_PREPARE:
            return refuse_to_prepare(held);
        case XACT_EVENT_COMMIT:
            after_commit(held);
            break;
        case XACT_EVENT_ABORT:
            if (held->reserved > 0) {
                give_back_in_queue(held->reserved);
            }
            break;
        case XACT_EVENT_PREPARE:
            break;
        default:
            return;
    }
    held = nullptr;  // the transaction's memory goes with it
}

// Back to where a level began.
void drop_level(HeldEmits* emits) {
    const Level& level = emits->levels[--emits->level_count];
    emits->used = level.begin;
    emits->counts = level.counts;
    emits->has_attachment = false;
    emits->attachment_bytes = 0;
}

void on_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
    if (held == nullptr || held->level_count == 0) {
        return;
    }
    const int nest_level = GetCurrentTransactionNestLevel();
    Level& innermost = held->levels[held->level_count - 1];
    if (innermost.nest_level < nest_level) {
        return;
    }
    if (event == SUBXACT_EVENT_ABORT_SUB) {
        drop_level(held);
    } else if (event == SUBXACT_EVENT_COMMIT_SUB) {
        const bool has_outer =
            held->level_count > 1 && held->levels[held->level_count - 2].nest_level == nest_level - 1;
        if (has_outer) {
            --held->level_count;
        } else {
            innermost.nest_level = nest_level - 1;
        }
    }
}

}  // namespace

void watch_transactions() {
    RegisterXactCallback(on_transaction, nullptr);
    RegisterSubXactCallback(on_subtransaction, nullptr);
}

bool holds_notifications() { return held != nullptr && held->used > 0; }

void hold_notification(const Channel& channel, const char* payload, std::size_t payload_bytes) {
    if (IsParallelWorker()) {
        elog(ERROR, "cannot emit from a parallel worker");  // as NOTIFY says: its transaction is not what commits
    }
    HeldEmits* emits = current();
    if (is_sealed) {  // by what another extension does as the transaction commits
        Async_Notify(channel.name, payload);
        count(emits, emits->counts.notify, payload_bytes);
        return;
    }
    enter_level(emits);
    const std::size_t channel_size = std::strlen(channel.name) + 1;
    const std::size_t payload_size = payload_bytes + 1;
    const std::size_t size = MAXALIGN(sizeof(DeliveryRecord) + channel_size + payload_size);
    char* place = make_room(emits, size);
    *reinterpret_cast<DeliveryRecord*>(place) = {static_cast<std::uint32_t>(size),
                                                 static_cast<std::uint32_t>(channel_size)};
    std::memcpy(place + sizeof(DeliveryRecord), channel.name, channel_size);
    std::memcpy(place + sizeof(DeliveryRecord) + channel_size, payload, payload_size);
    emits->used += size;
    count(emits, emits->counts.worker, payload_bytes);
}

void count_notification(std::size_t bytes) {
    HeldEmits* emits = current();
    enter_level(emits);
    count(emits, emits->counts.notify, bytes);
}

void count_attachment(std::size_t bytes) {
    if (are_notifications_postponed()) {
        postpone_attachment_count(bytes);
        return;
    }
    HeldEmits* emits = current();
    enter_level(emits);
    emits->attachment_bytes = bytes;
    emits->has_attachment = true;
}

}  // namespace socketio
