// Names in double quotes, as SQL has them: whatever is in between is the name's own, and a quote in it is written twice.

#pragma once

#include <cstddef>
#include <string_view>

namespace socketio {

// The length of the quoted name at the front of `text`, quotes included; 0 where there is none, or an empty one.
std::size_t quoted_length(std::string_view text);

// Write the name to `to`, which takes as many bytes as `quoted` has, and return its length. `quoted` is without the quotes
// around it.
std::size_t unquote(std::string_view quoted, char* to);

// A name as it stands in a list or a template.
struct WrittenName {
    std::string_view text;  // without the quotes around it
    bool is_quoted;         // a quote in it stands there twice
};

// Take the first name off the front of a list separated by commas, with the comma behind it. Blanks around it do not count.
// What only begins with a quote is not quoted. `list` becomes a view without data when that was the last one.
WrittenName take_name(std::string_view& list);

}  // namespace socketio
