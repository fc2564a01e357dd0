// What happened to one row.

#pragma once

#include <string_view>

#include "backend/server.h"

extern "C" {
#include "executor/tuptable.h"
}

namespace socketio {

enum class ChangeOp { kInsert, kUpdate, kDelete, kTruncate };
inline constexpr int kChangeOps = 4;

inline std::string_view lower_name(ChangeOp op) {
    constexpr std::string_view kNames[kChangeOps] = {"insert", "update", "delete", "truncate"};
    return kNames[static_cast<int>(op)];
}

inline std::string_view upper_name(ChangeOp op) {
    constexpr std::string_view kNames[kChangeOps] = {"INSERT", "UPDATE", "DELETE", "TRUNCATE"};
    return kNames[static_cast<int>(op)];
}

struct RowChange {
    ChangeOp op;
    TupleTableSlot* row;      // as it is now; null after DELETE
    TupleTableSlot* old_row;  // as it was; null for INSERT

    // The row as it was last seen.
    TupleTableSlot* latest() const { return row != nullptr ? row : old_row; }
    // The row as it was first seen.
    TupleTableSlot* earliest() const { return old_row != nullptr ? old_row : row; }
};

}  // namespace socketio
