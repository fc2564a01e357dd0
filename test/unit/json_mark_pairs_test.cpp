// Marks for characters that a reader's encoding lacks, among them those that UTF-16 writes as a pair.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "protocol/json_marks.h"

namespace socketio::json_mark_pairs_test {
namespace {

std::string unmarked(std::string_view text, bool keeps_surrogates) {
    std::vector<char> place(text.size());
    const char* const end = unmark_text(text, keeps_surrogates, place.data());
    return {place.data(), static_cast<std::size_t>(end - place.data())};
}

TEST(JsonMarkPairs, StandForWhatTheReaderCannotHold) {
    const std::string_view json = R"("\u00e9\u20ac\ud83d\ude00\n\u0041")";
    std::vector<char> place(2 * json.size());
    const char* const end = mark_json(json, place.data(), [](char32_t character) { return character == 0xE9; });
    const std::string_view marked(place.data(), static_cast<std::size_t>(end - place.data()));
    EXPECT_EQ(marked, R"("\u00e9\u000120ac\u0001d83d\u0001de00\n\u0041")");
}

TEST(JsonMarkPairs, GiveWayToCharactersOfAnyLength) {
    const std::string marked =
        "\x01"
        "007f\x01"
        "0080\x01"
        "07ff\x01"
        "0800\x01"
        "ffff\x01"
        "d83d\x01"
        "de00\x01"
        "dbff\x01"
        "dfff";
    EXPECT_EQ(unmarked(marked, false), "\x7f\u0080\u07ff\u0800\uffff\U0001F600\U0010FFFF");
    EXPECT_EQ(unmarked(marked, true), unmarked(marked, false));
}

TEST(JsonMarkPairs, AreAPairOnlySideBySide) {
    const std::string marked =
        "\x01"
        "d83d\x01"
        "d83d\x01"
        "de00\x01"
        "de00";
    EXPECT_EQ(unmarked(marked, false), "\uFFFD\U0001F600\uFFFD");
    EXPECT_EQ(unmarked("\x01"
                       "d83d.\x01"
                       "de00",
                       false),
              "\uFFFD.\uFFFD");
}

}  // namespace
}  // namespace socketio::json_mark_pairs_test
