// See asking.h.

#include "functions/asking.h"

#include <algorithm>
#include <climits>
#include <cstring>

#include "backend/text.h"

extern "C" {
#include "datatype/timestamp.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
}

namespace socketio {

namespace {

#if PG_VERSION_NUM >= 160000
constexpr std::uint32_t kUseExpectedDescriptor = MAT_SRF_USE_EXPECTED_DESC;
#else
constexpr std::uint32_t kUseExpectedDescriptor = SRF_SINGLE_USE_EXPECTED;
#endif

// 12 days: a wait takes milliseconds as an int, and grace is added.
constexpr double kLongestTimeout = INT_MAX / 2 * 1000.0;

[[noreturn]] void report_null(const char* parameter) {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", parameter)));
    pg_unreachable();
}

double microseconds(const Interval& interval) {
    return static_cast<double>(interval.time) + static_cast<double>(interval.day) * USECS_PER_DAY +
           static_cast<double>(interval.month) * DAYS_PER_MONTH * USECS_PER_DAY;
}

}  // namespace

Conversation::Time read_timeout(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) {
        report_null("timeout");
    }
    const double time = microseconds(*PG_GETARG_INTERVAL_P(argument));
    if (time <= 0) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("timeout must be positive"),
                        errhint("For example: timeout => '2 s'.")));
    }
    return Conversation::Time(static_cast<std::int64_t>(std::min(time, kLongestTimeout)));
}

std::string_view read_required_text(FunctionCallInfo fcinfo, int argument, const char* parameter) {
    if (PG_ARGISNULL(argument)) {
        report_null(parameter);
    }
    return to_utf8(varlena_view(PG_GETARG_TEXT_PP(argument)));
}

ReturnSetInfo* begin_rows(FunctionCallInfo fcinfo) {
    InitMaterializedSRF(fcinfo, kUseExpectedDescriptor);
    return reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
}

void put_row(ReturnSetInfo* rows, const Datum* values, const bool* nulls) {
    tuplestore_putvalues(rows->setResult, rows->setDesc, const_cast<Datum*>(values), const_cast<bool*>(nulls));
}

Datum text_datum(std::string_view utf8) {
    const std::string_view text = from_utf8_lossily(utf8);
    return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

Datum jsonb_datum(std::string_view json) {
    const std::string_view text = from_utf8_lossily(json);
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(text.data(), text.size())));
}

}  // namespace socketio
