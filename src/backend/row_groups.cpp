// See row_groups.h.

#include "backend/row_groups.h"

#include <algorithm>
#include <cstring>

extern "C" {
#include "access/htup_details.h"
#include "commands/tablespace.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"
}

namespace socketio {

namespace {

struct GroupEntry {
    const ChangeTarget* target;  // the key
    RowGroup* group;
};

bool same_rooms(const Rooms& a, const Rooms& b) {
    return a.count == b.count && std::equal(a.begin(), a.end(), b.begin());
}

bool same_target(const ChangeTarget& a, const ChangeTarget& b) {
    return a.event == b.event && same_rooms(a.rooms, b.rooms) && same_rooms(a.except, b.except);
}

std::uint32_t hash_text(std::uint32_t seed, std::string_view text) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    return hash_combine(seed, hash_bytes(bytes, static_cast<int>(text.size())));
}

std::uint32_t hash_target(const void* key, Size) {
    const ChangeTarget& target = **static_cast<const ChangeTarget* const*>(key);
    std::uint32_t hash = hash_text(static_cast<std::uint32_t>(target.rooms.count), target.event);
    for (const Rooms* rooms : {&target.rooms, &target.except}) {
        for (const std::string_view room : *rooms) {
            hash = hash_text(hash, room);
        }
    }
    return hash;
}

int match_targets(const void* a, const void* b, Size) {
    return !same_target(**static_cast<const ChangeTarget* const*>(a), **static_cast<const ChangeTarget* const*>(b));
}

HTAB* create_table(MemoryContext context) {
    HASHCTL control = {};
    control.keysize = sizeof(const ChangeTarget*);
    control.entrysize = sizeof(GroupEntry);
    control.hash = hash_target;
    control.match = match_targets;
    control.hcxt = context;
    return hash_create("socketio_emitter groups", 256, &control,
                       HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

std::string_view copy_text(std::string_view text) {
    char* copy = static_cast<char*>(palloc(text.size()));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

Rooms copy_rooms(const Rooms& rooms) {
    if (rooms.empty()) {
        return {};
    }
    auto* names = static_cast<std::string_view*>(palloc(rooms.count * sizeof(std::string_view)));
    std::transform(rooms.begin(), rooms.end(), names, copy_text);
    return {names, rooms.count};
}

ChangeTarget copy_target(const ChangeTarget& target) {
    return {copy_text(target.event), copy_rooms(target.rooms), copy_rooms(target.except)};
}

void read_exactly(BufFile* file, void* memory, std::size_t size) {
    if (BufFileRead(file, memory, size) != size) {
        elog(ERROR, "could not read the rows of a statement back from a temporary file");
    }
}

}  // namespace

RowGroups::RowGroups(ChangeOp op, TupleDesc descriptor)
    : op_(op),
      descriptor_(descriptor),
      context_(CurrentMemoryContext),
      rows_context_(GenerationContextCreate(context_, "socketio_emitter rows", 0, 8 * 1024, 8 * 1024 * 1024)),
      table_(create_table(context_)) {}

RowGroup* RowGroups::append_group(const ChangeTarget& target) {
    auto* group = static_cast<RowGroup*>(palloc0(sizeof(RowGroup)));
    group->target = copy_target(target);
    (last_ == nullptr ? first_ : last_->next) = group;
    return last_ = group;
}

RowGroup* RowGroups::find(const ChangeTarget& target) {
    if (recent_ != nullptr && same_target(recent_->target, target)) {
        return recent_;
    }
    const ChangeTarget* key = &target;
    bool is_known;
    auto* entry = static_cast<GroupEntry*>(hash_search(table_, &key, HASH_ENTER, &is_known));
    if (!is_known) {
        entry->group = append_group(target);
        entry->target = &entry->group->target;
    }
    return recent_ = entry->group;
}

void RowGroups::add(const ChangeTarget& target, const RowChange& change) {
    const MemoryContext caller_context = MemoryContextSwitchTo(context_);
    RowGroup* group = find(target);
    MemoryContextSwitchTo(rows_context_);
    StoredChange* stored = store_change(change);
    MemoryContextSwitchTo(context_);
    (group->last == nullptr ? group->first : group->last->next) = stored;
    group->last = stored;
    ++group->count;
    ++group->total_count;
    in_memory_ += stored->size();
    if (in_memory_ > get_hash_memory_limit()) {
        spill();
    }
    MemoryContextSwitchTo(caller_context);
}

void RowGroups::spill_group(RowGroup* group) {
    auto* run = static_cast<StoredRun*>(palloc0(sizeof(StoredRun)));
    BufFileTell(file_, &run->file, &run->offset);
    run->count = group->count;
    for (StoredChange* stored = group->first; stored != nullptr; stored = stored->next) {
        BufFileWrite(file_, stored, stored->size());
    }
    (group->last_run == nullptr ? group->first_run : group->last_run->next) = run;
    group->last_run = run;
    group->first = group->last = nullptr;
    group->count = 0;
}

void RowGroups::spill() {
    if (file_ == nullptr) {
        PrepareTempTablespaces();
        file_ = BufFileCreateTemp(false);
    }
    for (RowGroup* group = first_; group != nullptr; group = group->next) {
        if (group->count > 0) {
            spill_group(group);
        }
    }
    MemoryContextReset(rows_context_);
    in_memory_ = 0;
}

void RowGroups::close() {
    if (file_ != nullptr) {
        BufFileClose(file_);
    }
}

GroupRows::GroupRows(RowGroups& groups)
    : groups_(groups),
      reader_(groups.op_, groups.descriptor_),
      buffer_(static_cast<StoredChange*>(palloc(sizeof(StoredChange)))),
      buffer_size_(sizeof(StoredChange)) {}

void GroupRows::open(const RowGroup* group) {
    count_ = group->total_count;
    in_memory_ = group->first;
    open_run(group->first_run);
}

void GroupRows::open_run(const StoredRun* run) {
    run_ = run;
    if (run != nullptr) {
        left_in_run_ = run->count;
        BufFileSeek(groups_.file_, run->file, run->offset, SEEK_SET);
    }
}

StoredChange* GroupRows::next_in_file() {
    read_exactly(groups_.file_, buffer_, sizeof(StoredChange));
    const std::size_t size = buffer_->size();
    if (size > buffer_size_) {
        buffer_ = static_cast<StoredChange*>(repalloc(buffer_, size));
        buffer_size_ = size;
    }
    read_exactly(groups_.file_, buffer_->row(), size - sizeof(StoredChange));
    if (--left_in_run_ == 0) {
        open_run(run_->next);
    }
    return buffer_;
}

StoredChange* GroupRows::next_stored() {
    if (run_ != nullptr) {
        return next_in_file();
    }
    StoredChange* stored = in_memory_;
    in_memory_ = stored == nullptr ? nullptr : stored->next;
    return stored;
}

const RowChange* GroupRows::next() {
    CHECK_FOR_INTERRUPTS();
    StoredChange* stored = next_stored();
    return stored == nullptr ? nullptr : reader_.read(stored);
}

}  // namespace socketio
