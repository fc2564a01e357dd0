#include "protocol/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <variant>

#include "support/document.h"
#include "support/random_document.h"

namespace socketio::number_test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::uint64_t bits_of(double number) {
    std::uint64_t bits;
    std::memcpy(&bits, &number, sizeof bits);
    return bits;
}

void expect_int64(const std::string& decimal, std::int64_t expected) {
    const BinaryNumber number = parse_number(decimal);
    ASSERT_TRUE(std::holds_alternative<std::int64_t>(number)) << decimal;
    EXPECT_EQ(std::get<std::int64_t>(number), expected) << decimal;
}

void expect_uint64(const std::string& decimal, std::uint64_t expected) {
    const BinaryNumber number = parse_number(decimal);
    ASSERT_TRUE(std::holds_alternative<std::uint64_t>(number)) << decimal;
    EXPECT_EQ(std::get<std::uint64_t>(number), expected) << decimal;
}

// To the last bit, and with its sign.
void expect_double(const std::string& decimal, double expected) {
    const BinaryNumber number = parse_number(decimal);
    ASSERT_TRUE(std::holds_alternative<double>(number)) << decimal;
    EXPECT_EQ(bits_of(std::get<double>(number)), bits_of(expected))
        << decimal.substr(0, 100) << " became " << std::get<double>(number) << ", not " << expected;
}

void expect_as_strtod(const std::string& decimal) { expect_double(decimal, std::strtod(decimal.c_str(), nullptr)); }

TEST(ParseNumber, MakesIntegersOfWhatFitsInt64) {
    expect_int64("0", 0);
    expect_int64("7", 7);
    expect_int64("-1", -1);
    expect_int64("9223372036854775807", std::numeric_limits<std::int64_t>::max());
    expect_int64("-9223372036854775808", std::numeric_limits<std::int64_t>::min());
}

TEST(ParseNumber, MakesUnsignedIntegersOfWhatFitsUint64Alone) {
    expect_uint64("9223372036854775808", std::uint64_t{1} << 63);
    expect_uint64("18446744073709551615", std::numeric_limits<std::uint64_t>::max());
}

TEST(ParseNumber, MakesFloatsOfIntegersBeyond) {
    expect_double("18446744073709551616", 0x1p64);
    expect_double("-9223372036854775809", -0x1p63);
    expect_double("-18446744073709551615", -0x1p64);
    expect_double("100000000000000000000", 1e20);
}

TEST(ParseNumber, TakesAFractionOfZerosForNone) {
    expect_int64("1.0", 1);
    expect_int64("-12.000", -12);
    expect_int64("0.0", 0);
    expect_int64("100.00", 100);
    expect_int64("-9223372036854775808.0", std::numeric_limits<std::int64_t>::min());
    expect_uint64("18446744073709551615.000", std::numeric_limits<std::uint64_t>::max());
    expect_double("18446744073709551616.0", 0x1p64);
    expect_int64("5." + std::string(16383, '0'), 5);
}

TEST(ParseNumber, KeepsAnyOtherFraction) {
    expect_double("0.5", 0.5);
    expect_double("-0.5", -0.5);
    expect_double("1.50", 1.5);
    expect_double("1.05", 1.05);
    expect_double("10.01", 10.01);
    expect_double("0.1", 0.1);
    expect_double("9007199254740993.5", 9007199254740994.0);
    expect_double("9223372036854775807.5", 0x1p63);
}

TEST(ParseNumber, HasNoNegativeZeroAmongIntegers) {
    expect_int64("-0", 0);
    expect_int64("-0.00", 0);
}

TEST(ParseNumber, MakesInfinityOfTheTooLarge) {
    const std::string huge = "1" + std::string(400, '0');
    expect_double(huge, kInfinity);
    expect_double("-" + huge, -kInfinity);
    expect_double(huge + ".5", kInfinity);
    expect_double("-" + std::string(131072, '9') + "." + std::string(16383, '9'), -kInfinity);
}

TEST(ParseNumber, MakesZeroOfTheTooSmall) {
    const std::string tiny = "0." + std::string(400, '0') + "1";
    expect_double(tiny, 0.0);
    expect_double("-" + tiny, -0.0);
    expect_double("0." + std::string(16382, '0') + "1", 0.0);
}

