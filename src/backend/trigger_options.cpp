// See trigger_options.h.

#include "backend/trigger_options.h"

#include "protocol/template.h"

extern "C" {
#include "utils/builtins.h"
}

namespace socketio {

namespace {

// One argument, and where it belongs.
struct Argument {
    const TriggerIdentity& identity;
    const char* key;
    std::string_view value;
    bool has_value;  // otherwise the key stood alone
};

using ReadOption = void (*)(const Argument&, TriggerOptions&);

struct Option {
    const char* key;
    ReadOption read;
};

std::string_view text_of(const Argument& argument) {
    if (!argument.has_value) {
        report_malformed(argument.identity, argument.key, "It takes a value, as in 'key=value'.");
    }
    return argument.value;
}

bool flag_of(const Argument& argument) {
    bool flag = true;
    const std::string_view value = argument.value;
    if (argument.has_value && (value.empty() || !parse_bool_with_len(value.data(), value.size(), &flag))) {
        report_malformed(argument.identity, argument.key,
                         psprintf("\"%.*s\" is not a boolean.", static_cast<int>(value.size()), value.data()));
    }
    return flag;
}

// An empty list of columns or rooms is more likely a mistake of the code that put the option together than meant; no rooms
// would reach everyone.
std::string_view list_of(const Argument& argument) {
    const std::string_view list = text_of(argument);
    if (list.empty()) {
        report_malformed(argument.identity, argument.key, "It is empty; leave the option out instead.");
    }
    return list;
}

ChangePayload payload_of(const Argument& argument) {
    const std::string_view payload = text_of(argument);
    if (payload == "change") {
        return ChangePayload::kChange;
    }
    if (payload == "record") {
        return ChangePayload::kRecord;
    }
    if (payload == "diff") {
        return ChangePayload::kDiff;
    }
    if (payload == "keys") {
        return ChangePayload::kKeys;
    }
    report_malformed(argument.identity, argument.key,
                     psprintf("\"%.*s\" is none of change, record, diff and keys.", static_cast<int>(payload.size()),
                              payload.data()));
}

constexpr Option kOptions[] = {
    {"nsp", [](const Argument& argument, TriggerOptions& options) { options.nsp = text_of(argument); }},
    {"event", [](const Argument& argument, TriggerOptions& options) { options.event = text_of(argument); }},
    {"rooms", [](const Argument& argument, TriggerOptions& options) { options.rooms = list_of(argument); }},
    {"except", [](const Argument& argument, TriggerOptions& options) { options.except = list_of(argument); }},
    {"columns", [](const Argument& argument, TriggerOptions& options) { options.columns = list_of(argument); }},
    {"exclude", [](const Argument& argument, TriggerOptions& options) { options.exclude = list_of(argument); }},
    {"payload", [](const Argument& argument, TriggerOptions& options) { options.payload = payload_of(argument); }},
    {"volatile", [](const Argument& argument, TriggerOptions& options) { options.is_volatile = flag_of(argument); }},
    {"compress", [](const Argument& argument, TriggerOptions& options) { options.compress = flag_of(argument); }},
};
constexpr std::size_t kOptionCount = sizeof kOptions / sizeof kOptions[0];

[[noreturn]] void report_unknown(const TriggerIdentity& identity, std::string_view key) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("option \"%.*s\" of trigger \"%s\" on table \"%s\" is unknown", static_cast<int>(key.size()),
                           key.data(), identity.trigger, identity.table),
                    errhint("The options are nsp, event, rooms, except, columns, exclude, payload, volatile and "
                            "compress, each as 'key=value'.")));
    pg_unreachable();
}

[[noreturn]] void report_repeated(const TriggerIdentity& identity, const char* option) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("option \"%s\" of trigger \"%s\" on table \"%s\" is given twice", option, identity.trigger,
                    identity.table),
             errhint("Give each option once; rooms, except, columns and exclude are lists, separated by commas.")));
    pg_unreachable();
}

std::size_t find_option(const TriggerIdentity& identity, std::string_view key) {
    for (std::size_t i = 0; i < kOptionCount; ++i) {
        if (key == kOptions[i].key) {
            return i;
        }
    }
    report_unknown(identity, key);
}

void require_compatible(const TriggerIdentity& identity, const TriggerOptions& options) {
    const bool is_selective = options.columns.data() != nullptr || options.exclude.data() != nullptr;
    if (options.columns.data() != nullptr && options.exclude.data() != nullptr) {
        report_malformed(identity, "exclude", "It cannot be given together with \"columns\".");
    }
    if (is_selective && options.payload == ChangePayload::kKeys) {
        report_malformed(identity, options.columns.data() != nullptr ? "columns" : "exclude",
                         "With payload=keys, the primary key alone is sent.");
    }
}

}  // namespace

TriggerOptions read_trigger_options(const Trigger* trigger, const TriggerIdentity& identity) {
    TriggerOptions options;
    bool given[kOptionCount] = {};
    for (int i = 0; i < trigger->tgnargs; ++i) {
        const std::string_view text = pstrdup(trigger->tgargs[i]);
        const std::size_t equals = text.find('=');
        const bool has_value = equals != std::string_view::npos;
        const std::size_t found = find_option(identity, trim(text.substr(0, equals)));
        const Option& option = kOptions[found];
        if (given[found]) {
            report_repeated(identity, option.key);
        }
        given[found] = true;
        option.read({identity, option.key, has_value ? trim(text.substr(equals + 1)) : "", has_value}, options);
    }
    require_compatible(identity, options);
    return options;
}

void report_malformed(const TriggerIdentity& identity, const char* option, const char* detail) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("option \"%s\" of trigger \"%s\" on table \"%s\" is malformed", option, identity.trigger,
                           identity.table),
                    errdetail_internal("%s", detail)));
    pg_unreachable();
}

void report_unknown_column(const TriggerIdentity& identity, const char* option, std::string_view column) {
    ereport(ERROR,
            (errcode(ERRCODE_UNDEFINED_COLUMN),
             errmsg("option \"%s\" of trigger \"%s\" on table \"%s\" names column \"%.*s\", which does not exist",
                    option, identity.trigger, identity.table, static_cast<int>(column.size()), column.data()),
             errhint("Name a column that the table has now; upper and lower case differ here.")));
    pg_unreachable();
}

void report_unfit_column(const TriggerIdentity& identity, const char* option, const char* column, const char* detail) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("option \"%s\" of trigger \"%s\" on table \"%s\" cannot name column \"%s\"", option,
                           identity.trigger, identity.table, column),
                    errdetail_internal("%s", detail)));
    pg_unreachable();
}

}  // namespace socketio
