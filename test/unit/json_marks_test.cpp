#include "protocol/json_marks.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace socketio::json_marks_test {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

// The text with marks; empty where it has none.
std::string mark(std::string_view json) {
    std::vector<char> place(2 * json.size());
    const char* end = mark_json(json, place.data());
    return end == nullptr ? "" : std::string(place.data(), static_cast<std::size_t>(end - place.data()));
}

std::string unmark(std::string_view text, bool keeps_surrogates = true) {
    std::vector<char> place(text.size());
    const char* end = unmark_text(text, keeps_surrogates, place.data());
    return {place.data(), static_cast<std::size_t>(end - place.data())};
}

TEST(JsonMarks, StandForWhatIsRefused) {
    EXPECT_EQ(mark(R"("a\u0000b")"), R"("a\u00010000b")");
    EXPECT_EQ(mark(R"("\u0001")"), R"("\u00010001")");
    EXPECT_EQ(mark(R"("\uD83d")"), R"("\u0001D83d")");
    EXPECT_EQ(mark(R"("\ude00\ud83d")"), R"("\u0001de00\u0001d83d")");
    EXPECT_EQ(mark(R"("\ud83d\ud83d\ude00")"), R"("\u0001d83d\ud83d\ude00")");
    EXPECT_EQ(mark(R"("\ud83d\n\ude00")"), R"("\u0001d83d\n\u0001de00")");
    EXPECT_EQ(mark(R"({"\u0000":["\\\u0000"]})"), R"({"\u00010000":["\\\u00010000"]})");
}

TEST(JsonMarks, AreNotMadeOfAnythingElse) {
    for (const std::string_view json : {R"("a")"sv, R"("\\u0000")"sv, R"("\u00e9\ud83d\ude00\n")"sv, R"("\"\\")"sv,
                                        "[1]"sv, R"("\u0002")"sv, R"("\\\\ud83d")"sv}) {
        EXPECT_EQ(mark(json), "") << json;
    }
    EXPECT_FALSE(may_need_marks(R"("a\n")"));
    EXPECT_TRUE(may_need_marks(R"("\u0000")"));
}

TEST(JsonMarks, GiveWayToTheirCharacters) {
    EXPECT_EQ(unmark("a\x01"
                     "0000b\x01"
                     "0001\xC3\xA9"),
              "a\0b\x01\xC3\xA9"s);
    EXPECT_EQ(unmark("\x01"
                     "d83d."),
              "\xED\xA0\xBD.");
    EXPECT_EQ(unmark("\x01"
                     "DE00\x01"
                     "0000",
                     false),
              "\xEF\xBF\xBD\0"s);
    EXPECT_FALSE(has_marks("a"));
    EXPECT_TRUE(
        has_marks("a\x01"
                  "0000"));
}

}  // namespace
}  // namespace socketio::json_marks_test
