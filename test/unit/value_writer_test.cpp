// The contract of value_writer.h, on both sides: whatever is reported means the same in every format, and
// CheckingWriter, by which the messages are held to it, notices every breach.

#include "protocol/value_writer.h"

#include <gtest/gtest.h>

#include <functional>
#include <msgpack.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "support/checking_writer.h"
#include "support/document.h"
#include "support/encode.h"
#include "support/encoded.h"
#include "support/random_document.h"

namespace socketio::value_writer_test {
namespace {

using nlohmann::json;

void expect_same_in_every_format(const json& model) {
    const auto write = [&](auto& writer) { write_document(writer, model); };
    for (const JsonCharacters characters : {JsonCharacters::kUtf8, JsonCharacters::kAscii}) {
        const json decoded = json::parse(encode_json(write, characters));
        ASSERT_PRED2(equivalent, decoded, model);
    }
    const std::string msgpack = encode_msgpack(write);
    ASSERT_PRED2(equivalent, json::from_msgpack(msgpack), model);
    std::size_t read = 0;
    msgpack::unpack(msgpack.data(), msgpack.size(), read);
    ASSERT_EQ(read, msgpack.size());
    CheckingWriter checker;
    ASSERT_NO_THROW(write(checker));
    ASSERT_PRED2(equivalent, json(checker.document()), model);
}

TEST(Writers, AgreeOnRandomDocuments) {
    for (std::uint64_t seed = 0; seed < 1500; ++seed) {
        ASSERT_NO_FATAL_FAILURE(expect_same_in_every_format(RandomDocument(seed).value())) << "seed " << seed;
    }
}

TEST(Writers, AgreeOnTheEdgesOfNumbers) {
    for (const char* number :
         {"0", "-1", "2147483648", "9007199254740993", "9223372036854775807", "-9223372036854775808",
          "9223372036854775808", "18446744073709551615", "0.1", "1e300", "5e-324", "1.7976931348623157e308"}) {
        ASSERT_NO_FATAL_FAILURE(expect_same_in_every_format(json::parse(number))) << number;
    }
}

TEST(Writers, AgreeOnDeepDocuments) {
    json deep = "bottom";
    for (int level = 0; level < 500; ++level) {
        deep = level % 2 == 0 ? json::array({deep, level}) : json({{"key", deep}});
    }
    expect_same_in_every_format(deep);
}

// What was encoded beforehand leaves no trace in the result.
void expect_same_from_parts(const json& model) {
    const auto write = [&](auto& writer) { write_document(writer, model); };
    for (const JsonCharacters characters : {JsonCharacters::kUtf8, JsonCharacters::kAscii}) {
        const auto from_parts = [&](auto& writer) { write_from_parts(writer, model, JsonParts{characters}); };
        ASSERT_EQ(encode_json(from_parts, characters), encode_json(write, characters));
    }
    const auto from_parts = [&](auto& writer) { write_from_parts(writer, model, MsgpackParts()); };
    ASSERT_EQ(encode_msgpack(from_parts), encode_msgpack(write));
    CheckingWriter checker;
    ASSERT_NO_THROW(from_parts(checker));
    ASSERT_PRED2(equivalent, json(checker.document()), model);
}

TEST(Writers, WriteTheSameFromPartsEncodedBeforehand) {
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        ASSERT_NO_FATAL_FAILURE(expect_same_from_parts(RandomDocument(seed).value())) << "seed " << seed;
    }
    for (const char* model : {"[]", "[1]", "[[]]", "[[],[]]", "[1,[]]", "[{},{}]", R"([{"":[]},{"":0}])",
                              R"({"a":[],"b":[1,2],"c":[3]})", R"([18446744073709551615,-1,0.5,null,true,""])"}) {
        ASSERT_NO_FATAL_FAILURE(expect_same_from_parts(json::parse(model))) << model;
    }
}

// The oracle's own judgement.
TEST(Equivalent, TellsApartWhatIsNotTheSame) {
    EXPECT_TRUE(equivalent(json(1), json(1.0)));
    EXPECT_TRUE(equivalent(json(1), json(1U)));
    EXPECT_FALSE(equivalent(json(-1), json(UINT64_MAX)));
    EXPECT_FALSE(equivalent(json(9007199254740992), json(9007199254740993)));
    EXPECT_FALSE(equivalent(json(1), json("1")));
    EXPECT_FALSE(equivalent(json(1), json(true)));
    EXPECT_FALSE(equivalent(json::parse("[1,2]"), json::parse("[2,1]")));
    EXPECT_FALSE(equivalent(json::parse("[1]"), json::parse("[1,1]")));
    EXPECT_FALSE(equivalent(json::parse(R"({"a":1})"), json::parse(R"({"b":1})")));
    EXPECT_FALSE(equivalent(json::parse(R"({"a":1})"), json::parse(R"({"a":2})")));
    EXPECT_FALSE(equivalent(json::binary({1}), json::binary({2})));
}

// CheckingWriter: every breach of the contract, and that it is told from what is none.

std::string breach_of(const std::function<void(CheckingWriter&)>& write) {
    CheckingWriter writer;
    try {
        write(writer);
        static_cast<void>(writer.document());
    } catch (const ContractBreach& breach) {
        return breach.what();
    }
    return "none";
}

TEST(CheckingWriter, AcceptsWhatIsRight) {
    EXPECT_EQ(breach_of([](auto& w) { w.null(); }), "none");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_array(1), w.number("-1.50"), w.end_array(); }), "none");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_object(1), w.key(""), w.string("\xC3\xA9"), w.end_object(); }), "none");
}

