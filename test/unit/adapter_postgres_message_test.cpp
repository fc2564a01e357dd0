#include "protocol/adapter_postgres_message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/base64.h"
#include "support/adapter_postgres_server.h"
#include "support/checking_writer.h"
#include "support/encode.h"
#include "support/encoded.h"
#include "support/event.h"
#include "support/random_document.h"

namespace socketio::adapter_postgres::adapter_postgres_message_test {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using Payloads = std::vector<std::string>;

constexpr std::size_t kLimit = 7999;  // of a notification
constexpr std::string_view kId = "A1b2C3d4E5f6G7h8";

struct Id {
    std::string text;

    std::string_view view() const { return text; }
};

template <class Text>
Payloads payloads_of(std::string_view head, Text text, int* ids = nullptr) {
    Payloads payloads;
    const auto make_id = [&] {
        if (ids != nullptr) {
            ++*ids;
        }
        return Id{std::string(kId)};
    };
    write_payloads(head, text, make_id, [&](const char* payload, std::size_t size) {
        EXPECT_LE(size, kLimit);
        EXPECT_EQ(payload[size], '\0');
        payloads.emplace_back(payload, size);
    });
    return payloads;
}

std::string head_of(const std::string& topic) { return "[" + json(topic).dump(-1, ' ', true) + ",\""; }

// Of a topic that has no more to say than its length.
std::string head_of_size(std::size_t size) { return head_of(std::string(size - head_of("").size(), 't')); }

constexpr std::size_t kShortestHead = 5;  // ["","

// What a server makes of them.
std::string text_heard(const Payloads& payloads) {
    ReceivingServer server;
    std::optional<Received> received;
    for (const std::string& payload : payloads) {
        EXPECT_FALSE(received) << "complete before the last one";
        received = server.hear(payload);
    }
    EXPECT_TRUE(received) << "not complete";
    EXPECT_FALSE(server.is_waiting());
    return received.value_or(Received()).text;
}

std::string random_bytes(RandomDocument& random, std::size_t size) {
    std::string bytes(size, '\0');
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random.below(256)); });
    return bytes;
}

// Events.

template <class Arguments>
struct EventWriter {
    const Target& target;
    std::string_view event;
    const Arguments& arguments;
    std::uint32_t seq;

    template <class Writer>
    void operator()(Writer& writer) const {
        write_broadcast(writer, target, event, arguments, seq);
    }
};

template <class Arguments>
EventWriter(const Target&, std::string_view, const Arguments&, std::uint32_t) -> EventWriter<Arguments>;

std::string event_payload(const std::string& topic, const OwnTarget& target, std::string_view event, const json& list,
                          std::uint32_t seq) {
    const DocumentArguments arguments(list);
    const std::string bytes = encode_msgpack(EventWriter{*target, event, arguments, seq});
    const Payloads payloads = payloads_of(head_of(topic), Base64Text(bytes));
    EXPECT_EQ(payloads.size(), 1U);
    return payloads.front();
}

// Exact payloads: what LISTEN shows. The text is what notepack.io, with which servers encode, makes of the same.

TEST(AdapterPostgresMessage, EventPayload) {
    EXPECT_EQ(event_payload("socket.io#/#", OwnTarget("/", {}, {}), "hello", {1, "w\xC3\xA9"}, 1),
              R"(["socket.io#/#","k6dlbWl0dGVyg6RkYXRhk6VoZWxsbwGjd8Opo25zcKEvpHR5cGUChKVyb29tc5CmZXhjZXB0kKVmbGFnc4Cj)"
              R"(c2VxAQ=="])");
}

TEST(AdapterPostgresMessage, EventPayloadOfARoom) {
    const OwnTarget target("/admin", {"news"}, {"/admin#abcdefghijklmnopqrst"}, true, false);
    EXPECT_EQ(
        event_payload("socket.io#/admin#news#", target, "hello", json::array(), 4294967295),
        R"(["socket.io#/admin#news#","k6dlbWl0dGVyg6RkYXRhkaVoZWxsb6Nuc3CmL2FkbWlupHR5cGUChKVyb29tc5GkbmV3c6ZleGNl)"
        R"(cHSRuy9hZG1pbiNhYmNkZWZnaGlqa2xtbm9wcXJzdKVmbGFnc4Kodm9sYXRpbGXDqGNvbXByZXNzwqNzZXHO/////w=="])");
}

