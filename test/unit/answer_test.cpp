#include "protocol/answer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clean_text.h"
#include "support/document.h"
#include "support/random_document.h"

namespace socketio::answer_test {
namespace {

using nlohmann::json;
using namespace std::string_literals;

#define FFFD "\xEF\xBF\xBD"

using Names = std::vector<std::string>;

std::string msgpack_of(const json& document) {
    const std::vector<std::uint8_t> bytes = json::to_msgpack(document);
    return {bytes.begin(), bytes.end()};
}

Answer answer_of(std::string_view text) {
    const std::optional<Answer> answer = read_answer(text);
    EXPECT_TRUE(answer) << text;
    return answer.value_or(Answer());
}

Answer attached_answer_of(std::string_view bytes) {
    const std::optional<Answer> answer = read_attached_answer(bytes);
    EXPECT_TRUE(answer);
    return answer.value_or(Answer());
}

// Checks what is read of `message` in either format.
template <class Check>
void check_both(const json& message, const Check& check) {
    SCOPED_TRACE(message.dump());
    check(answer_of(message.dump()));
    check(answer_of(message.dump(2, ' ', true)));
    check(attached_answer_of(msgpack_of(message)));
}

void expect_nothing_but_type(const Answer& answer, std::int64_t type) {
    EXPECT_EQ(answer.type, type);
    EXPECT_EQ(answer.uid, "");
    EXPECT_EQ(answer.node, "");
    EXPECT_FALSE(answer.has_nsp);
    EXPECT_EQ(answer.attachment_id, "");
    EXPECT_EQ(answer.request_id, "");
    EXPECT_EQ(answer.client_count, std::nullopt);
    EXPECT_EQ(answer.packet, std::nullopt);
    EXPECT_TRUE(answer.sockets.empty());
}

// As servers send them.

TEST(Answer, ReadsAHeartbeat) {
    const Answer answer = answer_of(R"({"type":2,"uid":"a1b2c3","nsp":"/"})");
    EXPECT_EQ(answer.type, 2);
    EXPECT_EQ(answer.uid, "a1b2c3");
    EXPECT_EQ(answer.node, "");
    EXPECT_TRUE(answer.has_nsp);
    EXPECT_FALSE(answer_of(R"({"type":2,"uid":"a1b2c3"})").has_nsp);
    EXPECT_EQ(answer_of(R"({"uid":"w1","nsp":"/","type":2,"nodeId":"n1"})").node, "n1");
}

TEST(Answer, ReadsTheNotificationOfAnAttachment) {
    const Answer answer = answer_of(R"({"uid":"a1","type":8,"attachmentId":"42"})");
    EXPECT_EQ(answer.type, 8);
    EXPECT_EQ(answer.uid, "a1");
    EXPECT_EQ(answer.attachment_id, "42");
    EXPECT_EQ(answer.request_id, "");
}

// Where an application has made node-pg read bigint as numbers.
TEST(Answer, ReadsTheNumberOfAnAttachment) {
    check_both({{"uid", "a1"}, {"type", 8}, {"attachmentId", 9223372036854775807}},
               [](const Answer& answer) { EXPECT_EQ(answer.attachment_id, "9223372036854775807"); });
}

TEST(Answer, ReadsSockets) {
    const json message = json::parse(R"({"uid":"a1","nsp":"/","type":8,"data":{"requestId":"r1","sockets":[
        {"id":"s1","handshake":{"headers":{"host":"h"},"secure":false},"rooms":["s1","news"],"data":{"user":1}},
        {"id":"s2","handshake":{},"rooms":[],"data":{}}]}})");
    check_both(message, [&](const Answer& answer) {
        EXPECT_EQ(answer.request_id, "r1");
        ASSERT_EQ(answer.sockets.size(), 2U);
        EXPECT_EQ(answer.sockets[0].id, "s1");
        EXPECT_EQ(answer.sockets[0].rooms, (Names{"s1", "news"}));
        EXPECT_EQ(json::parse(answer.sockets[0].data), json::parse(R"({"user":1})"));
        EXPECT_EQ(json::parse(answer.sockets[0].handshake), message["data"]["sockets"][0]["handshake"]);
        EXPECT_EQ(answer.sockets[1].id, "s2");
        EXPECT_EQ(answer.sockets[1].rooms, Names());
        EXPECT_EQ(answer.sockets[1].data, "{}");
        EXPECT_EQ(answer.sockets[1].handshake, "{}");
        EXPECT_EQ(answer.packet, std::nullopt);
    });
}

