#include "protocol/adapter_postgres_answer.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clean_text.h"
#include "support/adapter_postgres_server.h"
#include "support/document.h"
#include "support/random_document.h"

namespace socketio::adapter_postgres::adapter_postgres_answer_test {
namespace {

using nlohmann::json;
using namespace std::string_literals;

#define FFFD "\xEF\xBF\xBD"

using Names = std::vector<std::string>;

constexpr int kMillion = 1'000'000;

// Payloads.

void expect_payload(std::string_view json, std::string_view topic, std::string_view text) {
    const std::optional<RawPayload> payload = split_payload(json);
    ASSERT_TRUE(payload) << json;
    EXPECT_EQ(payload->topic, topic) << json;
    EXPECT_EQ(payload->text, text) << json;
}

TEST(AdapterPostgresAnswer, SplitsPayloads) {
    expect_payload(R"(["socket.io#/#","k6dl"])", "socket.io#/#", "k6dl");
    expect_payload(R"(["",""])", "", "");
    expect_payload(R"(["socket.io-response#/#","{\"requestid\":\"r1\"}"])", "socket.io-response#/#",
                   R"({\"requestid\":\"r1\"})");
    expect_payload("[\"\xC3\xA9\",\"\xF0\x9F\x98\x80\"]", "\xC3\xA9", "\xF0\x9F\x98\x80");
}

TEST(AdapterPostgresAnswer, SkipsWhiteSpaceBetweenTheParts) {
    expect_payload("\n [\t\"a\"\r,\n\"b\" ]\r\n\t ", "a", "b");
    expect_payload("[\" a \",\"\tb\n\"]", " a ", "\tb\n");
    EXPECT_FALSE(split_payload("\xC2\xA0[\"a\",\"b\"]")) << "JSON has four kinds of white space";
    EXPECT_FALSE(split_payload("\v[\"a\",\"b\"]"));
}

TEST(AdapterPostgresAnswer, KnowsWhereAStringEnds) {
    expect_payload(R"(["a\"","\"b"])", R"(a\")", R"(\"b)");
    expect_payload(R"(["a\\","\\\\"])", R"(a\\)", R"(\\\\)");
    expect_payload(R"(["\\\"]","],["])", R"(\\\"])", "],[");
    expect_payload(R"(["\u0022","\x"])", R"(\u0022)", R"(\x)");
}

TEST(AdapterPostgresAnswer, IsAnArrayOfTwoStrings) {
    for (const char* text : {"",
                             " ",
                             "null",
                             "1",
                             R"("text")",
                             "{}",
                             R"({"a":"b"})",
                             "[",
                             "[]",
                             R"(["a"])",
                             R"(["a",)",
                             R"(["a","b")",
                             R"(["a","b)",
                             R"(["a","b\")",
                             R"(["a","b\"])",
                             R"(["a","b\)",
                             R"(["a)",
                             R"(["a\",\"b"])",
                             R"(["a" "b"])",
                             R"(["a","b","c"])",
                             R"(["a","b",])",
                             R"(["a","b"})",
                             R"(["a",1])",
                             R"([1,"b"])",
                             R"([null,"b"])",
                             R"([["a"],"b"])",
                             R"(["a",["b"]])",
                             R"([["a","b"]])",
                             R"(["a";"b"])",
                             R"(['a','b'])",
                             R"("a","b")"}) {
        EXPECT_FALSE(split_payload(text)) << text;
    }
    for (const char* behind : {"x", "]", ",", "[", "\"", "[\"a\",\"b\"]", "\v", "\xFF", " x"}) {
        EXPECT_FALSE(split_payload(std::string(R"(["a","b"])") + behind)) << behind;
    }
    EXPECT_FALSE(split_payload("[\"a\",\"b\"]\0"s));
    EXPECT_FALSE(split_payload(std::string(kMillion, '[')));
    EXPECT_FALSE(split_payload(std::string(kMillion, '"')));
    EXPECT_FALSE(split_payload("[\"" + std::string(kMillion, '\\')));
    EXPECT_FALSE(split_payload(std::string(kMillion, ' ')));
}

