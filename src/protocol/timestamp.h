// msgpack's timestamps, which @msgpack/msgpack makes of every Date of JavaScript's.
//
// Source: the timestamp extension type of msgpack's specification (spec.md, "Timestamp extension type").

#pragma once

#include <string>
#include <string_view>

namespace socketio {

inline constexpr int kTimestampExtension = -1;

// The payload of an extension of that type as Date.prototype.toJSON() prints it: "2026-11-21T12:34:56.789Z". Empty where it
// is none, or out of the range of a Date. Throws std::bad_alloc.
std::string timestamp_to_iso(std::string_view extension);

}  // namespace socketio
