// See row_groups.h.

#include "backend/row_groups.h"

#include <algorithm>

#include "backend/text.h"

extern "C" {
#include "commands/tablespace.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"
}

namespace socketio {

namespace {

// So that the rows of a large statement do not go through a file where work_mem has its default.
constexpr std::size_t kLeastMemory = 16 * 1024 * 1024;

struct GroupEntry {
    const ChangeTarget* target;  // the key
    RowGroup* group;
};

bool same_rooms(const Rooms& a, const Rooms& b) {
    return a.count == b.count && std::equal(a.begin(), a.end(), b.begin());
}

// The name of an event that is the same for every row is the same piece of memory, too.
bool same_event(std::string_view a, std::string_view b) { return a.data() == b.data() || a == b; }

bool same_target(const ChangeTarget& a, const ChangeTarget& b) {
    return same_event(a.event, b.event) && same_rooms(a.rooms, b.rooms) && same_rooms(a.except, b.except);
}

std::uint32_t hash_text(std::uint32_t seed, std::string_view text) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    return hash_combine(seed, hash_bytes(bytes, static_cast<int>(text.size())));
}

std::uint32_t hash_rooms(std::uint32_t seed, const Rooms& rooms) {
    std::uint32_t hash = hash_combine(seed, static_cast<std::uint32_t>(rooms.count));
    for (const std::string_view room : rooms) {
        hash = hash_text(hash, room);
    }
    return hash;
}

// Never called: whoever searches knows the hash.
std::uint32_t hash_unknown(const void*, Size) { elog(ERROR, "a group was looked up without its hash"); }

int match_targets(const void* a, const void* b, Size) {
    return !same_target(**static_cast<const ChangeTarget* const*>(a), **static_cast<const ChangeTarget* const*>(b));
}

HTAB* create_table(MemoryContext context) {
    HASHCTL control = {};
    control.keysize = sizeof(const ChangeTarget*);
    control.entrysize = sizeof(GroupEntry);
    control.hash = hash_unknown;
    control.match = match_targets;
    control.hcxt = context;
    return hash_create("socketio_emitter groups", 256, &control,
                       HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

Rooms copy_rooms(const Rooms& rooms) {
    if (rooms.empty()) {
        return {};
    }
    auto* names = static_cast<std::string_view*>(palloc(rooms.count * sizeof(std::string_view)));
    std::transform(rooms.begin(), rooms.end(), names, copy_text);
    return {names, rooms.count};
}

}  // namespace

RowGroups::RowGroups(const ChangePlan* plan, ChangeOp op)
    : plan_(plan),
      op_(op),
      context_(CurrentMemoryContext),
      rows_context_(GenerationContextCreate(context_, "socketio_emitter rows", 0, 8 * 1024, 8 * 1024 * 1024)),
      table_(create_table(context_)) {}

std::uint32_t RowGroups::hash(const ChangeTarget& target) const {
    const std::uint32_t seed = plan_->event.names_columns() ? hash_text(0, target.event) : 0;
    return hash_rooms(hash_rooms(seed, target.rooms), target.except);
}

RowGroup* RowGroups::append_group(const ChangeTarget& target) {
    auto* group = static_cast<RowGroup*>(palloc0(sizeof(RowGroup)));
    group->target = {plan_->event.names_columns() ? copy_text(target.event) : target.event, copy_rooms(target.rooms),
                     copy_rooms(target.except)};
    (last_ == nullptr ? first_ : last_->next) = group;
    return last_ = group;
}

RowGroup* RowGroups::find(const ChangeTarget& target) {
    if (recent_ != nullptr && same_target(recent_->target, target)) {
        return recent_;
    }
    const ChangeTarget* key = &target;
    bool is_known;
    auto* entry =
        static_cast<GroupEntry*>(hash_search_with_hash_value(table_, &key, hash(target), HASH_ENTER, &is_known));
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
    if (in_memory_ > std::max(kLeastMemory, get_hash_memory_limit())) {
        spill();
    }
    MemoryContextSwitchTo(caller_context);
}

void RowGroups::spill_group(RowGroup* group) {
    StoredRun run = {};
    BufFileTell(file_, &run.file, &run.offset);
    run.count = group->count;
    BufFileWrite(file_, &group->last_run, sizeof(StoredRun));
    for (StoredChange* stored = group->first; stored != nullptr; stored = stored->next) {
        BufFileWrite(file_, stored, stored->size());
    }
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

}  // namespace socketio
