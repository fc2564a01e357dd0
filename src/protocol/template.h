// Templates such as `user:{user_id}`: text in which names in braces stand for something yet to be known.
//
// `{name}` is a placeholder, and so is `{"name"}`, where the name may hold anything (quoted_name.h); `{{` and `}}` are a brace
// each, anything else is itself. A list of templates is separated by
// commas; a comma inside a placeholder is part of its name. What the names mean is not known here. All input is in an
// encoding whose non-ASCII characters hold no ASCII bytes, as UTF-8 and every encoding of a PostgreSQL database do.

#pragma once

#include <string_view>

namespace socketio {

// `text` without the blanks around it.
std::string_view trim(std::string_view text);

// `text` without the blanks in front of it.
std::string_view trim_front(std::string_view text);

// Take the first template off the front of a list, with the comma behind it, and return it trimmed. `list` becomes a view
// without data when that was the last one: `user:{id},` has two, of which the second is empty.
std::string_view take_template(std::string_view& list);

struct TemplateToken {
    enum class Kind { kText, kPlaceholder };

    Kind kind;
    std::string_view text;   // the text itself, or the placeholder's name, without the quotes around it
    bool is_quoted = false;  // it stood in quotes
};

// Reads one template token by token.
class TemplateReader {
  public:
    explicit TemplateReader(std::string_view text) : rest_(text) {}

    // False at the end, and where the template is malformed.
    bool next(TemplateToken& token);

    // What is wrong with the template, as the rest of a sentence that begins with it; null while nothing is.
    const char* problem() const { return problem_; }

  private:
    bool placeholder(TemplateToken& token);
    bool text(std::size_t size, std::size_t consumed, TemplateToken& token);
    bool fail(const char* problem);

    std::string_view rest_;
    const char* problem_ = nullptr;
};

}  // namespace socketio
