// The lists of one message that holds several changes: how many changes fit, and their entries, encoded.

#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>

#include "backend/change_payload.h"
#include "backend/notify.h"
#include "backend/writers.h"

namespace socketio {

// The entries of a list as JSON, for a notification.
class JsonEntries {
  public:
    void clear() {
        sink_ = BoundedSink(memory_, sizeof memory_);
        writer_.emplace(sink_, json_characters());
    }

    // Whether it can be part of a notification at all: there is no binary in JSON.
    bool add(const ChangePlan* plan, const RowChange& change, const ColumnSet& shown, BatchList list) {
        write_entry(plan, change, shown, list, *writer_);
        return !writer_->stopped();
    }

    std::string_view bytes() const { return sink_.bytes(); }
    std::size_t binaries() const { return 0; }
    bool has_met_binary() const { return writer_->holds_binary(); }

  private:
    char memory_[kMaxNotification];
    BoundedSink sink_{memory_, 0};
    std::optional<NotificationWriter> writer_;
};

// The same as msgpack, for an attachment.
class MsgpackEntries {
  public:
    void clear() {
        sink_.clear();
        writer_.emplace(sink_);
    }

    bool add(const ChangePlan* plan, const RowChange& change, const ColumnSet& shown, BatchList list) {
        write_entry(plan, change, shown, list, *writer_);
        return true;
    }

    std::size_t surplus() const { return writer_->surplus(); }

    std::string_view bytes() const { return sink_.bytes(); }
    std::size_t binaries() const { return writer_->binaries(); }

  private:
    PayloadSink sink_;
    std::optional<AttachmentWriter> writer_;
};

template <class Entries>
class BatchLists {
  public:
    BatchLists(const ChangePlan* plan, ChangeOp op) : plan_(plan), op_(op) {}
    BatchLists(const BatchLists&) = delete;  // writers refer to their sinks
    BatchLists& operator=(const BatchLists&) = delete;

    // Begin anew: the entries may take `budget` bytes together, those of a single change `alone`.
    void begin(std::size_t budget, std::size_t alone) {
        budget_ = budget;
        alone_ = alone;
        count_ = 0;
        for (int list = 0; list < kBatchLists; ++list) {
            entries_[list].clear();
            sizes_[list] = 0;
            binaries_[list] = 0;
        }
    }

    // Add `change`. Where the result is false, it did not fit, and nothing may be added before the next begin().
    bool add(const RowChange& change, const ColumnSet& shown) {
        for (const BatchList list : {kKeyList, kRecordList, kOldList}) {
            if (has_list(plan_, op_, list) && !entries_[list].add(plan_, change, shown, list)) {
                return false;
            }
        }
        std::size_t sizes[kBatchLists];
        std::size_t binaries[kBatchLists];
        for (int list = 0; list < kBatchLists; ++list) {
            sizes[list] = entries_[list].bytes().size();
            binaries[list] = entries_[list].binaries();
        }
        if (sum(sizes) > (count_ == 0 ? alone_ : budget_) || (count_ > 0 && sum(binaries) > kMaxBinaries)) {
            return false;
        }
        std::copy(sizes, sizes + kBatchLists, sizes_);
        std::copy(binaries, binaries + kBatchLists, binaries_);
        ++count_;
        return true;
    }

    std::uint32_t count() const { return count_; }

    // Bytes of the entries of what was added.
    std::size_t size() const { return sum(sizes_); }

    // The fewest bytes that JSON takes for the entries of what was added, where all of it was added that was tried.
    std::size_t least_json() const {
        return size() - entries_[0].surplus() - entries_[1].surplus() - entries_[2].surplus();
    }

    // Whether something that was tried holds binary, be it in vain.
    bool have_met_binary() const {
        return entries_[0].has_met_binary() || entries_[1].has_met_binary() || entries_[2].has_met_binary();
    }

    // What was added. Valid until the next begin().
    BatchArguments arguments() const {
        BatchArguments arguments(plan_, op_, count_);
        for (const BatchList list : {kKeyList, kRecordList, kOldList}) {
            arguments.set(list, {entries_[list].bytes().substr(0, sizes_[list]), binaries_[list]});
        }
        return arguments;
    }

  private:
    // What a client takes in one event unless it was told otherwise: maxAttachments of socket.io-parser 3.3.6 and 4.2.7. It drops the
    // connection at one more.
    static constexpr std::size_t kMaxBinaries = 10;

    static std::size_t sum(const std::size_t (&sizes)[kBatchLists]) { return sizes[0] + sizes[1] + sizes[2]; }

    const ChangePlan* plan_;
    ChangeOp op_;
    std::size_t budget_ = 0;
    std::size_t alone_ = 0;
    std::uint32_t count_ = 0;
    Entries entries_[kBatchLists];
    std::size_t sizes_[kBatchLists] = {};     // of the entries of those that were added
    std::size_t binaries_[kBatchLists] = {};  // in them
};

static_assert(std::is_trivially_destructible_v<BatchLists<JsonEntries>>);
static_assert(std::is_trivially_destructible_v<BatchLists<MsgpackEntries>>);

}  // namespace socketio
