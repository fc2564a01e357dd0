// socketio_stats and socketio_stats_reset: what was emitted in each database, which way, and how the queues are doing.

#include "backend/delivery_queue.h"
#include "backend/guard.h"

extern "C" {
#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"
}

namespace socketio {

namespace {

// The columns of socketio_stats, in order.
enum StatsColumn {
    kDatabase,
    kNotifyEmits,
    kNotifyBytes,
    kNotifyAttachments,
    kWorkerEmits,
    kWorkerBytes,
    kWorkerAttachments,
    kQueueSize,
    kQueueUsed,
    kQueueHighWater,
    kFallbacks,
    kWorkerPid,
    kWorkerStarts,
    kLastError,
    kLastErrorAt,
    kStatsReset,
    kStatsColumns
};

struct StatsRow {
    Datum values[kStatsColumns];
    bool nulls[kStatsColumns] = {};

    void set(StatsColumn column, std::uint64_t number) {
        values[column] = Int64GetDatum(static_cast<std::int64_t>(number));
    }
};

void set_path(StatsRow& row, StatsColumn first, const PathCounts& counts) {
    row.set(first, counts.emits);
    row.set(static_cast<StatsColumn>(first + 1), counts.bytes);
    row.set(static_cast<StatsColumn>(first + 2), counts.attachments);
}

// The text of another database may be in an encoding of its own.
void make_ascii(char* text) {
    for (; *text != '\0'; ++text) {
        if (IS_HIGHBIT_SET(*text)) {
            *text = '?';
        }
    }
}

StatsRow describe(QueueStatus& status) {
    if (status.database != MyDatabaseId) {
        make_ascii(status.last_error);
    }
    StatsRow row;
    row.values[kDatabase] = ObjectIdGetDatum(status.database);
    set_path(row, kNotifyEmits, status.counts.notify);
    set_path(row, kWorkerEmits, status.counts.worker);
    row.set(kQueueSize, status.size);
    row.set(kQueueUsed, status.used);
    row.set(kQueueHighWater, status.high_water);
    row.set(kFallbacks, status.fallbacks);
    row.values[kWorkerPid] = Int32GetDatum(status.worker_pid);
    row.nulls[kWorkerPid] = status.worker_pid == 0;
    row.set(kWorkerStarts, status.worker_starts);
    row.nulls[kLastError] = row.nulls[kLastErrorAt] = status.last_error_at == 0;
    row.values[kLastError] = CStringGetTextDatum(status.last_error);
    row.values[kLastErrorAt] = TimestampTzGetDatum(status.last_error_at);
    row.values[kStatsReset] = TimestampTzGetDatum(status.reset_at);
    return row;
}

// Other databases are nobody's business but those who may see all statistics.
bool may_see(const QueueStatus& status) {
    return status.database == MyDatabaseId || has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

Datum stats(FunctionCallInfo fcinfo) {
    InitMaterializedSRF(fcinfo, 0);
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    for (int i = 0; i < queue_count(); ++i) {
        QueueStatus status;
        if (read_queue_status(i, status) && may_see(status)) {
            StatsRow row = describe(status);
            tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.nulls);
        }
    }
    return Datum(0);
}

Datum stats_reset(FunctionCallInfo) {
    reset_queue_counts(superuser() ? InvalidOid : MyDatabaseId);
    PG_RETURN_VOID();
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_stats, socketio::stats);
SQL_FUNCTION(socketio_stats_reset, socketio::stats_reset);
