// The arguments of a trigger, `'key=value'` each: which options there are, and which were given.

#pragma once

#include <optional>
#include <string_view>

#include "backend/trigger_identity.h"

namespace socketio {

enum class ChangePayload {
    kChange,  // the row before and after, and what happened
    kRecord,  // the row alone
    kDiff,    // its key, and the columns that changed
    kKeys,    // its primary key alone
};

// Text is as it was written, in the encoding of the database, without the blanks around it; without data where the option
// was not given.
struct TriggerOptions {
    std::string_view nsp = "/";
    std::string_view event = "{table}:{op}";
    std::string_view rooms;
    std::string_view except;
    std::string_view columns;
    std::string_view exclude;
    ChangePayload payload = ChangePayload::kChange;
    bool is_volatile = false;
    std::optional<bool> compress;
};

// Take the arguments of `trigger` apart. The values are looked into only where they are a word of a few: what names columns
// is for others to read. Text lives in CurrentMemoryContext. ERROR 22023 for an unknown or repeated option, a missing or bad value, or two that exclude
// each other.
TriggerOptions read_trigger_options(const Trigger* trigger, const TriggerIdentity& identity);

// ERROR 22023: the value of an option cannot be understood; `detail` is a sentence that says why.
[[noreturn]] void report_malformed(const TriggerIdentity& identity, const char* option, const char* detail);

// ERROR 42703: an option names a column the table does not have.
[[noreturn]] void report_unknown_column(const TriggerIdentity& identity, const char* option, std::string_view column);

// ERROR 22023: an option names a column that cannot stand there; `detail` is a sentence that says why.
[[noreturn]] void report_unfit_column(const TriggerIdentity& identity, const char* option, const char* column,
                                      const char* detail);

}  // namespace socketio
