#include "protocol/cluster_message.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/checking_writer.h"
#include "support/document.h"
#include "support/encode.h"
#include "support/event.h"
#include "support/random_document.h"

namespace socketio::cluster_message_test {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// The arguments of an event, each encoded before the message is begun, as a batch of changes is.
class EncodedArguments {
  public:
    explicit EncodedArguments(const json& list) : count_(static_cast<std::uint32_t>(list.size())) {
        const DocumentArguments arguments(list);
        const auto write = [&](auto& writer) { arguments.write(writer); };
        json_ = encode_json(write, JsonCharacters::kAscii);
        msgpack_ = encode_msgpack(write);
    }

    std::uint32_t count() const { return count_; }

    template <class Sink>
    void write(JsonWriter<Sink>& writer) const {
        writer.encoded({json_});
    }

    template <class Sink>
    void write(MsgpackWriter<Sink>& writer) const {
        writer.encoded({msgpack_});
    }

    void write(CheckingWriter& writer) const { writer.encoded({msgpack_}); }

  private:
    std::uint32_t count_;
    std::string json_;
    std::string msgpack_;
};

// Exact text of one message of each type: what LISTEN shows.

template <class Message>
std::string text_of(const Message& message, std::uint32_t seq = 1) {
    return encode_json([&](auto& writer) { write_message(writer, message, seq); });
}

template <class Message>
std::string attached_text_of(const Message& message) {
    return encode_json([&](auto& writer) { write_attached_message(writer, message); });
}

const DocumentArguments kNoArguments{json::array()};

TEST(ClusterMessage, BroadcastText) {
    const OwnTarget everyone("/", {}, {});
    const DocumentArguments arguments(json::parse(R"(["world", {"a": [1, null, true]}])"));
    EXPECT_EQ(text_of(Broadcast<DocumentArguments>{*everyone, "hello", arguments}),
              R"({"uid":"emitter","source":"_sio_adapter","nsp":"/","type":3,"seq":1,"data":)"
              R"({"packet":{"type":2,"data":["hello","world",{"a":[1,null,true]}],"nsp":"/"},)"
              R"("opts":{"rooms":[],"except":[],"flags":{}}}})");
}

TEST(ClusterMessage, BroadcastTextWithEveryOption) {
    const OwnTarget some("/admin", {"r1", "r2"}, {"x"}, true, false);
    EXPECT_EQ(text_of(Broadcast<DocumentArguments>{*some, "ping", kNoArguments}, 4294967295),
              R"({"uid":"emitter","source":"_sio_adapter","nsp":"/admin","type":3,"seq":4294967295,"data":)"
              R"({"packet":{"type":2,"data":["ping"],"nsp":"/admin"},)"
              R"("opts":{"rooms":["r1","r2"],"except":["x"],"flags":{"volatile":true,"compress":false}}}})");
}

TEST(ClusterMessage, SocketsJoinText) {
    const OwnTarget room("/", {"r"}, {});
    const std::string_view joined[] = {"a", "b"};
    EXPECT_EQ(text_of(SocketsJoin{*room, {joined, 2}}),
              R"({"uid":"emitter","source":"_sio_adapter","nsp":"/","type":4,"seq":1,"data":)"
              R"({"opts":{"rooms":["r"],"except":[],"flags":{}},"rooms":["a","b"]}})");
}

TEST(ClusterMessage, SocketsLeaveText) {
    const OwnTarget room("/", {"r"}, {"x"});
    const std::string_view left[] = {"a"};
    EXPECT_EQ(text_of(SocketsLeave{*room, {left, 1}}),
              R"({"uid":"emitter","source":"_sio_adapter","nsp":"/","type":5,"seq":1,"data":)"
              R"({"opts":{"rooms":["r"],"except":["x"],"flags":{}},"rooms":["a"]}})");
}

TEST(ClusterMessage, DisconnectSocketsText) {
    const OwnTarget room("/", {"r"}, {});
    EXPECT_EQ(text_of(DisconnectSockets{*room, true}),
              R"({"uid":"emitter","source":"_sio_adapter","nsp":"/","type":6,"seq":1,"data":)"
              R"({"opts":{"rooms":["r"],"except":[],"flags":{}},"close":true}})");
}

TEST(ClusterMessage, ServerSideEmitText) {
    const DocumentArguments arguments(json::parse("[1]"));
    EXPECT_EQ(text_of(ServerSideEmit<DocumentArguments>{"/", "hello", arguments}),
              R"({"uid":"emitter","source":"_sio_adapter","nsp":"/","type":9,"seq":1,"data":)"
              R"({"packet":["hello",1]}})");
}

TEST(ClusterMessage, BroadcastWithAckText) {
    const OwnTarget some("/admin", {"r1"}, {"x"}, true, false);
    const DocumentArguments arguments(json::parse("[1]"));
    EXPECT_EQ(text_of(BroadcastWithAck<DocumentArguments>{{*some, "ping", arguments}, "0123456789abcdef"}),
              R"({"uid":"emitter","source":"_sio_adapter","nsp":"/admin","type":3,"seq":1,"data":)"
              R"({"packet":{"type":2,"data":["ping",1],"nsp":"/admin"},)"
              R"("opts":{"rooms":["r1"],"except":["x"],"flags":{"volatile":true,"compress":false}},)"
              R"("requestId":"0123456789abcdef"}})");
}

TEST(ClusterMessage, FetchSocketsText) {
    const OwnTarget everyone("/", {}, {});
    EXPECT_EQ(text_of(FetchSockets{*everyone, "r1"}),
              R"({"uid":"emitter","source":"_sio_adapter","nsp":"/","type":7,"seq":1,"data":)"
              R"({"opts":{"rooms":[],"except":[],"flags":{}},"requestId":"r1"}})");
}

TEST(ClusterMessage, ServerSideEmitWithAckText) {
    const DocumentArguments arguments(json::parse("[1]"));
    EXPECT_EQ(text_of(ServerSideEmitWithAck<DocumentArguments>{"/", "hello", arguments, "r1"}),
              R"({"uid":"emitter","source":"_sio_adapter","nsp":"/","type":9,"seq":1,"data":)"
              R"({"packet":["hello",1],"requestId":"r1"}})");
}

TEST(ClusterMessage, InitialHeartbeatText) {
    EXPECT_EQ(text_of(InitialHeartbeat{"/admin"}, 4294967295),
              R"({"uid":"emitter","source":"_sio_adapter","nsp":"/admin","type":1,"seq":4294967295,"data":{}})");
}

TEST(ClusterMessage, AttachedTextHasNoSeq) {
    EXPECT_EQ(attached_text_of(ServerSideEmit<DocumentArguments>{"/", "hello", kNoArguments}),
              R"({"uid":"emitter","source":"_sio_adapter","nsp":"/","type":9,"data":{"packet":["hello"]}})");
}

TEST(ClusterMessage, AttachmentHeaderText) {
    const auto write = [](auto& writer) { write_attachment_header(writer, MessageType::kBroadcast, "/admin", "42"); };
    EXPECT_EQ(encode_json(write), R"({"uid":"emitter","nsp":"/admin","type":3,"attachmentId":"42"})");
    CheckingWriter checker;
    ASSERT_NO_THROW(write(checker));
    EXPECT_EQ(checker.document().dump(), encode_json(write));
}

TEST(ClusterMessage, AttachmentHeaderEscapesTheNamespace) {
    const auto write = [](auto& writer) {
        write_attachment_header(writer, MessageType::kServerSideEmit, "/\"\n\xC3\xA9", "9223372036854775807");
    };
    EXPECT_EQ(encode_json(write, JsonCharacters::kAscii),
              R"({"uid":"emitter","nsp":"/\"\n\u00e9","type":9,"attachmentId":"9223372036854775807"})");
}

