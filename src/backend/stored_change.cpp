// See stored_change.h.

#include "backend/stored_change.h"

#include <cstring>

extern "C" {
#include "access/htup_details.h"
}

namespace socketio {

namespace {

// A row as a MinimalTuple, until it is moved elsewhere.
struct FlatRow {
    explicit FlatRow(TupleTableSlot* row)
        : tuple(row == nullptr ? nullptr : ExecFetchSlotMinimalTuple(row, &is_copy)),
          size(tuple == nullptr ? 0 : tuple->t_len) {}

    void move(char* place) {
        if (size > 0) {
            std::memcpy(place, tuple, size);
        }
        if (is_copy) {
            pfree(tuple);
        }
    }

    bool is_copy = false;
    MinimalTuple tuple;
    std::uint32_t size;
};

TupleTableSlot* show(TupleTableSlot* slot, char* tuple, std::uint32_t size) {
    return size == 0 ? nullptr : ExecStoreMinimalTuple(reinterpret_cast<MinimalTuple>(tuple), slot, false);
}

}  // namespace

StoredChange* store_change(const RowChange& change) {
    FlatRow row(change.row);
    FlatRow old_row(change.old_row);
    const StoredChange header = {nullptr, row.size, old_row.size};
    auto* stored = static_cast<StoredChange*>(palloc(header.size()));
    *stored = header;
    row.move(stored->row());
    old_row.move(stored->old_row());
    return stored;
}

StoredChangeReader::StoredChangeReader(ChangeOp op, TupleDesc descriptor)
    : row_(MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple)),
      old_row_(MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple)),
      change_{op, nullptr, nullptr} {}

const RowChange* StoredChangeReader::read(StoredChange* stored) {
    change_.row = show(row_, stored->row(), stored->row_size);
    change_.old_row = show(old_row_, stored->old_row(), stored->old_row_size);
    return &change_;
}

void StoredChangeReader::close() {
    ExecDropSingleTupleTableSlot(row_);
    ExecDropSingleTupleTableSlot(old_row_);
}

}  // namespace socketio
