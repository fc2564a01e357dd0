// Text between PostgreSQL and the protocol floor: the server's strings as views, and everything on the wire as UTF-8.

#pragma once

#include <initializer_list>
#include <string_view>

#include "backend/server.h"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace socketio {

// The bytes of a text, varchar, bytea or other varlena that is not toasted (PG_DETOAST_DATUM_PACKED).
inline std::string_view varlena_view(const struct varlena* value) {
    return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

// A copy in CurrentMemoryContext.
std::string_view copy_text(std::string_view text);

// The parts, one behind another, in CurrentMemoryContext.
std::string_view concatenate(std::initializer_list<std::string_view> parts);

// Whether the database's text is UTF-8 already. It never changes within a backend.
inline bool is_utf8_database() {
    static const bool is_utf8 = GetDatabaseEncoding() == PG_UTF8;
    return is_utf8;
}

std::string_view convert_to_utf8(std::string_view text);

// `text`, in the encoding of the database, as UTF-8: the same bytes where they are UTF-8 already, else a copy in
// CurrentMemoryContext. ERROR 22021 where the text is not valid or has no equivalent; in an SQL_ASCII database
// that is text which does not happen to be UTF-8.
inline std::string_view to_utf8(std::string_view text) { return is_utf8_database() ? text : convert_to_utf8(text); }

// Give back what to_utf8() may have allocated for `text`.
inline void free_utf8(std::string_view utf8, std::string_view text) {
    if (utf8.data() != text.data()) {
        pfree(const_cast<char*>(utf8.data()));
    }
}

std::string_view convert_from_utf8(std::string_view utf8);

// The other way round. ERROR 22P05 where the encoding of the database has no such character.
inline std::string_view from_utf8(std::string_view utf8) { return is_utf8_database() ? utf8 : convert_from_utf8(utf8); }

// Whether the encoding of the database has the character `code_point`; in an SQL_ASCII database that is ASCII.
bool has_character(char32_t code_point);

// to_utf8() and from_utf8() for text of strangers, which must not make a query fail: a character without an equivalent becomes "?". What is
// not valid stays as it is in a database whose encoding is UTF-8 or SQL_ASCII. Within a transaction only.
std::string_view to_utf8_lossily(std::string_view text);
std::string_view from_utf8_lossily(std::string_view utf8);

// Report `text`, in the encoding of the database, to a writer.
template <class Writer>
void read_text(std::string_view text, Writer& writer) {
    const std::string_view utf8 = to_utf8(text);
    writer.string(utf8);
    free_utf8(utf8, text);
}

}  // namespace socketio