TEST(ClusterMessage, TypesAreNumberedAsTheAdapterNumbersThem) {
    EXPECT_EQ(static_cast<int>(InitialHeartbeat::kType), 1);
    EXPECT_EQ(static_cast<int>(Broadcast<DocumentArguments>::kType), 3);
    EXPECT_EQ(static_cast<int>(SocketsJoin::kType), 4);
    EXPECT_EQ(static_cast<int>(SocketsLeave::kType), 5);
    EXPECT_EQ(static_cast<int>(DisconnectSockets::kType), 6);
    EXPECT_EQ(static_cast<int>(FetchSockets::kType), 7);
    EXPECT_EQ(static_cast<int>(ServerSideEmit<DocumentArguments>::kType), 9);
    EXPECT_EQ(static_cast<int>(BroadcastWithAck<DocumentArguments>::kType), 3);
    EXPECT_EQ(static_cast<int>(ServerSideEmitWithAck<DocumentArguments>::kType), 9);
    EXPECT_EQ(static_cast<int>(MessageType::kHeartbeat), 2);
    EXPECT_EQ(static_cast<int>(MessageType::kFetchSocketsResponse), 8);
    EXPECT_EQ(static_cast<int>(MessageType::kServerSideEmitResponse), 10);
    EXPECT_EQ(static_cast<int>(MessageType::kBroadcastClientCount), 11);
    EXPECT_EQ(static_cast<int>(MessageType::kBroadcastAck), 12);
    EXPECT_EQ(static_cast<int>(MessageType::kAdapterClose), 13);
}

