#include "protocol/clean_text.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/random_document.h"

namespace socketio::clean_text_test {
namespace {

using nlohmann::json;
using namespace std::string_view_literals;

#define FFFD "\xEF\xBF\xBD"

std::string cleaned(std::string_view bytes) {
    std::string scratch;
    return std::string(clean_utf8(bytes, scratch));
}

std::string utf8(char32_t code_point) {
    std::string text;
    append_utf8(text, code_point);
    return text;
}

bool is_clean(const std::string& text) {
    return json::accept(json(text).dump(-1, ' ', false, json::error_handler_t::ignore)) &&
           json(text).dump(-1, ' ', false, json::error_handler_t::ignore) ==
               json(text).dump(-1, ' ', false, json::error_handler_t::replace) &&
           text.find('\0') == std::string::npos;
}

TEST(CleanUtf8, LeavesWhatIsCleanWhereItIs) {
    std::string scratch = "untouched";
    for (const std::string_view text :
         {""sv, "a"sv, "\x01\x7F\"\\"sv, "\xC2\x80\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF"sv}) {
        const std::string_view clean = clean_utf8(text, scratch);
        EXPECT_EQ(clean.data(), text.data());
        EXPECT_EQ(clean.size(), text.size());
    }
    EXPECT_EQ(scratch, "untouched");
}

TEST(CleanUtf8, LeavesEveryCharacterButNull) {
    std::string scratch;
    for (char32_t code_point = 1; code_point <= kLastCodePoint; ++code_point) {
        if (!is_surrogate(code_point)) {
            const std::string text = utf8(code_point);
            ASSERT_EQ(clean_utf8(text, scratch), text) << std::hex << static_cast<unsigned>(code_point);
        }
    }
}

TEST(CleanUtf8, ReplacesNull) {
    EXPECT_EQ(cleaned("\0"sv), FFFD);
    EXPECT_EQ(cleaned("a\0b\0\0c"sv), "a" FFFD "b" FFFD FFFD "c");
}

// As @msgpack/msgpack writes one that has lost its other half.
TEST(CleanUtf8, AHalfOfASurrogatePairIsOneReplacement) {
    for (char32_t half = 0xD800; half <= 0xDFFF; ++half) {
        ASSERT_EQ(cleaned("a" + utf8(half) + "b"), "a" FFFD "b") << std::hex << static_cast<unsigned>(half);
    }
    EXPECT_EQ(cleaned(utf8(0xDC00) + utf8(0xD800)), FFFD FFFD);
}

TEST(CleanUtf8, ReplacesEachByteThatIsNoPartOfACharacter) {
    EXPECT_EQ(cleaned("\x80"), FFFD);
    EXPECT_EQ(cleaned("a\xFF\xFE z"), "a" FFFD FFFD " z");
    EXPECT_EQ(cleaned("\xC0\x80"), FFFD FFFD) << "the long form of U+0000";
    EXPECT_EQ(cleaned("\xC1\xBF"), FFFD FFFD) << "a long form";
    EXPECT_EQ(cleaned("\xE0\x9F\xBF"), FFFD FFFD FFFD) << "a long form";
    EXPECT_EQ(cleaned("\xF0\x8F\xBF\xBF"), FFFD FFFD FFFD FFFD) << "a long form";
    EXPECT_EQ(cleaned("\xF4\x90\x80\x80"), FFFD FFFD FFFD FFFD) << "beyond U+10FFFF";
    EXPECT_EQ(cleaned("\xF5\x80\x80\x80"), FFFD FFFD FFFD FFFD) << "beyond U+10FFFF";
}

TEST(CleanUtf8, ReplacesWhatIsCutOff) {
    EXPECT_EQ(cleaned("a\xC3"), "a" FFFD);
    EXPECT_EQ(cleaned("\xC3z"), FFFD "z");
    EXPECT_EQ(cleaned("\xE2\x82"), FFFD FFFD);
    EXPECT_EQ(cleaned("\xF0\x9F\x98"), FFFD FFFD FFFD);
    EXPECT_EQ(cleaned("\xF0\x9F\x98\xC3\xA9"), FFFD FFFD FFFD "\xC3\xA9");
}

// Never past the end, of which a view says nothing to those who read on: the bytes are the last of their block.
TEST(CleanUtf8, ReadsNothingBehindTheEnd) {
    for (const std::string_view text : {"\xC3"sv, "\xE2\x82"sv, "\xED\xA0"sv, "\xF0\x9F\x98"sv}) {
        const std::vector<char> block(text.begin(), text.end());
        EXPECT_NE(cleaned({block.data(), block.size()}), text);
    }
}

// The first and last byte of everything that a byte of UTF-8 can be.
TEST(CleanUtf8, LeavesNothingUncleanOfAnyFourBytes) {
    const std::string edges =
        "a\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC1\xC2\xDF\xE0\xE1\xEC\xED\xEE\xEF\xF0\xF1\xF3\xF4\xF5\xFF" +
        std::string(1, '\0');
    std::string scratch;
    for (const char a : edges) {
        for (const char b : edges) {
            for (const char c : edges) {
                for (const char d : edges) {
                    const std::string bytes = {a, b, c, d};
                    const std::string clean(clean_utf8(bytes, scratch));
                    std::string again;
                    ASSERT_EQ(clean_utf8(clean, again).data(), clean.data())
                        << json(bytes).dump(-1, ' ', true, json::error_handler_t::replace);
                }
            }
        }
    }
}

TEST(CleanUtf8, MakesTextOfRandomBytes) {
    RandomDocument random(8);
    for (int i = 0; i < 5'000; ++i) {
        std::string bytes = random.string();
        for (auto damages = random.below(4); damages > 0 && !bytes.empty(); --damages) {
            bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
        }
        const std::string clean = cleaned(bytes);
        ASSERT_TRUE(is_clean(clean));
        ASSERT_EQ(is_clean(bytes), clean == bytes);
    }
}

std::string cleaned_json(std::string text) {
    clean_json_escapes(text);
    return text;
}

TEST(CleanJsonEscapes, ReplacesNull) {
    EXPECT_EQ(cleaned_json(R"("\u0000")"), R"("\ufffd")");
    EXPECT_EQ(cleaned_json(R"("a\u0000\u0000b")"), R"("a\ufffd\ufffdb")");
    EXPECT_EQ(cleaned_json(R"({"\u0000": "\u0000"})"), R"({"\ufffd": "\ufffd"})");
}

TEST(CleanJsonEscapes, ReplacesUnpairedSurrogates) {
    EXPECT_EQ(cleaned_json(R"("\ud800")"), R"("\ufffd")");
    EXPECT_EQ(cleaned_json(R"("\uDBFF!")"), R"("\ufffd!")");
    EXPECT_EQ(cleaned_json(R"("\udc00")"), R"("\ufffd")");
    EXPECT_EQ(cleaned_json(R"("\uDFFF\udc00")"), R"("\ufffd\ufffd")");
    EXPECT_EQ(cleaned_json(R"("\udc00\udc00")"), R"("\ufffd\ufffd")");
    EXPECT_EQ(cleaned_json(R"("\udc00\ud800")"), R"("\ufffd\ufffd")");
    EXPECT_EQ(cleaned_json(R"("\ud800\u0041")"), R"("\ufffd\u0041")");
    EXPECT_EQ(cleaned_json(R"("\ud800\u0000")"), R"("\ufffd\ufffd")");
    EXPECT_EQ(cleaned_json(R"("\ud800\n\udc00")"), R"("\ufffd\n\ufffd")");
    EXPECT_EQ(cleaned_json(R"("\ud800\\udc00")"), R"("\ufffd\\udc00")");
}

TEST(CleanJsonEscapes, LeavesPairs) {
    for (const char* pair : {R"("\ud800\udc00")", R"("\uDBFF\uDFFF")", R"("\ud83d\ude00\ud83d\ude00")"}) {
        EXPECT_EQ(cleaned_json(pair), pair);
    }
    EXPECT_EQ(cleaned_json(R"("\ud800\ud83d\ude00\ude00")"), R"("\ufffd\ud83d\ude00\ufffd")");
}

TEST(CleanJsonEscapes, LeavesOtherEscapes) {
    for (const char* text : {R"("")", R"("\"\\\/\b\f\n\r\t")", R"("\u0001\u001f\u0030\ud7ff\ue000\uffff")",
                             R"("\\u0000")", R"("\\\\ud800")", R"("a\\")"}) {
        EXPECT_EQ(cleaned_json(text), text);
    }
    EXPECT_EQ(cleaned_json(R"("\\\u0000")"), R"("\\\ufffd")");
}

// It stays for the parser to refuse.
TEST(CleanJsonEscapes, LeavesWhatIsNoEscape) {
    for (const char* text : {"", "\\", "\"\\u\"", R"("\u000")", R"(\u000)", R"("\u00g0")", R"("\ud80")", R"("\u 000")",
                             R"("\u-000")", R"("\u+000")", R"("\u0x00")", R"("\U0000")", R"("\ud8-1")"}) {
        EXPECT_EQ(cleaned_json(text), text);
    }
    EXPECT_EQ(cleaned_json("\"\\ud800\\"), "\"\\ufffd\\");
    EXPECT_EQ(cleaned_json("\"\\ud800\\udc0"), "\"\\ufffd\\udc0");
}

// nlohmann_json refuses unpaired surrogates, so what it reads is clean but for U+0000.
TEST(CleanJsonEscapes, MakesEveryUnitReadable) {
    for (unsigned unit = 0; unit <= 0xFFFF; ++unit) {
        char text[16];
        std::snprintf(text, sizeof text, "\"%cu%04x\"", '\\', unit);
        const json value = json::parse(cleaned_json(text), nullptr, false);
        ASSERT_TRUE(value.is_string()) << text;
        ASSERT_EQ(value, unit == 0 || is_surrogate(unit) ? FFFD : utf8(unit)) << text;
    }
}

}  // namespace
}  // namespace socketio::clean_text_test
