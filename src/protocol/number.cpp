#include "protocol/number.h"

#include <charconv>
#include <limits>

namespace socketio {

namespace {

// "12.00" -> "12"; anything with a fraction that counts stays as it is.
std::string_view without_zero_fraction(std::string_view decimal) {
    const auto point = decimal.find('.');
    if (point == std::string_view::npos || decimal.find_first_not_of('0', point + 1) != std::string_view::npos) {
        return decimal;
    }
    return decimal.substr(0, point);
}

template <class Integer>
bool parse_whole(std::string_view decimal, Integer& value) {
    const auto [end, error] = std::from_chars(decimal.data(), decimal.data() + decimal.size(), value);
    return error == std::errc() && end == decimal.data() + decimal.size();
}

double parse_double(std::string_view decimal) {
    double value = 0;
    const auto [end, error] = std::from_chars(decimal.data(), decimal.data() + decimal.size(), value);
    static_cast<void>(end);
    if (error != std::errc::result_out_of_range) {
        return value;
    }
    // Without an exponent, out of range with a whole part means too large, and without one too small.
    const bool negative = decimal.front() == '-';
    const bool too_large = decimal.substr(negative ? 1 : 0).front() != '0';
    const double magnitude = too_large ? std::numeric_limits<double>::infinity() : 0.0;
    return negative ? -magnitude : magnitude;
}

}  // namespace

BinaryNumber parse_number(std::string_view decimal) {
    const auto whole = without_zero_fraction(decimal);
    if (std::int64_t value; parse_whole(whole, value)) {
        return value;
    }
    if (std::uint64_t value; parse_whole(whole, value)) {
        return value;
    }
    return parse_double(decimal);
}

}  // namespace socketio
