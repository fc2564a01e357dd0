#include "protocol/msgpack_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <msgpack.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/checking_handler.h"
#include "support/counting_handler.h"
#include "support/document.h"
#include "support/encode.h"
#include "support/random_document.h"

namespace socketio::msgpack_parser_test {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using namespace std::string_literals;

ordered_json parsed(std::string_view bytes) {
    CheckingHandler handler;
    EXPECT_TRUE(parse_msgpack(bytes, handler)) << json::binary({bytes.begin(), bytes.end()}).dump();
    return handler.document();
}

bool is_refused(std::string_view bytes) {
    CheckingHandler handler;
    return !parse_msgpack(bytes, handler);
}

ordered_json binary(std::string_view bytes) { return ordered_json::binary({bytes.begin(), bytes.end()}); }

std::string msgpack_of(const json& document) {
    const std::vector<std::uint8_t> bytes = json::to_msgpack(document);
    return {bytes.begin(), bytes.end()};
}

TEST(MsgpackParser, ReportsEveryFormat) {
    EXPECT_EQ(parsed("\xC0"), nullptr);
    EXPECT_EQ(parsed("\xC2"), false);
    EXPECT_EQ(parsed("\xC3"), true);
    EXPECT_EQ(parsed("\x00"s), 0) << "positive fixint";
    EXPECT_EQ(parsed("\x7F"), 127) << "positive fixint";
    EXPECT_EQ(parsed("\xE0"), -32) << "negative fixint";
    EXPECT_EQ(parsed("\xFF"), -1) << "negative fixint";
    EXPECT_EQ(parsed("\xCC\xFF"), 255) << "uint 8";
    EXPECT_EQ(parsed("\xCD\x01\x02"), 0x102) << "uint 16";
    EXPECT_EQ(parsed("\xCE\x80\x00\x00\x00"s), 0x80000000U) << "uint 32";
    EXPECT_EQ(parsed("\xCF\x00\x00\x00\x01\x00\x00\x00\x00"s), 0x100000000) << "uint 64";
    EXPECT_EQ(parsed("\xD0\x80"), -128) << "int 8";
    EXPECT_EQ(parsed("\xD0\x05"), 5) << "int 8";
    EXPECT_EQ(parsed("\xD1\x80\x00"s), -32768) << "int 16";
    EXPECT_EQ(parsed("\xD2\x80\x00\x00\x00"s), INT32_MIN) << "int 32";
    EXPECT_EQ(parsed("\xD3\x80\x00\x00\x00\x00\x00\x00\x00"s), INT64_MIN) << "int 64";
    EXPECT_EQ(parsed("\xCA\x3F\x00\x00\x00"s), 0.5) << "float 32";
    EXPECT_EQ(parsed("\xCB\x3F\xB9\x99\x99\x99\x99\x99\x9A"), 0.1) << "float 64";
    EXPECT_EQ(parsed("\xA0"), "") << "fixstr";
    EXPECT_EQ(parsed("\xA2\xC3\xA9"), "\xC3\xA9") << "fixstr";
    EXPECT_EQ(parsed("\xD9\x01x"), "x") << "str 8";
    EXPECT_EQ(parsed("\xDA\x00\x01x"s), "x") << "str 16";
    EXPECT_EQ(parsed("\xDB\x00\x00\x00\x01x"s), "x") << "str 32";
    EXPECT_EQ(parsed("\xC4\x00"s), binary("")) << "bin 8";
    EXPECT_EQ(parsed("\xC4\x02\xFF\x00"s), binary("\xFF\x00"s)) << "bin 8";
    EXPECT_EQ(parsed("\xC5\x00\x01\xFF"s), binary("\xFF")) << "bin 16";
    EXPECT_EQ(parsed("\xC6\x00\x00\x00\x01\xFF"s), binary("\xFF")) << "bin 32";
    EXPECT_EQ(parsed("\x90"), ordered_json::array()) << "fixarray";
    EXPECT_EQ(parsed("\x92\x01\x91\x02"), ordered_json::parse("[1,[2]]")) << "fixarray";
    EXPECT_EQ(parsed("\xDC\x00\x01\x01"s), ordered_json::parse("[1]")) << "array 16";
    EXPECT_EQ(parsed("\xDD\x00\x00\x00\x01\x01"s), ordered_json::parse("[1]")) << "array 32";
    EXPECT_EQ(parsed("\x80"), ordered_json::object()) << "fixmap";
    EXPECT_EQ(parsed("\x82\xA1"
                     "b\x01\xA1"
                     "a\x81\xA0\x02")
                  .dump(),
              R"({"b":1,"a":{"":2}})")
        << "fixmap";
    EXPECT_EQ(parsed("\xDE\x00\x01\xA1"
                     "a\x01"s)
                  .dump(),
              R"({"a":1})")
        << "map 16";
    EXPECT_EQ(parsed("\xDF\x00\x00\x00\x01\xD9\x01"
                     "a\x01"s)
                  .dump(),
              R"({"a":1})")
        << "map 32";
}

TEST(MsgpackParser, TellsIntegersApart) {
    EXPECT_EQ(parsed("\xCF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), INT64_MAX);
    EXPECT_EQ(parsed("\xCF\x80\x00\x00\x00\x00\x00\x00\x00"s), std::uint64_t{INT64_MAX} + 1);
    EXPECT_EQ(parsed("\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), UINT64_MAX);
}

TEST(MsgpackParser, ReportsRealsThatAreNotFinite) {
    EXPECT_TRUE(std::isnan(parsed("\xCB\x7F\xF8\x00\x00\x00\x00\x00\x00"s).get<double>()));
    EXPECT_EQ(parsed("\xCB\x7F\xF0\x00\x00\x00\x00\x00\x00"s), std::numeric_limits<double>::infinity());
    EXPECT_EQ(parsed("\xCA\xFF\x80\x00\x00"s), -std::numeric_limits<double>::infinity());
}

TEST(MsgpackParser, ReportsTextAsItIs) {
    EXPECT_EQ(parsed("\xA3"
                     "a\x00\xFF"s),
              "a\x00\xFF"s);
    EXPECT_EQ(parsed("\x81\xA2\xED\x00\x01"s).begin().key(), "\xED\x00"s);
}

// Of any length, the type is no part of it.
TEST(MsgpackParser, ReportsExtensionsAsBinary) {
    EXPECT_EQ(parsed("\xD4\x05\x01"), binary("\x01")) << "fixext 1";
    EXPECT_EQ(parsed("\xD5\x05\x01\x02"), binary("\x01\x02")) << "fixext 2";
    EXPECT_EQ(parsed("\xD6\x05"
                     "abcd"),
              binary("abcd"))
        << "fixext 4";
    EXPECT_EQ(parsed("\xD7\x05"
                     "abcdefgh"),
              binary("abcdefgh"))
        << "fixext 8";
    EXPECT_EQ(parsed("\xD8\x05"
                     "abcdefghijklmnop"),
              binary("abcdefghijklmnop"))
        << "fixext 16";
    EXPECT_EQ(parsed("\xC7\x00\x05"s), binary("")) << "ext 8";
    EXPECT_EQ(parsed("\xC7\x03\x80"
                     "abc"),
              binary("abc"))
        << "ext 8";
    EXPECT_EQ(parsed("\xC8\x00\x00\x05"s), binary("")) << "ext 16";
    EXPECT_EQ(parsed("\xC8\x01\x00\x05"s + std::string(256, 'x')), binary(std::string(256, 'x'))) << "ext 16";
    EXPECT_EQ(parsed("\xC9\x00\x00\x00\x00\x05"s), binary("")) << "ext 32";
    EXPECT_EQ(parsed("\xC9\x00\x01\x00\x00\x05"s + std::string(65536, 'x')), binary(std::string(65536, 'x')))
        << "ext 32";
}

TEST(MsgpackParser, ReportsDatesAsJsonHasThem) {
    EXPECT_EQ(parsed("\xD6\xFF\x00\x00\x00\x01"s), "1970-01-01T00:00:01.000Z");
    EXPECT_EQ(parsed("\xD7\xFF\xBC\x1C\xBD\x00\x6B\x01\x8F\xF0"s), "2026-11-21T12:34:56.789Z");
    EXPECT_EQ(parsed("\xC7\x0C\xFF\x3B\x8B\x87\xC0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(parsed("\xC7\x04\xFF\x00\x00\x00\x01"s), "1970-01-01T00:00:01.000Z") << "in a form of another length";
    EXPECT_EQ(parsed("\xD4\xFF\x01"), binary("\x01")) << "no date";
    EXPECT_EQ(parsed("\xC7\x00\xFF"s), binary("")) << "no date";
    EXPECT_EQ(parsed("\xD6\x01\x00\x00\x00\x01"s), binary("\x00\x00\x00\x01"s)) << "of another type";
}

TEST(MsgpackParser, RefusesKeysThatAreNoStrings) {
    for (const std::string& key : {"\x01"s, "\xFF"s, "\xC0"s, "\xC3"s, "\xCB\x3F\xB9\x99\x99\x99\x99\x99\x9A"s,
                                   "\xC4\x01"
                                   "a"s,
                                   "\xD4\x05\x01"s, "\xD6\xFF\x00\x00\x00\x01"s, "\x90"s, "\x91\x01"s, "\x80"s,
                                   "\x81\xA1"
                                   "a\x01"s}) {
        EXPECT_TRUE(is_refused("\x81" + key + "\x01")) << json::binary({key.begin(), key.end()}).dump();
        EXPECT_TRUE(
            is_refused("\x91\x82\xA1"
                       "a\x01" +
                       key + "\x01"));
    }
}

TEST(MsgpackParser, RefusesWhatIsCutOff) {
    for (const std::string& whole : {"\xCD\x01\x02"s, "\xCB\x3F\xB9\x99\x99\x99\x99\x99\x9A"s,
                                     "\xA3"
                                     "abc"s,
                                     "\xDB\x00\x00\x00\x01x"s, "\xC4\x01x"s, "\xC7\x01\x05x"s,
                                     "\xD6\xFF\x00\x00\x00\x01"s, "\x92\x01\x02"s, "\xDC\x00\x01\x01"s,
                                     "\x82\xA1"
                                     "a\x01\xA1"
                                     "b\x90"s,
                                     "\x81\xA1"
                                     "a\x91\x81\xA1"
                                     "b\xC0"s}) {
        EXPECT_FALSE(is_refused(whole));
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const std::vector<char> block(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            EXPECT_TRUE(is_refused({block.data(), block.size()})) << size << " bytes of " << whole.size();
        }
    }
}

// The lengths are all there is of them: nothing is set aside for what never comes.
TEST(MsgpackParser, RefusesLengthsThatAreTooLarge) {
    for (const char* head : {"\xDD", "\xDF", "\xDB", "\xC6", "\xC9"}) {
        EXPECT_TRUE(is_refused(head + "\xFF\xFF\xFF\xFF"s));
        EXPECT_TRUE(is_refused(head + "\xFF\xFF\xFF\xFF\xFF\x01\x01\x01"s));
        EXPECT_TRUE(is_refused(head + "\x7F\xFF\xFF\xFF\xA1"s + "a\x01"));
    }
}

TEST(MsgpackParser, RefusesWhatNoFormatIs) {
    EXPECT_TRUE(is_refused("\xC1"));
    EXPECT_TRUE(is_refused("\x92\x01\xC1"));
    EXPECT_TRUE(
        is_refused("\x81\xA1"
                   "a\xC1"));
    EXPECT_TRUE(is_refused("\x81\xC1\x01"));
}

TEST(MsgpackParser, TakesOneValueAlone) {
    EXPECT_TRUE(is_refused(""));
    EXPECT_TRUE(is_refused("\x01\x01"));
    EXPECT_TRUE(is_refused("\x80\x80"));
    EXPECT_TRUE(is_refused("\x80garbage"));
}

// By way of two other writers of msgpack.
TEST(MsgpackParser, AgreesWithADocumentOnRandomOnes) {
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        const json document = RandomDocument(seed).value(6);
        ASSERT_TRUE(equivalent(json(parsed(msgpack_of(document))), document)) << document;
        ASSERT_TRUE(equivalent(json(parsed(encode_msgpack([&](auto& w) { write_document(w, document); }))), document))
            << document;
    }
}

bool has_string_keys(const msgpack::object& object) {
    if (object.type == msgpack::type::ARRAY) {
        const msgpack::object_array& array = object.via.array;
        return std::all_of(array.ptr, array.ptr + array.size, has_string_keys);
    }
    if (object.type == msgpack::type::MAP) {
        const msgpack::object_map& map = object.via.map;
        return std::all_of(map.ptr, map.ptr + map.size, [](const msgpack::object_kv& pair) {
            return pair.key.type == msgpack::type::STR && has_string_keys(pair.val);
        });
    }
    return true;
}

// Whether msgpack-c builds a document of `bytes`, all of them, that could be one of JavaScript's.
bool unpacks(const std::string& bytes) {
    const msgpack::unpack_limit limit(100, 100, 100, 100, 100, 100);  // it would set aside whatever is announced
    std::size_t end = 0;
    try {
        const msgpack::object_handle unpacked =
            msgpack::unpack(bytes.data(), bytes.size(), end, nullptr, nullptr, limit);
        return end == bytes.size() && has_string_keys(unpacked.get());
    } catch (const msgpack::unpack_error&) {
        return false;
    }
}

TEST(MsgpackParser, TakesOfRandomBytesWhatUnpacks) {
    RandomDocument random(99);
    int taken = 0;
    for (int i = 0; i < 50'000; ++i) {
        std::string bytes;
        for (auto size = random.below(12); size > 0; --size) {
            bytes += static_cast<char>(random.below(2) == 0 ? random.below(256) : 0x80 + random.below(0x23));
        }
        CheckingHandler handler;
        const bool is_taken = parse_msgpack(bytes, handler);
        ASSERT_EQ(is_taken, unpacks(bytes)) << ordered_json(binary(bytes)).dump();
        taken += is_taken ? 1 : 0;
    }
    EXPECT_GT(taken, 1000);
}

// More would be no message, but a way to spend memory.
TEST(MsgpackParser, TakesTenThousandLevels) {
    constexpr std::int64_t kDepth = 10'000;
    CountingHandler arrays;
    EXPECT_TRUE(parse_msgpack(std::string(kDepth, '\x91') + "\x01", arrays));
    EXPECT_EQ(arrays.begun, kDepth);
    EXPECT_EQ(arrays.ended, kDepth);
    for (const char* level : {"\x91", "\x81\xA1k", "\x91\x81\xA1k"}) {
        std::string bytes;
        for (std::int64_t i = 0; i < 100 * kDepth; ++i) {
            bytes += level;
        }
        CountingHandler handler;
        EXPECT_FALSE(parse_msgpack(bytes + "\x01", handler));
        EXPECT_EQ(handler.begun, kDepth);
    }
}

// It is levels that are counted.
TEST(MsgpackParser, TakesAnyNumberOfArraysSideBySide) {
    constexpr std::int64_t kCount = 100'000;
    std::string bytes = "\xDD\x00\x01\x86\xA0"s;
    for (std::int64_t i = 0; i < kCount; ++i) {
        bytes += i % 2 == 0 ? "\x90" : "\x80";
    }
    CountingHandler handler;
    EXPECT_TRUE(parse_msgpack(bytes, handler));
    EXPECT_EQ(handler.begun, kCount + 1);
}

struct ThrowingHandler : CountingHandler {
    struct Thrown {};
    void string(std::string_view) { throw Thrown(); }
};

TEST(MsgpackParser, LetsThroughWhatTheHandlerThrows) {
    ThrowingHandler handler;
    EXPECT_THROW(parse_msgpack("\x91\xA1"
                               "a",
                               handler),
                 ThrowingHandler::Thrown);
}

}  // namespace
}  // namespace socketio::msgpack_parser_test