// Every message, in every form, through every writer.

ordered_json envelope(std::string_view nsp, int type, std::optional<std::uint32_t> seq, ordered_json data) {
    ordered_json document = {{"uid", "emitter"}, {"source", "_sio_adapter"}, {"nsp", nsp}, {"type", type}};
    if (seq) {
        document["seq"] = *seq;
    }
    document["data"] = std::move(data);
    return document;
}

// Both writers and the checking one make `expected` of what `write` reports, its fields in that order.
template <class Write>
void expect_document(const Write& write, const ordered_json& expected) {
    CheckingWriter checker;
    try {
        write(checker);
        EXPECT_EQ(checker.document().dump(), expected.dump());
    } catch (const ContractBreach& breach) {
        FAIL() << breach.what() << " in " << encode_json(write);
    }
    for (const JsonCharacters characters : {JsonCharacters::kUtf8, JsonCharacters::kAscii}) {
        EXPECT_EQ(ordered_json::parse(encode_json(write, characters)).dump(), expected.dump());
    }
    EXPECT_EQ(ordered_json::from_msgpack(encode_msgpack(write)).dump(), expected.dump());
}

// A text that fits is used: in memory of its own size a message is whole, and in less it is given up.
template <class Write>
void expect_exact_fit(const Write& write) {
    for (const JsonCharacters characters : {JsonCharacters::kUtf8, JsonCharacters::kAscii}) {
        const std::string whole = encode_json(write, characters);
        const Bounded exact = encode_bounded_json(whole.size(), write, characters);
        EXPECT_FALSE(exact.stopped) << "does not fit its own " << whole.size() << " bytes: " << whole;
        EXPECT_TRUE(exact.stopped || exact.bytes == whole);
        EXPECT_TRUE(encode_bounded_json(whole.size() - 1, write, characters).stopped) << whole;
    }
}

template <class Message>
void expect_message(const Message& message, const ordered_json& data) {
    const int type = static_cast<int>(Message::kType);
    for (const std::uint32_t seq : {1U, 4294967295U}) {
        const auto write = [&](auto& writer) { write_message(writer, message, seq); };
        expect_document(write, envelope(message.nsp(), type, seq, data));
        expect_exact_fit(write);
    }
    const auto write_attached = [&](auto& writer) { write_attached_message(writer, message); };
    expect_document(write_attached, envelope(message.nsp(), type, std::nullopt, data));
}

Names some_names(std::size_t count) {
    Names names;
    for (std::size_t i = 0; i < count; ++i) {
        names.push_back("room " + std::to_string(i) + (i % 3 == 0 ? "\"\xC3\xA9\n" : ""));
    }
    return names;
}

// Targets of every shape: none, one and many rooms (msgpack widens an array at 16), flags unset, on and off.
template <class Check>
void for_each_target(const Check& check) {
    for (const char* nsp : {"/", "/\xC3\xA9\"\\\xF0\x9F\x98\x80"}) {
        for (const std::size_t rooms : {0, 1, 16}) {
            for (const std::size_t except : {0, 1, 16}) {
                for (const bool is_volatile : {false, true}) {
                    for (const std::optional<bool> compress : {std::optional<bool>(), {false}, {true}}) {
                        const OwnTarget target(nsp, some_names(rooms), some_names(except), is_volatile, compress);
                        check(target);
                        if (testing::Test::HasFailure()) {
                            return;  // the rest would say the same
                        }
                    }
                }
            }
        }
    }
}

const json kArguments =
    json::parse(R"([1, -9223372036854775808, "text \"\u00e9\n", [], {}, [[2]], {"k": {"l": 0.5}}])");

TEST(ClusterMessage, BroadcastMeansTheSameInEveryFormat) {
    for_each_target([](const OwnTarget& target) {
        const DocumentArguments arguments(kArguments);
        json packet = kArguments;
        packet.insert(packet.begin(), "event");
        const std::string nsp((*target).nsp);
        expect_message(Broadcast<DocumentArguments>{*target, "event", arguments},
                       {{"packet", {{"type", 2}, {"data", packet}, {"nsp", nsp}}}, {"opts", target.opts()}});
    });
}

