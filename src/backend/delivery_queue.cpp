// See delivery_queue.h.

#include "backend/delivery_queue.h"

#include <algorithm>
#include <cstring>

#include "backend/delivery_record.h"
#include "backend/delivery_worker.h"
#include "backend/settings.h"
#include "backend/wait_event.h"

extern "C" {
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/syscache.h"
}

namespace socketio {

namespace {

constexpr char kName[] = "socketio_emitter";
constexpr long kRecheck = 1000;    // milliseconds after which one who waits for room looks after the worker
constexpr int kStartAgain = 1000;  // milliseconds before another one is asked for

struct SharedPath {
    pg_atomic_uint64 emits;
    pg_atomic_uint64 bytes;
    pg_atomic_uint64 attachments;
};

// One database's queue. What is not atomic is under its lock.
struct Queue {
    Oid database;  // InvalidOid while nobody has it; changed under the directory's lock, too
    std::uint64_t head;
    std::uint64_t tail;
    std::uint64_t reserved;
    std::uint64_t high_water;
    ConditionVariable room;
    Latch* worker_latch;
    int worker_pid;
    TimestampTz asked_for_worker;
    SharedPath notify;
    SharedPath worker;
    pg_atomic_uint64 fallbacks;
    std::uint64_t worker_starts;
    int vain_starts;        // of workers in a row that could not connect
    TimestampTz last_used;  // when records were put in
    char last_error[sizeof(QueueStatus::last_error)];
    TimestampTz last_error_at;
    TimestampTz reset_at;
};

struct Shared {
    std::uint64_t size;  // of each queue's ring
    int count;
    pg_atomic_uint32 next_number;
    LWLockPadded* locks;  // the directory's, then each queue's
    char* rings;
    Queue queues[FLEXIBLE_ARRAY_MEMBER];
};

Shared* shared = nullptr;
Queue* own_queue = nullptr;  // of this backend's database, as far as it knows

shmem_request_hook_type previous_request_hook;
shmem_startup_hook_type previous_startup_hook;

Size ring_size() { return MAXALIGN(static_cast<Size>(settings.queue_size) * 1024); }

Size shared_size() {
    const Size count = static_cast<Size>(settings.max_databases);
    const Size state = MAXALIGN(offsetof(Shared, queues) + count * sizeof(Queue));
    return add_size(state, mul_size(count, ring_size()));
}

LWLock* directory_lock() { return &shared->locks[0].lock; }
int index_of(const Queue* queue) { return static_cast<int>(queue - shared->queues); }
LWLock* lock_of(const Queue* queue) { return &shared->locks[1 + index_of(queue)].lock; }
char* ring_of(const Queue* queue) { return shared->rings + index_of(queue) * shared->size; }

// Holds a queue's lock. Not for code that may raise an ERROR: nothing here does. (start_worker() would for a worker that is
// described wrongly.)
class QueueLock {
  public:
    explicit QueueLock(const Queue* queue) : lock_(lock_of(queue)) { LWLockAcquire(lock_, LW_EXCLUSIVE); }
    ~QueueLock() { LWLockRelease(lock_); }
    QueueLock(const QueueLock&) = delete;
    QueueLock& operator=(const QueueLock&) = delete;

  private:
    LWLock* lock_;
};

void reset_path(SharedPath& path) {
    pg_atomic_write_u64(&path.emits, 0);
    pg_atomic_write_u64(&path.bytes, 0);
    pg_atomic_write_u64(&path.attachments, 0);
}

void reset_counts(Queue* queue) {
    reset_path(queue->notify);
    reset_path(queue->worker);
    pg_atomic_write_u64(&queue->fallbacks, 0);
    queue->worker_starts = 0;
    queue->high_water = queue->head - queue->tail + queue->reserved;
    queue->last_error[0] = '\0';
    queue->last_error_at = 0;
    queue->reset_at = GetCurrentTimestamp();
}

void initialise_path(SharedPath& path) {
    pg_atomic_init_u64(&path.emits, 0);
    pg_atomic_init_u64(&path.bytes, 0);
    pg_atomic_init_u64(&path.attachments, 0);
}

void initialise_queue(Queue* queue) {
    std::memset(static_cast<void*>(queue), 0, sizeof *queue);
    ConditionVariableInit(&queue->room);
    initialise_path(queue->notify);
    initialise_path(queue->worker);
    pg_atomic_init_u64(&queue->fallbacks, 0);
}

void request() {
    if (previous_request_hook != nullptr) {
        previous_request_hook();
    }
    RequestAddinShmemSpace(shared_size());
    RequestNamedLWLockTranche(kName, 1 + settings.max_databases);
}

void start_up() {
    if (previous_startup_hook != nullptr) {
        previous_startup_hook();
    }
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    bool found;
    shared = static_cast<Shared*>(ShmemInitStruct(kName, shared_size(), &found));
    if (!found) {
        shared->size = ring_size();
        shared->count = settings.max_databases;
        pg_atomic_init_u32(&shared->next_number, 0);
        shared->locks = GetNamedLWLockTranche(kName);
        shared->rings = reinterpret_cast<char*>(shared) + shared_size() - shared->count * shared->size;
        std::for_each(shared->queues, shared->queues + shared->count, [](Queue& queue) { initialise_queue(&queue); });
    }
    LWLockRelease(AddinShmemInitLock);
}

// Databases that had a queue and are no more. Reads the catalogs, so without a lock in hand.
struct GoneDatabases {
    Oid* oids;
    int count;

