// See spelling.h.

#include "backend/spelling.h"

extern "C" {
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"
}

namespace socketio {

namespace {

// The server keeps time zones for good, once they are loaded.
pg_tz* utc() {
    static pg_tz* zone = nullptr;
    if (zone == nullptr) {
        zone = pg_tzset("UTC");
    }
    return zone == nullptr ? session_timezone : zone;
}

void set(const char* name, const char* value) {
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

}  // namespace

Spelling current_spelling() {
    return {DateStyle,       DateOrder, IntervalStyle, extra_float_digits, bytea_output, quote_all_identifiers,
            session_timezone};
}

void spell(const Spelling& spelling) {
    DateStyle = spelling.date_style;
    DateOrder = spelling.date_order;
    IntervalStyle = spelling.interval_style;
    extra_float_digits = spelling.float_digits;
    bytea_output = spelling.bytea_output;
    quote_all_identifiers = spelling.quote_all_identifiers;
    session_timezone = spelling.time_zone;
}

Spelling fixed_spelling() {
    return {USE_ISO_DATES, DATEORDER_MDY, INTSTYLE_POSTGRES, 1, BYTEA_OUTPUT_HEX, false, utc()};
}

Spelling exact_spelling() {
    Spelling spelling = current_spelling();
    if (spelling.float_digits < 1) {
        spelling.float_digits = 1;
    }
    return spelling;
}

Spelling*& kept_spelling() {
    static Spelling* kept = nullptr;
    return kept;
}

// Only the two spellings above are ever set, and they differ from the session's in no other way.
int set_settings(const Spelling& spelling) {
    const Spelling session = current_spelling();
    const int nesting = NewGUCNestLevel();
    if (spelling.date_style != session.date_style || spelling.date_order != session.date_order) {
        set("DateStyle", "ISO, MDY");
    }
    if (spelling.interval_style != session.interval_style) {
        set("IntervalStyle", "postgres");
    }
    if (spelling.float_digits != session.float_digits) {
        set("extra_float_digits", "1");
    }
    if (spelling.bytea_output != session.bytea_output) {
        set("bytea_output", "hex");
    }
    if (spelling.quote_all_identifiers != session.quote_all_identifiers) {
        set("quote_all_identifiers", "off");
    }
    if (spelling.time_zone != session.time_zone) {
        set("TimeZone", "UTC");
    }
    return nesting;
}

void restore_settings(int nesting) { AtEOXact_GUC(true, nesting); }

}  // namespace socketio