TEST(AdapterPostgresMessage, EventPayloadWithBinary) {
    EXPECT_EQ(
        event_payload("socket.io#/#", OwnTarget("/", {}, {}), "file", json::array({json::binary({0, 255, 10})}), 2),
        R"(["socket.io#/#","k6dlbWl0dGVyg6RkYXRhkqRmaWxlxAMA/wqjbnNwoS+kdHlwZQWEpXJvb21zkKZleGNlcHSQpWZsYWdzgKNzZXEC"])");
}

ordered_json event_document(const OwnTarget& target, const std::string& event, const json& list, int type,
                            std::uint32_t seq) {
    ordered_json data = ordered_json::array({event});
    std::copy(list.begin(), list.end(), std::back_inserter(data));
    ordered_json opts = target.opts();
    opts["seq"] = seq;
    return {"emitter", {{"data", data}, {"nsp", std::string((*target).nsp)}, {"type", type}}, opts};
}

Names some_names(std::size_t count) {
    Names names;
    for (std::size_t i = 0; i < count; ++i) {
        names.push_back("room " + std::to_string(i) + (i % 3 == 0 ? "\"\xC3\xA9\n" : ""));
    }
    return names;
}

const json kArguments =
    json::parse(R"([1, -9223372036854775808, "text \"\u00e9\n", [], {}, [[2]], {"k": {"l": 0.5}}])");

void expect_event(const OwnTarget& target, const json& list, std::uint32_t seq, int type = 2) {
    const DocumentArguments arguments(list);
    const EventWriter write{*target, "event \"1\"", arguments, seq};
    const ordered_json expected = event_document(target, "event \"1\"", list, type, seq);
    CheckingWriter checker;
    ASSERT_NO_THROW(write(checker));
    ASSERT_EQ(checker.document().dump(), expected.dump());
    ASSERT_EQ(ordered_json::from_msgpack(encode_msgpack(write)).dump(), expected.dump());
}

TEST(AdapterPostgresMessage, EventsSayWhomTheyAreFor) {
    for (const char* nsp : {"/", "/\xC3\xA9\"\\\xF0\x9F\x98\x80"}) {
        for (const std::size_t rooms : {0, 1, 16}) {
            for (const std::size_t except : {0, 1, 16}) {
                for (const bool is_volatile : {false, true}) {
                    for (const std::optional<bool> compress : {std::optional<bool>(), {false}, {true}}) {
                        const OwnTarget target(nsp, some_names(rooms), some_names(except), is_volatile, compress);
                        ASSERT_NO_FATAL_FAILURE(expect_event(target, kArguments, 7));
                    }
                }
            }
        }
    }
}

TEST(AdapterPostgresMessage, EventsTakeAnyArguments) {
    const OwnTarget everyone("/", {}, {});
    for (const std::size_t count : {0, 1, 14, 15, 16, 65534, 65535}) {
        ASSERT_NO_FATAL_FAILURE(expect_event(everyone, json(count, 7), 1));
    }
    for (const std::uint32_t seq : {0U, 127U, 128U, 65536U, 4294967295U}) {
        ASSERT_NO_FATAL_FAILURE(expect_event(everyone, {"x"}, seq));
    }
}

// Binary events.

const std::vector<json>& lists_without_binary() {
    static const std::vector<json> lists = {json::array(), {1}, {"\xC4\x80"}, {{{"type", 5}}}, {{{"k", {1, {2}}}}}};
    return lists;
}

const std::vector<json>& lists_with_binary() {
    static const json bytes = json::binary({0, 255});
    static const std::vector<json> lists = {json::array({bytes}),
                                            json::array({json::binary({})}),
                                            json::array({1, "a", bytes}),
                                            json::array({bytes, 1, "a"}),
                                            json::array({1, {{"a", {1, {{"b", bytes}}}}}, 2}),
                                            json::array({json::array({json::array({bytes})})})};
    return lists;
}

