#include "protocol/utf8.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/random_document.h"

namespace socketio::utf8_test {
namespace {

std::vector<char32_t> take_all(std::string_view text) {
    std::vector<char32_t> code_points;
    while (!text.empty()) {
        code_points.push_back(take_code_point(text));
    }
    return code_points;
}

TEST(TakeCodePoint, ReadsEveryLength) {
    const std::vector<char32_t> expected = {'a', 0xE9, 0x20AC, 0x1F600, 'z'};
    EXPECT_EQ(take_all("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z"), expected);
}

TEST(TakeCodePoint, ReadsEveryCharacterThereIs) {
    std::string text;
    for (char32_t code_point = 0; code_point <= kLastCodePoint; ++code_point) {
        text.clear();
        append_utf8(text, code_point);
        std::string_view rest = text;
        ASSERT_EQ(take_code_point(rest), code_point);
        ASSERT_TRUE(rest.empty()) << "behind code point " << static_cast<unsigned>(code_point);
    }
}

TEST(TakeCodePoint, LeavesWhatFollows) {
    std::string_view text =
        "\xC3\xA9"
        "bc";
    EXPECT_EQ(take_code_point(text), char32_t{0xE9});
    EXPECT_EQ(text, "bc");
}

// Damaged text: at least one byte goes, none beyond the end is touched. The text fills a heap block of its own, so that
// AddressSanitizer sees a read past it.
void expect_in_bounds(std::string_view damaged) {
    const std::unique_ptr<char[]> block(new char[damaged.size()]);
    damaged.copy(block.get(), damaged.size());
    std::string_view text(block.get(), damaged.size());
    const char* const end = text.data() + text.size();
    while (!text.empty()) {
        const std::size_t before = text.size();
        const char32_t code_point = take_code_point(text);
        ASSERT_LT(text.size(), before);
        ASSERT_EQ(text.data() + text.size(), end);
        ASSERT_LE(code_point, char32_t{0x1FFFFF}) << "more bits than four bytes of UTF-8 hold";
    }
}

TEST(TakeCodePoint, StaysInBoundsForAnyTwoBytes) {
    for (int first = 0; first < 0x100; ++first) {
        expect_in_bounds(std::string(1, static_cast<char>(first)));
        for (int second = 0; second < 0x100; ++second) {
            ASSERT_NO_FATAL_FAILURE(expect_in_bounds(std::string{static_cast<char>(first), static_cast<char>(second)}));
        }
    }
}

TEST(TakeCodePoint, StaysInBoundsForRandomBytes) {
    RandomDocument random(8);
    for (int i = 0; i < 20000; ++i) {
        std::string bytes(1 + random.below(12), '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(random.below(0x100));
        }
        ASSERT_NO_FATAL_FAILURE(expect_in_bounds(bytes));
    }
}

TEST(TakeCodePoint, CountsMissingBytesAsZeroBits) {
    for (const char32_t code_point : {U'\u00E9', U'\u20AC', U'\U0001F600'}) {
        std::string whole;
        append_utf8(whole, code_point);
        for (std::size_t kept = 1; kept < whole.size(); ++kept) {
            std::string_view cut = std::string_view(whole).substr(0, kept);
            const int missing_bits = 6 * static_cast<int>(whole.size() - kept);
            EXPECT_EQ(take_code_point(cut), code_point >> missing_bits << missing_bits);
            EXPECT_TRUE(cut.empty());
        }
    }
}

}  // namespace
}  // namespace socketio::utf8_test
