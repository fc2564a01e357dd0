// How output functions spell values: dates, intervals, floats, whatever the session has set.
//
// What a row change tells must not depend on who wrote the row, or a room named after a timestamp is one room for a writer in
// Asia/Kolkata and another for one in UTC. The server's variables are assigned to directly: the machinery of SET costs a
// microsecond for each of them, and this is done for each row. Its books know nothing of it, so that other people's code must
// not run meanwhile: a SET there would remember our values as the session's. within_session_spelling() and
// within_set_spelling() are for calls to such code.

#pragma once

#include "backend/server.h"

extern "C" {
#include "pgtime.h"
}

namespace socketio {

struct Spelling {
    int date_style;
    int date_order;
    int interval_style;
    int float_digits;
    int bytea_output;
    bool quote_all_identifiers;
    pg_tz* time_zone;
};

inline bool operator==(const Spelling& a, const Spelling& b) {
    return a.date_style == b.date_style && a.date_order == b.date_order && a.interval_style == b.interval_style &&
           a.float_digits == b.float_digits && a.bytea_output == b.bytea_output &&
           a.quote_all_identifiers == b.quote_all_identifiers && a.time_zone == b.time_zone;
}

Spelling current_spelling();
void spell(const Spelling& spelling);

// ISO dates, UTC, intervals as PostgreSQL writes them, all digits.
Spelling fixed_spelling();

// The session's own, but all digits of floats.
Spelling exact_spelling();

// Where the session's own spelling is kept while another one holds; null while none does.
Spelling*& kept_spelling();

// Run `body()`, which throws no exception, with values spelled as `spelling` says.
template <class Body>
void with_spelling(const Spelling& spelling, const Body& body) {
    Spelling session = current_spelling();
    if (session == spelling) {
        return body();
    }
    Spelling* const outer = kept_spelling();
    PG_TRY();
    {
        kept_spelling() = &session;
        spell(spelling);
        body();
    }
    PG_FINALLY();
    {
        spell(session);
        kept_spelling() = outer;
    }
    PG_END_TRY();
}

template <class Body>
void with_fixed_spelling(const Body& body) {
    with_spelling(fixed_spelling(), body);
}

// Run `body()` with the session's own spelling, and go on with ours: what it sets by SET is the session's from then on. After an
// ERROR with_spelling() puts things right.
template <class Body>
void within_session_spelling(const Body& body) {
    Spelling* const session = kept_spelling();
    if (session == nullptr) {
        return body();
    }
    const Spelling ours = current_spelling();
    spell(*session);
    kept_spelling() = nullptr;
    body();
    *session = current_spelling();
    kept_spelling() = session;
    spell(ours);
}

// Give the session's settings, by the machinery of SET, the values of `spelling` until restore_settings() or an ERROR.
int set_settings(const Spelling& spelling);
void restore_settings(int nesting);

// Run `body()`, code of a user's that may look at settings and set some, with settings that spell values as ours does.
template <class Body>
void within_set_spelling(const Body& body) {
    if (kept_spelling() == nullptr) {
        return body();
    }
    const Spelling ours = current_spelling();
    within_session_spelling([&] {
        const int nesting = set_settings(ours);
        body();
        restore_settings(nesting);
    });
}

}  // namespace socketio
