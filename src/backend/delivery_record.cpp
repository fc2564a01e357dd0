// See delivery_record.h.

#include "backend/delivery_record.h"

#include "backend/server.h"

extern "C" {
#include "commands/async.h"
#include "miscadmin.h"
}

namespace socketio {

void notify_records(std::string_view records) {
    while (!records.empty()) {
        CHECK_FOR_INTERRUPTS();
        const auto* record = reinterpret_cast<const DeliveryRecord*>(records.data());
        Async_Notify(record->channel(), record->payload());
        records.remove_prefix(record->size);
    }
}

}  // namespace socketio
