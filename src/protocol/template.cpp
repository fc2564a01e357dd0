#include "protocol/template.h"

#include <algorithm>

#include "protocol/quoted_name.h"

namespace socketio {

namespace {

constexpr std::string_view kBlanks = " \t\n\r\f\v";

bool begins_with_pair(std::string_view text) { return text.size() > 1 && text[0] == text[1]; }

// The length of the placeholder with a quoted name at the front of `text`, braces included; 0 where there is none.
std::size_t quoted_placeholder_length(std::string_view text) {
    const std::size_t quoted = quoted_length(text.substr(1));
    return quoted > 0 && text.substr(1 + quoted, 1) == "}" ? quoted + 2 : 0;
}

// The length of the template at the front of `list`. A brace that is never closed ends nothing, and is looked for once.
std::size_t template_length(std::string_view list) {
    bool can_close = true;
    std::size_t i = 0;
    while (i < list.size() && list[i] != ',') {
        if (list[i] != '{') {
            ++i;
        } else if (begins_with_pair(list.substr(i))) {
            i += 2;
        } else if (const std::size_t quoted = quoted_placeholder_length(list.substr(i)); quoted > 0) {
            i += quoted;
        } else {
            const std::size_t end = can_close ? list.find('}', i) : std::string_view::npos;
            can_close = end != std::string_view::npos;
            i = can_close ? end + 1 : i + 1;
        }
    }
    return i;
}

}  // namespace

std::string_view trim_front(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
}

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view take_template(std::string_view& list) {
    const std::size_t length = template_length(list);
    const std::string_view taken = list.substr(0, length);
    list = length < list.size() ? list.substr(length + 1) : std::string_view();
    return trim(taken);
}

bool TemplateReader::next(TemplateToken& token) {
    if (rest_.empty()) {
        return false;
    }
    const char first = rest_.front();
    if (first != '{' && first != '}') {
        const std::size_t end = std::min(rest_.find_first_of("{}"), rest_.size());
        return text(end, end, token);
    }
    if (begins_with_pair(rest_)) {
        return text(1, 2, token);
    }
    return first == '{' ? placeholder(token) : fail("has a } without a {; a brace is written }}");
}

bool TemplateReader::placeholder(TemplateToken& token) {
    if (const std::size_t quoted = quoted_placeholder_length(rest_); quoted > 0) {
        token = {TemplateToken::Kind::kPlaceholder, rest_.substr(2, quoted - 4), true};
        rest_.remove_prefix(quoted);
        return true;
    }
    const std::size_t end = rest_.find('}');
    if (end == std::string_view::npos) {
        return fail("has a { without a }; a brace is written {{");
    }
    token = {TemplateToken::Kind::kPlaceholder, rest_.substr(1, end - 1), false};
    if (token.text.empty()) {
        return fail("has braces without a name in them");
    }
    if (token.text.find('{') != std::string_view::npos) {
        return fail("has a { inside of braces; a name with one in it is written in double quotes");
    }
    rest_.remove_prefix(end + 1);
    return true;
}

bool TemplateReader::text(std::size_t size, std::size_t consumed, TemplateToken& token) {
    token = {TemplateToken::Kind::kText, rest_.substr(0, size), false};
    rest_.remove_prefix(consumed);
    return true;
}

bool TemplateReader::fail(const char* problem) {
    problem_ = problem;
    return false;
}

}  // namespace socketio
