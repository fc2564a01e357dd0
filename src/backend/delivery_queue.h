// The queue between transactions that emit and the worker that notifies, one for each database, in shared memory.
//
// A transaction reserves room before it commits, and may wait for it or fail then. Once its commit is durable it copies its
// records in, which cannot fail. Room is a number of bytes, not a place: the place is taken with the copy, so that one that
// is slow to commit holds nobody up. A transaction that starts after another's COMMIT has returned comes after it. Of two
// that commit at the same time either may be first, even if one has seen the other's rows.
//
//     tail          head
//      |  records    |
//      v             v
//     [#############|......................]     head - tail + reserved <= size
//
// The worker reads from the tail on and moves it in the commit that notifies. What was copied and not yet notified is lost in a
// crash of the server, as NOTIFY's own queue is.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "backend/delivery_counts.h"
#include "backend/server.h"

extern "C" {
#include "storage/latch.h"
#include "utils/timestamp.h"
}

namespace socketio {

// What a queue is, for socketio_stats.
struct QueueStatus {
    Oid database;
    DeliveryCounts counts;
    std::uint64_t size;
    std::uint64_t used;
    std::uint64_t high_water;
    std::uint64_t fallbacks;
    std::uint64_t worker_starts;
    int worker_pid;  // 0 where none runs
    TimestampTz last_error_at;
    TimestampTz reset_at;
    char last_error[256];
};

// Ask for shared memory. Only while the server loads the libraries in shared_preload_libraries.
void request_delivery_queues();

// Whether there is any.
bool has_delivery_queues();

// The next of numbers that no other message of this server has (NOTIFY drops equal payloads of a transaction, and the worker's
// transaction holds messages of many).
std::uint32_t next_in_server();

// Reserve room for `size` bytes in the queue of this database, and see that a worker runs. While the queue is full, wait until
// there is room, or an interrupt. False where there will be none: the transaction has to notify by itself.
bool reserve_in_queue(std::size_t size);

// Copy records into reserved room, and wake the worker. Never fails.
void append_to_queue(std::string_view records);

void give_back_in_queue(std::size_t size);

// Count what a transaction has emitted. Never fails.
void count_emits(const DeliveryCounts& counts);
void count_fallback();

// For the worker alone, in the order of its life. False where it is of no use: the database has no queue, nothing in it, or
// another worker.
bool attach_worker(Oid database);

// How many workers in a row, before this one, could not connect to the database.
int count_vain_starts();
void note_worker_connected();

// Drop what is in the queue, whose database is gone.
void abandon_queue();

// Copy whole records from the tail on, as many as `capacity` bytes take, and return their size.
std::size_t read_queue(char* records, std::size_t capacity);

// Give the room of what was read back.
void advance_queue(std::size_t size);

void note_worker_error(const char* message);

// Leave, unless there are records or reservations: then false.
bool detach_idle_worker();
void detach_worker();

// The status of the `index`th queue; false where it has no database.
bool read_queue_status(int index, QueueStatus& status);
int queue_count();

// Begin the counts of a database anew; of all, where it is InvalidOid.
void reset_queue_counts(Oid database);

}  // namespace socketio
