// See change_diff.h.

#include "backend/change_diff.h"

#include <cstring>

extern "C" {
#include "access/detoast.h"
#include "utils/datum.h"
}

namespace socketio {

namespace {

bool is_same_toasted(Datum a, Datum b) {
    const auto* one = reinterpret_cast<const struct varlena*>(DatumGetPointer(a));
    const auto* other = reinterpret_cast<const struct varlena*>(DatumGetPointer(b));
    return VARATT_IS_EXTERNAL_ONDISK(one) && VARATT_IS_EXTERNAL_ONDISK(other) &&
           std::memcmp(one, other, VARSIZE_EXTERNAL(one)) == 0;
}

bool column_differs(const ChangePlan* plan, int column, const RowChange& change) {
    const bool is_null = change.row->tts_isnull[column];
    if (is_null || change.old_row->tts_isnull[column]) {
        return is_null != change.old_row->tts_isnull[column];
    }
    const auto* attribute = TupleDescAttr(plan->descriptor, column);
    const Datum value = change.row->tts_values[column];
    const Datum old_value = change.old_row->tts_values[column];
    if (attribute->attlen == -1 && is_same_toasted(value, old_value)) {
        return false;
    }
    return !datum_image_eq(value, old_value, attribute->attbyval, attribute->attlen);
}

bool take_apart_both(const RowChange& change, const ColumnSet& columns) {
    if (change.row == nullptr || change.old_row == nullptr) {
        return false;
    }
    slot_getsomeattrs(change.row, columns.last_column);
    slot_getsomeattrs(change.old_row, columns.last_column);
    return true;
}

}  // namespace

bool differs(const ChangePlan* plan, const ColumnSet& columns, const RowChange& change) {
    if (!take_apart_both(change, columns)) {
        return true;
    }
    for (int i = 0; i < columns.count; ++i) {
        if (column_differs(plan, columns.columns[i], change)) {
            return true;
        }
    }
    return false;
}

bool is_silent(const ChangePlan* plan, const RowChange& change) {
    return plan->payload == ChangePayload::kDiff && change.op == ChangeOp::kUpdate &&
           !differs(plan, plan->noticed, change);
}

ShownColumns::ShownColumns(const ChangePlan* plan)
    : plan_(plan), changed_{static_cast<int*>(palloc(plan->record.count * sizeof(int))), 0, 0} {}

const ColumnSet& ShownColumns::of(const RowChange& change) {
    const ColumnSet& record = plan_->record;
    if (plan_->payload != ChangePayload::kDiff || !take_apart_both(change, record)) {
        return record;
    }
    changed_.count = changed_.last_column = 0;
    for (int i = 0; i < record.count; ++i) {
        if (column_differs(plan_, record.columns[i], change)) {
            changed_.add(record.columns[i]);
        }
    }
    return changed_;
}

}  // namespace socketio
