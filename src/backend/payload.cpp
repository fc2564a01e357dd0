// See payload.h.

#include "backend/payload.h"

extern "C" {
#include "utils/memutils.h"
}

namespace socketio {

namespace {

// The row around the payload has to fit one allocation of the server's, too.
constexpr std::size_t kMaxBuffer = MaxAllocSize - 1024;

[[noreturn]] void report_too_large() {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("message exceeds 1 GB"),
                    errdetail("PostgreSQL cannot store a larger value."),
                    errhint("Split the arguments over several emits, or emit a reference to the data.")));
    pg_unreachable();
}

}  // namespace

PayloadSink::PayloadSink() {
    initStringInfo(&buffer_);
    buffer_.len = VARHDRSZ;
}

void PayloadSink::write(const char* bytes, std::size_t size) {
    if (size > kMaxBuffer - buffer_.len) {
        report_too_large();
    }
    appendBinaryStringInfoNT(&buffer_, bytes, static_cast<int>(size));
}

Datum PayloadSink::bytea() {
    SET_VARSIZE(buffer_.data, buffer_.len);
    return PointerGetDatum(buffer_.data);
}

}  // namespace socketio
