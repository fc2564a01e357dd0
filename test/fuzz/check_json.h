// What is kept of strangers' text has to be fit for PostgreSQL.

#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "check.h"
#include "take_document.h"

namespace socketio {

inline void check_text(const std::string& text) {
    check(text.find('\0') == std::string::npos, "text has no U+0000", text);
    check(as_utf8(text) == text, "text is UTF-8", text);
}

inline int check_value(const nlohmann::json& value) {
    int depth = 0;
    if (value.is_string()) {
        check_text(value.get_ref<const std::string&>());
    }
    for (const auto& [key, element] : value.items()) {
        if (value.is_structured()) {
            check_text(key);
            depth = std::max(depth, check_value(element));
        }
    }
    return depth + (value.is_structured() ? 1 : 0);
}

// An unpaired surrogate is an error to nlohmann_json.
inline void check_json(const std::string& text) {
    check_text(text);
    const auto value = nlohmann::json::parse(text, nullptr, false);
    check(!value.is_discarded(), "what is kept is JSON", text);
    check(check_value(value) <= 200, "what is kept has at most 200 levels", text);
}

}  // namespace socketio