TEST(ClusterMessage, BroadcastWithAckMeansTheSameInEveryFormat) {
    for_each_target([](const OwnTarget& target) {
        const DocumentArguments arguments(kArguments);
        json packet = kArguments;
        packet.insert(packet.begin(), "event");
        const std::string nsp((*target).nsp);
        expect_message(BroadcastWithAck<DocumentArguments>{{*target, "event", arguments}, "r \"1\""},
                       {{"packet", {{"type", 2}, {"data", packet}, {"nsp", nsp}}},
                        {"opts", target.opts()},
                        {"requestId", "r \"1\""}});
    });
}

TEST(ClusterMessage, FetchSocketsMeansTheSameInEveryFormat) {
    for_each_target([](const OwnTarget& target) {
        for (const std::string& request : {std::string(), std::string("r1"), std::string(32, 'x')}) {
            expect_message(FetchSockets{*target, request}, {{"opts", target.opts()}, {"requestId", request}});
        }
    });
}

TEST(ClusterMessage, InitialHeartbeatMeansTheSameInEveryFormat) {
    for (const char* nsp : {"/", "/\xC3\xA9\"\\\xF0\x9F\x98\x80"}) {
        expect_message(InitialHeartbeat{nsp}, ordered_json::object());
    }
}

TEST(ClusterMessage, AttachmentHeaderMeansTheSameInEveryFormat) {
    for (int type = 1; type <= 13; ++type) {
        const auto write = [&](auto& writer) {
            write_attachment_header(writer, static_cast<MessageType>(type), "/\xC3\xA9\"", "42");
        };
        expect_document(write, {{"uid", "emitter"}, {"nsp", "/\xC3\xA9\""}, {"type", type}, {"attachmentId", "42"}});
        expect_exact_fit(write);
    }
}

TEST(ClusterMessage, SocketsJoinAndLeaveMeanTheSameInEveryFormat) {
    for_each_target([](const OwnTarget& target) {
        for (const std::size_t count : {1, 16}) {
            const Names names = some_names(count);
            std::vector<std::string_view> views;
            const Rooms rooms = OwnTarget::view(names, views);
            const ordered_json data = {{"opts", target.opts()}, {"rooms", names}};
            expect_message(SocketsJoin{*target, rooms}, data);
            expect_message(SocketsLeave{*target, rooms}, data);
        }
    });
}

TEST(ClusterMessage, DisconnectSocketsMeansTheSameInEveryFormat) {
    for_each_target([](const OwnTarget& target) {
        for (const bool close : {false, true}) {
            expect_message(DisconnectSockets{*target, close}, {{"opts", target.opts()}, {"close", close}});
        }
    });
}

template <class Check>
void for_each_argument_list(const Check& check) {
    for (const std::size_t count : {0, 1, 14, 15, 16}) {
        check(json(count, 7));
    }
    for (const json& last : {json(7), json(INT64_MIN), json(0.25), json("\n"), json(true), json(nullptr), json::array(),
                             json::object(), json::array({1})}) {
        check(json::array({last}));
        check(json::array({1, last}));
    }
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        check(json::array({RandomDocument(seed).value(3), RandomDocument(seed + 1000).value(3)}));
    }
}

// Numbers as in the model are not needed here: Writers.AgreeOnRandomDocuments is about those.
json as_written(const json& arguments) {
    return json::parse(encode_json([&](auto& w) { write_document(w, arguments); }));
}

TEST(ClusterMessage, ServerSideEmitMeansTheSameInEveryFormat) {
    for_each_argument_list([](const json& list) {
        const DocumentArguments arguments(list);
        json packet = as_written(list);
        packet.insert(packet.begin(), "event \"1\"");
        const ServerSideEmit<DocumentArguments> message{"/admin", "event \"1\"", arguments};
        expect_message(message, {{"packet", packet}});
        const ServerSideEmitWithAck<DocumentArguments> request{"/admin", "event \"1\"", arguments, "r1"};
        expect_message(request, {{"packet", packet}, {"requestId", "r1"}});
    });
}

TEST(ClusterMessage, BroadcastTakesArgumentsEncodedBeforehand) {
    const OwnTarget everyone("/", {}, {});
    for_each_argument_list([&](const json& list) {
        const EncodedArguments arguments(list);
        json packet = as_written(list);
        packet.insert(packet.begin(), "changes");
        const Broadcast<EncodedArguments> message{*everyone, "changes", arguments};
        expect_message(message, {{"packet", {{"type", 2}, {"data", packet}, {"nsp", "/"}}}, {"opts", everyone.opts()}});
    });
}

