#include "protocol/timestamp.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>

#include "support/random_document.h"

namespace socketio::timestamp_test {
namespace {

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

std::string big_endian(std::uint64_t value, int size) {
    std::string bytes;
    for (int i = size - 1; i >= 0; --i) {
        bytes += static_cast<char>(value >> 8 * i & 0xFF);
    }
    return bytes;
}

std::string timestamp96(std::int64_t seconds, std::uint32_t nanoseconds) {
    return big_endian(nanoseconds, 4) + big_endian(static_cast<std::uint64_t>(seconds), 8);
}

std::string timestamp64(std::uint64_t seconds, std::uint64_t nanoseconds) {
    return big_endian(nanoseconds << 34 | seconds, 8);
}

struct Known {
    const char* extension;
    const char* iso;
};

// What encode() of @msgpack/msgpack 2.8 makes of Dates of Node.js's, and what their toJSON() is.
constexpr Known kKnown[] = {
    // 32 bits: whole seconds from 1970 to 2106
    {"00000000", "1970-01-01T00:00:00.000Z"},
    {"00000001", "1970-01-01T00:00:01.000Z"},
    {"04102f80", "1972-02-29T00:00:00.000Z"},
    {"38bb0c00", "2000-02-29T00:00:00.000Z"},
    {"65dfc900", "2024-02-29T00:00:00.000Z"},
    {"65e11a80", "2024-03-01T00:00:00.000Z"},
    {"f4d41f80", "2100-03-01T00:00:00.000Z"},
    {"ffffffff", "2106-02-07T06:28:15.000Z"},
    // 64 bits: with milliseconds, or until 2514
    {"003d090000000000", "1970-01-01T00:00:00.001Z"},
    {"ee2e1f0000000000", "1970-01-01T00:00:00.999Z"},
    {"ee2e1f00386d437f", "1999-12-31T23:59:59.999Z"},
    {"ee2e1f0038bc5d7f", "2000-02-29T23:59:59.999Z"},
    {"bc1cbd006b018ff0", "2026-11-21T12:34:56.789Z"},
    {"ee2e1f00ffffffff", "2106-02-07T06:28:15.999Z"},
    {"0000000100000000", "2106-02-07T06:28:16.000Z"},
    {"ee2e1f03ffffffff", "2514-05-30T01:53:03.999Z"},
    // 96 bits: later, or before 1970
    {"000000000000000400000000", "2514-05-30T01:53:04.000Z"},
    {"3b8b87c0ffffffffffffffff", "1969-12-31T23:59:59.999Z"},
    {"000f4240ffffffffffffffff", "1969-12-31T23:59:59.001Z"},
    {"00000000ffffffffffffffff", "1969-12-31T23:59:59.000Z"},
    {"3b8b87c0fffffffffffffffe", "1969-12-31T23:59:58.999Z"},
    {"00000000ffffffff7ca34a00", "1900-03-01T00:00:00.000Z"},
    {"00000000ffffffff7c558180", "1900-01-01T00:00:00.000Z"},
    // years of four digits, and of six
    {"3b8b87c00000003afff4417f", "9999-12-31T23:59:59.999Z"},
    {"000000000000003afff44180", "+010000-01-01T00:00:00.000Z"},
    {"00000000fffffff1868b8400", "0000-01-01T00:00:00.000Z"},
    {"3b8b87c0fffffff1868b83ff", "-000001-12-31T23:59:59.999Z"},
    {"00000000fffffff184aa5080", "-000001-01-01T00:00:00.000Z"},
    {"3b8b87c0fffffff184aa507f", "-000002-12-31T23:59:59.999Z"},
    {"00000000ffffffa80f054b80", "-009999-01-01T00:00:00.000Z"},
    // the first and the last that there are
    {"00000000fffff82457de8000", "-271821-04-20T00:00:00.000Z"},
    {"000f4240fffff82457de8000", "-271821-04-20T00:00:00.001Z"},
    {"3b8b87c0000007dba8217fff", "+275760-09-12T23:59:59.999Z"},
    {"00000000000007dba8218000", "+275760-09-13T00:00:00.000Z"},
};

TEST(TimestampToIso, PrintsDatesAsJavaScriptDoes) {
    for (const Known& known : kKnown) {
        EXPECT_EQ(timestamp_to_iso(from_hex(known.extension)), known.iso) << known.extension;
    }
}

TEST(TimestampToIso, TakesWiderFormsThanNeeded) {
    EXPECT_EQ(timestamp_to_iso(timestamp64(0, 0)), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(timestamp_to_iso(timestamp96(0, 0)), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(timestamp_to_iso(timestamp96(0x65DFC900, 5'000'000)), "2024-02-29T00:00:00.005Z");
}

TEST(TimestampToIso, DropsWhatIsLessThanAMillisecond) {
    EXPECT_EQ(timestamp_to_iso(timestamp64(0, 999'999)), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(timestamp_to_iso(timestamp64(0, 1'999'999)), "1970-01-01T00:00:00.001Z");
    EXPECT_EQ(timestamp_to_iso(timestamp96(0, 999'999'999)), "1970-01-01T00:00:00.999Z");
}

TEST(TimestampToIso, RefusesNanosecondsOfASecondOrMore) {
    EXPECT_EQ(timestamp_to_iso(timestamp64(0, 1'000'000'000)), "");
    EXPECT_EQ(timestamp_to_iso(timestamp64(0, (1 << 30) - 1)), "");
    EXPECT_EQ(timestamp_to_iso(timestamp96(0, 1'000'000'000)), "");
    EXPECT_EQ(timestamp_to_iso(timestamp96(-1, UINT32_MAX)), "");
}

TEST(TimestampToIso, RefusesWhatNoDateReaches) {
    constexpr std::int64_t kLast = 8'640'000'000'000;
    EXPECT_NE(timestamp_to_iso(timestamp96(kLast, 0)), "");
    EXPECT_EQ(timestamp_to_iso(timestamp96(kLast, 1'000'000)), "");
    EXPECT_EQ(timestamp_to_iso(timestamp96(kLast + 1, 0)), "");
    EXPECT_NE(timestamp_to_iso(timestamp96(-kLast, 0)), "");
    EXPECT_EQ(timestamp_to_iso(timestamp96(-kLast - 1, 0)), "");
    EXPECT_EQ(timestamp_to_iso(timestamp96(-kLast - 1, 999'000'000)), "");
    EXPECT_EQ(timestamp_to_iso(timestamp96(INT64_MAX, 0)), "");
    EXPECT_EQ(timestamp_to_iso(timestamp96(INT64_MIN, 0)), "");
}

TEST(TimestampToIso, RefusesOtherLengths) {
    for (std::size_t size = 0; size <= 20; ++size) {
        if (size != 4 && size != 8 && size != 12) {
            EXPECT_EQ(timestamp_to_iso(std::string(size, '\0')), "") << size;
        }
    }
}

// gmtime_r() counts as the Gregorian calendar does, before it was made too.
std::string iso_by_libc(std::int64_t seconds, int milliseconds) {
    const std::time_t time = seconds;
    std::tm date{};
    gmtime_r(&time, &date);
    const int year = date.tm_year + 1900;
    const bool is_usual = year >= 0 && year <= 9999;
    char text[80];
    std::snprintf(text, sizeof text,
                  is_usual ? "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" : "%+07d-%02d-%02dT%02d:%02d:%02d.%03dZ", year,
                  date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec, milliseconds);
    return text;
}

TEST(TimestampToIso, AgreesWithTheCLibraryOnEveryDayOfFourCenturies) {
    constexpr std::int64_t kDays = 146'097;
    for (std::int64_t day = -kDays / 2; day <= kDays / 2; ++day) {
        const std::int64_t seconds = day * 86'400;
        ASSERT_EQ(timestamp_to_iso(timestamp96(seconds, 0)), iso_by_libc(seconds, 0));
        ASSERT_EQ(timestamp_to_iso(timestamp96(seconds - 1, 999'000'000)), iso_by_libc(seconds - 1, 999));
    }
}

TEST(TimestampToIso, AgreesWithTheCLibraryOnRandomDates) {
    RandomDocument random(96);
    for (int i = 0; i < 100'000; ++i) {
        const auto seconds = static_cast<std::int64_t>(random.below(17'280'000'000'000)) - 8'640'000'000'000;
        const auto milliseconds = static_cast<int>(random.below(1000));
        ASSERT_EQ(timestamp_to_iso(timestamp96(seconds, static_cast<std::uint32_t>(milliseconds) * 1'000'000)),
                  iso_by_libc(seconds, milliseconds))
            << seconds;
    }
}

}  // namespace
}  // namespace socketio::timestamp_test