    bool has(Oid database) const { return std::find(oids, oids + count, database) != oids + count; }
};

GoneDatabases find_gone_databases() {
    GoneDatabases gone = {static_cast<Oid*>(palloc(shared->count * sizeof(Oid))), 0};
    LWLockAcquire(directory_lock(), LW_SHARED);
    std::transform(shared->queues, shared->queues + shared->count, gone.oids,
                   [](const Queue& queue) { return queue.database; });
    LWLockRelease(directory_lock());
    const auto is_there = [](Oid database) { return SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database)); };
    gone.count = static_cast<int>(std::remove_if(gone.oids, gone.oids + shared->count, is_there) - gone.oids);
    return gone;
}

// The queue that its database will miss least, if it is not in use: one whose database is gone, else the one that was used
// longest ago, and is empty. Under the directory's lock.
Queue* find_dispensable(const GoneDatabases& gone) {
    Queue* found = nullptr;
    for (Queue* queue = shared->queues; queue != shared->queues + shared->count; ++queue) {
        QueueLock lock(queue);
        if (queue->worker_pid != 0 || queue->reserved > 0) {
            continue;
        }
        if (gone.has(queue->database)) {
            return queue;
        }
        if (queue->head == queue->tail && (found == nullptr || queue->last_used < found->last_used)) {
            found = queue;
        }
    }
    return found;
}

void give_to_database(Queue* queue, Oid database) {
    QueueLock lock(queue);
    queue->tail = queue->head;
    queue->vain_starts = 0;
    queue->asked_for_worker = 0;
    queue->last_used = GetCurrentTimestamp();
    reset_counts(queue);
    queue->database = database;
}

Queue* find_queue(Oid database) {
    Queue* end = shared->queues + shared->count;
    Queue* found =
        std::find_if(shared->queues, end, [database](const Queue& queue) { return queue.database == database; });
    return found == end ? nullptr : found;
}

Queue* find_or_claim(const GoneDatabases* gone) {
    if (Queue* queue = find_queue(MyDatabaseId)) {
        return queue;
    }
    Queue* queue = find_queue(InvalidOid);  // one that nobody has
    if (queue == nullptr && gone != nullptr) {
        queue = find_dispensable(*gone);
    }
    if (queue != nullptr) {
        give_to_database(queue, MyDatabaseId);
    }
    return queue;
}

Queue* look_up_queue(const GoneDatabases* gone) {
    LWLockAcquire(directory_lock(), LW_EXCLUSIVE);
    Queue* queue = find_or_claim(gone);
    LWLockRelease(directory_lock());
    return queue;
}

// The queue of this backend's database, which gets one that is free if it has none; else null. Never fails.
Queue* queue_to_count_in() {
    if (own_queue == nullptr || own_queue->database != MyDatabaseId) {
        own_queue = look_up_queue(nullptr);
    }
    return own_queue;
}

// The same, but it may take one from another database.
Queue* queue_to_reserve_in() {
    if (queue_to_count_in() == nullptr) {
        const GoneDatabases gone = find_gone_databases();
        own_queue = look_up_queue(&gone);
    }
    return own_queue;
}

// Once a session: there is no row in socketio_stats to count it in.
void log_lack_of_queues() {
    static bool is_logged = false;
    if (!is_logged) {
        is_logged = true;
        ereport(LOG, (errmsg("database %u has no queue for the delivery of emits", MyDatabaseId),
                      errhint("Increase socketio_emitter.max_databases, which is %d.", shared->count)));
    }
}

enum class Room {
    kReserved,
    kFull,
    kLost,      // the queue is another database's now: it changed hands while nobody used it
    kNoWorker,  // and none can be started
};

