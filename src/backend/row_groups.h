// The rows of a statement, sorted into those that go to the same target.
//
// Rows are kept in memory, as many as a hash join would keep, or 16 MB of them. More are written to a temporary file, group by
// group, to be read back one group after another. What remains in memory grows with the groups, of which each is a message
// at least, but not with the rows.

#pragma once

#include <cstdint>

#include "backend/change_plan.h"
#include "backend/change_target.h"
#include "backend/row_change.h"
#include "backend/stored_change.h"

extern "C" {
#include "storage/buffile.h"
#include "utils/hsearch.h"
}

namespace socketio {

// Changes of one group that stand in the file one behind another. The place of the group's run before this one stands there
// first.
struct StoredRun {
    int file;
    off_t offset;
    std::uint32_t count;  // 0 where there is no run
};

struct RowGroup {
    RowGroup* next;
    ChangeTarget target;
    StoredRun last_run;
    StoredChange* first;
    StoredChange* last;
    std::uint32_t count;        // of the changes in memory
    std::uint64_t total_count;  // and in the file
};

class RowGroups {
  public:
    // Memory comes from CurrentMemoryContext and lives as long as it.
    RowGroups(const ChangePlan* plan, ChangeOp op);

    void add(const ChangeTarget& target, const RowChange& change);

    // The groups in the order of their first changes.
    RowGroup* first() const { return first_; }

    const ChangePlan* plan() const { return plan_; }
    ChangeOp op() const { return op_; }

    // Where runs are; null where there are none.
    BufFile* file() const { return file_; }

    void close();

  private:
    RowGroup* find(const ChangeTarget& target);
    std::uint32_t hash(const ChangeTarget& target) const;
    RowGroup* append_group(const ChangeTarget& target);
    void spill();
    void spill_group(RowGroup* group);

    const ChangePlan* plan_;
    ChangeOp op_;
    MemoryContext context_;
    MemoryContext rows_context_;  // the changes in memory
    HTAB* table_;
    RowGroup* first_ = nullptr;
    RowGroup* last_ = nullptr;
    RowGroup* recent_ = nullptr;  // where the last change went: the next one often goes there, too
    BufFile* file_ = nullptr;
    std::size_t in_memory_ = 0;
};

}  // namespace socketio