TEST(AdapterPostgresMessage, EventsAreBinaryWhereAnArgumentHoldsBinary) {
    const OwnTarget target("/admin", {"r"}, {"x"}, true, true);
    for (const json& list : lists_without_binary()) {
        ASSERT_NO_FATAL_FAILURE(expect_event(target, list, 1, 2));
    }
    for (const json& list : lists_with_binary()) {
        const DocumentArguments arguments(list);
        const EventWriter write{*target, "e", arguments, 1};
        const json document = json::from_msgpack(encode_msgpack(write));
        EXPECT_EQ(document[1]["type"], 5) << list;
        json data = list;
        data.insert(data.begin(), "e");
        EXPECT_EQ(document[1]["data"], data);
        CheckingWriter checker;
        ASSERT_NO_THROW(write(checker));
        EXPECT_EQ(checker.document()[1]["type"], 5) << list;
    }
}

// Arguments that a writer has written beforehand, as those of a batch of changes are: the first half.
class HalfEncodedArguments {
  public:
    explicit HalfEncodedArguments(const json& list)
        : list_(list), encoded_(OwnValues::as_msgpack([&](auto& writer) {
              std::for_each(list.begin(), middle(list), [&](const json& value) { write_document(writer, value); });
          })) {}

    std::uint32_t count() const { return static_cast<std::uint32_t>(list_.size()); }

    template <class Writer>
    void write(Writer& writer) const {
        writer.encoded(encoded_.view());
        std::for_each(middle(list_), list_.end(), [&](const json& value) { write_document(writer, value); });
    }

  private:
    static json::const_iterator middle(const json& list) {
        return list.begin() + static_cast<std::ptrdiff_t>((list.size() + 1) / 2);
    }

    const json& list_;
    OwnValues encoded_;
};

TEST(AdapterPostgresMessage, EventsAreBinaryWhereEncodedArgumentsHoldBinary) {
    const OwnTarget everyone("/", {}, {});
    const auto expect_type = [&](const json& list, int type) {
        const DocumentArguments plain(list);
        const HalfEncodedArguments encoded(list);
        const std::string bytes = encode_msgpack(EventWriter{*everyone, "e", encoded, 1});
        EXPECT_EQ(bytes, encode_msgpack(EventWriter{*everyone, "e", plain, 1})) << list;
        EXPECT_EQ(json::from_msgpack(bytes)[1]["type"], type) << list;
        CheckingWriter checker;
        ASSERT_NO_THROW((EventWriter{*everyone, "e", encoded, 1}(checker)));
        EXPECT_EQ(checker.document()[1]["type"], type) << list;
    };
    for (const json& list : lists_without_binary()) {
        ASSERT_NO_FATAL_FAILURE(expect_type(list, 2));
    }
    for (const json& list : lists_with_binary()) {
        ASSERT_NO_FATAL_FAILURE(expect_type(list, 5));
    }
}

// Base64 of some bytes, as one payload or in pieces.

TEST(AdapterPostgresMessage, PiecePayloads) {
    const std::string bytes(7000, '\xFF');
    int ids = 0;
    const Payloads payloads = payloads_of(R"(["socket.io#/#",")", Base64Text(bytes), &ids);
    EXPECT_EQ(ids, 1) << "one for all the pieces";
    ASSERT_EQ(payloads.size(), 2U);
    EXPECT_EQ(payloads[0], R"(["socket.io#/#","_chunk_A1b2C3d4E5f6G7h8_0_2                       )" +
                               std::string(5000, '/') + R"("])");
    EXPECT_EQ(payloads[1], R"(["socket.io#/#","_chunk_A1b2C3d4E5f6G7h8_1_2                       )" +
                               std::string(4333, '/') + R"(w=="])");
}

