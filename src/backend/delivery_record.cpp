// See delivery_record.h.

#include "backend/delivery_record.h"

#include <cstring>

extern "C" {
#include "commands/async.h"
#include "miscadmin.h"
}

namespace socketio {

Oid DeliveryRecord::table() const {
    Oid table;  // it is not aligned there
    std::memcpy(&table, row(), sizeof table);
    return table;
}

void notify_records(std::string_view records) {
    while (!records.empty()) {
        CHECK_FOR_INTERRUPTS();
        const DeliveryRecord* record = record_at(records);
        Async_Notify(record->channel(), record->payload());
        records.remove_prefix(record->size);
    }
}

}  // namespace socketio
