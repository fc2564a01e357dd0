// What receivers get to see of a change: the arguments of its event, for each kind of payload.
//
//            one row                                           several rows of a statement
//     change {op, schema, table, record, old_record}           {op, schema, table, count, records, old_records}
//     record record                                            {count, records}
//     diff   {op, schema, table, key, record, old_record}      {op, schema, table, count, keys, records, old_records}
//     keys   key [, old key where it changed]                  {count, keys}, for UPDATE {count, keys, old_keys}
//
// The lists are as long as `count` says, and a row's entry is at the same place in each. What there is not, such as the old
// records of INSERT, is null. TRUNCATE is {op, schema, table} in every case.

#pragma once

#include <cstdint>
#include <string_view>

#include "backend/change_context.h"
#include "backend/change_diff.h"
#include "backend/change_plan.h"
#include "backend/event_arguments.h"
#include "backend/row_change.h"
#include "backend/value_reader.h"
#include "protocol/fixed_tokens.h"

namespace socketio {

template <class Writer>
void write_head(const ChangePlan* plan, ChangeOp op, Writer& writer) {
    static constexpr auto kOp = FixedTokens::at_start().key("op");
    static constexpr auto kSchema = FixedTokens::after_value().key("schema");
    static constexpr auto kTable = FixedTokens::after_value().key("table");
    writer.fixed(kOp);
    writer.string(lower_name(op));
    writer.fixed(kSchema);
    writer.string(plan->schema);
    writer.fixed(kTable);
    writer.string(plan->table);
}

// Write the `columns` of `row` as an object; null where there is no row.
template <class Writer>
void write_columns(const ChangePlan* plan, const ColumnSet& columns, TupleTableSlot* row, Writer& writer) {
    if (row == nullptr) {
        return writer.null();
    }
    slot_getsomeattrs(row, columns.last_column);
    writer.begin_object(columns.count);
    for (int i = 0; i < columns.count && !writer.stopped(); ++i) {
        const int column = columns.columns[i];
        column_being_read = column;
        writer.key(plan->columns[column].name);
        read_value(plan->columns[column].value, row->tts_values[column], row->tts_isnull[column], writer);
    }
    column_being_read = -1;
    writer.end_object();
}

// The lists that the payload of several rows may have.
enum BatchList { kKeyList, kRecordList, kOldList, kBatchLists };

// Whether the payload of `op` has a list.
inline bool has_list(const ChangePlan* plan, ChangeOp op, BatchList list) {
    switch (plan->payload) {
        case ChangePayload::kRecord:
            return list == kRecordList;
        case ChangePayload::kKeys:
            return list == kKeyList || (list == kOldList && op == ChangeOp::kUpdate);
        default:
            break;
    }
    switch (list) {
        case kRecordList:
            return op != ChangeOp::kDelete;
        case kOldList:
            return op != ChangeOp::kInsert;
        default:
            return plan->payload == ChangePayload::kDiff;
    }
}

// Write the entry that `change` has in a list; `shown` are its ShownColumns.
template <class Writer>
void write_entry(const ChangePlan* plan, const RowChange& change, const ColumnSet& shown, BatchList list,
                 Writer& writer) {
    const bool is_keys = plan->payload == ChangePayload::kKeys;
    // What is told of the row alone is told of the new one, unless the row is gone.
    TupleTableSlot* only = change.op == ChangeOp::kDelete ? change.old_row : change.row;
    switch (list) {
        case kKeyList:
            return write_columns(plan, plan->key, is_keys ? only : change.earliest(), writer);
        case kRecordList:
            return write_columns(plan, shown, plan->payload == ChangePayload::kRecord ? only : change.row, writer);
        default:
            return write_columns(plan, shown, is_keys && !differs(plan, plan->key, change) ? nullptr : change.old_row,
                                 writer);
    }
}

// One change as the arguments of an event (protocol/cluster_message.h).
class RowArguments final : public ArgumentsOf<RowArguments> {
  public:
    // `shown` are the change's ShownColumns.
    RowArguments(const ChangePlan* plan, const RowChange& change, const ColumnSet& shown)
        : plan_(plan), change_(change), shown_(shown) {}

    std::uint32_t count() const override { return has_old_key() ? 2 : 1; }
    void release() const override {}