TEST(AdapterPostgresAnswer, SplitsNoFurtherThanTheView) {
    const std::string payload = R"(["a\"b","c\\"])";
    for (std::size_t size = 0; size < payload.size(); ++size) {
        const std::vector<char> block(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_FALSE(split_payload({block.data(), block.size()})) << size;
    }
}

// Strings.

TEST(AdapterPostgresAnswer, UnescapesStrings) {
    EXPECT_EQ(unescape(""), "");
    EXPECT_EQ(unescape("abc"), "abc");
    EXPECT_EQ(unescape(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(unescape(R"(\u0041\u00e9\u00E9\u20ac)"), "A\xC3\xA9\xC3\xA9\xE2\x82\xAC");
    EXPECT_EQ(unescape(R"(\ud83d\ude00\uD83D\uDE00)"), "\xF0\x9F\x98\x80\xF0\x9F\x98\x80");
    EXPECT_EQ(unescape("\xC3\xA9\xF0\x9F\x98\x80\x7F"), "\xC3\xA9\xF0\x9F\x98\x80\x7F");
    EXPECT_EQ(unescape(R"(\\u0041\\)"), R"(\u0041\)");
}

TEST(AdapterPostgresAnswer, UnescapesWhateverIsStringified) {
    RandomDocument random(1);
    for (int i = 0; i < 500; ++i) {
        std::string text = random.string();
        const std::string quoted = stringify(utf16_of(text));
        std::string scratch;
        EXPECT_EQ(unescape(std::string_view(quoted).substr(1, quoted.size() - 2)), clean_utf8(text, scratch));
    }
}

TEST(AdapterPostgresAnswer, CleansStrings) {
    EXPECT_EQ(unescape(R"(a\u0000b)"), "a" FFFD "b");
    EXPECT_EQ(unescape(R"(a\ud83d)"), "a" FFFD);
    EXPECT_EQ(unescape(R"(\ude00a)"), FFFD "a");
    EXPECT_EQ(unescape(R"(\ude00\ud83d)"), FFFD FFFD);
    EXPECT_EQ(unescape(R"(\ud83d\ud83d\ude00)"), FFFD "\xF0\x9F\x98\x80");
    EXPECT_EQ(unescape("a\xFF\xC3"), "a" FFFD FFFD);
    EXPECT_EQ(unescape("a\0b"s), "a" FFFD "b");
    EXPECT_EQ(unescape("\xED\xA0\xBD"), FFFD);
    EXPECT_EQ(unescape(R"(\\ud83d)"), R"(\ud83d)") << "no escape but of the backslash";
}

TEST(AdapterPostgresAnswer, UnescapesNothingElse) {
    for (const std::string& raw : {R"(\)"s, R"(a\)"s, R"(\x)"s, R"(\u12)"s, R"(\u12g4)"s, R"(\u+123)"s, R"(\ud83d\u)"s,
                                   "\n"s, "a\tb"s, "\x1F"s, R"(")"s, R"(a","b)"s, R"(a" )"s}) {
        EXPECT_EQ(unescape(raw), std::nullopt) << raw;
    }
}

// Pieces.

void expect_piece(const std::string& raw, std::string_view id, std::size_t index, std::size_t count,
                  std::string_view rest) {
    const std::optional<Piece> piece = read_piece(raw);
    ASSERT_TRUE(piece) << raw;
    EXPECT_EQ(piece->id, id);
    EXPECT_EQ(piece->index, index);
    EXPECT_EQ(piece->count, count);
    EXPECT_EQ(piece->raw, rest);
}

TEST(AdapterPostgresAnswer, ReadsPieces) {
    expect_piece("_chunk_aB3xY9_0_2                                 {\\\"requestid", "aB3xY9", 0, 2, "{\\\"requestid");
    expect_piece(chunk_header("aB3xY9", 1, 2) + "  text ", "aB3xY9", 1, 2, "  text ");
    expect_piece(chunk_header("A1b2C3d4E5f6G7h8", 99'999, 100'000), "A1b2C3d4E5f6G7h8", 99'999, 100'000, "");
    expect_piece(chunk_header("x", 0, 1) + std::string(5000, 'x'), "x", 0, 1, std::string(5000, 'x'));
}

TEST(AdapterPostgresAnswer, ReadsPiecesOfAnySize) {
    const std::string id(30, 'i');
    const std::string header = "_chunk_" + id + "_12345_123456";
    ASSERT_EQ(header.size(), 50U);
    expect_piece(header + "_7", id, 12'345, 123'456, "_7");
    expect_piece(chunk_header("", 0, 1) + "text", "", 0, 1, "text");
    expect_piece(chunk_header("a", 0, SIZE_MAX) + "text", "a", 0, SIZE_MAX, "text");
}

TEST(AdapterPostgresAnswer, TellsPiecesFromWholeTexts) {
    for (const std::string& raw :
         {""s, "{}"s, "_chunk_"s, "_chunk_a_0_1"s, chunk_header("a", 0, 1).substr(0, 49), " " + chunk_header("a", 0, 1),
          "_Chunk_a_0_1" + std::string(50, ' '), "chunk_a_0_1" + std::string(50, ' '),
          R"({\"requestid\":\"_chunk_a_0_1\"})" + std::string(50, ' ')}) {
        EXPECT_FALSE(read_piece(raw)) << raw;
    }
}

TEST(AdapterPostgresAnswer, TakesNoPieceWithoutItsNumbers) {
    for (const std::string& fields :
         {""s, "a"s, "a_"s, "a_0"s, "a_0_"s, "a__1"s, "a_0_ 1"s, "a_ 0_1"s, "a_0 _1"s, "a_x_1"s, "a_0_x"s, "a_-1_1"s,
          "a_0_-1"s, "a_+0_1"s, "a_0_+1"s, "a_0x0_1"s, "a_0.5_1"s, "0_1"s, "a b c"s, "____________"s, "a_b_0_1"s,
          "a_0_0"s, "a_1_1"s, "a_2_1"s, "a_0_00"s, "a_1_0"s,
          // beyond 64 bits
          "a_0_18446744073709551616"s, "a_18446744073709551616_2"s, "a_18446744073709551615_99999999999999999"s,
          "a_" + std::string(30, '9') + "_1"s, "a_0_" + std::string(30, '9')}) {
        std::string raw = "_chunk_" + fields;
        raw.resize(50, ' ');
        EXPECT_FALSE(read_piece(raw + "text")) << raw;
    }
}

// A number ends where a header does: what is behind is the piece's.
TEST(AdapterPostgresAnswer, ReadsNoNumberBeyondTheHeader) {
    const std::string header = "_chunk_" + std::string(39, 'i') + "_0_1";
    ASSERT_EQ(header.size(), 50U);
    expect_piece(header + "234", std::string(39, 'i'), 0, 1, "234");
    EXPECT_FALSE(read_piece("_chunk_" + std::string(40, 'i') + "_0_1"));
    EXPECT_FALSE(read_piece("_chunk_" + std::string(44, 'i') + "_0_1"));
}

// Whole texts.

Answer answer_of(std::string_view text) {
    const std::optional<Answer> answer = read_answer(text);
    EXPECT_TRUE(answer) << text.substr(0, 200);
    return answer.value_or(Answer());
}

void expect_nothing(const Answer& answer) {
    EXPECT_EQ(answer.request_id, "");
    EXPECT_TRUE(answer.clients.empty());
    EXPECT_TRUE(answer.rooms.empty());
    EXPECT_EQ(answer.data, std::nullopt);
}

// As servers send them.

TEST(AdapterPostgresAnswer, ReadsClients) {
    const Answer answer = answer_of(R"({"requestid":"aB3xY9","clients":["MB7DyTZ_I-Xf0aZzAAAB","Nn","/admin#Mm"]})");
    EXPECT_EQ(answer.request_id, "aB3xY9");
    EXPECT_EQ(answer.clients, (Names{"MB7DyTZ_I-Xf0aZzAAAB", "Nn", "/admin#Mm"}));
    EXPECT_TRUE(answer.rooms.empty());
    EXPECT_EQ(answer.data, std::nullopt);
    EXPECT_TRUE(answer_of(R"({"requestid":"r","clients":[]})").clients.empty());
}

TEST(AdapterPostgresAnswer, ReadsRooms) {
    const Answer answer = answer_of("{\"requestid\":\"r\",\"rooms\":[\"news\",\"\",\"\xC3\xA9\\\"\\ud83d\\ude00\"]}");
    EXPECT_EQ(answer.request_id, "r");
    EXPECT_EQ(answer.rooms, (Names{"news", "", "\xC3\xA9\"\xF0\x9F\x98\x80"}));
    EXPECT_TRUE(answer.clients.empty());
    EXPECT_EQ(answer.data, std::nullopt);
}

TEST(AdapterPostgresAnswer, ReadsConfirmations) {
    const Answer answer = answer_of(R"({"requestid":"r+"})");
    EXPECT_EQ(answer.request_id, "r+");
    EXPECT_TRUE(answer.clients.empty());
    EXPECT_TRUE(answer.rooms.empty());
    EXPECT_EQ(answer.data, std::nullopt);
}

TEST(AdapterPostgresAnswer, KeepsDataOfAnyKind) {
    for (const char* data : {"null", "true", "0", "-7", "18446744073709551615", "0.5", R"("")", R"("text")", "[]", "{}",
                             R"([[],{"requestid":"x","clients":["x"],"rooms":["x"],"data":1},"x"])",
                             R"({"data":{"data":["x"]},"requestid":"x","rooms":["x"]})"}) {
        for (const bool is_first : {false, true}) {
            const std::string field = "\"data\":" + std::string(data);
            const Answer answer =
                answer_of("{" + (is_first ? field + R"(,"requestid":"r")" : R"("requestid":"r",)" + field) + "}");
            ASSERT_TRUE(answer.data) << data;
            EXPECT_EQ(json::parse(*answer.data), json::parse(data));
            EXPECT_EQ(answer.request_id, "r");
            EXPECT_TRUE(answer.clients.empty());
            EXPECT_TRUE(answer.rooms.empty());
        }
    }
}

TEST(AdapterPostgresAnswer, KeepsRandomData) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const json value = RandomDocument(seed).value(5);
        std::string model = value.dump();
        clean_json_escapes(model);
        const json message = {{"requestid", "r"}, {"data", value}, {"rooms", {"a"}}, {"clients", {"b", "c"}}};
        for (const bool is_ascii : {false, true}) {
            const Answer answer = answer_of(message.dump(is_ascii ? 2 : -1, ' ', is_ascii));
            ASSERT_TRUE(equivalent(json::parse(answer.data.value()), json::parse(model)));
            ASSERT_EQ(answer.request_id, "r");
            ASSERT_EQ(answer.rooms, Names{"a"});
            ASSERT_EQ(answer.clients, (Names{"b", "c"}));
        }
    }
}

// Where callback() was called, JSON.stringify leaves it out.
TEST(AdapterPostgresAnswer, TellsNoDataFromNull) {
    EXPECT_EQ(answer_of(R"({"requestid":"r"})").data, std::nullopt);
    EXPECT_EQ(answer_of(R"({"requestid":"r","data":null})").data, "null");
}

TEST(AdapterPostgresAnswer, HasBuffersAsBase64) {
    EXPECT_EQ(answer_of(R"({"data":{"type":"Buffer","data":[0,255,255,255]}})").data, R"("AP///w==")");
    EXPECT_EQ(answer_of(R"({"data":[{"k":{"type":"Buffer","data":[97]}}]})").data, R"([{"k":"YQ=="}])");
}

// As strangers might.

TEST(AdapterPostgresAnswer, IsAnObject) {
    for (const char* text : {"", "null", "1", R"("text")", "[]", R"([{"requestid":"r"}])", R"(["requestid","r"])", "{",
                             R"({"requestid":"r")", "{}x", "{}{}", "hello", R"({"a":02})", R"({"requestid":"r)", "{,}",
                             R"({"a":1,})", "{'a':1}", R"({"a":1e999})", R"({"data":[1,2})"}) {
        EXPECT_FALSE(read_answer(text)) << text;
    }
    expect_nothing(answer_of("{}"));
    expect_nothing(answer_of(" \t\r\n{ } \n"));
}

TEST(AdapterPostgresAnswer, LeavesOutWhatIsOfAnotherType) {
    const json values = json::parse(R"([null, true, 1.5, 7, -7, 18446744073709551615, "text", {}, {"0": "x"},
        {"a": ["x"]}, [1, null, true], [["x"]], [{"0": "x"}], [[], {}]])");
    for (const json& value : values) {
        for (const char* key : {"requestid", "clients", "rooms"}) {
            if (key != "requestid"s || !value.is_string()) {
                expect_nothing(answer_of(json({{key, value}}).dump()));
            }
        }
        const json other = {{"requestId", value}, {"Clients", value}, {"room", value}, {"", value}, {"Data", value}};
        expect_nothing(answer_of(other.dump()));
    }
}

