// See text.h.

#include "backend/text.h"

#include <algorithm>
#include <cstring>

#include "protocol/utf8.h"

extern "C" {
#include "catalog/namespace.h"
#include "lib/stringinfo.h"
}

namespace socketio {

namespace {

// Without a conversion between the two, everything beyond ASCII is lost.
std::string_view keep_ascii(std::string_view text) {
    char* copy = static_cast<char*>(palloc(text.size()));
    std::replace_copy_if(
        text.begin(), text.end(), copy, [](char c) { return IS_HIGHBIT_SET(c); }, '?');
    return {copy, text.size()};
}

std::string_view convert_lossily(std::string_view text, int from, int to) {
    const Oid conversion = FindDefaultConversionProc(from, to);
    if (!OidIsValid(conversion)) {
        return keep_ascii(text);
    }
    StringInfoData result;
    initStringInfo(&result);
    const std::size_t room = (text.size() + 1) * MAX_CONVERSION_GROWTH + 1;
    auto* converted = static_cast<unsigned char*>(palloc(room));
    while (!text.empty()) {
        auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
        text.remove_prefix(pg_do_encoding_conversion_buf(conversion, from, to, bytes, static_cast<int>(text.size()),
                                                         converted, static_cast<int>(room), true));
        appendStringInfoString(&result, reinterpret_cast<char*>(converted));
        if (!text.empty()) {
            appendStringInfoChar(&result, '?');
            text.remove_prefix(std::min<std::size_t>(pg_encoding_mblen(from, text.data()), text.size()));
        }
    }
    pfree(converted);
    return {result.data, static_cast<std::size_t>(result.len)};
}

bool is_converted() { return GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII; }

}  // namespace

std::string_view concatenate(std::initializer_list<std::string_view> parts) {
    StringInfoData text;
    initStringInfo(&text);
    for (const std::string_view part : parts) {
        appendBinaryStringInfo(&text, part.data(), static_cast<int>(part.size()));
    }
    return {text.data, static_cast<std::size_t>(text.len)};
}

std::string_view copy_text(std::string_view text) {
    char* copy = static_cast<char*>(palloc(text.size()));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

std::string_view convert_to_utf8(std::string_view text) {
    const char* converted = pg_server_to_any(text.data(), static_cast<int>(text.size()), PG_UTF8);
    return converted == text.data() ? text : std::string_view(converted, std::strlen(converted));
}

std::string_view convert_from_utf8(std::string_view utf8) {
    const char* converted = pg_any_to_server(utf8.data(), static_cast<int>(utf8.size()), PG_UTF8);
    return converted == utf8.data() ? utf8 : std::string_view(converted, std::strlen(converted));
}

bool has_character(char32_t code_point) {
    if (code_point < 0x80 || is_utf8_database()) {
        return true;
    }
    const int encoding = GetDatabaseEncoding();
    const Oid conversion = FindDefaultConversionProc(PG_UTF8, encoding);
    if (!OidIsValid(conversion)) {
        return false;
    }
    char utf8[4];
    const int size = static_cast<int>(put_code_point(code_point, utf8) - utf8);
    unsigned char converted[sizeof utf8 * MAX_CONVERSION_GROWTH + 1];
    return pg_do_encoding_conversion_buf(conversion, PG_UTF8, encoding, reinterpret_cast<unsigned char*>(utf8), size,
                                         converted, sizeof converted, true) == size;
}

std::string_view to_utf8_lossily(std::string_view text) {
    return is_converted() ? convert_lossily(text, GetDatabaseEncoding(), PG_UTF8) : text;
}

std::string_view from_utf8_lossily(std::string_view utf8) {
    return is_converted() ? convert_lossily(utf8, PG_UTF8, GetDatabaseEncoding()) : utf8;
}

}  // namespace socketio
