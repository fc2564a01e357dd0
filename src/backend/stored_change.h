// Changes that are kept for later: a copy of their rows in one piece of memory.

#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/row_change.h"

namespace socketio {

// Behind it, each aligned, stand the new row and the old one, both MinimalTuples.
struct StoredChange {
    StoredChange* next;  // for lists of them
    std::uint32_t row_size;
    std::uint32_t old_row_size;  // 0 where there is no such row

    std::size_t size() const { return MAXALIGN(sizeof(StoredChange)) + MAXALIGN(row_size) + MAXALIGN(old_row_size); }
    char* row() { return reinterpret_cast<char*>(this) + MAXALIGN(sizeof(StoredChange)); }
    char* old_row() { return row() + MAXALIGN(row_size); }
};

static_assert(MAXALIGN(sizeof(StoredChange)) == sizeof(StoredChange), "rows are read from a file behind it");

// Copy a change into CurrentMemoryContext. What is toasted stays so.
StoredChange* store_change(const RowChange& change);

// Shows one stored change after another in slots of its own.
class StoredChangeReader {
  public:
    StoredChangeReader(ChangeOp op, TupleDesc descriptor);

    // `stored` as a change, valid as long as it and until the next call.
    const RowChange* read(StoredChange* stored);

    void close();

  private:
    TupleTableSlot* row_;
    TupleTableSlot* old_row_;
    RowChange change_;
};

}  // namespace socketio
