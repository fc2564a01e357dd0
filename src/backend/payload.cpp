// See payload.h.

#include "backend/payload.h"

#include <algorithm>

extern "C" {
#include "utils/memutils.h"
}

namespace socketio {

namespace {

constexpr std::size_t kMaxCapacity = PayloadSink::kLargestSize;

static_assert(kMaxCapacity == MaxAllocSize - 1024);

[[noreturn]] void report_too_large() {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("message exceeds 1 GB"),
                    errdetail("PostgreSQL cannot store a larger value."),
                    errhint("Split the arguments over several emits, or emit a reference to the data.")));
    pg_unreachable();
}

}  // namespace

PayloadSink::PayloadSink(std::size_t expected_size) : capacity_(std::min(expected_size + VARHDRSZ, kMaxCapacity)) {
    data_ = static_cast<char*>(palloc(capacity_));
}

void PayloadSink::grow(std::size_t size) {
    if (size > kMaxCapacity - used_) {
        report_too_large();
    }
    capacity_ = std::min(std::max(2 * capacity_, used_ + size), kMaxCapacity);
    data_ = static_cast<char*>(repalloc(data_, capacity_));
}

Datum PayloadSink::bytea() {
    SET_VARSIZE(data_, used_);
    return PointerGetDatum(data_);
}

}  // namespace socketio