TEST(Answer, ReadsCountsAndAcknowledgements) {
    check_both({{"uid", "a1"}, {"type", 11}, {"data", {{"requestId", "r1"}, {"clientCount", 3}}}},
               [](const Answer& answer) {
                   EXPECT_EQ(answer.type, 11);
                   EXPECT_EQ(answer.client_count, 3);
                   EXPECT_EQ(answer.packet, std::nullopt);
               });
    check_both({{"uid", "a1"}, {"type", 12}, {"data", {{"requestId", "r1"}, {"packet", {"ok", 1}}}}},
               [](const Answer& answer) {
                   EXPECT_EQ(answer.type, 12);
                   EXPECT_EQ(answer.client_count, std::nullopt);
                   EXPECT_EQ(answer.packet, R"(["ok",1])");
               });
}

TEST(Answer, KeepsAPacketOfAnyKind) {
    for (const char* packet : {"null", "true", "0", "-7", "18446744073709551615", "0.5", R"("")", R"("text")", "[]",
                               "{}", R"({"uid":"x","type":9,"data":{"requestId":"x","sockets":[{"id":"x"}]}})"}) {
        const json message = {
            {"uid", "a"}, {"type", 10}, {"data", {{"packet", json::parse(packet)}, {"requestId", "r"}}}};
        check_both(message, [&](const Answer& answer) {
            ASSERT_TRUE(answer.packet);
            EXPECT_EQ(json::parse(*answer.packet), json::parse(packet));
            EXPECT_EQ(answer.uid, "a");
            EXPECT_EQ(answer.type, 10);
            EXPECT_EQ(answer.request_id, "r");
            EXPECT_TRUE(answer.sockets.empty());
        });
    }
}

// Where callback() was called, JSON.stringify leaves it out.
TEST(Answer, TellsNoPacketFromNull) {
    check_both({{"data", {{"requestId", "r"}}}}, [](const Answer& answer) { EXPECT_EQ(answer.packet, std::nullopt); });
    check_both({{"data", {{"requestId", "r"}, {"packet", nullptr}}}},
               [](const Answer& answer) { EXPECT_EQ(answer.packet, "null"); });
}

TEST(Answer, KeepsRandomPacketsAndData) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const json value = RandomDocument(seed).value(5);
        std::string model = value.dump();
        clean_json_escapes(model);
        const json socket = {{"id", "s"}, {"data", value}, {"handshake", {{"in", value}}}, {"rooms", {"s"}}};
        const json message = {{"data", {{"packet", value}, {"sockets", {socket, socket}}, {"requestId", "r"}}}};
        check_both(message, [&](const Answer& answer) {
            const json expected = json::parse(model);
            ASSERT_TRUE(equivalent(json::parse(answer.packet.value()), expected));
            ASSERT_EQ(answer.sockets.size(), 2U);
            ASSERT_TRUE(equivalent(json::parse(answer.sockets[1].data), expected));
            ASSERT_TRUE(equivalent(json::parse(answer.sockets[1].handshake), {{"in", expected}}));
            ASSERT_EQ(answer.request_id, "r");
        });
    }
}

// As strangers might.

TEST(Answer, IsAnObject) {
    for (const char* text : {"", "null", "1", R"("text")", "[]", R"([{"type":2,"uid":"a"}])", "{", R"({"type":2)",
                             "{}x", "hello", R"({"type":02})", R"({"uid":"a)"}) {
        EXPECT_FALSE(read_answer(text)) << text;
    }
    for (const std::string& bytes : {""s, "\xC0"s, "\x01"s,
                                     "\xA1"
                                     "a"s,
                                     "\x90"s, "\x91\x80"s, "\x81"s,
                                     "\x81\xA1"
                                     "a"s,
                                     "\x81\x01\x01"s, "\xC1"s}) {
        EXPECT_FALSE(read_attached_answer(bytes)) << json::binary({bytes.begin(), bytes.end()}).dump();
    }
    check_both(json::object(), [](const Answer& answer) { expect_nothing_but_type(answer, 0); });
}

