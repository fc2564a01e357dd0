// Reading back the rows that RowGroups has sorted, from memory and from the file.

#pragma once

#include <cstdint>

#include "backend/row_change.h"
#include "backend/row_groups.h"
#include "backend/stored_change.h"

namespace socketio {

// Reads the changes of one group back, in the order in which they were added.
class GroupRows {
  public:
    // Memory comes from CurrentMemoryContext.
    explicit GroupRows(const RowGroups& groups);

    void open(const RowGroup* group);

    // The next change, valid until the one after; null at the end.
    const RowChange* next();

    void close() { reader_.close(); }

  private:
    static constexpr int kFewRuns = 16;

    void find_runs(const RowGroup* group);
    void open_next_run();
    StoredChange* next_stored();
    StoredChange* next_in_file();

    BufFile* file_;
    StoredChangeReader reader_;
    StoredRun* runs_;  // those of the group that are still to be read, the next one last
    int run_count_ = 0;
    int run_capacity_ = kFewRuns;
    std::uint32_t left_in_run_ = 0;
    StoredChange* in_memory_ = nullptr;
    StoredChange* buffer_;  // a change read from the file
    std::size_t buffer_size_;
};

}  // namespace socketio
