// See text.h.

#include "backend/text.h"

#include <cstring>

namespace socketio {

std::string_view copy_text(std::string_view text) {
    char* copy = static_cast<char*>(palloc(text.size()));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

std::string_view convert_to_utf8(std::string_view text) {
    const char* converted = pg_server_to_any(text.data(), static_cast<int>(text.size()), PG_UTF8);
    return converted == text.data() ? text : std::string_view(converted, std::strlen(converted));
}

std::string_view from_utf8(std::string_view utf8) {
    const char* converted = pg_any_to_server(utf8.data(), static_cast<int>(utf8.size()), PG_UTF8);
    return converted == utf8.data() ? utf8 : std::string_view(converted, std::strlen(converted));
}

}  // namespace socketio