TEST(CheckingWriter, CountsValues) {
    EXPECT_EQ(breach_of([](auto& w) { w.begin_array(1), w.end_array(); }), "fewer values than announced");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_array(1), w.null(), w.null(); }), "more values than announced");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_object(1), w.end_object(); }), "fewer values than announced");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_object(0), w.key("a"); }), "more pairs than announced");
}

TEST(CheckingWriter, ChecksNesting) {
    EXPECT_EQ(breach_of([](auto&) {}), "no value at all");
    EXPECT_EQ(breach_of([](auto& w) { w.null(), w.null(); }), "a second root");
    EXPECT_EQ(breach_of([](auto& w) { w.null(), w.begin_array(0); }), "a second root");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_array(0); }), "an array or object left open");
    EXPECT_EQ(breach_of([](auto& w) { w.end_array(); }), "an end without its beginning");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_array(0), w.end_object(); }), "an end without its beginning");
}

TEST(CheckingWriter, ChecksKeys) {
    EXPECT_EQ(breach_of([](auto& w) { w.key("a"); }), "a key outside of an object");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_array(1), w.key("a"); }), "a key outside of an object");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_object(2), w.key("a"), w.key("b"); }), "a key behind a key");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_object(1), w.null(); }), "a value without a key");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_object(1), w.begin_array(0); }), "a value without a key");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_object(1), w.key("a"), w.end_object(); }), "a key without a value");
    EXPECT_EQ(breach_of([](auto& w) { w.begin_object(2), w.key("a"), w.null(), w.key("a"); }), "the same key twice");
}

TEST(CheckingWriter, ChecksTextAndDigits) {
    EXPECT_EQ(breach_of([](auto& w) { w.string("\xFF"); }), "text that is not UTF-8");
    for (const char* digits : {"", "-", "1e5", ".5", "1.", "01", "-00", "1.2.3", "+1", "NaN", "1 ", "--1"}) {
        EXPECT_EQ(breach_of([&](auto& w) { w.number(digits); }), "digits that jsonb would not print") << digits;
    }
    for (const char* digits : {"0", "-1", "10", "0.00", "123.4500"}) {
        EXPECT_EQ(breach_of([&](auto& w) { w.number(digits); }), "none") << digits;
    }
}

TEST(CheckingWriter, ComparesTheFormatsOfEncodedKeys) {
    const auto breach_of_key = [](std::string_view json, std::string_view msgpack) {
        const EncodedKey key{json, msgpack};
        return breach_of([&](auto& w) { w.begin_object(1), w.key(key), w.null(), w.end_object(); });
    };
    EXPECT_EQ(breach_of_key(R"("a":)",
                            "\xA1"
                            "a"),
              "none");
    EXPECT_EQ(breach_of_key(R"("":)", "\xA0"), "none");
    EXPECT_EQ(breach_of_key(R"("\u00e9":)", "\xA2\xC3\xA9"), "none");
    EXPECT_EQ(breach_of_key(R"("a":)",
                            "\xA1"
                            "b"),
              "an encoded key: the formats hold different keys");
    for (const char* json : {"", ":", "\"", "\":", R"("a")", R"("a": )", R"("a" :)", R"( "a":)", R"(,"a":)",
                             "1:", R"("a":"b":)", R"("a","a":)", "\"\xFF\":"}) {
        EXPECT_EQ(breach_of_key(json,
                                "\xA1"
                                "a"),
                  "an encoded key: no key in JSON")
            << json;
    }
    for (const char* msgpack : {"", "\x01",
                                "\xA2"
                                "a",
                                "\xA1"
                                "ab",
                                "\xC4\x01"
                                "a"}) {
        EXPECT_EQ(breach_of_key(R"("a":)", msgpack), "an encoded key: no key in msgpack") << msgpack;
    }
}

