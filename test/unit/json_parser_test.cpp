#include "protocol/json_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "support/checking_handler.h"
#include "support/counting_handler.h"
#include "support/document.h"
#include "support/random_document.h"

namespace socketio::json_parser_test {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json parsed(std::string_view text) {
    CheckingHandler handler;
    EXPECT_TRUE(parse_json(text, handler)) << text;
    return handler.document();
}

bool is_refused(std::string_view text) {
    CheckingHandler handler;
    return !parse_json(text, handler);
}

TEST(JsonParser, ReportsEveryKindOfValue) {
    for (const char* text : {"null", "true", "false", "0", "-1", "0.5", "-1.5e3", R"("")", R"("a\"\u00e9\n")", "[]",
                             "{}", R"([1,[2,[]],{"a":{"b":[null]},"c":{}}])", R"(  { "a" : [ 1 , 2 ] }  )"}) {
        EXPECT_EQ(parsed(text), ordered_json::parse(text));
    }
}

TEST(JsonParser, TellsIntegersApart) {
    EXPECT_TRUE(parsed("-9223372036854775808").is_number_integer());
    EXPECT_EQ(parsed("-9223372036854775808"), INT64_MIN);
    EXPECT_EQ(parsed("9223372036854775807"), INT64_MAX);
    EXPECT_EQ(parsed("9223372036854775808"), std::uint64_t{INT64_MAX} + 1);
    EXPECT_TRUE(parsed("9223372036854775808").is_number_unsigned());
    EXPECT_EQ(parsed("18446744073709551615"), UINT64_MAX);
    EXPECT_TRUE(parsed("18446744073709551616").is_number_float());
    EXPECT_EQ(parsed("18446744073709551616"), 0x1p64);
    EXPECT_EQ(parsed("-9223372036854775809"), -0x1p63);
}

TEST(JsonParser, ReadsRealsToTheLastBit) {
    EXPECT_EQ(parsed("0.1"), 0.1);
    EXPECT_EQ(parsed("1e308"), 1e308);
    EXPECT_EQ(parsed("5e-324"), 5e-324);
    EXPECT_EQ(parsed("1e-400"), 0.0);
    EXPECT_TRUE(is_refused("1e309"));
    EXPECT_TRUE(is_refused("[-1e999]"));
}

TEST(JsonParser, ReportsKeysInOrderAndAsOftenAsTheyCome) {
    EXPECT_EQ(parsed(R"({"b":1,"a":2,"":3})").dump(), R"({"b":1,"a":2,"":3})");
    EXPECT_EQ(parsed(R"({"a":1,"a":[2]})").dump(), R"({"a":[2]})");
}

TEST(JsonParser, RefusesWhatIsNoJson) {
    for (const char* text : {"",
                             " ",
                             "nul",
                             "nulll",
                             "[1",
                             "[1,]",
                             "[1}",
                             "]",
                             "{",
                             R"({"a"})",
                             R"({"a":})",
                             "{1:2}",
                             R"({"a":1,})",
                             "1 2",
                             "{}x",
                             "{}{}",
                             "01",
                             "+1",
                             ".5",
                             "1.",
                             "NaN",
                             "Infinity",
                             "'a'",
                             "\"a",
                             R"("\x")",
                             "\"\n\"",
                             "\"\xFF\"",
                             "\"\xED\xA0\x80\"",
                             R"("\ud800")",
                             R"("\u00")",
                             "// c\n1"}) {
        EXPECT_TRUE(is_refused(text)) << text;
        EXPECT_FALSE(json::accept(text)) << text;
    }
}

TEST(JsonParser, ReportsWhatCameBeforeTheError) {
    CheckingHandler handler;
    EXPECT_FALSE(parse_json("[1] x", handler));
    EXPECT_EQ(handler.document(), ordered_json::parse("[1]"));
}

TEST(JsonParser, AgreesWithADocumentOnRandomOnes) {
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        const json document = RandomDocument(seed).value(6);
        ASSERT_TRUE(equivalent(json(parsed(document.dump())), document));
        ASSERT_TRUE(equivalent(json(parsed(document.dump(2, ' ', true))), document));
    }
}

TEST(JsonParser, TakesNoStackForLevels) {
    constexpr std::int64_t kDepth = 1'000'000;
    CountingHandler arrays;
    EXPECT_TRUE(parse_json(std::string(kDepth, '[') + std::string(kDepth, ']'), arrays));
    EXPECT_EQ(arrays.deepest, kDepth);
    EXPECT_EQ(arrays.depth(), 0);
    std::string text;
    for (std::int64_t i = 0; i < kDepth; ++i) {
        text += "{\"a\":";
    }
    CountingHandler objects;
    EXPECT_FALSE(parse_json(text, objects)) << "without their ends";
    EXPECT_EQ(objects.deepest, kDepth);
}

struct ThrowingHandler : CountingHandler {
    struct Thrown {};
    void string(std::string_view) { throw Thrown(); }
};

TEST(JsonParser, LetsThroughWhatTheHandlerThrows) {
    ThrowingHandler handler;
    EXPECT_THROW(parse_json(R"([{"a":["b"]}])", handler), ThrowingHandler::Thrown);
}

}  // namespace
}  // namespace socketio::json_parser_test