// Whether a worker runs or has been asked for. Under the queue's lock, so that nobody relies on one that the postmaster will
// not start.
bool ensure_worker(Queue* queue) {
    if (queue->worker_pid != 0) {
        return true;
    }
    if (queue->vain_starts > 0) {
        return false;  // the postmaster goes on trying
    }
    const TimestampTz now = GetCurrentTimestamp();
    const bool is_recent =
        queue->asked_for_worker <= now && !TimestampDifferenceExceeds(queue->asked_for_worker, now, kStartAgain);
    if (is_recent) {
        return true;
    }
    if (!start_worker(MyDatabaseId)) {
        return false;
    }
    queue->asked_for_worker = now;
    return true;
}

Room try_to_reserve(Queue* queue, std::size_t size) {
    QueueLock lock(queue);
    if (queue->database != MyDatabaseId) {
        return Room::kLost;
    }
    if (!ensure_worker(queue)) {
        return Room::kNoWorker;
    }
    const std::uint64_t taken = queue->head - queue->tail + queue->reserved;
    if (taken + size > shared->size) {
        return Room::kFull;
    }
    queue->reserved += size;
    queue->high_water = std::max(queue->high_water, taken + size);
    return Room::kReserved;
}

void copy_into_ring(Queue* queue, std::string_view bytes) {
    char* ring = ring_of(queue);
    const std::size_t begin = queue->head % shared->size;
    const std::size_t before_wrap = std::min(bytes.size(), shared->size - begin);
    std::memcpy(ring + begin, bytes.data(), before_wrap);
    std::memcpy(ring, bytes.data() + before_wrap, bytes.size() - before_wrap);
}

void copy_out_of_ring(const Queue* queue, char* bytes, std::size_t size) {
    const char* ring = ring_of(queue);
    const std::size_t begin = queue->tail % shared->size;
    const std::size_t before_wrap = std::min(size, shared->size - begin);
    std::memcpy(bytes, ring + begin, before_wrap);
    std::memcpy(bytes + before_wrap, ring, size - before_wrap);
}

std::size_t whole_records(const char* records, std::size_t size) {
    std::size_t whole = 0;
    while (size - whole >= sizeof(DeliveryRecord)) {
        const std::size_t next = reinterpret_cast<const DeliveryRecord*>(records + whole)->size;
        if (next > size - whole) {
            break;
        }
        whole += next;
    }
    return whole;
}

void count_path(SharedPath& path, const PathCounts& counts) {
    if (counts.emits > 0) {
        pg_atomic_fetch_add_u64(&path.emits, static_cast<std::int64_t>(counts.emits));
        pg_atomic_fetch_add_u64(&path.bytes, static_cast<std::int64_t>(counts.bytes));
        pg_atomic_fetch_add_u64(&path.attachments, static_cast<std::int64_t>(counts.attachments));
    }
}

PathCounts read_path(SharedPath& path) {
    return {pg_atomic_read_u64(&path.emits), pg_atomic_read_u64(&path.bytes), pg_atomic_read_u64(&path.attachments)};
}

bool attach(Queue* queue) {
    QueueLock lock(queue);
    if (queue->worker_pid != 0) {
        return false;
    }
    if (queue->head == queue->tail && queue->reserved == 0) {
        queue->asked_for_worker = 0;  // whoever asked has rolled back; the next one has to ask again
        queue->vain_starts = 0;
        return false;
    }
    ++queue->vain_starts;
    ++queue->worker_starts;
    queue->worker_pid = MyProcPid;
    queue->worker_latch = MyLatch;
    return true;
}

void set_error(Queue* queue, const char* message) {
    const int length = pg_mbcliplen(message, static_cast<int>(std::strlen(message)), sizeof queue->last_error - 1);
    std::memcpy(queue->last_error, message, length);
    queue->last_error[length] = '\0';
    queue->last_error_at = GetCurrentTimestamp();
}

// Whoever waits for room may have some now.
void wake_waiting(Queue* queue) { ConditionVariableBroadcast(&queue->room); }

}  // namespace

void request_delivery_queues() {
    previous_request_hook = shmem_request_hook;
    shmem_request_hook = request;
    previous_startup_hook = shmem_startup_hook;
    shmem_startup_hook = start_up;
}

bool has_delivery_queues() { return shared != nullptr; }

std::uint32_t next_in_server() {
    constexpr std::uint32_t kBlock = 64;  // taken at once, so that backends do not fight over a number for each emit
    static std::uint32_t last = 0;
    static std::uint32_t left = 0;
    if (left == 0) {
        last = pg_atomic_fetch_add_u32(&shared->next_number, kBlock);
        left = kBlock;
    }
    --left;
    return ++last;
}