TEST(CheckingWriter, ChecksEncodedKeysLikeOthers) {
    const OwnKey own("a");
    const EncodedKey key = own.view();
    EXPECT_EQ(breach_of([&](auto& w) { w.key(key); }), "a key outside of an object");
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_object(2), w.key("b"), w.key(key); }), "a key behind a key");
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_object(0), w.key(key); }), "more pairs than announced");
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_object(2), w.key("a"), w.null(), w.key(key); }), "the same key twice");
}

TEST(CheckingWriter, CountsEncodedValues) {
    const std::string two = encode_msgpack([](auto& w) { w.integer(1), w.begin_array(0), w.end_array(); });
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_array(2), w.encoded({two}), w.end_array(); }), "none");
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_array(0), w.encoded({""}), w.end_array(); }), "none");
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_array(1), w.encoded({two}); }), "more values than announced");
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_array(3), w.encoded({two}), w.end_array(); }),
              "fewer values than announced");
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_array(1), w.encoded({""}), w.end_array(); }),
              "fewer values than announced");
    EXPECT_EQ(breach_of([&](auto& w) { w.encoded({two}); }), "a second root");
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_object(1), w.key("a"), w.encoded({two}); }), "a value without a key");
}

TEST(CheckingWriter, ChecksWhatEncodedValuesHold) {
    const auto breach_of_values = [](std::string_view msgpack, std::size_t binaries = 0) {
        return breach_of([&](auto& w) { w.begin_array(1), w.encoded({msgpack, binaries}), w.end_array(); });
    };
    EXPECT_EQ(breach_of_values("\xC4\x01\xFF", 1), "none");
    EXPECT_EQ(breach_of_values("\x92\xC4\x01\xFF\xC4\x01\xFF", 2), "none");
    for (const std::size_t binaries : {0, 2}) {
        EXPECT_EQ(breach_of_values("\xC4\x01\xFF", binaries), "encoded values: more or fewer binaries than announced");
    }
    EXPECT_EQ(breach_of_values("\x01", 1), "encoded values: more or fewer binaries than announced");
    EXPECT_EQ(breach_of_values("\x91"), "encoded values: no msgpack") << "cut off";
    EXPECT_EQ(breach_of_values("\xC1"), "encoded values: no msgpack") << "no format has this head";
    EXPECT_EQ(breach_of_values("\xA1\xFF"), "text that is not UTF-8");
    EXPECT_EQ(breach_of_values("\x81\x01\x01"), "encoded values: a key that is no string");
    EXPECT_EQ(breach_of_values("\x82\xA1"
                               "a\x01\xA1"
                               "a\x01"),
              "the same key twice");
    EXPECT_EQ(breach_of_values("\xD4\x01\x01"), "encoded values: a type that no writer writes");
}

TEST(CheckingWriter, ChecksTheCommasOfFixedTokens) {
    constexpr auto kFirst = FixedTokens::after_key().integer(1);
    constexpr auto kNext = FixedTokens::after_value().integer(1);
    const std::string breach = "fixed tokens: a comma too many or too few";
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_array(2), w.fixed(kFirst), w.fixed(kNext), w.end_array(); }), "none");
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_array(2), w.fixed(kNext); }), breach);
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_array(2), w.null(), w.fixed(kFirst); }), breach);
}

TEST(CheckingWriter, TellsWhetherItMetBinary) {
    const auto holds_binary = [](const auto& write) {
        CheckingWriter writer;
        write(writer);
        return writer.holds_binary();
    };
    EXPECT_FALSE(holds_binary([](auto& w) {
        w.begin_array(2), w.string("\x01"),
            w.encoded({"\xA1"
                       "a"});
    }));
    EXPECT_TRUE(holds_binary([](auto& w) {
        w.begin_array(2), w.binary(""),
            w.encoded({"\xA1"
                       "a"});
    }));
    EXPECT_TRUE(holds_binary([](auto& w) { w.begin_array(2), w.encoded({"\x91\xC4\x01\xFF", 1}), w.null(); }));
}

TEST(CheckingWriter, CountsWhatFixedTokensHold) {
    constexpr auto kOpen = FixedTokens::at_start().object(2).key("a").object(1).key("b").empty_array().end_object();
    constexpr auto kClose = FixedTokens::after_value().end_object();
    EXPECT_EQ(breach_of([&](auto& w) { w.fixed(kOpen), w.fixed(kClose); }), "fewer values than announced");
    EXPECT_EQ(breach_of([&](auto& w) { w.fixed(kOpen), w.key("c"), w.null(), w.fixed(kClose); }), "none");
    EXPECT_EQ(breach_of([&](auto& w) { w.begin_array(1), w.fixed(kOpen), w.end_array(); }),
              "an end without its beginning");
}

}  // namespace
}  // namespace socketio::value_writer_test
