// Text from strangers, made fit to keep.
//
// What a Socket.IO server reports of its clients was written by those clients, and JavaScript's strings hold more than a
// text of PostgreSQL's may: U+0000, and halves of surrogate pairs. One such client must not make a whole answer unreadable,
// so each of these becomes U+FFFD, the replacement character.

#pragma once

#include <string>
#include <string_view>

namespace socketio {

// `bytes` as valid UTF-8 without U+0000: the same view where it is that already, else one of `scratch`.
// Throws std::bad_alloc.
std::string_view clean_utf8(std::string_view bytes, std::string& scratch);

// The same for the escapes \uXXXX of a JSON text, in place: they are as long as \ufffd.
void clean_json_escapes(std::string& json);

}  // namespace socketio
