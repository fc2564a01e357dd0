// What a decimal number becomes in msgpack: an integer where one holds it exactly, a float64 otherwise, which is
// what a JavaScript receiver makes of the same digits in JSON.

#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

namespace socketio {

using BinaryNumber = std::variant<std::int64_t, std::uint64_t, double>;

// Convert digits as jsonb prints them (-?D+(.D+)?) to the narrowest of int64, uint64 and the nearest float64.
// A fraction of zeros ("1.00") counts as an integer. Beyond the range of float64 the result is an infinity, or zero for
// a number too small, as JSON.parse has it.
BinaryNumber parse_number(std::string_view decimal);

}  // namespace socketio