TEST(ClusterMessage, BroadcastTakesAnyArguments) {
    const OwnTarget everyone("/", {}, {});
    for_each_argument_list([&](const json& list) {
        const DocumentArguments arguments(list);
        json packet = as_written(list);
        packet.insert(packet.begin(), "");
        const Broadcast<DocumentArguments> message{*everyone, "", arguments};
        expect_message(message, {{"packet", {{"type", 2}, {"data", packet}, {"nsp", "/"}}}, {"opts", everyone.opts()}});
    });
}

// With the event's name in front, msgpack widens the array here.
TEST(ClusterMessage, TakesManyArguments) {
    for (const std::size_t count : {65534, 65535}) {
        const DocumentArguments arguments(json(count, 7));
        const ServerSideEmit<DocumentArguments> message{"/", "event", arguments};
        const auto write = [&](auto& writer) { write_attached_message(writer, message); };
        json packet(count + 1, 7);
        packet[0] = "event";
        EXPECT_EQ(json::from_msgpack(encode_msgpack(write))["data"]["packet"], packet);
        EXPECT_EQ(json::parse(encode_json(write))["data"]["packet"], packet);
    }
}

TEST(ClusterMessage, CarriesBinaryInMsgpackAlone) {
    const OwnTarget everyone("/", {}, {});
    const json list = json::array({"a", {{"b", json::binary({0, 255})}}, json::binary({})});
    const DocumentArguments arguments(list);
    const Broadcast<DocumentArguments> message{*everyone, "event", arguments};
    const auto write = [&](auto& writer) { write_attached_message(writer, message); };
    const json packet = json::from_msgpack(encode_msgpack(write))["data"]["packet"]["data"];
    EXPECT_EQ(packet[1], list[0]);
    EXPECT_EQ(packet[2], list[1]);
    EXPECT_EQ(packet[3], list[2]);
    CheckingWriter checker;
    ASSERT_NO_THROW(write(checker));
    EXPECT_EQ(json(checker.document())["data"]["packet"]["data"], packet);
    EXPECT_TRUE(encode_bounded_json(8000, write).stopped);
}

// What events are read from goes when the message says so, and not when it is written: that may happen twice.
struct CountingArguments {
    int& released;

    std::uint32_t count() const { return 0; }
    template <class Writer>
    void write(Writer&) const {}
    void release() const { ++released; }
};

TEST(ClusterMessage, ReleasesItsArgumentsWhenTold) {
    const Target everyone;
    int released = 0;
    const CountingArguments arguments{released};
    const Broadcast<CountingArguments> broadcast{everyone, "event", arguments};
    EXPECT_EQ(text_of(broadcast), text_of(broadcast));
    EXPECT_EQ(released, 0);
    broadcast.release();
    EXPECT_EQ(released, 1);
    ServerSideEmit<CountingArguments>{"/", "event", arguments}.release();
    EXPECT_EQ(released, 2);
    BroadcastWithAck<CountingArguments>{broadcast, "r1"}.release();
    EXPECT_EQ(released, 3);
    ServerSideEmitWithAck<CountingArguments>{"/", "event", arguments, "r1"}.release();
    EXPECT_EQ(released, 4);
}

// Arguments may stop early once the writer has: what is written around them stays within its memory.
struct StoppingArguments {
    std::uint32_t count() const { return 1000; }

    template <class Writer>
    void write(Writer& writer) const {
        for (int i = 0; i < 1000 && !writer.stopped(); ++i) {
            writer.string("argument");
        }
    }
};

TEST(ClusterMessage, StaysWithinAnyMemory) {
    const OwnTarget target("/admin", {"r1", "\"\n\""}, {"x"}, true, true);
    const StoppingArguments arguments;
    const BroadcastWithAck<StoppingArguments> message{{*target, "event", arguments}, "r1"};
    const auto write = [&](auto& writer) { write_message(writer, message, 1); };
    const std::string whole = encode_json(write);
    for (std::size_t capacity = 0; capacity <= whole.size(); capacity += capacity < 600 ? 1 : 97) {
        const Bounded bounded = encode_bounded_json(capacity, write);
        ASSERT_TRUE(bounded.in_bounds) << capacity;
        ASSERT_TRUE(bounded.stopped) << capacity;
    }
    EXPECT_EQ(encode_bounded_json(whole.size(), write).bytes, whole);
}

}  // namespace
}  // namespace socketio::cluster_message_test