TEST(Answer, LeavesOutWhatIsOfAnotherType) {
    const json values =
        json::parse(R"([null, true, 1.5, "text", 7, [], ["text"], {}, {"id": "x", "a": [1]}, [[{"id": "x"}]]])");
    for (const json& value : values) {
        for (const char* key : {"uid", "nodeId", "nsp", "attachmentId", "data"}) {
            const bool is_right = value.is_string() || (key == "data"s && value.is_object()) ||
                                  (key == "attachmentId"s && value.is_number_integer());
            if (!is_right) {
                check_both({{key, value}, {"type", 5}},
                           [](const Answer& answer) { expect_nothing_but_type(answer, 5); });
            }
        }
        for (const char* key : {"requestId", "clientCount", "sockets"}) {
            const bool is_right =
                (key == "requestId"s && value.is_string()) || (key == "clientCount"s && value.is_number_integer());
            if (!is_right && !(key == "sockets"s && value.is_array())) {
                check_both({{"data", {{key, value}}}, {"type", 5}},
                           [](const Answer& answer) { expect_nothing_but_type(answer, 5); });
            }
        }
        if (!value.is_number_integer()) {
            check_both({{"type", value}}, [](const Answer& answer) { expect_nothing_but_type(answer, 0); });
        }
    }
}

TEST(Answer, TakesSocketsThatAreObjectsWithAnId) {
    const json sockets =
        json::parse(R"([null, "s0", 1, ["s0"], [{"id": "s0"}], {}, {"id": "s1"}, {"id": 2, "rooms": ["r"]},
        {"id": ""}, {"rooms": ["r", 1, null, ["x"], {"y": "z"}, "r2"], "id": "s2"}, {"rooms": ["r"]},
        {"id": "s3", "rooms": {"0": "r"}, "data": "text", "handshake": [1]}, {"id": "s4", "rooms": "r"}])");
    check_both({{"data", {{"sockets", sockets}, {"requestId", "r"}}}}, [](const Answer& answer) {
        ASSERT_EQ(answer.sockets.size(), 4U);
        EXPECT_EQ(answer.sockets[0].id, "s1");
        EXPECT_EQ(answer.sockets[0].data, "");
        EXPECT_EQ(answer.sockets[0].handshake, "");
        EXPECT_EQ(answer.sockets[1].id, "s2");
        EXPECT_EQ(answer.sockets[1].rooms, (Names{"r", "r2"}));
        EXPECT_EQ(answer.sockets[2].id, "s3");
        EXPECT_EQ(answer.sockets[2].rooms, Names());
        EXPECT_EQ(answer.sockets[2].data, R"("text")");
        EXPECT_EQ(answer.sockets[2].handshake, "[1]");
        EXPECT_EQ(answer.sockets[3].id, "s4");
        EXPECT_EQ(answer.sockets[3].rooms, Names());
        EXPECT_EQ(answer.request_id, "r");
    });
}

// The memory of a socket that leaves something out is not that of the one before.
TEST(Answer, TellsSocketsApart) {
    check_both(json::parse(R"({"data":{"sockets":[{"id":"s1","rooms":["r"],"data":1,"handshake":2},{"id":"s2"},
        {"id":"s3","data":3},{"rooms":["lost"]},{"id":"s4"}]}})"),
               [](const Answer& answer) {
                   ASSERT_EQ(answer.sockets.size(), 4U);
                   EXPECT_EQ(answer.sockets[1].rooms, Names());
                   EXPECT_EQ(answer.sockets[1].data, "");
                   EXPECT_EQ(answer.sockets[1].handshake, "");
                   EXPECT_EQ(answer.sockets[2].data, "3");
                   EXPECT_EQ(answer.sockets[3].rooms, Names());
               });
}

json message_with_sockets(int count, const Names& rooms) {
    json sockets = json::array();
    for (int i = 0; i < count; ++i) {
        sockets.push_back({{"id", std::to_string(i)}, {"rooms", rooms}});
    }
    return {{"data", {{"sockets", sockets}}}};
}

