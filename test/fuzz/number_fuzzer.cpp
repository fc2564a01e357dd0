// Any decimal number: integers exactly, everything else as strtod has it.

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <variant>

#include "check.h"
#include "protocol/number.h"
#include "take_document.h"

using namespace socketio;

namespace {

std::string take_digits(FuzzedDataProvider& data) {
    std::string digits = data.ConsumeRandomLengthString(1200);
    for (char& digit : digits) {
        digit = static_cast<char>('0' + static_cast<unsigned char>(digit) % 10);
    }
    digits.append(data.ConsumeIntegralInRange<std::size_t>(0, 400), '0');
    return digits;
}

// -?D+(.D+)?, without leading zeros: what jsonb prints.
std::string take_any_decimal(FuzzedDataProvider& data) {
    const bool is_negative = data.ConsumeBool();
    const bool has_fraction = data.ConsumeBool();
    std::string whole = take_digits(data);
    whole.erase(0, whole.find_first_not_of('0'));
    const std::string leading_zeros(data.ConsumeIntegralInRange<std::size_t>(0, 400), '0');
    std::string fraction = has_fraction ? "." + leading_zeros + take_digits(data) : "";
    if (fraction.size() == 1) {
        fraction += '0';
    }
    return (is_negative ? "-" : "") + (whole.empty() ? "0" : whole) + fraction;
}

// The exact middle between two neighbouring float64, then zeros and other digits: whatever comes after hundreds of digits
// decides which of the two it is. No mutation would find such a number.
std::string take_tie(FuzzedDataProvider& data) {
    static_assert(std::numeric_limits<long double>::digits > std::numeric_limits<double>::digits);
    const double number = data.ConsumeFloatingPoint<double>();
    const double next = std::nextafter(number, 0);
    if (!std::isfinite(number)) {
        return "0";
    }
    char digits[1500];
    std::snprintf(digits, sizeof digits, "%.1080Lf", (static_cast<long double>(number) + next) / 2);
    return digits + take_digits(data);
}

std::string take_decimal(FuzzedDataProvider& data) {
    return data.ConsumeBool() ? take_tie(data) : take_any_decimal(data);
}

std::string without_zero_fraction(const std::string& decimal) {
    const auto point = decimal.find('.');
    const bool is_whole = decimal.find_first_not_of('0', point + 1) == std::string::npos;
    return point != std::string::npos && is_whole ? decimal.substr(0, point) : decimal;
}

bool fits_64_bits(const std::string& whole) {
    errno = 0;
    if (whole.front() == '-') {
        std::strtoll(whole.c_str(), nullptr, 10);
    } else {
        std::strtoull(whole.c_str(), nullptr, 10);
    }
    return errno == 0;
}

void check_integer(const BinaryNumber& number, const std::string& whole) {
    const auto* value = std::get_if<std::int64_t>(&number);
    const auto* large = std::get_if<std::uint64_t>(&number);
    check(value != nullptr || large != nullptr, "what fits 64 bits is an integer", whole);
    const std::string digits = value != nullptr ? std::to_string(*value) : std::to_string(*large);
    check(digits == (whole == "-0" ? "0" : whole), "an integer is exact", whole);
    check(value != nullptr || *large > INT64_MAX, "int64 comes before uint64", whole);
}

void check_float(const BinaryNumber& number, const std::string& decimal) {
    const auto* value = std::get_if<double>(&number);
    check(value != nullptr, "what fits no integer is a float64", decimal);
    const double expected = std::strtod(decimal.c_str(), nullptr);
    check(std::memcmp(value, &expected, sizeof expected) == 0, "a float64 is the one strtod finds", decimal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    FuzzedDataProvider data(bytes, size);
    const std::string decimal = take_decimal(data);
    const std::string whole = without_zero_fraction(decimal);
    const BinaryNumber number = parse_number(decimal);
    if (whole.find('.') == std::string::npos && fits_64_bits(whole)) {
        check_integer(number, whole);
    } else {
        check_float(number, decimal);
    }
    return 0;
}
