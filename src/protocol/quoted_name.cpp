#include "protocol/quoted_name.h"

#include "protocol/template.h"

namespace socketio {

std::size_t quoted_length(std::string_view text) {
    if (text.empty() || text.front() != '"') {
        return 0;
    }
    std::size_t end = text.find('"', 1);
    while (end != std::string_view::npos && text.substr(end + 1, 1) == "\"") {
        end = text.find('"', end + 2);
    }
    return end == std::string_view::npos || end == 1 ? 0 : end + 1;
}

std::size_t unquote(std::string_view quoted, char* to) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < quoted.size(); ++i) {
        to[size++] = quoted[i];
        i += quoted[i] == '"';
    }
    return size;
}

WrittenName take_name(std::string_view& list) {
    const std::size_t begin = list.size() - trim_front(list).size();
    const std::size_t quoted = quoted_length(list.substr(begin));
    const std::string_view behind = trim_front(list.substr(begin + quoted));
    const bool is_quoted = quoted > 0 && (behind.empty() || behind.front() == ',');
    const std::size_t end = list.find(',', is_quoted ? begin + quoted : 0);
    const std::string_view name = trim(list.substr(0, end));
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
    return is_quoted ? WrittenName{name.substr(1, name.size() - 2), true} : WrittenName{name, false};
}

}  // namespace socketio