TEST(Answer, TakesManySocketsAndRooms) {
    check_both(message_with_sockets(20'000, {"room", "r2"}), [](const Answer& answer) {
        ASSERT_EQ(answer.sockets.size(), 20'000U);
        EXPECT_EQ(answer.sockets.back().id, "19999");
        EXPECT_EQ(answer.sockets.back().rooms, (Names{"room", "r2"}));
    });
    check_both(message_with_sockets(1, Names(900)),
               [](const Answer& answer) { EXPECT_EQ(answer.sockets.at(0).rooms.size(), 900U); });
}

// A byte each, of which a list in memory would make dozens.
TEST(Answer, TakesNoMoreThanServersWouldSend) {
    EXPECT_FALSE(read_attached_answer(msgpack_of(message_with_sockets(1, Names(100'000)))));
    EXPECT_FALSE(read_attached_answer(msgpack_of(message_with_sockets(1000, Names(100)))));
}

TEST(Answer, KnowsKeysByTheirPlace) {
    check_both(json::parse(R"({"requestId":"x","clientCount":1,"packet":1,"sockets":[{"id":"x"}],"id":"x","type":3,
        "other":{"uid":"x","type":9,"data":{"requestId":"x"}},"others":[{"type":9,"uid":"x"},[{"uid":"x"}]],
        "data":{"uid":"x","type":9,"nodeId":"x","id":"x","data":{"requestId":"x","packet":1},"opts":{"requestId":"x"}}})"),
               [](const Answer& answer) { expect_nothing_but_type(answer, 3); });
    check_both(
        json::parse(R"({"data":{"sockets":[{"requestId":"x","packet":1,"other":{"id":"x","rooms":["x"]},"id":"s"}]}})"),
        [](const Answer& answer) {
            ASSERT_EQ(answer.sockets.size(), 1U);
            EXPECT_EQ(answer.sockets[0].id, "s");
            EXPECT_EQ(answer.sockets[0].rooms, Names());
            EXPECT_EQ(answer.packet, std::nullopt);
            EXPECT_EQ(answer.request_id, "");
        });
}

TEST(Answer, GoesOnBehindWhatItSkips) {
    check_both(json::parse(R"({"a":[[[]],{"b":[{}]}],"type":2,"b":{"c":{"d":[1,{"e":2}]}},"uid":"u","c":null,
        "data":{"x":[{"y":1}],"requestId":"r","z":{},"sockets":[{"y":[[1]],"id":"s","z":{"rooms":[1]},"rooms":["r"]}]},"nodeId":"n"})"),
               [](const Answer& answer) {
                   EXPECT_EQ(answer.type, 2);
                   EXPECT_EQ(answer.uid, "u");
                   EXPECT_EQ(answer.node, "n");
                   EXPECT_EQ(answer.request_id, "r");
                   ASSERT_EQ(answer.sockets.size(), 1U);
                   EXPECT_EQ(answer.sockets[0].id, "s");
                   EXPECT_EQ(answer.sockets[0].rooms, Names{"r"});
               });
}

TEST(Answer, ReadsAnyInteger) {
    for (const std::int64_t number : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
        check_both({{"type", number}, {"data", {{"clientCount", number}}}}, [&](const Answer& answer) {
            EXPECT_EQ(answer.type, number);
            EXPECT_EQ(answer.client_count, number);
        });
    }
    check_both({{"type", UINT64_MAX}, {"data", {{"clientCount", UINT64_MAX}}}},
               [](const Answer& answer) { expect_nothing_but_type(answer, 0); });
}

TEST(Answer, TakesTheLastOfEqualKeys) {
    const Answer answer = answer_of(
        R"({"uid":"a","uid":"b","type":1,"type":2,"data":{"requestId":"r"},"data":{"packet":1,"packet":[2]}})");
    EXPECT_EQ(answer.uid, "b");
    EXPECT_EQ(answer.type, 2);
    EXPECT_EQ(answer.packet, "[2]");
}

// What JSON and PostgreSQL have no room for.

TEST(Answer, CleansText) {
    const Answer answer = answer_of(
        R"({"uid":"a\u0000b","nodeId":"\ud800","attachmentId":"\udc00\ud800","data":{"requestId":"\u0000",)"
        R"("packet":{"\u0000":"\ud83d\ude00\ud83d"},"sockets":[{"id":"\ud800s","rooms":["\u0000","\ud83d\ude00"],)"
        R"("data":"\u0000","handshake":"\\u0000"}]}})");
    EXPECT_EQ(answer.uid, "a" FFFD "b");
    EXPECT_EQ(answer.node, FFFD);
    EXPECT_EQ(answer.attachment_id, FFFD FFFD);
    EXPECT_EQ(answer.request_id, FFFD);
    EXPECT_EQ(json::parse(answer.packet.value()), json({{FFFD, "\xF0\x9F\x98\x80" FFFD}}));
    ASSERT_EQ(answer.sockets.size(), 1U);
    EXPECT_EQ(answer.sockets[0].id, FFFD "s");
    EXPECT_EQ(answer.sockets[0].rooms, (Names{FFFD, "\xF0\x9F\x98\x80"}));
    EXPECT_EQ(json::parse(answer.sockets[0].data), FFFD);
    EXPECT_EQ(json::parse(answer.sockets[0].handshake), "\\u0000");
}

TEST(Answer, CleansBytes) {
    EXPECT_EQ(answer_of("{\"uid\":\"a\xFF\xC3\"}").uid, "a" FFFD FFFD);
    EXPECT_EQ(answer_of("{\"data\":{\"packet\":\"\x80\"}}").packet, "\"" FFFD "\"");
    const Answer answer = attached_answer_of(
        "\x82\xA3uid\xA3"
        "a\x00\xFF\xA4"
        "data\x81\xA6packet\x81\xA1\x00\xA1\x80"s);
    EXPECT_EQ(answer.uid, "a" FFFD FFFD);
    EXPECT_EQ(answer.packet, "{\"" FFFD "\":\"" FFFD "\"}");
}

// "a\ud800b" of JavaScript's, by JSON.stringify() and by encode() of @msgpack/msgpack.
TEST(Answer, SaysTheSameInBothFormats) {
    EXPECT_EQ(answer_of(R"({"uid":"a\ud800b"})").uid, "a" FFFD "b");
    EXPECT_EQ(attached_answer_of("\x81\xA3uid\xA5"
                                 "a\xED\xA0\x80"
                                 "b")
                  .uid,
              "a" FFFD "b");
}

TEST(Answer, HasBinaryAsBase64AtAnyDepth) {
    const json bytes = json::binary({0, 255, 255, 255});
    const json socket = {{"id", "s"}, {"data", bytes}, {"handshake", {{"a", {1, bytes}}}}};
    const Answer answer = attached_answer_of(msgpack_of(
        {{"uid", bytes},
         {"data", {{"packet", {bytes, {{"k", bytes}}}}, {"sockets", {socket, bytes}}, {"requestId", "r"}}}}));
    EXPECT_EQ(answer.uid, "");
    EXPECT_EQ(answer.packet, R"(["AP///w==",{"k":"AP///w=="}])");
    ASSERT_EQ(answer.sockets.size(), 1U);
    EXPECT_EQ(answer.sockets[0].data, R"("AP///w==")");
    EXPECT_EQ(answer.sockets[0].handshake, R"({"a":[1,"AP///w=="]})");
}

TEST(Answer, HasDatesAsJsonHasThem) {
    const std::string date = "\xD7\xFF\xBC\x1C\xBD\x00\x6B\x01\x8F\xF0"s;
    const Answer answer = attached_answer_of(
        "\x81\xA4"
        "data\x81\xA6packet\x92" +
        date +
        "\x81\xA1"
        "d" +
        date);
    EXPECT_EQ(answer.packet, R"(["2026-11-21T12:34:56.789Z",{"d":"2026-11-21T12:34:56.789Z"}])");
}

TEST(Answer, HasNullForWhatIsNotFinite) {
    EXPECT_EQ(attached_answer_of("\x81\xA4"
                                 "data\x81\xA6packet\x92\xCB\x7F\xF8\x00\x00\x00\x00\x00\x00\xCA\xFF\x80\x00\x00"s)
                  .packet,
              "[null,null]");
}

TEST(Answer, HasNullForWhatIsDeeperThanTwoHundredLevels) {
    const auto nested = [](int depth, const std::string& core) {
        return std::string(depth, '[') + core + std::string(depth, ']');
    };
    for (const int depth : {200, 201, 5000, 500'000}) {
        const std::string expected = depth == 200 ? nested(200, "7") : nested(200, "null");
        const std::string value = nested(depth, "7");
        const Answer answer = answer_of(R"({"data":{"packet":)" + value + R"(,"sockets":[{"data":)" + value +
                                        R"(,"id":"s"}]},"uid":"u"})");
        EXPECT_EQ(answer.packet, expected);
        EXPECT_EQ(answer.sockets.at(0).data, expected);
        EXPECT_EQ(answer.sockets.at(0).id, "s");
        EXPECT_EQ(answer.uid, "u");
        if (depth > 9000) {
            continue;  // of msgpack that is refused
        }
        const std::string packed = std::string(depth, '\x91') + "\x07";
        EXPECT_EQ(attached_answer_of("\x81\xA4"
                                     "data\x81\xA6packet" +
                                     packed)
                      .packet,
                  expected);
    }
}

TEST(Answer, SkipsManyLevels) {
    constexpr int kDepth = 1'000'000;
    EXPECT_EQ(answer_of(R"({"x":)" + std::string(kDepth, '[') + std::string(kDepth, ']') + R"(,"uid":"u"})").uid, "u");
    EXPECT_FALSE(read_answer(std::string(kDepth, '[')));
    const auto packed = [](int depth) { return "\x82\xA1x" + std::string(depth, '\x91') + "\x07\xA3uid\xA1u"; };
    EXPECT_EQ(attached_answer_of(packed(9'999)).uid, "u");
    EXPECT_FALSE(read_attached_answer(packed(10'000)));
    EXPECT_FALSE(read_attached_answer(std::string(kDepth, '\x91')));
}

}  // namespace
}  // namespace socketio::answer_test