TEST(AdapterPostgresAnswer, KnowsKeysByTheirPlace) {
    expect_nothing(answer_of(R"({"a":{"requestid":"x","clients":["x"],"rooms":["x"],"data":1},
        "b":[{"requestid":"x","clients":["x"]},["x"],"rooms",["x"]],"clients":{"clients":["x"],"0":"x"},
        "rooms":[["x"],{"rooms":["x"],"data":1}]})"));
}

TEST(AdapterPostgresAnswer, GoesOnBehindWhatItSkips) {
    const Answer answer = answer_of(R"({"a":[[[]],{"b":[{}]}],"rooms":["r1","r2"],"b":{"c":{"d":[1,{"e":2}]}},
        "data":[[1],{"k":[]}],"c":null,"clients":["c1"],"d":[["x"]],"requestid":"r"})");
    EXPECT_EQ(answer.request_id, "r");
    EXPECT_EQ(answer.rooms, (Names{"r1", "r2"}));
    EXPECT_EQ(answer.clients, Names{"c1"});
    EXPECT_EQ(json::parse(answer.data.value()), json::parse(R"([[1],{"k":[]}])"));
}

TEST(AdapterPostgresAnswer, TakesTheNamesAmongOtherValues) {
    EXPECT_EQ(answer_of(R"({"clients":[1,"a",null,"b",true,0.5,"c"]})").clients, (Names{"a", "b", "c"}));
}

