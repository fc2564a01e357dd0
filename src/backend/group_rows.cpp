// See group_rows.h.

#include "backend/group_rows.h"

extern "C" {
#include "miscadmin.h"
}

namespace socketio {

namespace {

void read_exactly(BufFile* file, void* memory, std::size_t size) {
    if (BufFileRead(file, memory, size) != size) {
        elog(ERROR, "could not read the rows of a statement back from a temporary file");
    }
}

// The rows of a group lie far from each other, among those of all the others: have the next one on its way while this one is
// being encoded (make bench).
void fetch_ahead(const StoredChange* stored) {
    constexpr int kLine = 64;
    constexpr int kLines = 3;  // of a row of ordinary size
    const auto* bytes = reinterpret_cast<const char*>(stored);
    for (int i = 0; i < kLines && stored != nullptr; ++i) {
        __builtin_prefetch(bytes + i * kLine);
    }
}

void seek(BufFile* file, const StoredRun& run) {
    if (BufFileSeek(file, run.file, run.offset, SEEK_SET) != 0) {
        elog(ERROR, "could not find the rows of a statement in a temporary file");
    }
}

}  // namespace

GroupRows::GroupRows(const RowGroups& groups)
    : file_(groups.file()),
      reader_(groups.op(), groups.plan()->descriptor),
      runs_(static_cast<StoredRun*>(palloc(kFewRuns * sizeof(StoredRun)))),
      buffer_(static_cast<StoredChange*>(palloc(sizeof(StoredChange)))),
      buffer_size_(sizeof(StoredChange)) {}

void GroupRows::open(const RowGroup* group) {
    in_memory_ = group->first;
    find_runs(group);
    open_next_run();
}

// Each run says where the one before it is.
void GroupRows::find_runs(const RowGroup* group) {
    run_count_ = 0;
    for (StoredRun run = group->last_run; run.count > 0;) {
        if (run_count_ == run_capacity_) {
            run_capacity_ *= 2;
            runs_ = static_cast<StoredRun*>(repalloc(runs_, run_capacity_ * sizeof(StoredRun)));
        }
        runs_[run_count_++] = run;
        seek(file_, run);
        read_exactly(file_, &run, sizeof run);
    }
}

void GroupRows::open_next_run() {
    if (run_count_ == 0) {
        left_in_run_ = 0;
        return;
    }
    const StoredRun& run = runs_[--run_count_];
    left_in_run_ = run.count;
    seek(file_, run);
    StoredRun before;
    read_exactly(file_, &before, sizeof before);
}

StoredChange* GroupRows::next_in_file() {
    read_exactly(file_, buffer_, sizeof(StoredChange));
    const std::size_t size = buffer_->size();
    if (size > buffer_size_) {
        buffer_ = static_cast<StoredChange*>(repalloc(buffer_, size));
        buffer_size_ = size;
    }
    read_exactly(file_, buffer_->row(), size - sizeof(StoredChange));
    if (--left_in_run_ == 0) {
        open_next_run();
    }
    return buffer_;
}

StoredChange* GroupRows::next_stored() {
    if (left_in_run_ > 0) {
        return next_in_file();
    }
    StoredChange* stored = in_memory_;
    in_memory_ = stored == nullptr ? nullptr : stored->next;
    fetch_ahead(in_memory_);
    return stored;
}

const RowChange* GroupRows::next() {
    CHECK_FOR_INTERRUPTS();
    StoredChange* stored = next_stored();
    return stored == nullptr ? nullptr : reader_.read(stored);
}

}  // namespace socketio
