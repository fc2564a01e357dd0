// See notify.h.

#include "backend/notify.h"

#include "backend/delivery_queue.h"
#include "backend/held_emits.h"
#include "backend/settings.h"
#include "backend/statement_order.h"

extern "C" {
#include "access/xlog.h"
#include "commands/async.h"
#include "storage/proc.h"
}

namespace socketio {

namespace {

LocalTransactionId current_transaction() {
#if PG_VERSION_NUM >= 170000
    return MyProc->vxid.lxid;
#else
    return MyProc->lxid;
#endif
}

}  // namespace

void require_primary() {
    if (RecoveryInProgress()) {
        ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION), errmsg("cannot emit during recovery"),
                        errdetail("This server is a standby, and NOTIFY works on a primary only."),
                        errhint("Emit through a connection to the primary server.")));
    }
}

std::uint32_t next_seq() {
    if (has_delivery_queues()) {
        return next_in_server();  // the worker's transaction holds messages of many
    }
    static LocalTransactionId transaction = InvalidLocalTransactionId;
    static std::uint32_t count = 0;
    if (transaction != current_transaction()) {
        transaction = current_transaction();
        count = 0;
    }
    return ++count;
}

Announcement next_announcement() {
    const bool is_held = settings.delivery == kDeliverByWorker || holds_notifications();
    return is_held && !is_commit_under_way() ? Announcement::kByWorker : Announcement::kAtCommit;
}

void notify(const Channel& channel, const char* payload, std::size_t size, const Attachment* attachment) {
    if (are_notifications_postponed()) {
        postpone_notification(channel, payload, size, attachment);
        return;
    }
    if (next_announcement() == Announcement::kByWorker) {
        hold_notification(channel, payload, size, attachment);
        return;
    }
    Async_Notify(channel.name, payload);
    if (has_delivery_queues()) {
        count_notification(size, attachment);
    }
}

}  // namespace socketio