TEST(AdapterPostgresMessage, IsWholeWithoutAnId) {
    int ids = 0;
    EXPECT_EQ(payloads_of(R"(["t",")", Base64Text("ab"), &ids), Payloads{R"(["t","YWI="])"});
    EXPECT_EQ(payloads_of(R"(["t",")", Base64Text(""), &ids), Payloads{R"(["t",""])"});
    EXPECT_EQ(payloads_of(R"(["t",")", JsonText("{}"), &ids), Payloads{R"(["t","{}"])"});
    EXPECT_EQ(payloads_of(R"(["t",")", JsonText(""), &ids), Payloads{R"(["t",""])"});
    EXPECT_EQ(ids, 0);
}

TEST(AdapterPostgresMessage, KnowsTheRoomForTopics) {
    EXPECT_EQ(kMaxPayload, kLimit);
    EXPECT_EQ(kMaxHead + 50 + 5000 + 2, kLimit);
    EXPECT_EQ(head_of(std::string(kMaxTopic, 't')).size(), kMaxHead);
}

// How many bytes make base64 that fits behind `head`.
std::size_t bytes_that_fit(std::string_view head) { return (kLimit - head.size() - 2) / 4 * 3; }

TEST(AdapterPostgresMessage, CutsBase64OnlyWhereItDoesNotFitBehindAnyHead) {
    const std::string bytes(kLimit, '\x69');  // "aWlp"
    for (std::size_t size = kShortestHead; size <= kMaxHead; ++size) {
        const std::string head = head_of_size(size);
        const std::string_view fitting = std::string_view(bytes).substr(0, bytes_that_fit(head));
        const Payloads whole = payloads_of(head, Base64Text(fitting));
        ASSERT_EQ(whole, Payloads{head + to_base64(fitting) + "\"]"});
        ASSERT_GT(whole[0].size(), kLimit - 4);
        const std::string_view longer = std::string_view(bytes).substr(0, fitting.size() + 1);
        const Payloads pieces = payloads_of(head, Base64Text(longer));
        ASSERT_EQ(pieces.size(), (longer.size() + 3749) / 3750);
        ASSERT_EQ(pieces[0].size(), size + 50 + 5000 + 2);
        ASSERT_EQ(pieces[0].substr(0, size + 7), head + "_chunk_");
    }
}

TEST(AdapterPostgresMessage, CutsBase64OnlyWhereItDoesNotFitAtAnyLength) {
    RandomDocument random(1);
    const std::string bytes = random_bytes(random, kLimit);
    for (const std::size_t head_size : {kShortestHead, std::size_t{17}, std::size_t{1000}, kMaxHead - 1, kMaxHead}) {
        const std::string head = head_of_size(head_size);
        const std::size_t most = bytes_that_fit(head);
        for (std::size_t size = most - 8; size <= most + 8; ++size) {
            const std::string_view sent = std::string_view(bytes).substr(0, size);
            const Payloads payloads = payloads_of(head, Base64Text(sent));
            ASSERT_EQ(payloads.size() == 1, size <= most);
            ASSERT_EQ(text_heard(payloads), to_base64(sent));
        }
    }
}

TEST(AdapterPostgresMessage, PiecesOfBase64MakeTheText) {
    RandomDocument random(2);
    for (const std::size_t size : {5990, 7499, 7500, 7501, 7502, 7503, 11249, 11250, 11251, 11253, 100'000}) {
        const std::string bytes = random_bytes(random, size);
        const Payloads payloads = payloads_of(head_of("socket.io#/#"), Base64Text(bytes));
        ASSERT_EQ(payloads.size(), (size + 3749) / 3750);
        ASSERT_EQ(payloads.size(), Base64Text(bytes).pieces());
        for (std::size_t i = 0; i + 1 < payloads.size(); ++i) {
            ASSERT_EQ(payloads[i].size(), head_of("socket.io#/#").size() + 50 + 5000 + 2)
                << "all but the last are full";
        }
        ASSERT_EQ(text_heard(payloads), to_base64(bytes));
    }
}

TEST(AdapterPostgresMessage, PiecesOfEventsAreWhatWasSent) {
    const OwnTarget target("/admin", {"r"}, {});
    for (const std::size_t size : {5850, 5880, 5900, 10'000, 1'000'000}) {
        const json list = {std::string(size, 'x'), 7};
        const DocumentArguments arguments(list);
        const std::string bytes = encode_msgpack(EventWriter{*target, "event", arguments, 3});
        const Payloads payloads = payloads_of(head_of("socket.io#/admin#r#"), Base64Text(bytes));
        EXPECT_EQ(text_heard(payloads), to_base64(bytes));
    }
}

// Servers take pieces in any order, and of many texts at once.
TEST(AdapterPostgresMessage, PiecesMayArriveInAnyOrder) {
    RandomDocument random(3);
    const std::string bytes = random_bytes(random, 20'000);
    Payloads payloads = payloads_of(head_of("socket.io#/#"), Base64Text(bytes));
    std::reverse(payloads.begin(), payloads.end());
    EXPECT_EQ(text_heard(payloads), to_base64(bytes));
}

// The headers of pieces.

std::string piece_header(std::string_view id, std::size_t index, std::size_t count) {
    GuardedMemory memory(50);
    EXPECT_EQ(write_piece_header(memory.data(), id, index, count), memory.data() + 50);
    EXPECT_TRUE(memory.guards_are_intact());
    return std::string(memory.data(), 50);
}

TEST(AdapterPostgresMessage, HeadersOfPiecesAreAsTheAdapterMakesThem) {
    for (const std::string_view id : {std::string_view("x"), std::string_view("aB3xY9"), kId}) {
        for (const auto& [index, count] : std::vector<std::pair<std::size_t, std::size_t>>{
                 {0, 1}, {0, 2}, {9, 10}, {99, 100}, {214'748, 214'749}, {123'456'789, 999'999'999}}) {
            EXPECT_EQ(piece_header(id, index, count), chunk_header(id, index, count));
        }
    }
}

// No text has so many pieces.
TEST(AdapterPostgresMessage, HeadersOfPiecesHaveRoomForEveryCount) {
    EXPECT_EQ(piece_header(kId, 999'999'999'999, 9'999'999'999'999),
              "_chunk_A1b2C3d4E5f6G7h8_999999999999_9999999999999");
}

TEST(AdapterPostgresMessage, HeadersOfPiecesCountTheDigitsRight) {
    const std::string bytes(3750 * 101, 'x');
    const Payloads payloads = payloads_of(head_of("t"), Base64Text(bytes));
    ASSERT_EQ(payloads.size(), 101U);
    for (std::size_t i = 0; i < payloads.size(); ++i) {
        EXPECT_EQ(payloads[i].substr(0, 57), R"(["t",")" + chunk_header(kId, i, 101) + "e");
    }
    EXPECT_EQ(text_heard(payloads), to_base64(bytes));
}

// Requests: JSON in JSON.

template <class WriteRest>
std::string request_of(RequestType type, std::string_view id, std::uint32_t pairs, const WriteRest& write_rest) {
    const auto write = [&](auto& writer) { write_request(writer, type, id, pairs, [&] { write_rest(writer); }); };
    CheckingWriter checker;
    EXPECT_NO_THROW(write(checker));
    const std::string text = encode_json(write, JsonCharacters::kAscii);
    EXPECT_EQ(checker.document().dump(), ordered_json::parse(text).dump());
    return text;
}

std::string request_payload(const std::string& text, const std::string& topic = "socket.io-request#/#") {
    const Payloads payloads = payloads_of(head_of(topic), JsonText(text));
    EXPECT_EQ(payloads.size(), 1U);
    return payloads.front();
}

std::string clients_request(std::string_view id, const Names& rooms) {
    const OwnTarget target("/", rooms, {});
    return request_of(RequestType::kClients, id, 1, [&](auto& writer) {
        writer.key("rooms");
        write_rooms(writer, (*target).rooms);
    });
}

TEST(AdapterPostgresMessage, RequestsAreAsTheAdapterMakesThem) {
    EXPECT_EQ(clients_request("aB3xY9", {}), R"({"requestid":"aB3xY9","type":0,"rooms":[]})");
    EXPECT_EQ(clients_request("r1", {"a", "b"}), R"({"requestid":"r1","type":0,"rooms":["a","b"]})");
    EXPECT_EQ(request_of(RequestType::kAllRooms, "r1+", 0, [](auto&) {}), R"({"requestid":"r1+","type":2})");
    const auto write_join = [](auto& writer) {
        writer.key("sid");
        writer.string("MB7DyTZ_I-Xf0aZzAAAB");
        writer.key("room");
        writer.string("news");
    };
    EXPECT_EQ(request_of(RequestType::kRemoteJoin, "r1", 2, write_join),
              R"({"requestid":"r1","type":3,"sid":"MB7DyTZ_I-Xf0aZzAAAB","room":"news"})");
}

TEST(AdapterPostgresMessage, RequestsAreNumberedAsTheAdapterNumbersThem) {
    EXPECT_EQ(static_cast<int>(RequestType::kClients), 0);
    EXPECT_EQ(static_cast<int>(RequestType::kClientRooms), 1);
    EXPECT_EQ(static_cast<int>(RequestType::kAllRooms), 2);
    EXPECT_EQ(static_cast<int>(RequestType::kRemoteJoin), 3);
    EXPECT_EQ(static_cast<int>(RequestType::kRemoteLeave), 4);
    EXPECT_EQ(static_cast<int>(RequestType::kCustomRequest), 5);
    EXPECT_EQ(static_cast<int>(RequestType::kRemoteDisconnect), 6);
}

// No id of a request is another one's and the mark: they are letters and digits.
TEST(AdapterPostgresMessage, SecondRequestsAreMarked) { EXPECT_EQ(kSecond, '+'); }

TEST(AdapterPostgresMessage, RequestPayload) {
    EXPECT_EQ(request_payload(clients_request("r1", {"a"})),
              R"(["socket.io-request#/#","{\"requestid\":\"r1\",\"type\":0,\"rooms\":[\"a\"]}"])");
}

TEST(AdapterPostgresMessage, RequestPayloadsEscapeTwice) {
    EXPECT_EQ(
        request_payload(clients_request("r1", {"\"", "\\", "\n\x01", "\xC3\xA9\xF0\x9F\x98\x80"})),
        R"(["socket.io-request#/#","{\"requestid\":\"r1\",\"type\":0,\"rooms\":[\"\\\"\",\"\\\\\",\"\\n\\u0001\",)"
        R"(\"\\u00e9\\ud83d\\ude00\"]}"])");
}

TEST(AdapterPostgresMessage, RequestsSayWhatWasAsked) {
    RandomDocument random(4);
    for (int i = 0; i < 200; ++i) {
        Names rooms;
        for (std::uint64_t count = random.below(6); count > 0; --count) {
            rooms.push_back(random.string());
        }
        const std::string text = clients_request("r1", rooms);
        const Payloads payloads = payloads_of(head_of("socket.io-request#/\xC3\xA9\"#"), JsonText(text));
        const std::string heard = text_heard(payloads);
        ASSERT_EQ(heard, text);
        ASSERT_EQ(json::parse(heard), json({{"requestid", "r1"}, {"type", 0}, {"rooms", rooms}}));
        ASSERT_EQ(json::parse(payloads[0])[0], "socket.io-request#/\xC3\xA9\"#");
        ASSERT_TRUE(std::all_of(payloads[0].begin(), payloads[0].end(), [](char c) { return c >= ' '; }));
    }
}

// ASCII of `size` bytes in a payload, every so many of which is an escaped one.
std::string text_of_size(std::size_t size, std::size_t period, char escaped) {
    std::string text;
    for (std::size_t left = size; left > 0;) {
        const bool is_escaped = period > 0 && text.size() % period == period - 1 && left >= 2;
        text += is_escaped ? escaped : 'x';
        left -= is_escaped ? 2 : 1;
    }
    EXPECT_EQ(JsonText(text).size(), size);
    return text;
}

TEST(AdapterPostgresMessage, MeasuresJsonAsItIsEscaped) {
    EXPECT_EQ(JsonText("").size(), 0U);
    EXPECT_EQ(JsonText("abc").size(), 3U);
    EXPECT_EQ(JsonText(R"("\"a")").size(), 10U - 1U);
    EXPECT_EQ(JsonText("").pieces(), 0U);
    EXPECT_EQ(JsonText(std::string(5000, 'x')).pieces(), 1U);
    EXPECT_EQ(JsonText(std::string(5001, 'x')).pieces(), 2U);
    EXPECT_EQ(JsonText(std::string(2500, '"')).pieces(), 1U);
    EXPECT_EQ(JsonText(std::string(2501, '\\')).pieces(), 2U);
}

TEST(AdapterPostgresMessage, CutsJsonOnlyWhereItDoesNotFitBehindAnyHead) {
    const std::string text(kLimit, 'x');
    for (std::size_t size = kShortestHead; size <= kMaxHead; ++size) {
        const std::string head = head_of_size(size);
        const std::string_view fitting = std::string_view(text).substr(0, kLimit - size - 2);
        const Payloads whole = payloads_of(head, JsonText(fitting));
        ASSERT_EQ(whole.size(), 1U);
        ASSERT_EQ(whole[0].size(), kLimit);
        const Payloads pieces = payloads_of(head, JsonText(std::string_view(text).substr(0, fitting.size() + 1)));
        ASSERT_EQ(pieces.size(), 2U);
        ASSERT_EQ(pieces[0].size(), size + 50 + 5000 + 2);
        ASSERT_EQ(pieces[0].substr(0, size + 7), head + "_chunk_");
    }
}

// An escape is in one piece, which is a byte shorter where it would not be.
TEST(AdapterPostgresMessage, CutsNoEscapeInTwo) {
    for (const char escaped : {'"', '\\'}) {
        for (std::size_t before = 4996; before <= 5003; ++before) {
            const std::string text = std::string(before, 'x') + escaped + std::string(4000, 'y');
            const Payloads payloads = payloads_of(head_of("t"), JsonText(text));
            ASSERT_EQ(payloads.size(), 2U);
            ASSERT_EQ(payloads[0].size(), head_of("t").size() + 50 + (before == 4999 ? 4999 : 5000) + 2);
            ASSERT_EQ(text_heard(payloads), text);
        }
    }
}

TEST(AdapterPostgresMessage, CutsJsonOnlyWhereItDoesNotFitAtAnyLength) {
    for (const std::size_t head_size : {kShortestHead, std::size_t{23}, std::size_t{1000}, kMaxHead - 1, kMaxHead}) {
        const std::string head = head_of_size(head_size);
        const std::size_t most = kLimit - head_size - 2;
        for (const std::size_t period : {0, 1, 2, 3, 7, 5000}) {
            for (std::size_t size = most - 6; size <= most + 6; ++size) {
                const std::string text = text_of_size(size, period, size % 2 == 0 ? '"' : '\\');
                const Payloads payloads = payloads_of(head, JsonText(text));
                ASSERT_EQ(payloads.size() == 1, size <= most);
                ASSERT_EQ(text_heard(payloads), text);
            }
        }
    }
}

TEST(AdapterPostgresMessage, PiecesOfJsonMakeTheText) {
    RandomDocument random(5);
    for (int i = 0; i < 20; ++i) {
        std::string text;
        while (text.size() < 4000 + random.below(40'000)) {
            text += random.below(3) == 0 ? "\"\\"[random.below(2)] : static_cast<char>(' ' + random.below(0x5F));
        }
        const Payloads payloads = payloads_of(head_of("socket.io-request#/#"), JsonText(text));
        ASSERT_EQ(text_heard(payloads), text);
        if (payloads.size() > 1) {
            ASSERT_EQ(payloads.size(), JsonText(text).pieces());
        }
        for (std::size_t k = 0; k + 1 < payloads.size(); ++k) {
            ASSERT_GE(payloads[k].size(), head_of("socket.io-request#/#").size() + 50 + 4999 + 2);
        }
    }
}

}  // namespace
}  // namespace socketio::adapter_postgres::adapter_postgres_message_test