TEST(ParseNumber, RoundsAtTheEdgesOfFloat64AsStrtodDoes) {
    const double largest = std::numeric_limits<double>::max();
    const double smallest = std::numeric_limits<double>::denorm_min();
    const double smallest_normal = std::numeric_limits<double>::min();
    for (const double edge : {largest, std::nextafter(largest, 0), smallest_normal, std::nextafter(smallest_normal, 0),
                              smallest, 2 * smallest, 3 * smallest}) {
        char exact[1200];
        std::snprintf(exact, sizeof exact, "%.1074f", edge);
        // With a fraction that counts, so that no integer comes of it.
        const std::string decimal = std::string(exact) + "1";
        expect_as_strtod(decimal);
        expect_as_strtod("-" + decimal);
    }
    // Half of the smallest is a tie with zero; anything above rounds up.
    char half[1200];
    std::snprintf(half, sizeof half, "%.1074f", smallest);
    std::string above_half = half;
    above_half.back() = '2';
    above_half += '5';
    expect_as_strtod(above_half);
    expect_double("0." + std::string(323, '0') + "2", 0.0);
    expect_double("0." + std::string(323, '0') + "3", smallest);
    // Between the largest and what would be the next: below the middle it is the largest, from there on infinity.
    expect_double("1797693134862315807" + std::string(290, '0'), largest);
    expect_double("1797693134862315808" + std::string(290, '0'), kInfinity);
}

// Halfway between two float64, and a digit hundreds of places further on that decides.
TEST(ParseNumber, RoundsTiesToEvenAndLooksAtEveryDigit) {
    expect_double("9007199254740993.0" + std::string(700, '0') + "1", 9007199254740994.0);
    expect_double("9007199254740992.9" + std::string(700, '9'), 9007199254740992.0);
    expect_double("36893488147419107328", 0x1p65);                // tie, down to even
    expect_double("36893488147419107329", 0x1.0000000000001p65);  // just above it
    expect_double("36893488147419115520", 0x1.0000000000002p65);  // tie, up to even
    const std::string tie = "1.00000000000000011102230246251565404236316680908203125";
    expect_double(tie, 1.0);
    expect_double(tie + std::string(16000, '0') + "1", 0x1.0000000000001p0);
}

std::string random_digits(RandomDocument& random, std::uint64_t count) {
    std::string digits(count, '0');
    for (char& digit : digits) {
        digit = static_cast<char>('0' + random.below(10));
    }
    return digits;
}

// Without leading zeros.
std::string random_whole(RandomDocument& random, std::uint64_t count) {
    std::string digits = random_digits(random, count);
    digits.front() = static_cast<char>('1' + random.below(9));
    return digits;
}

TEST(ParseNumber, ReadsRandomIntegersExactly) {
    RandomDocument random(1);
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t value = random.unsigned_integer();
        const std::string decimal = std::to_string(value) + (random.below(4) == 0 ? ".00" : "");
        if (value > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
            expect_uint64(decimal, value);
        } else {
            expect_int64(decimal, static_cast<std::int64_t>(value));
            expect_int64("-" + decimal, -static_cast<std::int64_t>(value));
        }
    }
}

TEST(ParseNumber, ReadsRandomDigitsAsStrtodDoes) {
    RandomDocument random(2);
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t longest = random.below(20) == 0 ? 800 : 25;
        std::string decimal = random.below(2) == 0 ? "-" : "";
        decimal += random.below(3) == 0 ? "0" : random_whole(random, 1 + random.below(longest));
        decimal += '.' + std::string(random.below(random.below(10) == 0 ? 330 : 3), '0');
        decimal += random_digits(random, random.below(longest)) + "1";
        expect_as_strtod(decimal);
    }
}

TEST(ParseNumber, ReadsBackEveryFloat64) {
    RandomDocument random(3);
    for (int i = 0; i < 20000; ++i) {
        std::uint64_t bits = random.unsigned_integer() << random.below(64);
        double number;
        std::memcpy(&number, &bits, sizeof number);
        if (!std::isfinite(number)) {
            continue;
        }
        const BinaryNumber parsed = parse_number(plain_digits(number));
        const double value = std::visit([](auto parsed_value) { return static_cast<double>(parsed_value); }, parsed);
        ASSERT_EQ(value, number) << plain_digits(number);
        ASSERT_EQ(std::holds_alternative<double>(parsed),
                  number != std::trunc(number) || number < -0x1p63 || number >= 0x1p64)
            << plain_digits(number);
    }
}

TEST(ParseNumber, ReadsNoFurtherThanTheView) {
    const std::string text = "12345.678";
    EXPECT_EQ(std::get<std::int64_t>(parse_number(std::string_view(text).substr(0, 3))), 123);
    EXPECT_EQ(std::get<std::int64_t>(parse_number(std::string_view(text).substr(0, 5))), 12345);
    EXPECT_EQ(std::get<double>(parse_number(std::string_view(text).substr(0, 7))), 12345.6);
}

}  // namespace
}  // namespace socketio::number_test
