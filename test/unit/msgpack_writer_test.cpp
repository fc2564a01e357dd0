#include "protocol/msgpack_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <msgpack.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/document.h"
#include "support/encode.h"
#include "support/encoded.h"
#include "support/random_document.h"

namespace socketio::msgpack_writer_test {
namespace {

using nlohmann::json;

using Writer = MsgpackWriter<StringSink>;

// The one value of `bytes`, and nothing behind it.
msgpack::object_handle unpack(const std::string& bytes) {
    std::size_t read = 0;
    msgpack::object_handle handle = msgpack::unpack(bytes.data(), bytes.size(), read);
    EXPECT_EQ(read, bytes.size());
    return handle;
}

// A format byte and a number of `width` bytes, most significant first.
std::string head(int format, int width = 0, std::uint64_t value = 0) {
    std::string bytes(1, static_cast<char>(format));
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
        bytes += static_cast<char>(value >> shift & 0xFF);
    }
    return bytes;
}

struct Length {
    std::uint32_t count;
    std::string head;
};

void expect_head(const std::string& bytes, const Length& length) {
    EXPECT_EQ(bytes.substr(0, length.head.size()), length.head) << length.count;
}

TEST(MsgpackWriter, WritesNullAndBooleans) {
    EXPECT_EQ(encode_msgpack([](Writer& writer) { writer.null(); }), "\xC0");
    EXPECT_EQ(encode_msgpack([](Writer& writer) { writer.boolean(false); }), "\xC2");
    EXPECT_EQ(encode_msgpack([](Writer& writer) { writer.boolean(true); }), "\xC3");
}

TEST(MsgpackWriter, WritesStringsOfEveryWidth) {
    for (const Length& length : std::vector<Length>{{0, head(0xA0)},
                                                    {1, head(0xA1)},
                                                    {31, head(0xBF)},
                                                    {32, head(0xD9, 1, 32)},
                                                    {255, head(0xD9, 1, 255)},
                                                    {256, head(0xDA, 2, 256)},
                                                    {65535, head(0xDA, 2, 65535)},
                                                    {65536, head(0xDB, 4, 65536)}}) {
        const std::string text(length.count, 'x');
        const std::string bytes = encode_msgpack([&](Writer& writer) { writer.string(text); });
        expect_head(bytes, length);
        const auto decoded = unpack(bytes);
        ASSERT_EQ(decoded->type, msgpack::type::STR) << length.count;
        EXPECT_EQ(decoded->as<std::string>(), text);
        EXPECT_EQ(json::from_msgpack(bytes), json(text));
    }
}

TEST(MsgpackWriter, WritesBinaryOfEveryWidth) {
    for (const Length& length : std::vector<Length>{{0, head(0xC4, 1, 0)},
                                                    {31, head(0xC4, 1, 31)},
                                                    {32, head(0xC4, 1, 32)},
                                                    {255, head(0xC4, 1, 255)},
                                                    {256, head(0xC5, 2, 256)},
                                                    {65535, head(0xC5, 2, 65535)},
                                                    {65536, head(0xC6, 4, 65536)}}) {
        const std::string content(length.count, '\xFF');
        const std::string bytes = encode_msgpack([&](Writer& writer) { writer.binary(content); });
        expect_head(bytes, length);
        const auto decoded = unpack(bytes);
        ASSERT_EQ(decoded->type, msgpack::type::BIN) << length.count;
        EXPECT_EQ(std::string_view(decoded->via.bin.ptr, decoded->via.bin.size), content);
        EXPECT_EQ(as_text(json::from_msgpack(bytes).get_binary()), content);
    }
}

TEST(MsgpackWriter, WritesArraysOfEveryWidth) {
    for (const Length& length : std::vector<Length>{{0, head(0x90)},
                                                    {15, head(0x9F)},
                                                    {16, head(0xDC, 2, 16)},
                                                    {65535, head(0xDC, 2, 65535)},
                                                    {65536, head(0xDD, 4, 65536)}}) {
        const json model(length.count, 7);
        const std::string bytes = encode_msgpack([&](Writer& writer) { write_document(writer, model); });
        expect_head(bytes, length);
        const auto decoded = unpack(bytes);
        ASSERT_EQ(decoded->type, msgpack::type::ARRAY);
        EXPECT_EQ(decoded->as<std::vector<int>>(), std::vector<int>(length.count, 7));
        EXPECT_EQ(json::from_msgpack(bytes), model);
    }
}

TEST(MsgpackWriter, WritesObjectsOfEveryWidth) {
    for (const Length& length : std::vector<Length>{{0, head(0x80)},
                                                    {15, head(0x8F)},
                                                    {16, head(0xDE, 2, 16)},
                                                    {65535, head(0xDE, 2, 65535)},
                                                    {65536, head(0xDF, 4, 65536)}}) {
        json model = json::object();
        for (std::uint32_t i = 0; i < length.count; ++i) {
            model["key" + std::to_string(i)] = i;
        }
        const std::string bytes = encode_msgpack([&](Writer& writer) { write_document(writer, model); });
        expect_head(bytes, length);
        const auto decoded = unpack(bytes);
        ASSERT_EQ(decoded->type, msgpack::type::MAP);
        EXPECT_EQ(decoded->via.map.size, length.count);
        EXPECT_EQ(json::from_msgpack(bytes), model);
    }
}

struct Integer {
    std::int64_t value;
    std::string bytes;
};

// The fewest bytes for each, and the same whether it came as an integer or as digits.
TEST(MsgpackWriter, WritesIntegersOfEveryWidth) {
    for (const Integer& integer : std::vector<Integer>{{0, head(0x00)},
                                                       {127, head(0x7F)},
                                                       {128, head(0xCC, 1, 128)},
                                                       {255, head(0xCC, 1, 255)},
                                                       {256, head(0xCD, 2, 256)},
                                                       {65535, head(0xCD, 2, 65535)},
                                                       {65536, head(0xCE, 4, 65536)},
                                                       {4294967295, head(0xCE, 4, 4294967295)},
                                                       {4294967296, head(0xCF, 8, 4294967296)},
                                                       {INT64_MAX, head(0xCF, 8, INT64_MAX)},
                                                       {-1, head(0xFF)},
                                                       {-32, head(0xE0)},
                                                       {-33, head(0xD0, 1, 0xDF)},
                                                       {-128, head(0xD0, 1, 0x80)},
                                                       {-129, head(0xD1, 2, 0xFF7F)},
                                                       {-32768, head(0xD1, 2, 0x8000)},
                                                       {-32769, head(0xD2, 4, 0xFFFF7FFF)},
                                                       {-2147483648, head(0xD2, 4, 0x80000000)},
                                                       {-2147483649, head(0xD3, 8, 0xFFFFFFFF7FFFFFFF)},
                                                       {INT64_MIN, head(0xD3, 8, 0x8000000000000000)}}) {
        const std::string digits = std::to_string(integer.value);
        for (const std::string& bytes : {encode_msgpack([&](Writer& writer) { writer.integer(integer.value); }),
                                         encode_msgpack([&](Writer& writer) { writer.number(digits); }),
                                         encode_msgpack([&](Writer& writer) { writer.number(digits + ".00"); })}) {
            EXPECT_EQ(bytes, integer.bytes) << digits;
            EXPECT_EQ(unpack(bytes)->as<std::int64_t>(), integer.value);
            EXPECT_EQ(json::from_msgpack(bytes), json(integer.value));
        }
    }
}

std::string number_as_msgpack(std::string_view digits) {
    return encode_msgpack([&](Writer& writer) { writer.number(digits); });
}

TEST(MsgpackWriter, WritesUnsignedIntegersBeyondInt64) {
    EXPECT_EQ(number_as_msgpack("9223372036854775808"), head(0xCF, 8, std::uint64_t{1} << 63));
    EXPECT_EQ(number_as_msgpack("18446744073709551615"), head(0xCF, 8, UINT64_MAX));
    EXPECT_EQ(unpack(number_as_msgpack("18446744073709551615"))->as<std::uint64_t>(), UINT64_MAX);
}

TEST(MsgpackWriter, WritesEverythingElseAsFloat64) {
    EXPECT_EQ(number_as_msgpack("0.5"), head(0xCB, 8, 0x3FE0000000000000));
    EXPECT_EQ(number_as_msgpack("-1.50"), head(0xCB, 8, 0xBFF8000000000000));
    EXPECT_EQ(number_as_msgpack("0.1"), head(0xCB, 8, 0x3FB999999999999A));
    EXPECT_EQ(number_as_msgpack("18446744073709551616"), head(0xCB, 8, 0x43F0000000000000));
    EXPECT_EQ(number_as_msgpack("-9223372036854775809"), head(0xCB, 8, 0xC3E0000000000000));
    EXPECT_EQ(number_as_msgpack("36893488147419107329"), head(0xCB, 8, 0x4400000000000001));
}

TEST(MsgpackWriter, WritesWhatFloat64CannotHoldAsInfinityOrZero) {
    const std::string zeros(400, '0');
    EXPECT_EQ(number_as_msgpack("1" + zeros), head(0xCB, 8, 0x7FF0000000000000));
    EXPECT_EQ(number_as_msgpack("-1" + zeros), head(0xCB, 8, 0xFFF0000000000000));
    EXPECT_EQ(number_as_msgpack("0." + zeros + "1"), head(0xCB, 8, 0));
    EXPECT_EQ(number_as_msgpack("-0." + zeros + "1"), head(0xCB, 8, 0x8000000000000000));
}

TEST(MsgpackWriter, KeepsTextAndBinaryAsTheyAre) {
    std::string all;
    for (int byte = 0; byte < 0x100; ++byte) {
        all += static_cast<char>(byte);
    }
    EXPECT_EQ(encode_msgpack([&](Writer& writer) { writer.binary(all); }), head(0xC5, 2, 256) + all);
    const std::string text("a\0\"\\\n\xC3\xA9", 7);
    EXPECT_EQ(encode_msgpack([&](Writer& writer) { writer.string(text); }), head(0xA7) + text);
    EXPECT_EQ(encode_msgpack([&](Writer& writer) { writer.key(text); }), head(0xA7) + text);
}

TEST(MsgpackWriter, WritesBinaryAtAnyDepth) {
    const json model = {{"a", {json::binary({0, 255, 10}), {{"b", json::binary({})}}}}, {"c", "text"}};
    const std::string bytes = encode_msgpack([&](Writer& writer) { write_document(writer, model); });
    EXPECT_EQ(json::from_msgpack(bytes), model);
}

TEST(MsgpackWriter, LeavesEncodedValuesAsTheyAre) {
    const json model = {1, {{"a", json::binary({0, 255})}}, "text", nullptr};
    const std::string values = encode_msgpack([&](Writer& writer) {
        for (const json& value : model) {
            write_document(writer, value);
        }
    });
    const auto write = [&](Writer& writer) {
        writer.begin_array(9);
        writer.encoded({values});
        writer.boolean(true);
        writer.encoded({values});
        writer.end_array();
    };
    json expected = model;
    expected.push_back(true);
    expected.insert(expected.end(), model.begin(), model.end());
    const std::string bytes = encode_msgpack(write);
    EXPECT_EQ(bytes, head(0x99) + values + "\xC3" + values);
    EXPECT_EQ(json::from_msgpack(bytes), expected);
}

std::size_t binaries_in(const json& document) {
    StringSink sink;
    Writer writer(sink);
    write_document(writer, document);
    EXPECT_EQ(writer.holds_binary(), writer.binaries() > 0);
    return writer.binaries();
}

TEST(MsgpackWriter, TellsWhetherItMetBinary) {
    for (const json& without :
         {json(nullptr), json("\xC4\x01"), json(0xC4), json::array(), json::parse(R"({"a":[0.5]})")}) {
        EXPECT_EQ(binaries_in(without), 0U) << without;
    }
    const json bytes = json::binary({0, 255});
    for (const json& with :
         {bytes, json::binary({}), json::array({1, bytes, "behind"}), json({{"a", {{"b", {bytes}}}}})}) {
        EXPECT_EQ(binaries_in(with), 1U) << with;
    }
}

TEST(MsgpackWriter, TellsWhetherItIsToMeetBinary) {
    StringSink sink;
    Writer writer(sink);
    writer.begin_array(1);
    EXPECT_FALSE(writer.holds_binary());
    EXPECT_TRUE(writer.takes_binary());
    EXPECT_FALSE(writer.holds_binary()) << "only when it comes";
    writer.binary("");
    EXPECT_TRUE(writer.holds_binary());
}

TEST(MsgpackWriter, IsToldOfBinariesInEncodedValues) {
    for (const std::size_t binaries : {0, 1, 2}) {
        StringSink sink;
        Writer writer(sink);
        writer.begin_array(4);
        writer.encoded({"\xC0", 0});
        EXPECT_FALSE(writer.holds_binary());
        writer.encoded({"\xC4\x01\xFF", binaries});
        EXPECT_EQ(writer.holds_binary(), binaries > 0);
        writer.encoded({"\x02", 0});
        writer.null();
        EXPECT_EQ(writer.binaries(), binaries) << "what follows takes nothing back";
    }
}

TEST(MsgpackWriter, CountsBinaries) {
    StringSink sink;
    Writer writer(sink);
    const json two = {{"a", json::binary({1})}, {"b", {json::binary({}), "text"}}};
    EXPECT_EQ(writer.binaries(), 0U);
    write_document(writer, two);
    EXPECT_EQ(writer.binaries(), 2U);
    writer.encoded({"\xC4\x01\xFF", 3});
    write_document(writer, two);
    EXPECT_EQ(writer.binaries(), 7U);
}

TEST(MsgpackWriter, TellsTheSameOfParts) {
    const json bytes = json::binary({0, 255});
    for (const json& document : {json::parse("[[1,2],3]"), json::array({bytes, 1}), json::array({1, bytes}),
                                 json::array({json::array({1, {{"a", bytes}}}), 2, 3}), json({{"k", {bytes, 1}}})}) {
        StringSink sink;
        Writer writer(sink);
        write_from_parts(writer, document, MsgpackParts());
        EXPECT_EQ(writer.binaries(), binaries_in(document)) << document;
        EXPECT_EQ(sink.bytes(), encode_msgpack([&](Writer& whole) { write_document(whole, document); }));
    }
}

// A sink that is full has lost the bytes, but not the fact.
TEST(MsgpackWriter, TellsOfBinaryThatDidNotFit) {
    char memory[1];
    BoundedSink sink(memory, sizeof memory);
    MsgpackWriter<BoundedSink> writer(sink);
    writer.binary("\xFF");
    EXPECT_TRUE(writer.stopped());
    EXPECT_TRUE(writer.holds_binary());
}

TEST(MsgpackWriter, WritesNothingForNoEncodedValues) {
    EXPECT_EQ(encode_msgpack([](Writer& writer) { writer.encoded({""}); }), "");
    const auto write = [](auto& writer) {
        writer.begin_array(1);
        writer.encoded({""});
        writer.encoded({});
        writer.null();
        writer.encoded({""});
        writer.encoded({});
        writer.end_array();
    };
    EXPECT_EQ(encode_msgpack(write), "\x91\xC0");
    const Bounded bounded = encode_bounded_msgpack(2, write);
    EXPECT_EQ(bounded.bytes, "\x91\xC0");
    EXPECT_FALSE(bounded.stopped);
}

TEST(MsgpackWriter, WritesEncodedKeysAsItWritesOthers) {
    for (const std::size_t length : {0, 1, 31, 32, 255, 256, 65535, 65536}) {
        const std::string name(length, 'k');
        const OwnKey key(name);
        const auto write_encoded = [&](Writer& writer) {
            writer.begin_object(1), writer.key(key.view()), writer.null();
        };
        const auto write = [&](Writer& writer) { writer.begin_object(1), writer.key(name), writer.null(); };
        EXPECT_EQ(encode_msgpack(write_encoded), encode_msgpack(write)) << length;
    }
    for (const std::string& name : {std::string("\0\"\n", 3), std::string("\xC3\xA9\xF0\x9F\x98\x80")}) {
        for (const JsonCharacters characters : {JsonCharacters::kUtf8, JsonCharacters::kAscii}) {
            EXPECT_EQ(encode_msgpack([&](Writer& writer) { writer.key(OwnKey(name, characters).view()); }),
                      encode_msgpack([&](Writer& writer) { writer.key(name); }));
        }
    }
}

TEST(MsgpackWriter, TakesEverything) {
    StringSink sink;
    Writer writer(sink);
    EXPECT_TRUE(writer.takes_string(std::size_t{1} << 40));
    EXPECT_TRUE(writer.takes_binary());
    EXPECT_FALSE(writer.stopped());
}

template <class Write>
void expect_whole_or_stopped(const Write& write) {
    const std::string whole = encode_msgpack(write);
    for (std::size_t capacity = 0; capacity <= whole.size() + 1; ++capacity) {
        const Bounded bounded = encode_bounded_msgpack(capacity, write);
        ASSERT_TRUE(bounded.in_bounds);
        ASSERT_EQ(bounded.stopped, capacity < whole.size());
        ASSERT_EQ(bounded.bytes, whole.substr(0, bounded.bytes.size()));
        ASSERT_TRUE(bounded.stopped || bounded.bytes == whole);
    }
}

TEST(MsgpackWriter, StopsWhenItsSinkIsFullAndNotBefore) {
    RandomDocument random(6);
    for (int i = 0; i < 40; ++i) {
        const json document = random.value(3);
        const auto write = [&](auto& writer) { write_document(writer, document); };
        ASSERT_NO_FATAL_FAILURE(expect_whole_or_stopped(write));
    }
}

TEST(MsgpackWriter, StopsAtWhatIsEncodedWhenItsSinkIsFullAndNotBefore) {
    RandomDocument random(8);
    for (int i = 0; i < 40; ++i) {
        const json document = json::array({random.value(2), {{random.string(), random.value(2)}}, random.value(1)});
        const auto write = [&](auto& writer) { write_from_parts(writer, document, MsgpackParts()); };
        ASSERT_NO_FATAL_FAILURE(expect_whole_or_stopped(write));
    }
}

}  // namespace
}  // namespace socketio::msgpack_writer_test
