#include "protocol/fixed_tokens.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/checking_writer.h"
#include "support/document.h"
#include "support/encode.h"

namespace socketio::fixed_tokens_test {
namespace {

using nlohmann::json;

TEST(FixedTokens, AreEncodedAtCompileTime) {
    constexpr auto kRun = FixedTokens::at_start().object(1).key("a").integer(1).end_object();
    static_assert(kRun.json() == R"({"a":1})");
    static_assert(kRun.msgpack() ==
                  "\x81\xA1"
                  "a\x01");
    static_assert(kRun.ends_behind_value());
}

TEST(FixedTokens, SeparateValuesByCommas) {
    constexpr auto kRun =
        FixedTokens::at_start().object(4).key("a").empty_array().key("b").object(0).end_object().key("c").string("d");
    EXPECT_EQ(kRun.json(), R"({"a":[],"b":{},"c":"d")");
    EXPECT_EQ(kRun.key("e").integer(7).end_object().json(), R"({"a":[],"b":{},"c":"d","e":7})");
}

TEST(FixedTokens, BeginWithACommaBehindAValueAlone) {
    EXPECT_EQ(FixedTokens::at_start().key("a").json(), R"("a":)");
    EXPECT_EQ(FixedTokens::after_key().string("a").json(), R"("a")");
    EXPECT_EQ(FixedTokens::after_value().key("a").json(), R"(,"a":)");
    EXPECT_EQ(FixedTokens::after_value().string("a").json(), R"(,"a")");
    EXPECT_EQ(FixedTokens::after_value().integer(1).json(), ",1");
    EXPECT_EQ(FixedTokens::after_value().empty_array().json(), ",[]");
    EXPECT_EQ(FixedTokens::after_value().object(0).json(), ",{");
    EXPECT_EQ(FixedTokens::after_value().end_object().json(), "}");
}

TEST(FixedTokens, KnowWhereTheyEnd) {
    constexpr auto kStart = FixedTokens::at_start();
    EXPECT_FALSE(kStart.ends_behind_value());
    EXPECT_FALSE(FixedTokens::after_key().ends_behind_value());
    EXPECT_TRUE(FixedTokens::after_value().ends_behind_value());
    EXPECT_FALSE(kStart.object(1).ends_behind_value());
    EXPECT_FALSE(kStart.key("a").ends_behind_value());
    EXPECT_TRUE(kStart.string("a").ends_behind_value());
    EXPECT_TRUE(kStart.integer(1).ends_behind_value());
    EXPECT_TRUE(kStart.empty_array().ends_behind_value());
    EXPECT_TRUE(kStart.object(0).end_object().ends_behind_value());
}

// Both encodings of a run that is one whole value.
void expect_document(const FixedTokens& run, const json& expected) {
    EXPECT_EQ(json::parse(run.json()), expected);
    EXPECT_EQ(json::from_msgpack(run.msgpack()), expected);
    CheckingWriter checker;
    ASSERT_NO_THROW(checker.fixed(run));
    EXPECT_EQ(json(checker.document()), expected);
}

TEST(FixedTokens, SayTheSameInBothFormats) {
    const auto start = FixedTokens::at_start();
    expect_document(start.empty_array(), json::array());
    expect_document(start.object(0).end_object(), json::object());
    expect_document(start.string(""), "");
    expect_document(start.string("emitter"), "emitter");
    expect_document(start.object(3)
                        .key("a")
                        .integer(1)
                        .key("b")
                        .object(1)
                        .key("c")
                        .string("d")
                        .end_object()
                        .key("e")
                        .empty_array()
                        .end_object(),
                    {{"a", 1}, {"b", {{"c", "d"}}}, {"e", json::array()}});
}

TEST(FixedTokens, HoldEveryIntegerTheyPromise) {
    for (int value = 0; value <= 99; ++value) {
        expect_document(FixedTokens::at_start().integer(value), value);
    }
}

TEST(FixedTokens, HoldStringsOfUpTo31Bytes) {
    for (std::size_t size = 0; size <= 31; ++size) {
        const std::string text(size, 'x');
        expect_document(FixedTokens::at_start().string(text), text);
    }
}

TEST(FixedTokens, OpenObjectsOfUpTo15Pairs) {
    json expected = json::object();
    for (std::uint8_t count = 0; count <= 15; ++count) {
        const auto write = [&](auto& writer) {
            writer.fixed(FixedTokens::at_start().object(count));
            for (const auto& [key, value] : expected.items()) {
                writer.key(key);
                write_document(writer, value);
            }
            writer.end_object();
        };
        EXPECT_EQ(json::from_msgpack(encode_msgpack(write)), expected);
        EXPECT_EQ(json::parse(encode_json(write)), expected);
        expected["key" + std::to_string(count)] = count;
    }
}

// A run is a constant expression only if it fits, and substitution fails for what is none.
template <class Made, int = (Made::make(), 0)>
constexpr bool compiles(int) {
    return true;
}

template <class>
constexpr bool compiles(long) {
    return false;
}

// `length` bytes of JSON: two strings of 20 bytes and one of what is left, quotes and commas included.
template <std::size_t length>
struct TextRun {
    static constexpr FixedTokens make() {
        constexpr std::string_view kText = "123456789012345678901234567890";
        return FixedTokens::after_value()
            .string(kText.substr(0, 17))
            .string(kText.substr(0, 17))
            .string(kText.substr(0, length - 43));
    }
};

TEST(FixedTokens, DoNotCompileWhenTheyDoNotFit) {
    static_assert(TextRun<64>::make().json().size() == 64);
    EXPECT_TRUE(compiles<TextRun<64>>(0));
    EXPECT_FALSE(compiles<TextRun<65>>(0));
}

// The same run where it stands in a document: written between values that come one by one.
TEST(FixedTokens, FitBetweenTokens) {
    const auto write = [](auto& writer) {
        static constexpr auto kHead = FixedTokens::at_start().object(3).key("a");
        static constexpr auto kMiddle = FixedTokens::after_value().key("b").integer(42).key("c");
        writer.fixed(kHead);
        writer.begin_array(2);
        writer.null();
        writer.boolean(true);
        writer.end_array();
        writer.fixed(kMiddle);
        writer.string("end");
        writer.end_object();
    };
    const json expected = {{"a", {nullptr, true}}, {"b", 42}, {"c", "end"}};
    EXPECT_EQ(encode_json(write), R"({"a":[null,true],"b":42,"c":"end"})");
    EXPECT_EQ(json::from_msgpack(encode_msgpack(write)), expected);
    CheckingWriter checker;
    ASSERT_NO_THROW(write(checker));
    EXPECT_EQ(json(checker.document()), expected);
}

}  // namespace
}  // namespace socketio::fixed_tokens_test