bool reserve_in_queue(std::size_t size) {
    if (size > shared->size) {
        return false;
    }
    Room room = Room::kLost;
    while (room == Room::kFull || room == Room::kLost) {
        Queue* queue = queue_to_reserve_in();
        if (queue == nullptr) {
            log_lack_of_queues();
            break;
        }
        room = try_to_reserve(queue, size);
        if (room == Room::kFull) {
            ConditionVariableTimedSleep(&queue->room, kRecheck, wait_event("SocketioQueueFull"));
        }
    }
    ConditionVariableCancelSleep();
    return room == Room::kReserved;
}

void append_to_queue(std::string_view records) {
    Latch* worker;
    {
        QueueLock lock(own_queue);
        copy_into_ring(own_queue, records);
        own_queue->head += records.size();
        own_queue->reserved -= records.size();
        own_queue->last_used = GetCurrentTimestamp();
        worker = own_queue->worker_latch;
    }
    if (worker != nullptr) {
        SetLatch(worker);
    }
}

void give_back_in_queue(std::size_t size) {
    {
        QueueLock lock(own_queue);
        own_queue->reserved -= size;
    }
    wake_waiting(own_queue);
}

void count_emits(const DeliveryCounts& counts) {
    if (Queue* queue = queue_to_count_in()) {
        count_path(queue->notify, counts.notify);
        count_path(queue->worker, counts.worker);
    }
}

void count_fallback() {
    if (Queue* queue = queue_to_count_in()) {
        pg_atomic_fetch_add_u64(&queue->fallbacks, 1);
    }
}

bool attach_worker(Oid database) {
    LWLockAcquire(directory_lock(), LW_SHARED);
    own_queue = find_queue(database);
    const bool is_attached = own_queue != nullptr && attach(own_queue);
    LWLockRelease(directory_lock());
    return is_attached;
}

int count_vain_starts() {
    QueueLock lock(own_queue);
    return own_queue->vain_starts - 1;
}

void note_worker_connected() {
    QueueLock lock(own_queue);
    own_queue->vain_starts = 0;
}

void abandon_queue() {
    QueueLock lock(own_queue);
    own_queue->tail = own_queue->head;
    own_queue->vain_starts = 0;
}

std::size_t read_queue(char* records, std::size_t capacity) {
    std::size_t size;
    {
        QueueLock lock(own_queue);
        size = std::min<std::size_t>(own_queue->head - own_queue->tail, capacity);
    }
    // Nobody else moves the tail, and nothing is written between it and the head.
    copy_out_of_ring(own_queue, records, size);
    return whole_records(records, size);
}

void advance_queue(std::size_t size) {
    {
        QueueLock lock(own_queue);
        own_queue->tail += size;
    }
    wake_waiting(own_queue);
}

void note_worker_error(const char* message) {
    QueueLock lock(own_queue);
    set_error(own_queue, message);
}

bool detach_idle_worker() {
    QueueLock lock(own_queue);
    if (own_queue->head != own_queue->tail || own_queue->reserved > 0) {
        return false;
    }
    own_queue->worker_pid = 0;
    own_queue->worker_latch = nullptr;
    own_queue->asked_for_worker = 0;  // the next one may be asked for at once
    return true;
}

void detach_worker() {
    {
        QueueLock lock(own_queue);
        if (own_queue->worker_pid != MyProcPid) {
            return;
        }
        own_queue->worker_pid = 0;
        own_queue->worker_latch = nullptr;
        if (own_queue->vain_starts > 0) {
            set_error(own_queue, "could not connect to the database; the server's log says why");
        }
    }
    wake_waiting(own_queue);
}

int queue_count() { return shared == nullptr ? 0 : shared->count; }

bool read_queue_status(int index, QueueStatus& status) {
    Queue* queue = &shared->queues[index];
    QueueLock lock(queue);
    status.database = queue->database;
    status.counts = {read_path(queue->notify), read_path(queue->worker)};
    status.size = shared->size;
    status.used = queue->head - queue->tail;
    status.high_water = queue->high_water;
    status.fallbacks = pg_atomic_read_u64(&queue->fallbacks);
    status.worker_starts = queue->worker_starts;
    status.worker_pid = queue->worker_pid;
    status.last_error_at = queue->last_error_at;
    status.reset_at = queue->reset_at;
    std::memcpy(status.last_error, queue->last_error, sizeof status.last_error);
    return status.database != InvalidOid;
}

void reset_queue_counts(Oid database) {
    for (int i = 0; i < queue_count(); ++i) {
        Queue* queue = &shared->queues[i];
        QueueLock lock(queue);
        if (database == InvalidOid || queue->database == database) {
            reset_counts(queue);
        }
    }
}

}  // namespace socketio