TEST(AdapterPostgresAnswer, TakesTheLastOfEqualKeys) {
    const Answer answer =
        answer_of(R"({"requestid":"a","requestid":"b","data":1,"data":[2],"requestid":7,"data":{"k":3}})");
    EXPECT_EQ(answer.request_id, "b") << "the last that is a string";
    EXPECT_EQ(answer.data, R"({"k":3})");
    const Answer names = answer_of(R"({"clients":["a"],"clients":["b"],"rooms":["c"],"rooms":[]})");
    EXPECT_EQ(names.clients, (Names{"a", "b"})) << "of names all";
    EXPECT_EQ(names.rooms, Names{"c"});
}

TEST(AdapterPostgresAnswer, TakesManyNames) {
    Names names;
    for (int i = 0; i < 100'000; ++i) {
        names.push_back("MB7DyTZ_I-Xf0aZ" + std::to_string(10'000 + i % 90'000));
    }
    EXPECT_EQ(answer_of(json({{"clients", names}}).dump()).clients, names);
    EXPECT_EQ(answer_of(json({{"rooms", names}}).dump()).rooms, names);
    EXPECT_EQ(answer_of(json({{"rooms", Names(900)}}).dump()).rooms.size(), 900U);
}

// Three bytes each, of which a list in memory would make dozens.
TEST(AdapterPostgresAnswer, TakesNoMoreThanServersWouldSend) {
    EXPECT_FALSE(read_answer(json({{"clients", Names(100'000)}}).dump()));
    EXPECT_FALSE(read_answer(json({{"clients", Names(50'000)}, {"rooms", Names(50'000)}}).dump()));
    EXPECT_EQ(json::parse(answer_of(json({{"data", Names(100'000)}}).dump()).data.value()).size(), 100'000U)
        << "as JSON it is no longer than it was";
}

// What JSON and PostgreSQL have no room for.

TEST(AdapterPostgresAnswer, CleansText) {
    const Answer answer = answer_of(
        R"({"requestid":"a\u0000b","clients":["\ud800s","\udc00\ud800"],"rooms":["\u0000","\ud83d\ude00","\\ud800"],)"
        R"("data":{"\u0000":"\ud83d\ude00\ud83d"}})");
    EXPECT_EQ(answer.request_id, "a" FFFD "b");
    EXPECT_EQ(answer.clients, (Names{FFFD "s", FFFD FFFD}));
    EXPECT_EQ(answer.rooms, (Names{FFFD, "\xF0\x9F\x98\x80", "\\ud800"}));
    EXPECT_EQ(json::parse(answer.data.value()), json({{FFFD, "\xF0\x9F\x98\x80" FFFD}}));
}

TEST(AdapterPostgresAnswer, CleansBytes) {
    EXPECT_EQ(answer_of("{\"requestid\":\"a\xFF\xC3\"}").request_id, "a" FFFD FFFD);
    EXPECT_EQ(answer_of("{\"rooms\":[\"\x80\"]}").rooms, Names{FFFD});
    EXPECT_EQ(answer_of("{\"data\":\"\xED\xA0\x80\"}").data, "\"" FFFD "\"");
    EXPECT_FALSE(read_answer("{\"requestid\":\"r\"}\xFF"));
}

TEST(AdapterPostgresAnswer, KeepsTwoHundredLevelsOfData) {
    const auto nested = [](int depth, const std::string& core) {
        return std::string(static_cast<std::size_t>(depth), '[') + core +
               std::string(static_cast<std::size_t>(depth), ']');
    };
    for (const int depth : {200, 201, 5000, kMillion}) {
        const Answer answer = answer_of(R"({"data":)" + nested(depth, "7") + R"(,"requestid":"r"})");
        EXPECT_EQ(answer.data, depth == 200 ? nested(200, "7") : nested(200, "null"));
        EXPECT_EQ(answer.request_id, "r");
    }
}

TEST(AdapterPostgresAnswer, SkipsManyLevels) {
    const auto nested = [](int depth) {
        return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
    };
    EXPECT_EQ(answer_of(R"({"x":)" + nested(kMillion) + R"(,"requestid":"r"})").request_id, "r");
    const Answer answer =
        answer_of(R"({"clients":[)" + nested(50'000) + R"(],"rooms":)" + nested(50'000) + R"(,"requestid":"r"})");
    EXPECT_EQ(answer.request_id, "r");
    EXPECT_TRUE(answer.clients.empty());
    EXPECT_TRUE(answer.rooms.empty());
    EXPECT_FALSE(read_answer(std::string(kMillion, '[')));
    EXPECT_FALSE(read_answer(R"({"data":)" + std::string(kMillion, '[')));
}

TEST(AdapterPostgresAnswer, SkipsManyLevelsOfObjects) {
    constexpr int kDepth = 100'000;
    std::string objects;
    for (int i = 0; i < kDepth; ++i) {
        objects += R"({"a":)";
    }
    EXPECT_FALSE(read_answer(objects));
    const std::string whole = objects + "0" + std::string(kDepth, '}');
    EXPECT_EQ(answer_of(R"({"data":)" + whole + R"(,"requestid":"r"})").request_id, "r");
    EXPECT_EQ(answer_of(R"({"rooms":)" + whole + R"(,"requestid":"r"})").request_id, "r");
}

}  // namespace
}  // namespace socketio::adapter_postgres::adapter_postgres_answer_test
