#include "protocol/timestamp.h"

#include <cstdint>
#include <cstdio>

namespace socketio {

namespace {

constexpr std::int64_t kMillisecondsPerDay = 86'400'000;
constexpr std::int64_t kLastMillisecond = 8'640'000'000'000'000;  // of a Date, on either side of 1970 (ECMA-262)

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) {
        value = value << 8 | static_cast<unsigned char>(byte);
    }
    return value;
}

struct Time {
    std::int64_t seconds;  // since 1970
    std::uint64_t nanoseconds;
};

bool read_time(std::string_view extension, Time& time) {
    switch (extension.size()) {
        case 4:
            time = {static_cast<std::int64_t>(big_endian(extension)), 0};
            return true;
        case 8: {
            const std::uint64_t both = big_endian(extension);
            time = {static_cast<std::int64_t>(both & 0x3'FFFF'FFFF), both >> 34};
            return true;
        }
        case 12:
            time = {static_cast<std::int64_t>(big_endian(extension.substr(4))), big_endian(extension.substr(0, 4))};
            return true;
        default:
            return false;
    }
}

struct Date {
    std::int64_t year;
    int month, day;
};

// The Gregorian calendar in eras of 400 years that begin in March, so that a leap day is the last of its year (the algorithm
// of Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
Date date_of(std::int64_t days_since_1970) {
    constexpr std::int64_t kDaysPerEra = 146'097;
    const std::int64_t days = days_since_1970 + 719'468;
    const std::int64_t era = (days >= 0 ? days : days - (kDaysPerEra - 1)) / kDaysPerEra;
    const std::int64_t day_of_era = days - era * kDaysPerEra;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
    const int day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    const int month = static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

}  // namespace

std::string timestamp_to_iso(std::string_view extension) {
    Time time{};
    constexpr std::int64_t kLastSecond = kLastMillisecond / 1000;
    if (!read_time(extension, time) || time.seconds < -kLastSecond || time.seconds > kLastSecond ||
        time.nanoseconds >= 1'000'000'000) {
        return {};
    }
    const std::int64_t milliseconds = time.seconds * 1000 + static_cast<std::int64_t>(time.nanoseconds / 1'000'000);
    if (milliseconds > kLastMillisecond) {
        return {};
    }
    std::int64_t days = milliseconds / kMillisecondsPerDay;
    std::int64_t rest = milliseconds % kMillisecondsPerDay;
    if (rest < 0) {
        rest += kMillisecondsPerDay;
        --days;
    }
    const Date date = date_of(days);
    // Beyond four digits a year has a sign and six.
    const bool is_usual_year = date.year >= 0 && date.year <= 9999;
    char text[48];
    std::snprintf(text, sizeof text, "%0*lld-%02d-%02dT%02d:%02d:%02d.%03dZ", is_usual_year ? 4 : 7,
                  static_cast<long long>(date.year), date.month, date.day, static_cast<int>(rest / 3'600'000),
                  static_cast<int>(rest / 60'000 % 60), static_cast<int>(rest / 1000 % 60),
                  static_cast<int>(rest % 1000));
    return is_usual_year || date.year < 0 ? text : std::string("+") + (text[0] == '0' ? text + 1 : text);
}

}  // namespace socketio