    template <class Writer>
    void write_values(Writer& writer) const {
        if (change_.op == ChangeOp::kTruncate) {
            return write_truncate(writer);
        }
        switch (plan_->payload) {
            case ChangePayload::kChange:
            case ChangePayload::kDiff:
                return write_object(writer);
            case ChangePayload::kRecord:
                return write_entry(plan_, change_, shown_, kRecordList, writer);
            case ChangePayload::kKeys:
                return write_keys(writer);
        }
    }

  private:
    bool has_old_key() const {
        return plan_->payload == ChangePayload::kKeys && change_.op == ChangeOp::kUpdate &&
               differs(plan_, plan_->key, change_);
    }

    template <class Writer>
    void write_truncate(Writer& writer) const {
        writer.begin_object(3);
        write_head(plan_, change_.op, writer);
        writer.end_object();
    }

    template <class Writer>
    void write_object(Writer& writer) const {
        static constexpr auto kKey = FixedTokens::after_value().key("key");
        static constexpr auto kRecord = FixedTokens::after_value().key("record");
        static constexpr auto kOldRecord = FixedTokens::after_value().key("old_record");
        const bool is_diff = plan_->payload == ChangePayload::kDiff;
        writer.begin_object(is_diff ? 6 : 5);
        write_head(plan_, change_.op, writer);
        if (is_diff) {
            writer.fixed(kKey);
            write_entry(plan_, change_, shown_, kKeyList, writer);
        }
        writer.fixed(kRecord);
        write_entry(plan_, change_, shown_, kRecordList, writer);
        writer.fixed(kOldRecord);
        write_entry(plan_, change_, shown_, kOldList, writer);
        writer.end_object();
    }

    template <class Writer>
    void write_keys(Writer& writer) const {
        write_entry(plan_, change_, shown_, kKeyList, writer);
        if (has_old_key()) {
            write_entry(plan_, change_, shown_, kOldList, writer);
        }
    }

    const ChangePlan* plan_;
    const RowChange& change_;
    const ColumnSet& shown_;
};

// Several changes of one statement as the arguments of an event. The entries of the lists were encoded before.
class BatchArguments final : public ArgumentsOf<BatchArguments> {
  public:
    BatchArguments(const ChangePlan* plan, ChangeOp op, std::uint32_t changes)
        : plan_(plan), op_(op), changes_(changes) {}

    // The entries of `list`, by a writer of the kind that write() will be given.
    void set(BatchList list, const EncodedValues& encoded) { lists_[list] = encoded; }

    std::uint32_t count() const override { return 1; }
    void release() const override {}

    template <class Writer>
    void write_values(Writer& writer) const {
        static constexpr auto kCount = FixedTokens::at_start().key("count");
        static constexpr auto kCountBehindHead = FixedTokens::after_value().key("count");
        const bool has_head = plan_->payload == ChangePayload::kChange || plan_->payload == ChangePayload::kDiff;
        writer.begin_object((has_head ? 3 : 0) + 1 + count_lists());
        if (has_head) {
            write_head(plan_, op_, writer);
        }
        writer.fixed(has_head ? kCountBehindHead : kCount);
        writer.integer(changes_);
        for (const BatchList list : {kKeyList, kRecordList, kOldList}) {
            if (is_shown(list)) {
                write_list(list, writer);
            }
        }
        writer.end_object();
    }

  private:
    // With records there are always both, and one of them may be null.
    bool is_shown(BatchList list) const {
        const bool has_both = plan_->payload == ChangePayload::kChange || plan_->payload == ChangePayload::kDiff;
        return has_list(plan_, op_, list) || (has_both && list != kKeyList);
    }

    std::uint32_t count_lists() const { return is_shown(kKeyList) + is_shown(kRecordList) + is_shown(kOldList); }

    std::string_view name_of(BatchList list) const {
        switch (list) {
            case kKeyList:
                return "keys";
            case kRecordList:
                return "records";
            default:
                return plan_->payload == ChangePayload::kKeys ? "old_keys" : "old_records";
        }
    }

    template <class Writer>
    void write_list(BatchList list, Writer& writer) const {
        writer.key(name_of(list));
        if (!has_list(plan_, op_, list)) {
            return writer.null();
        }
        writer.begin_array(changes_);
        writer.encoded(lists_[list]);
        writer.end_array();
    }

    const ChangePlan* plan_;
    ChangeOp op_;
    std::uint32_t changes_;
    EncodedValues lists_[kBatchLists];
};

}  // namespace socketio
