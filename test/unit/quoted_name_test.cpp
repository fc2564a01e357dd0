#include "protocol/quoted_name.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace socketio::quoted_name_test {
namespace {

using Names = std::vector<std::pair<std::string, bool>>;

std::string unquoted(std::string_view quoted) {
    std::string name(quoted.size(), '\0');
    name.resize(unquote(quoted, name.data()));
    return name;
}

// All of a list, as they are called, and whether they stood in quotes.
Names names(std::string_view list) {
    Names taken;
    do {
        const WrittenName name = take_name(list);
        taken.emplace_back(name.is_quoted ? unquoted(name.text) : std::string(name.text), name.is_quoted);
    } while (list.data() != nullptr);
    return taken;
}

TEST(QuotedLength, CountsTheQuotes) {
    EXPECT_EQ(quoted_length(R"("a")"), 3U);
    EXPECT_EQ(quoted_length(R"("a" b)"), 3U);
    EXPECT_EQ(quoted_length(R"("a""b"c")"), 6U);
    EXPECT_EQ(quoted_length(R"("""")"), 4U);
}

TEST(QuotedLength, IsNothingWithoutAName) {
    for (const std::string_view text : {"", "a", "a\"b\"", "\"", "\"a", "\"\"", "\"\"\"", "\"a\"\"", " \"a\""}) {
        EXPECT_EQ(quoted_length(text), 0U) << text;
    }
    EXPECT_EQ(quoted_length(std::string_view("\"a\"", 2)), 0U) << "no further than the view";
}

TEST(Unquote, MakesOneQuoteOfTwo) {
    EXPECT_EQ(unquoted("a"), "a");
    EXPECT_EQ(unquoted(R"(a""b)"), R"(a"b)");
    EXPECT_EQ(unquoted(R"("""")"), R"("")");
    EXPECT_EQ(unquoted(""), "");
}

TEST(TakeName, TakesNamesAsTheyAre) {
    EXPECT_EQ(names("id"), (Names{{"id", false}}));
    EXPECT_EQ(names(" id , User Name,{x"), (Names{{"id", false}, {"User Name", false}, {"{x", false}}));
    EXPECT_EQ(names("id,"), (Names{{"id", false}, {"", false}}));
    EXPECT_EQ(names(""), (Names{{"", false}}));
    EXPECT_EQ(names(" , "), (Names{{"", false}, {"", false}}));
}

TEST(TakeName, TakesNamesInQuotes) {
    EXPECT_EQ(names(R"("a,b"," c ",id)"), (Names{{"a,b", true}, {" c ", true}, {"id", false}}));
    EXPECT_EQ(names(R"( "a""b" , ",""," )"), (Names{{R"(a"b)", true}, {R"(,",)", true}}));
    EXPECT_EQ(names(R"("a",)"), (Names{{"a", true}, {"", false}}));
}

TEST(TakeName, LeavesQuotesThatDoNotQuote) {
    EXPECT_EQ(names(R"(a"b)"), (Names{{R"(a"b)", false}}));
    EXPECT_EQ(names(R"("a,b)"), (Names{{R"("a)", false}, {"b", false}}));
    EXPECT_EQ(names(R"("a"b,c)"), (Names{{R"("a"b)", false}, {"c", false}}));
    EXPECT_EQ(names(R"("",x)"), (Names{{R"("")", false}, {"x", false}}));
}

}  // namespace
}  // namespace socketio::quoted_name_test
