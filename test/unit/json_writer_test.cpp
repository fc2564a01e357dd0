#include "protocol/json_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "support/document.h"
#include "support/encode.h"
#include "support/encoded.h"
#include "support/random_document.h"

namespace socketio::json_writer_test {
namespace {

using nlohmann::json;
using namespace std::string_view_literals;

using Writer = JsonWriter<StringSink>;
constexpr auto kBothKinds = {JsonCharacters::kUtf8, JsonCharacters::kAscii};

std::string string_as_json(std::string_view utf8, JsonCharacters characters = JsonCharacters::kUtf8) {
    return encode_json([&](Writer& writer) { writer.string(utf8); }, characters);
}

std::string document_as_json(const json& document, JsonCharacters characters = JsonCharacters::kUtf8) {
    return encode_json([&](Writer& writer) { write_document(writer, document); }, characters);
}

TEST(JsonWriter, PassesSurrogatesAsEscapes) {
    EXPECT_EQ(encode_json([](Writer& writer) {
                  writer.begin_object(2);
                  writer.key_of_units("a\xED\xA0\xBD"sv);
                  writer.string_of_units("\xED\xB8\x80\0"sv);
                  writer.key("b");
                  writer.string_of_units("x");
                  writer.end_object();
              }),
              R"({"a\ud83d":"\ude00\u0000","b":"x"})");
}

TEST(JsonWriter, WritesScalars) {
    EXPECT_EQ(encode_json([](Writer& writer) { writer.null(); }), "null");
    EXPECT_EQ(encode_json([](Writer& writer) { writer.boolean(true); }), "true");
    EXPECT_EQ(encode_json([](Writer& writer) { writer.boolean(false); }), "false");
    EXPECT_EQ(string_as_json("hello"), R"("hello")");
    EXPECT_EQ(string_as_json(""), R"("")");
}

TEST(JsonWriter, WritesIntegersOfAnyLength) {
    for (const std::int64_t value :
         {std::int64_t{0}, std::int64_t{7}, std::int64_t{-1}, std::int64_t{-10}, std::int64_t{1234567890},
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
        EXPECT_EQ(encode_json([&](Writer& writer) { writer.integer(value); }), std::to_string(value));
    }
}

TEST(JsonWriter, LeavesDigitsAsTheyAre) {
    for (const auto digits : {"0", "-1", "1.00", "123456789012345678901234567890.000000000001", "-0.5"}) {
        EXPECT_EQ(encode_json([&](Writer& writer) { writer.number(digits); }), digits);
    }
    const std::string long_digits(131072, '9');
    EXPECT_EQ(encode_json([&](Writer& writer) { writer.number(long_digits); }), long_digits);
}

TEST(JsonWriter, EscapesQuotesAndBackslashes) {
    EXPECT_EQ(string_as_json(R"(")"), R"("\"")");
    EXPECT_EQ(string_as_json(R"(\)"), R"("\\")");
    EXPECT_EQ(string_as_json(R"(a"b\c)"), R"("a\"b\\c")");
    EXPECT_EQ(string_as_json(R"("""\\)"), R"("\"\"\"\\\\")");
    EXPECT_EQ(string_as_json("/"), R"("/")") << "may be escaped, need not";
}

TEST(JsonWriter, EscapesEveryControlCharacter) {
    const std::vector<std::pair<char, std::string>> short_forms = {
        {'\b', R"("\b")"}, {'\f', R"("\f")"}, {'\n', R"("\n")"}, {'\r', R"("\r")"}, {'\t', R"("\t")"}};
    for (char control = 0; control < 0x20; ++control) {
        char expected[16];
        std::snprintf(expected, sizeof expected, R"("\u%04x")", control);
        for (const auto& [character, form] : short_forms) {
            if (character == control) {
                std::snprintf(expected, sizeof expected, "%s", form.c_str());
            }
        }
        const std::string text(1, control);
        for (const JsonCharacters characters : kBothKinds) {
            EXPECT_EQ(string_as_json(text, characters), expected);
            EXPECT_EQ(json::parse(string_as_json(text, characters)), text);
        }
    }
    EXPECT_EQ(string_as_json("\x7F"), "\"\x7F\"") << "DEL is no control character to JSON";
}

TEST(JsonWriter, EscapesAtTheBeginningInTheMiddleAndAtTheEnd) {
    EXPECT_EQ(string_as_json("\nab"), R"("\nab")");
    EXPECT_EQ(string_as_json("a\nb"), R"("a\nb")");
    EXPECT_EQ(string_as_json("ab\n"), R"("ab\n")");
    EXPECT_EQ(string_as_json("\n\n"), R"("\n\n")");
    EXPECT_EQ(string_as_json("\n"), R"("\n")");
    EXPECT_EQ(string_as_json("a\0b"sv), R"("a\u0000b")");
}

TEST(JsonWriter, KeepsUtf8AsItIs) {
    const std::string_view text = "h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80";
    EXPECT_EQ(string_as_json(text), '"' + std::string(text) + '"');
}

TEST(JsonWriter, WritesAsciiAloneWhenAskedTo) {
    const auto ascii = [](std::string_view utf8) { return string_as_json(utf8, JsonCharacters::kAscii); };
    EXPECT_EQ(ascii("plain ~\x7F"), "\"plain ~\x7F\"");
    EXPECT_EQ(ascii("h\xC3\xA9!"), R"("h\u00e9!")");
    EXPECT_EQ(ascii("\xC2\x80"), R"("\u0080")");
    EXPECT_EQ(ascii("\xDF\xBF\xE0\xA0\x80"), R"("\u07ff\u0800")");
    EXPECT_EQ(ascii("\xE2\x82\xAC\xEF\xBF\xBF"), R"("\u20ac\uffff")");
}

TEST(JsonWriter, WritesSurrogatePairsBeyondTheBasicPlane) {
    const auto ascii = [](std::string_view utf8) { return string_as_json(utf8, JsonCharacters::kAscii); };
    EXPECT_EQ(ascii("\xF0\x90\x80\x80"), R"("\ud800\udc00")");
    EXPECT_EQ(ascii("\xF0\x9F\x98\x80 x"), R"("\ud83d\ude00 x")");
    EXPECT_EQ(ascii("\xF4\x8F\xBF\xBF"), R"("\udbff\udfff")");
}

// All of the basic plane, and every seventh beyond, which is made of the same parts.
TEST(JsonWriter, WritesEveryKindOfCharacterThereIs) {
    std::string text;
    for (char32_t code_point = 0; code_point <= kLastCodePoint; code_point += code_point < 0x10000 ? 1 : 7) {
        if (!is_surrogate(code_point)) {
            append_utf8(text, code_point);
        }
    }
    for (const JsonCharacters characters : kBothKinds) {
        ASSERT_EQ(json::parse(string_as_json(text, characters)).get_ref<const std::string&>(), text);
    }
}

TEST(JsonWriter, EscapesKeysToo) {
    const json document = {{"a\"b\n\xC3\xA9", 1}, {"", 2}};
    EXPECT_EQ(document_as_json(document), "{\"\":2,\"a\\\"b\\n\xC3\xA9\":1}");
    EXPECT_EQ(document_as_json(document, JsonCharacters::kAscii), R"({"":2,"a\"b\n\u00e9":1})");
}

TEST(JsonWriter, ReadsNoFurtherThanTheView) {
    EXPECT_EQ(string_as_json("abc\ndef"sv.substr(0, 3)), R"("abc")");
    EXPECT_EQ(string_as_json("abc\ndef"sv.substr(0, 4)), R"("abc\n")");
    EXPECT_EQ(encode_json([](Writer& writer) { writer.number("12345"sv.substr(1, 2)); }), "23");
}

TEST(JsonWriter, Nests) {
    const std::string text = R"([[],{},[1,[2,[]]],{"a":[],"b":{"c":{}},"d":null},"e"])";
    EXPECT_EQ(document_as_json(json::parse(text)), text);
}

TEST(JsonWriter, NestsDeeply) {
    constexpr int kDepth = 5000;
    const auto write = [](Writer& writer) {
        for (int i = 0; i < kDepth; ++i) {
            writer.begin_array(2);
            writer.null();
        }
        writer.null();
        for (int i = 0; i < kDepth; ++i) {
            writer.end_array();
        }
    };
    std::string expected;
    for (int i = 0; i < kDepth; ++i) {
        expected += "[null,";
    }
    EXPECT_EQ(encode_json(write), expected + "null" + std::string(kDepth, ']'));
}

// Every kind of token behind every other: whether there is a comma must not depend on what the two are.
struct Token {
    std::string text;
    std::function<void(Writer&)> write;
};

const std::vector<Token>& all_tokens() {
    static const std::vector<Token> tokens = {
        {"null", [](Writer& writer) { writer.null(); }},
        {"true", [](Writer& writer) { writer.boolean(true); }},
        {"-5", [](Writer& writer) { writer.integer(-5); }},
        {"1.50", [](Writer& writer) { writer.number("1.50"); }},
        {R"("")", [](Writer& writer) { writer.string(""); }},
        {R"("text")", [](Writer& writer) { writer.string("text"); }},
        {R"("a\nb")", [](Writer& writer) { writer.string("a\nb"); }},
        {"[]", [](Writer& writer) { writer.begin_array(0), writer.end_array(); }},
        {"{}", [](Writer& writer) { writer.begin_object(0), writer.end_object(); }},
        {"[1]", [](Writer& writer) { writer.begin_array(1), writer.integer(1), writer.end_array(); }},
        {R"({"k":1})",
         [](Writer& writer) { writer.begin_object(1), writer.key("k"), writer.integer(1), writer.end_object(); }},
    };
    return tokens;
}

TEST(JsonWriter, SeparatesAnyTwoValuesByAComma) {
    for (const Token& first : all_tokens()) {
        for (const Token& second : all_tokens()) {
            const auto write_array = [&](Writer& writer) {
                writer.begin_array(2);
                first.write(writer);
                second.write(writer);
                writer.end_array();
            };
            EXPECT_EQ(encode_json(write_array), "[" + first.text + "," + second.text + "]");
            const auto write_object = [&](Writer& writer) {
                writer.begin_object(2);
                writer.key("a");
                first.write(writer);
                writer.key("b");
                second.write(writer);
                writer.end_object();
            };
            EXPECT_EQ(encode_json(write_object), R"({"a":)" + first.text + R"(,"b":)" + second.text + "}");
        }
    }
}

TEST(JsonWriter, TakesFixedTokensBeforeAndBehindAnyValue) {
    static constexpr auto kFirst = FixedTokens::after_key().integer(7);
    static constexpr auto kNext = FixedTokens::after_value().object(1).key("k");
    for (const Token& token : all_tokens()) {
        const auto write = [&](Writer& writer) {
            writer.begin_array(4);
            writer.fixed(kFirst);
            token.write(writer);
            writer.fixed(kNext);
            token.write(writer);
            writer.end_object();
            token.write(writer);
            writer.end_array();
        };
        EXPECT_EQ(encode_json(write), "[7," + token.text + R"(,{"k":)" + token.text + "}," + token.text + "]");
    }
}

TEST(JsonWriter, TakesEncodedValuesBeforeAndBehindAnyValue) {
    for (const Token& first : all_tokens()) {
        for (const Token& second : all_tokens()) {
            const auto write_both = [&](Writer& writer) { first.write(writer), second.write(writer); };
            const std::string both = encode_json(write_both);
            EXPECT_EQ(both, first.text + "," + second.text) << "without a comma around them";
            const auto write = [&](Writer& writer) {
                writer.begin_array(6);
                writer.encoded({both});
                second.write(writer);
                writer.encoded({both});
                first.write(writer);
                writer.end_array();
            };
            EXPECT_EQ(encode_json(write),
                      "[" + both + "," + second.text + "," + first.text + "," + second.text + "," + first.text + "]");
        }
    }
}

TEST(JsonWriter, TakesEncodedValuesBehindAKey) {
    for (const Token& token : all_tokens()) {
        const auto write = [&](Writer& writer) {
            writer.begin_object(2);
            writer.key("a");
            writer.encoded({token.text});
            writer.key(OwnKey("b").view());
            writer.encoded({token.text});
            writer.end_object();
        };
        EXPECT_EQ(encode_json(write), R"({"a":)" + token.text + R"(,"b":)" + token.text + "}");
    }
}

TEST(JsonWriter, TakesEncodedValuesBetweenFixedTokens) {
    static constexpr auto kNext = FixedTokens::after_value().object(1).key("k");
    static constexpr auto kEnd = FixedTokens::after_value().end_object();
    const auto write = [](Writer& writer) {
        writer.begin_array(3);
        writer.encoded({"1"});
        writer.fixed(kNext);
        writer.encoded({"2"});
        writer.fixed(kEnd);
        writer.encoded({"3"});
        writer.end_array();
    };
    EXPECT_EQ(encode_json(write), R"([1,{"k":2},3])");
}

// Of values of which there are none nothing shows, a comma least of all.
TEST(JsonWriter, WritesNothingForNoEncodedValues) {
    for (const std::string_view none : {""sv, std::string_view()}) {
        EXPECT_EQ(encode_json([&](Writer& writer) { writer.encoded({none}); }), "");
        EXPECT_EQ(
            encode_json([&](Writer& writer) { writer.begin_array(0), writer.encoded({none}), writer.end_array(); }),
            "[]");
        for (const Token& token : all_tokens()) {
            const auto write = [&](Writer& writer) {
                writer.begin_array(2);
                writer.encoded({none});
                token.write(writer);
                writer.encoded({none});
                token.write(writer);
                writer.encoded({none});
                writer.end_array();
            };
            EXPECT_EQ(encode_json(write), "[" + token.text + "," + token.text + "]");
        }
    }
}

// As they are: whoever encoded them decided what is escaped.
TEST(JsonWriter, LeavesEncodedValuesAndKeysAsTheyAre) {
    const std::string value = string_as_json("\xC3\xA9\n", JsonCharacters::kUtf8);
    const OwnKey key("\xC3\xA9", JsonCharacters::kUtf8);
    const auto write = [&](Writer& writer) {
        writer.begin_object(1);
        writer.key(key.view());
        writer.encoded({value});
        writer.end_object();
    };
    for (const JsonCharacters characters : kBothKinds) {
        EXPECT_EQ(encode_json(write, characters), "{\"\xC3\xA9\":\"\xC3\xA9\\n\"}");
    }
}

const std::vector<std::string>& all_keys() {
    static const std::vector<std::string> keys = {"",
                                                  "a",
                                                  "a b",
                                                  "\"",
                                                  "\\",
                                                  "\n\x01\x7F",
                                                  ":",
                                                  "\":,",
                                                  "h\xC3\xA9",
                                                  "\xE2\x82\xAC",
                                                  "\xF0\x9F\x98\x80",
                                                  std::string("\0", 1),
                                                  std::string(1000, 'k')};
    return keys;
}

// First and behind any value, before any value: as a key that is not encoded.
TEST(JsonWriter, WritesEncodedKeysAsItWritesOthers) {
    for (const JsonCharacters characters : kBothKinds) {
        for (const std::string& name : all_keys()) {
            const OwnKey key(name, characters);
            for (const Token& token : all_tokens()) {
                const auto write_encoded = [&](Writer& writer) {
                    writer.begin_object(2);
                    writer.key(key.view()), token.write(writer);
                    writer.key(key.view()), token.write(writer);
                    writer.end_object();
                };
                const auto write = [&](Writer& writer) {
                    writer.begin_object(2);
                    writer.key(name), token.write(writer);
                    writer.key(name), token.write(writer);
                    writer.end_object();
                };
                ASSERT_EQ(encode_json(write_encoded, characters), encode_json(write, characters));
            }
        }
    }
}

TEST(JsonWriter, HasNoBinary) {
    StringSink sink;
    Writer writer(sink);
    writer.begin_array(2);
    EXPECT_FALSE(writer.stopped());
    EXPECT_FALSE(writer.holds_binary());
    writer.binary("\xFF");
    EXPECT_TRUE(writer.stopped());
    EXPECT_TRUE(writer.holds_binary());
    writer.integer(1);
    writer.end_array();
    EXPECT_TRUE(writer.stopped()) << "nothing afterwards makes up for it";
}

TEST(JsonWriter, TakesNoBinaryAndCountsTheQuestionAsMet) {
    StringSink sink;
    Writer writer(sink);
    EXPECT_FALSE(writer.holds_binary());
    EXPECT_FALSE(writer.takes_binary());
    EXPECT_TRUE(writer.stopped());
    EXPECT_TRUE(writer.holds_binary());
    EXPECT_FALSE(writer.takes_string(0)) << "the text is lost already";
}

// Of the two only binary says that the value cannot be sent as text at all.
TEST(JsonWriter, TellsBinaryFromWhatDoesNotFit) {
    char memory[4];
    BoundedSink sink(memory, sizeof memory);
    JsonWriter<BoundedSink> writer(sink);
    EXPECT_FALSE(writer.holds_binary());
    writer.string("too long for it");
    EXPECT_TRUE(writer.stopped());
    EXPECT_FALSE(writer.takes_string(1));
    EXPECT_FALSE(writer.holds_binary());
    writer.binary("");
    EXPECT_TRUE(writer.holds_binary()) << "though nothing fits any more";
}

TEST(JsonWriter, MeetsNoBinaryInEncodedValues) {
    StringSink sink;
    Writer writer(sink);
    writer.begin_array(2);
    writer.encoded({R"("\\xff")"});
    writer.encoded({"2"});
    writer.end_array();
    EXPECT_FALSE(writer.holds_binary());
    EXPECT_FALSE(writer.stopped());
}

TEST(JsonWriter, TakesStringsThatMayFit) {
    char memory[10];
    BoundedSink sink(memory, sizeof memory);
    JsonWriter<BoundedSink> writer(sink);
    EXPECT_TRUE(writer.takes_string(10));
    EXPECT_FALSE(writer.stopped());
    EXPECT_FALSE(writer.takes_string(11));
    EXPECT_TRUE(writer.stopped());
    EXPECT_FALSE(writer.takes_string(1)) << "once refused, the text is lost";
}

TEST(JsonWriter, TakesAnyStringIntoASinkThatGrows) {
    StringSink sink;
    Writer writer(sink);
    EXPECT_TRUE(writer.takes_string(std::size_t{1} << 32));
    EXPECT_FALSE(writer.stopped());
}

// Bounded memory: a text that fits to the byte is whole, a longer one is given up, and nothing is written beyond. What a
// NOTIFY can carry must not be sent as an attachment.

template <class Write>
void expect_whole_or_stopped(const Write& write, JsonCharacters characters) {
    const std::string whole = encode_json(write, characters);
    for (std::size_t capacity = 0; capacity <= whole.size() + 1; ++capacity) {
        const Bounded bounded = encode_bounded_json(capacity, write, characters);
        ASSERT_TRUE(bounded.in_bounds) << "capacity " << capacity << " for " << whole;
        ASSERT_EQ(bounded.stopped, capacity < whole.size()) << "capacity " << capacity << " for " << whole;
        ASSERT_TRUE(bounded.stopped || bounded.bytes == whole) << "capacity " << capacity << " for " << whole;
    }
}

TEST(JsonWriter, StaysWithinItsMemory) {
    const std::string astral = "\xF0\x9F\x98\x80";
    const std::vector<json> documents = {
        nullptr,
        true,
        -1234567890123456789,
        1.5,
        "",
        "plain",
        "\n\t\"\\\x01 escapes \x02",
        astral + "\xC3\xA9" + astral,
        json::array(),
        json::object(),
        {{"key", {1, 2, {{"nested", "\n"}}, json::array({json::array({nullptr})})}}, {"\"", std::string(40, 'x')}},
    };
    for (const json& document : documents) {
        for (const JsonCharacters characters : kBothKinds) {
            const auto write = [&](auto& writer) { write_document(writer, document); };
            ASSERT_NO_FATAL_FAILURE(expect_whole_or_stopped(write, characters));
        }
    }
}

TEST(JsonWriter, StaysWithinItsMemoryForRandomDocuments) {
    RandomDocument random(4);
    for (int i = 0; i < 40; ++i) {
        const json document = random.value(3);
        const auto write = [&](auto& writer) { write_document(writer, document); };
        const JsonCharacters characters = i % 2 == 0 ? JsonCharacters::kUtf8 : JsonCharacters::kAscii;
        ASSERT_NO_FATAL_FAILURE(expect_whole_or_stopped(write, characters));
    }
}

TEST(JsonWriter, NeedsNoMoreMemoryThanAnyTwoValuesTake) {
    for (const Token& first : all_tokens()) {
        for (const Token& second : all_tokens()) {
            const json document = json::parse("[" + first.text + "," + second.text + "]");
            const auto write = [&](auto& writer) { write_document(writer, document); };
            ASSERT_NO_FATAL_FAILURE(expect_whole_or_stopped(write, JsonCharacters::kUtf8));
        }
    }
}

TEST(JsonWriter, StaysWithinItsMemoryWithWhatIsEncoded) {
    RandomDocument random(7);
    for (int i = 0; i < 40; ++i) {
        const json document = json::array({random.value(2), {{random.string(), random.value(2)}}, random.value(1)});
        const JsonParts parts{i % 2 == 0 ? JsonCharacters::kUtf8 : JsonCharacters::kAscii};
        const auto write = [&](auto& writer) { write_from_parts(writer, document, parts); };
        ASSERT_NO_FATAL_FAILURE(expect_whole_or_stopped(write, parts.characters));
    }
}

// Nothing of them, that is: half a key or half a value would be no JSON.
TEST(JsonWriter, GivesUpEncodedValuesAndKeysThatCannotFit) {
    const OwnKey key(std::string(20, 'k'));
    const auto write_values = [](auto& writer) { writer.encoded({"[1],[2]"}), writer.null(); };
    const auto write_key = [&](auto& writer) { writer.key(key.view()), writer.null(); };
    for (std::size_t capacity = 0; capacity < 7; ++capacity) {
        for (const Bounded& bounded :
             {encode_bounded_json(capacity, write_values), encode_bounded_json(capacity, write_key)}) {
            EXPECT_TRUE(bounded.stopped);
            EXPECT_TRUE(bounded.in_bounds);
            EXPECT_EQ(bounded.bytes, "") << "nor anything that would have fitted behind them";
        }
    }
}

TEST(JsonWriter, TakesNoEncodedValuesOnceItIsFull) {
    const auto write = [](auto& writer) {
        writer.begin_array(4);
        writer.string("too long for it");
        writer.encoded({""});
        writer.encoded({"1"});
        writer.encoded({"2,3"});
        writer.end_array();
    };
    const Bounded bounded = encode_bounded_json(10, write);
    EXPECT_TRUE(bounded.stopped);
    EXPECT_TRUE(bounded.in_bounds);
    EXPECT_TRUE(encode_bounded_json(0, [](auto& writer) { writer.encoded({"1"}); }).stopped);
    EXPECT_FALSE(encode_bounded_json(0, [](auto& writer) { writer.encoded({""}); }).stopped);
}

TEST(JsonWriter, GivesUpAStringThatCannotFit) {
    const std::string text(1000, 'x');
    const auto write = [&](auto& writer) { writer.string(text); };
    const Bounded bounded = encode_bounded_json(100, write);
    EXPECT_TRUE(bounded.stopped);
    EXPECT_TRUE(bounded.bytes.empty());
    EXPECT_TRUE(bounded.in_bounds);
}

// Damaged UTF-8 cannot come from the server. Should it, the text is still ASCII where it has to be, and one string. A
// parser would mind halves of surrogate pairs; a pattern does not.
TEST(JsonWriter, KeepsDamagedTextAsciiAndItsEscapesWhole) {
    const std::regex ascii_string(R"re("([^"\\\x00-\x1F\x80-\xFF]|\\(["\\bfnrt]|u[0-9a-f]{4}))*")re");
    ASSERT_FALSE(std::regex_match("\"\xC3\"", ascii_string));
    ASSERT_FALSE(std::regex_match(R"("\u12")", ascii_string));
    RandomDocument random(5);
    for (int i = 0; i < 3000; ++i) {
        std::string bytes(random.below(12), '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(random.below(2) == 0 ? random.below(0x100) : 0x80 + random.below(0x80));
        }
        const std::string text = string_as_json(bytes, JsonCharacters::kAscii);
        ASSERT_TRUE(std::regex_match(text, ascii_string)) << text;
    }
}

}  // namespace
}  // namespace socketio::json_writer_test
