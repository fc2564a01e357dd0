#include "protocol/cluster_conversation.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace socketio::cluster_conversation_test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using Time = Conversation::Time;
using Rows = std::vector<Row>;

constexpr ConversationLimits kLimits{5s, 500ms};
constexpr std::string_view kRequest = "r1";
constexpr std::string_view kWanted = "s1";
constexpr Listeners kUncounted{};
constexpr Question kAnswered[] = {Question::kSockets,     Question::kClients, Question::kRooms,
                                  Question::kClientRooms, Question::kCommand, Question::kClientAcks,
                                  Question::kServerAcks,  Question::kCustom};
constexpr Question kQuestions[] = {Question::kServers,    Question::kSockets,     Question::kClients,
                                   Question::kRooms,      Question::kClientRooms, Question::kCommand,
                                   Question::kClientAcks, Question::kServerAcks,  Question::kCustom};

// How long it is to be quiet.
constexpr Time kCountedQuiet = 50ms;     // if all who are known to listen have answered
constexpr Time kUncountedQuiet = 200ms;  // and if not

// Types of messages, as the adapters number them.
constexpr int kInitialHeartbeat = 1;
constexpr int kHeartbeat = 2;
constexpr int kSocketsResponse = 8;
constexpr int kServerResponse = 10;
constexpr int kClientCount = 11;
constexpr int kClientAck = 12;
constexpr int kClose = 13;

// A conversation about kRequest, without the clock: whoever hears says when. Meanwhile it does what those do who hold one: it
// looks when it is told to.
class Talk : public ClusterConversation {
  public:
    explicit Talk(Question question, Listeners listeners = kUncounted, ConversationLimits limits = kLimits)
        : ClusterConversation({question, "/", kWanted, kRequest, limits}, listeners) {}

    std::string hear_text(std::string_view text, Time now) {
        pass_time(now);
        return std::string(ClusterConversation::hear(text, now));
    }

    void hear(const json& message, Time now) { EXPECT_EQ(hear_text(message.dump(), now), "") << message; }

    void hear_attachment(const json& message, Time now) {
        const std::vector<std::uint8_t> bytes = json::to_msgpack(message);
        pass_time(now);
        ClusterConversation::hear_attachment({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, now);
    }

    Rows take_rows() {
        Rows rows;
        while (const Row* row = next_row()) {
            rows.push_back(*row);
        }
        return rows;
    }

    // When it is over if nobody says any more.
    Time end() const {
        Talk rest = *this;
        rest.look_until(Time::max());
        return rest.now_;
    }

  private:
    void pass_time(Time now) {
        look_until(now);
        now_ = now;
    }

    void look_until(Time end) {
        for (int looks = 0; !is_over(now_) && next_look(now_) <= end; ++looks) {
            EXPECT_GT(next_look(now_), now_);
            EXPECT_FALSE(is_over(next_look(now_) - 1us));
            EXPECT_LT(looks, 10);
            now_ = next_look(now_);
        }
    }

    Time now_{0};
};

json message(std::string_view uid, int type, const json& data = nullptr) {
    json message = {{"uid", uid}, {"nsp", "/"}, {"type", type}};
    if (!data.is_null()) {
        message["data"] = data;
        message["data"]["requestId"] = kRequest;
    }
    return message;
}

json heartbeat(std::string_view uid) { return message(uid, kHeartbeat); }
json close_of(std::string_view uid) { return message(uid, kClose); }
json response(std::string_view uid, const json& packet) { return message(uid, kServerResponse, {{"packet", packet}}); }
json client_count(std::string_view uid, std::int64_t count) {
    return message(uid, kClientCount, {{"clientCount", count}});
}
json client_ack(std::string_view uid, const json& packet) { return message(uid, kClientAck, {{"packet", packet}}); }

json sockets_of(std::string_view uid, const std::vector<std::string>& ids) {
    json sockets = json::array();
    for (const std::string& id : ids) {
        sockets.push_back({{"id", id}, {"rooms", {id}}, {"data", {{"of", id}}}, {"handshake", json::object()}});
    }
    return message(uid, kSocketsResponse, {{"sockets", sockets}});
}

Row socket_row(const std::string& uid, const std::string& id) { return {uid, id, R"({"of":")" + id + "\"}", "{}", id}; }

json without_nsp(json message) {
    message.erase("nsp");
    return message;
}

json behind(const std::string& node, json message) {
    message["nodeId"] = node;
    return message;
}

json about(std::string_view request, json message) {
    message["data"]["requestId"] = request;
    return message;
}

// An answer to `question`, all of what is asked.
json answer(Question question, std::string_view uid) {
    switch (question) {
        case Question::kServers:
            return heartbeat(uid);
        case Question::kSockets:
        case Question::kClients:
        case Question::kRooms:
        case Question::kClientRooms:
        case Question::kCommand:
            return sockets_of(uid, {});
        case Question::kClientAcks:
            return client_count(uid, 0);
        case Question::kServerAcks:
        case Question::kCustom:
            return response(uid, 1);
    }
    return nullptr;
}

void expect_outcome(const Outcome& outcome, int servers, int answered, int silent, bool timed_out = false) {
    EXPECT_EQ(outcome.servers, servers);
    EXPECT_EQ(outcome.answered, answered);
    EXPECT_EQ(outcome.silent, silent);
    EXPECT_EQ(outcome.timed_out, timed_out);
}

// Nobody is there.

TEST(ClusterConversation, GivesUpOnNobodySoon) {
    for (const Question question : kQuestions) {
        Talk talk(question, kUncounted);
        EXPECT_FALSE(talk.is_over(0us));
        EXPECT_EQ(talk.end(), 200ms);
        EXPECT_FALSE(talk.has_row());
        expect_outcome(talk.outcome(200ms), 0, 0, 0);
    }
}

TEST(ClusterConversation, WaitsForWhoListens) {
    for (const Question question : kQuestions) {
        Talk talk(question, {2, 0});
        EXPECT_EQ(talk.end(), 500ms);
        expect_outcome(talk.outcome(500ms), 0, 0, 2);
    }
}

TEST(ClusterConversation, WaitsForNobodyLongerThanTheTimeout) {
    for (const Listeners listeners : {Listeners{0, 0}, Listeners{2, 0}}) {
        Talk talk(Question::kSockets, listeners, {100ms, 100ms});
        EXPECT_EQ(talk.end(), 100ms);
        // It is not known that nobody is there.
        expect_outcome(talk.outcome(100ms), 0, 0, listeners.sure, true);
    }
}

TEST(ClusterConversation, TimesOutOnlyWhileItIsUnknownWhoIsThere) {
    Talk talk(Question::kSockets, kUncounted, {200ms, 200ms});
    EXPECT_EQ(talk.end(), 200ms);
    expect_outcome(talk.outcome(200ms), 0, 0, 0);
}

TEST(ClusterConversation, FindsNoServersWithoutATimeout) {
    Talk talk(Question::kServers, {1, 0}, {100ms, 100ms});
    EXPECT_EQ(talk.end(), 100ms);
    expect_outcome(talk.outcome(100ms), 0, 0, 1);
}

// All who listen are heard.

TEST(ClusterConversation, IsOverWithTheLastAnswer) {
    for (const Question question : kQuestions) {
        Talk talk(question, {2, 0});
        talk.hear(answer(question, "a"), 3ms);
        EXPECT_FALSE(talk.is_over(3ms));
        talk.hear(answer(question, "b"), 4ms);
        EXPECT_TRUE(talk.is_over(4ms));
        expect_outcome(talk.outcome(4ms), 2, 2, 0);
    }
}

TEST(ClusterConversation, TellsHearingFromAnswering) {
    for (const Question question : {Question::kSockets, Question::kClientAcks, Question::kServerAcks}) {
        Talk talk(question, {2, 0});
        talk.hear(heartbeat("a"), 1ms);
        talk.hear(heartbeat("b"), 1ms);
        expect_outcome(talk.outcome(1ms), 2, 0, 0);
        talk.hear(answer(question, "b"), 2ms);
        EXPECT_FALSE(talk.is_over(2ms));
        expect_outcome(talk.outcome(2ms), 2, 1, 0);
        talk.hear(answer(question, "a"), 4s);
        EXPECT_TRUE(talk.is_over(4s));
        expect_outcome(talk.outcome(4s), 2, 2, 0);
    }
}

TEST(ClusterConversation, TakesAnAnswerWithoutAHeartbeat) {
    Talk talk(Question::kServerAcks, {1, 0});
    talk.hear(response("a", 1), 1ms);
    EXPECT_TRUE(talk.is_over(1ms));
    talk.hear(heartbeat("a"), 2ms);
    EXPECT_TRUE(talk.is_over(2ms));
    expect_outcome(talk.outcome(2ms), 1, 1, 0);
}

TEST(ClusterConversation, TakesMoreServersThanListened) {
    Talk talk(Question::kServerAcks, {1, 0});
    talk.hear(heartbeat("a"), 1ms);
    talk.hear(heartbeat("late"), 2ms);
    talk.hear(response("a", 1), 3ms);
    EXPECT_FALSE(talk.is_over(4s));
    talk.hear(response("late", 2), 4s);
    EXPECT_TRUE(talk.is_over(4s));
    expect_outcome(talk.outcome(4s), 2, 2, 0);
}

TEST(ClusterConversation, CountsWhoMayListen) {
    Talk talk(Question::kServerAcks, {1, 1});
    talk.hear(response("a", 1), 1ms);
    EXPECT_FALSE(talk.is_over(1ms));
    talk.hear(response("b", 1), 2ms);
    EXPECT_TRUE(talk.is_over(2ms));
}

TEST(ClusterConversation, WaitsForManyServers) {
    constexpr int kServers = 500;
    Talk talk(Question::kSockets, {kServers, 0});
    for (int i = 0; i < kServers; ++i) {
        talk.hear(heartbeat("server " + std::to_string(i)), 1ms);
    }
    for (int i = 0; i < kServers; ++i) {
        EXPECT_FALSE(talk.is_over(2ms));
        talk.hear(sockets_of("server " + std::to_string(i), {"socket " + std::to_string(i)}), 2ms);
    }
    EXPECT_TRUE(talk.is_over(2ms));
    EXPECT_EQ(talk.take_rows().size(), std::size_t{kServers});
    expect_outcome(talk.outcome(2ms), kServers, kServers, 0);
}

// Somebody listens and keeps silent, or it is not known who does.

TEST(ClusterConversation, WaitsForTheSilentOnlySoLong) {
    Talk talk(Question::kServerAcks, {3, 0});
    talk.hear(response("a", 1), 1ms);
    EXPECT_EQ(talk.end(), 500ms);
    expect_outcome(talk.outcome(500ms), 1, 1, 2);
}

TEST(ClusterConversation, WaitsForServersAsLongAsItMay) {
    Talk talk(Question::kServers, {2, 0}, {2s, 2s});
    talk.hear(heartbeat("a"), 1ms);
    EXPECT_EQ(talk.end(), 2s);
    expect_outcome(talk.outcome(2s), 1, 1, 1);
}

TEST(ClusterConversation, NamesTheSilentOnlyIfTheyWereWaitedFor) {
    Talk talk(Question::kCommand, {3, 0});
    talk.hear(sockets_of("a", {"s1"}), 1ms);
    expect_outcome(talk.outcome(1ms), 1, 1, 0);
    Talk late(Question::kCommand, {3, 0});
    late.hear(heartbeat("a"), 1ms);
    late.hear(sockets_of("a", {"s1"}), 600ms);
    expect_outcome(late.outcome(600ms), 1, 1, 0);
    Talk hasty(Question::kServerAcks, {3, 0});
    expect_outcome(hasty.outcome(499ms), 0, 0, 0);
    expect_outcome(hasty.outcome(500ms), 0, 0, 3);
}

// Whether those who listen on another channel ought to have answered is known of one namespace alone, which every server has.
TEST(ClusterConversation, WaitsForWhoMightListen) {
    for (const bool is_main : {false, true}) {
        Talk nobody(Question::kServerAcks, {0, 3, is_main});
        EXPECT_EQ(nobody.end(), 500ms);
        expect_outcome(nobody.outcome(500ms), 0, 0, is_main ? 3 : 0);
        Talk talk(Question::kServerAcks, {2, 3, is_main});
        talk.hear(response("a", 1), 1ms);
        EXPECT_EQ(talk.end(), 500ms);
        expect_outcome(talk.outcome(500ms), 1, 1, is_main ? 4 : 1);
    }
}

TEST(ClusterConversation, WaitsForNobodyElseWhenAllWhoMightListenWereHeard) {
    for (const bool is_main : {false, true}) {
        Talk talk(Question::kServerAcks, {0, 2, is_main});
        talk.hear(response("a", 1), 1ms);
        EXPECT_FALSE(talk.is_over(1ms));
        talk.hear(response("b", 1), 2ms);
        EXPECT_TRUE(talk.is_over(2ms));
        expect_outcome(talk.outcome(500ms), 2, 2, 0);
    }
}

// Adapters before 0.4.0, of which one may have a connection for each of its namespaces.
TEST(ClusterConversation, DoesNotWaitForWhoMightListenWhereAServerHasManyConnections) {
    for (const bool is_main : {false, true}) {
        Talk talk(Question::kServerAcks, {1, 5, is_main});
        talk.hear(without_nsp(response("a", 1)), 5ms);
        EXPECT_EQ(talk.end(), 5ms + kCountedQuiet);
        expect_outcome(talk.outcome(5ms + kCountedQuiet), 1, 1, 0);
        talk.hear(response("b", 1), 10ms);
        EXPECT_EQ(talk.end(), 10ms + kCountedQuiet) << "one such server is enough";
        expect_outcome(talk.outcome(500ms), 2, 2, 0);
    }
    Talk silent(Question::kServerAcks, {3, 5, true});
    silent.hear(without_nsp(response("a", 1)), 1ms);
    EXPECT_EQ(silent.end(), 500ms);
    expect_outcome(silent.outcome(500ms), 1, 1, 2);
}

TEST(ClusterConversation, TakesAServerForANewOneByAnyOfItsMessages) {
    Talk talk(Question::kServerAcks, {1, 1});
    talk.hear(without_nsp(heartbeat("a")), 1ms);
    talk.hear(response("a", 1), 2ms);
    EXPECT_EQ(talk.end(), 500ms);
    talk.hear(without_nsp(heartbeat("a")), 3ms);
    EXPECT_EQ(talk.end(), 500ms);
}

// Four times what the slowest took, but no less than kUncountedQuiet and no more than the patience.
TEST(ClusterConversation, WaitsForQuietIfNobodyWasCounted) {
    for (const auto& [heard, end] : std::vector<std::pair<Time, Time>>{
             {0us, 200ms}, {12500us, 212500us}, {50ms, 250ms}, {50001us, 250005us}, {125ms, 625ms}, {180ms, 680ms}}) {
        Talk talk(Question::kServerAcks);
        talk.hear(response("a", 1), heard);
        EXPECT_EQ(talk.end(), end);
        expect_outcome(talk.outcome(end), 1, 1, 0);
    }
}

TEST(ClusterConversation, IsQuietOnlySinceTheLastNewServer) {
    Talk talk(Question::kServerAcks);
    talk.hear(response("a", 1), 1ms);
    talk.hear(response("b", 1), 60ms);
    EXPECT_EQ(talk.end(), 300ms);
    talk.hear(heartbeat("a"), 290ms);
    EXPECT_EQ(talk.end(), 300ms) << "it was heard before";
}

TEST(ClusterConversation, WaitsForAnswersBeyondTheQuiet) {
    Talk talk(Question::kServerAcks);
    talk.hear(heartbeat("a"), 1ms);
    EXPECT_EQ(talk.end(), 5s);
    talk.hear(response("a", 1), 3s);
    EXPECT_TRUE(talk.is_over(3s));
}

TEST(ClusterConversation, IsQuietAtOnceWithLittlePatience) {
    Talk talk(Question::kServerAcks, {2, 0}, {5s, 10ms});
    talk.hear(response("a", 1), 1ms);
    EXPECT_EQ(talk.end(), 1ms + kUncountedQuiet);
    expect_outcome(talk.outcome(1ms + kUncountedQuiet), 1, 1, 1);
}

TEST(ClusterConversation, WaitsForTheLateAsForOthers) {
    Talk talk(Question::kServerAcks, {2, 0});
    talk.hear(heartbeat("a"), 1ms);
    talk.hear(heartbeat("late"), 2s);
    talk.hear(response("a", 1), 2s);
    EXPECT_FALSE(talk.is_over(4999ms));
    talk.hear(response("late", 1), 3s);
    EXPECT_TRUE(talk.is_over(3s));
}

// The workers of a Node.js cluster share a connection.

TEST(ClusterConversation, CountsANodeOnce) {
    Talk talk(Question::kServerAcks, {2, 0});
    for (const char* worker : {"w1", "w2", "w3"}) {
        talk.hear(behind("n", response(worker, 1)), 1ms);
    }
    expect_outcome(talk.outcome(500ms), 3, 3, 1);
    EXPECT_EQ(talk.end(), 500ms) << "somebody else listens";
    talk.hear(response("own", 1), 10ms);
    EXPECT_EQ(talk.end(), 10ms + kUncountedQuiet) << "who knows how many workers there are";
    expect_outcome(talk.outcome(10ms + kUncountedQuiet), 4, 4, 0);
}

TEST(ClusterConversation, CountsEveryNode) {
    Talk talk(Question::kServerAcks, {2, 0});
    talk.hear(behind("n1", response("w1", 1)), 1ms);
    talk.hear(behind("n2", response("w2", 1)), 2ms);
    EXPECT_FALSE(talk.is_over(2ms));
    EXPECT_EQ(talk.end(), 2ms + kUncountedQuiet);
    expect_outcome(talk.outcome(2ms + kUncountedQuiet), 2, 2, 0);
}

TEST(ClusterConversation, WaitsForEveryWorkerThatIsHeard) {
    Talk talk(Question::kServerAcks, {1, 0});
    talk.hear(behind("n", heartbeat("w1")), 1ms);
    talk.hear(behind("n", heartbeat("w2")), 1ms);
    talk.hear(behind("n", response("w1", 1)), 2ms);
    EXPECT_FALSE(talk.is_over(4s));
    talk.hear(behind("n", response("w2", 1)), 4s);
    EXPECT_TRUE(talk.is_over(4s));
}

// The notification that announces an attachment does not say it, but the attachment does.
TEST(ClusterConversation, LearnsOfANodeByAnyMessage) {
    Talk talk(Question::kServerAcks, {1, 0});
    EXPECT_EQ(talk.hear_text(R"({"uid":"w1","type":10,"attachmentId":"7"})", 1ms), "7");
    talk.hear_attachment(behind("n", response("w1", 1)), 1ms);
    talk.hear(heartbeat("w1"), 2ms);
    EXPECT_EQ(talk.end(), 1ms + kUncountedQuiet);
}

// Servers that close.

TEST(ClusterConversation, DoesNotWaitForWhoCloses) {
    Talk talk(Question::kServerAcks, {2, 0});
    talk.hear(heartbeat("a"), 1ms);
    talk.hear(heartbeat("b"), 1ms);
    talk.hear(response("a", 1), 2ms);
    EXPECT_FALSE(talk.is_over(2ms));
    talk.hear(close_of("b"), 3ms);
    EXPECT_EQ(talk.end(), 1ms + kUncountedQuiet) << "when it was quiet";
    expect_outcome(talk.outcome(1ms + kUncountedQuiet), 1, 1, 0);
    Talk patient(Question::kServerAcks, {2, 0});
    patient.hear(heartbeat("b"), 1s);
    patient.hear(response("a", 1), 1s);
    EXPECT_FALSE(patient.is_over(4s));
    patient.hear(close_of("b"), 4s);
    EXPECT_TRUE(patient.is_over(4s));
}

TEST(ClusterConversation, ACloseIsNoSilence) {
    Talk talk(Question::kServerAcks, {3, 0});
    talk.hear(response("a", 1), 1ms);
    talk.hear(close_of("b"), 2ms);
    EXPECT_EQ(talk.end(), 500ms);
    expect_outcome(talk.outcome(500ms), 1, 1, 1);
}

TEST(ClusterConversation, TakesAWorkerThatClosesForOneOfItsNode) {
    Talk talk(Question::kServerAcks, {2, 0});
    talk.hear(behind("n", response("w1", 1)), 1ms);
    talk.hear(behind("n", close_of("w2")), 2ms);
    EXPECT_EQ(talk.end(), 500ms);
    expect_outcome(talk.outcome(500ms), 1, 1, 1);
}

TEST(ClusterConversation, TakesAServerThatClosesForANewOneByItsGoodbye) {
    Talk talk(Question::kServerAcks, {0, 3, true});
    talk.hear(response("a", 1), 1ms);
    talk.hear(close_of("b"), 2ms);
    EXPECT_EQ(talk.end(), 500ms);
    expect_outcome(talk.outcome(500ms), 1, 1, 1);
}

TEST(ClusterConversation, WhoClosedStaysClosed) {
    Talk talk(Question::kClientAcks, {1, 0});
    talk.hear(client_count("a", 2), 1ms);
    talk.hear(close_of("a"), 2ms);
    EXPECT_TRUE(talk.is_over(2ms));
    talk.hear(client_ack("a", "late"), 3ms);
    EXPECT_TRUE(talk.is_over(3ms));
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", R"("late")"}})) << "what it still says counts";
    talk.hear(heartbeat("a"), 4ms);
    EXPECT_TRUE(talk.is_over(4ms));
}

TEST(ClusterConversation, KeepsWhatWasAnsweredBeforeClosing) {
    Talk talk(Question::kServerAcks, {1, 0}, {100ms, 100ms});
    talk.hear(response("a", 1), 1ms);
    talk.hear(close_of("a"), 2ms);
    talk.hear(response("a", 1), 3ms);
    EXPECT_TRUE(talk.is_over(3ms));
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", "1"}}));
    expect_outcome(talk.outcome(3ms), 1, 1, 0);
    expect_outcome(talk.outcome(100ms), 1, 1, 0);
}

TEST(ClusterConversation, DoesNotShowServersThatOnlyClosed) {
    Talk talk(Question::kServers, {2, 0});
    talk.hear(heartbeat("a"), 1ms);
    talk.hear(close_of("b"), 2ms);
    EXPECT_EQ(talk.end(), 1ms + kUncountedQuiet);
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", std::nullopt, "1000"}}));
    expect_outcome(talk.outcome(1ms + kUncountedQuiet), 1, 1, 0);
}

TEST(ClusterConversation, ShowsAServerOnceThoughItCloses) {
    Talk talk(Question::kServers, {1, 0});
    talk.hear(heartbeat("a"), 1ms);
    talk.hear(close_of("a"), 2ms);
    talk.hear(heartbeat("a"), 3ms);
    EXPECT_EQ(talk.take_rows().size(), 1U);
}

TEST(ClusterConversation, TakesAGoodbyeForNobody) {
    Talk talk(Question::kServerAcks);
    talk.hear(close_of("b"), 2ms);
    EXPECT_EQ(talk.end(), 200ms);
    Talk hasty(Question::kServerAcks, kUncounted, {100ms, 100ms});
    hasty.hear(close_of("b"), 2ms);
    EXPECT_EQ(hasty.end(), 100ms);
    expect_outcome(hasty.outcome(100ms), 0, 0, 0, true);
}

// Where all who are known to have listened have answered, it is for the others alone that it has to be quiet.
TEST(ClusterConversation, WaitsForLessQuietWhereTheKnownHaveAnswered) {
    Talk talk(Question::kServerAcks, {1, 1});
    talk.hear(without_nsp(heartbeat("a")), 1ms);
    EXPECT_EQ(talk.end(), 5s);
    talk.hear(without_nsp(response("a", 1)), 2ms);
    EXPECT_EQ(talk.end(), 1ms + kCountedQuiet);
    Talk slow(Question::kServerAcks, {1, 1});
    slow.hear(without_nsp(response("a", 1)), 20ms);
    EXPECT_EQ(slow.end(), 20ms + 80ms) << "four times what it took";
    Talk node(Question::kServerAcks, {1, 1});
    node.hear(behind("n", without_nsp(response("a", 1))), 2ms);
    EXPECT_EQ(node.end(), 2ms + kUncountedQuiet) << "one connection of many workers";
}

// Servers that come while something is asked, and say so.

TEST(ClusterConversation, DoesNotWaitForNewcomers) {
    for (const Question question : kAnswered) {
        Talk talk(question, {1, 0});
        talk.hear(message("new", kInitialHeartbeat), 1ms);
        EXPECT_FALSE(talk.is_over(1ms));
        talk.hear(answer(question, "a"), 2ms);
        EXPECT_TRUE(talk.is_over(2ms));
        expect_outcome(talk.outcome(2ms), 1, 1, 0);
    }
}

TEST(ClusterConversation, TakesAnswersOfNewcomers) {
    Talk talk(Question::kServerAcks, {1, 0});
    talk.hear(message("new", kInitialHeartbeat), 1ms);
    talk.hear(response("new", 1), 2ms);
    talk.hear(response("a", 2), 2ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{"new", "1"}, {"a", "2"}}));
    expect_outcome(talk.outcome(2ms), 2, 2, 0);
}

TEST(ClusterConversation, DoesNotTakeANewcomerForOneWhoListened) {
    Talk talk(Question::kServerAcks, {2, 0});
    talk.hear(response("a", 1), 1ms);
    talk.hear(message("new", kInitialHeartbeat), 2ms);
    EXPECT_EQ(talk.end(), 500ms);
    expect_outcome(talk.outcome(500ms), 1, 1, 1);
}

TEST(ClusterConversation, ANewcomerThatAnswersWasHeard) {
    Talk talk(Question::kServerAcks, {2, 0});
    talk.hear(behind("n", response("w1", 1)), 1ms);
    talk.hear(message("b", kInitialHeartbeat), 2ms);
    talk.hear(response("b", 1), 3ms);
    EXPECT_LT(talk.end(), 500ms);
    expect_outcome(talk.outcome(500ms), 2, 2, 0);
}

TEST(ClusterConversation, TakesWhoAsksLaterForNoNewcomer) {
    Talk talk(Question::kServerAcks, {1, 0});
    talk.hear(heartbeat("a"), 1ms);
    talk.hear(message("a", kInitialHeartbeat), 2ms);
    EXPECT_EQ(talk.end(), 5s);
    expect_outcome(talk.outcome(5s), 1, 0, 0, true);
}

TEST(ClusterConversation, ShowsNewcomersAmongTheServers) {
    Talk talk(Question::kServers, {1, 0});
    talk.hear(message("new", kInitialHeartbeat), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{"new", std::nullopt, "1000"}}));
    expect_outcome(talk.outcome(1ms), 1, 1, 0);
}

// The timeout.

TEST(ClusterConversation, EndsWithTheTimeout) {
    for (const Question question : kAnswered) {
        Talk talk(question, {2, 0});
        talk.hear(answer(question, "a"), 1ms);
        talk.hear(heartbeat("b"), 1ms);
        EXPECT_EQ(talk.end(), 5s);
        expect_outcome(talk.outcome(5s), 2, 1, 0, true);
        expect_outcome(talk.outcome(4999ms), 2, 1, 0);
    }
}

TEST(ClusterConversation, EndsWithTheTimeoutThoughOthersKeepComing) {
    Talk talk(Question::kServerAcks, kUncounted, {100ms, 100ms});
    for (int i = 0; i < 100; ++i) {
        talk.hear(response("server " + std::to_string(i), i), Time(i * 1000));
        EXPECT_FALSE(talk.is_over(Time(i * 1000)));
    }
    EXPECT_TRUE(talk.is_over(100ms));
    expect_outcome(talk.outcome(100ms), 100, 100, 0);
}

TEST(ClusterConversation, TakesATimeoutBeyondCounting) {
    Talk talk(Question::kServerAcks, {1, 0}, {Time::max(), 500ms});
    talk.hear(heartbeat("a"), 1ms);
    EXPECT_FALSE(talk.is_over(std::chrono::hours(24 * 365)));
    EXPECT_EQ(talk.next_look(std::chrono::hours(24)), Time::max());
}

// Whom it listens to.

TEST(ClusterConversation, IgnoresEmittersAndNoise) {
    Talk talk(Question::kServerAcks, {1, 0});
    talk.hear(heartbeat("emitter"), 1ms);
    talk.hear(response("emitter", 1), 1ms);
    talk.hear(heartbeat(""), 1ms);
    talk.hear({{"type", kHeartbeat}}, 1ms);
    talk.hear({{"uid", 7}, {"type", kHeartbeat}}, 1ms);
    talk.hear(json::array({heartbeat("a")}), 1ms);
    for (const char* text : {"", "hello", "{", R"({"uid":"a","type":2)", R"("a")"}) {
        EXPECT_EQ(talk.hear_text(text, 1ms), "");
        talk.ClusterConversation::hear_attachment(text, 1ms);
    }
    talk.hear_attachment(response("emitter", 1), 1ms);
    talk.hear_attachment(response("", 1), 1ms);
    EXPECT_FALSE(talk.has_row());
    EXPECT_EQ(talk.outcome(500ms).servers, 0);
    EXPECT_EQ(talk.end(), 500ms);
}

TEST(ClusterConversation, TakesWhoeverIsHeardForAServer) {
    Talk talk(Question::kServerAcks, {3, 0});
    talk.hear(message("asks itself", 7, {{"opts", json::object()}}), 1ms);
    talk.hear(message("broadcasts", 3, {{"packet", json::object()}}), 1ms);
    talk.hear({{"uid", "has no type"}}, 1ms);
    EXPECT_FALSE(talk.has_row());
    expect_outcome(talk.outcome(1ms), 3, 0, 0);
}

TEST(ClusterConversation, TakesAnswersToItsOwnRequestAlone) {
    for (const Question question : kAnswered) {
        Talk talk(question, {1, 0});
        for (const char* request : {"r2", "", "r1 ", "R1"}) {
            talk.hear(about(request, sockets_of("a", {"s1"})), 1ms);
            talk.hear(about(request, response("a", 1)), 1ms);
            talk.hear(about(request, client_count("a", 0)), 1ms);
            talk.hear(about(request, client_ack("a", 1)), 1ms);
            talk.hear_attachment(about(request, sockets_of("a", {"s1"})), 1ms);
            talk.hear_attachment(about(request, client_ack("a", 1)), 1ms);
        }
        json nameless = answer(question, "a");
        nameless["data"].erase("requestId");
        talk.hear(nameless, 1ms);
        EXPECT_FALSE(talk.has_row());
        EXPECT_FALSE(talk.is_over(2ms));
        expect_outcome(talk.outcome(2ms), 1, 0, 0);
        EXPECT_EQ(talk.outcome(2ms).acknowledged, 0);
    }
}

TEST(ClusterConversation, TakesAnswersToItsOwnQuestionAlone) {
    for (const Question question : kQuestions) {
        Talk talk(question, {1, 0});
        talk.hear(heartbeat("a"), 1ms);
        const std::size_t rows = talk.take_rows().size();
        for (const Question other : {Question::kSockets, Question::kClientAcks, Question::kServerAcks}) {
            if (answer(other, "a") != answer(question, "a")) {
                talk.hear(answer(other, "a"), 2ms);
                talk.hear_attachment(answer(other, "a"), 2ms);
            }
        }
        EXPECT_EQ(rows, question == Question::kServers ? 1U : 0U);
        EXPECT_FALSE(talk.has_row());
        EXPECT_EQ(talk.is_over(2ms), question == Question::kServers);
    }
}

TEST(ClusterConversation, TakesAnAnswerOnce) {
    Talk sockets(Question::kSockets, {2, 0});
    Talk responses(Question::kServerAcks, {2, 0});
    for (const char* id : {"first", "first", "second"}) {
        sockets.hear(sockets_of("a", {id}), 1ms);
        sockets.hear_attachment(sockets_of("a", {id}), 1ms);
        responses.hear(response("a", id), 1ms);
        responses.hear_attachment(response("a", id), 1ms);
    }
    EXPECT_EQ(sockets.take_rows(), Rows{socket_row("a", "first")});
    EXPECT_EQ(responses.take_rows(), (Rows{{"a", R"("first")"}}));
    expect_outcome(sockets.outcome(1ms), 1, 1, 0);
    expect_outcome(responses.outcome(1ms), 1, 1, 0);
}

// Rows.

TEST(ClusterConversation, ShowsServers) {
    Talk talk(Question::kServers, {2, 0});
    talk.hear(heartbeat("a"), 1234us);
    talk.hear(behind("n", heartbeat("b")), 5ms);
    talk.hear(heartbeat("a"), 6ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", std::nullopt, "1234"}, {"b", "n", "5000"}}));
    EXPECT_FALSE(talk.is_over(6ms));
    EXPECT_EQ(talk.end(), 5ms + kUncountedQuiet);
    expect_outcome(talk.outcome(5ms + kUncountedQuiet), 2, 2, 0);
}

TEST(ClusterConversation, ShowsSockets) {
    Talk talk(Question::kSockets, {1, 0});
    talk.hear(
        message("a", kSocketsResponse,
                {{"sockets",
                  {{{"id", "s1"}, {"rooms", {"s1", "news", ""}}, {"data", {{"n", 1}}}, {"handshake", {{"h", nullptr}}}},
                   {{"id", "s2"}, {"rooms", json::array()}, {"data", nullptr}, {"handshake", "text"}},
                   {{"rooms", {"r"}}},
                   {{"id", "last"}}}}}),
        1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", "s1", R"({"n":1})", R"({"h":null})", "s1", "news", ""},
                                      {"a", "s2", "null", R"("text")"},
                                      {"a", "last", std::nullopt, std::nullopt}}));
}

TEST(ClusterConversation, ShowsTheSocketsOfEveryServer) {
    Talk talk(Question::kSockets, {3, 0});
    talk.hear(sockets_of("a", {"s1", "s2"}), 1ms);
    talk.hear(sockets_of("b", {}), 1ms);
    talk.hear(sockets_of("c", {"s3"}), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{socket_row("a", "s1"), socket_row("a", "s2"), socket_row("c", "s3")}));
}

TEST(ClusterConversation, IsOverWhenTheOneSocketIsFound) {
    for (const Question question : {Question::kClientRooms, Question::kCommand}) {
        Talk talk(question, {3, 0});
        talk.hear(heartbeat("a"), 1ms);
        talk.hear(sockets_of("b", {"s0", "s11"}), 1ms);
        EXPECT_FALSE(talk.has_found());
        EXPECT_FALSE(talk.has_row()) << "these are others";
        talk.hear(sockets_of("c", {"s0", "s1", "s2"}), 2ms);
        EXPECT_TRUE(talk.has_found());
        EXPECT_TRUE(talk.is_over(2ms));
        EXPECT_EQ(talk.take_rows(), Rows{socket_row("c", "s1")});
        expect_outcome(talk.outcome(2ms), 3, 2, 0);
        expect_outcome(talk.outcome(5s), 3, 2, 0);
    }
}

TEST(ClusterConversation, FindsTheOneSocketNowhere) {
    for (const Question question : {Question::kClientRooms, Question::kCommand}) {
        Talk talk(question, {2, 0});
        talk.hear(sockets_of("a", {"s2"}), 1ms);
        talk.hear(sockets_of("b", {}), 2ms);
        EXPECT_TRUE(talk.is_over(2ms));
        EXPECT_FALSE(talk.has_found());
        EXPECT_FALSE(talk.has_row());
    }
}

TEST(ClusterConversation, FindsNothingForOtherQuestions) {
    for (const Question question : {Question::kSockets, Question::kClients, Question::kRooms}) {
        Talk talk(question, {2, 0});
        talk.hear(sockets_of("a", {"s1"}), 1ms);
        EXPECT_FALSE(talk.has_found());
        EXPECT_FALSE(talk.is_over(1ms));
        EXPECT_EQ(talk.take_rows(), Rows{socket_row("a", "s1")});
    }
}

TEST(ClusterConversation, ShowsWhatWasCalledBackWith) {
    Talk talk(Question::kCustom, {2, 0});
    talk.hear(response("a", {1, 2}), 1ms);
    talk.hear(message("b", kServerResponse, json::object()), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", "[1,2]"}, {"b", std::nullopt}}));
    EXPECT_TRUE(talk.is_over(1ms));
}

TEST(ClusterConversation, ShowsResponsesAndThatThereIsNone) {
    Talk talk(Question::kServerAcks, {3, 0});
    talk.hear(response("a", {{"k", {1, "\xC3\xA9"}}}), 1ms);
    talk.hear(response("b", nullptr), 1ms);
    talk.hear(message("c", kServerResponse, json::object()), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", "{\"k\":[1,\"\xC3\xA9\"]}"}, {"b", "null"}, {"c", std::nullopt}}));
    EXPECT_TRUE(talk.is_over(1ms));
}

TEST(ClusterConversation, GivesRowsAsTheyCome) {
    Talk talk(Question::kServerAcks, {5, 0});
    EXPECT_FALSE(talk.has_row());
    EXPECT_EQ(talk.next_row(), nullptr);
    talk.hear(response("a", 1), 1ms);
    talk.hear(response("b", 2), 1ms);
    EXPECT_TRUE(talk.has_row());
    EXPECT_EQ(*talk.next_row(), (Row{"a", "1"}));
    talk.hear(response("c", 3), 1ms);
    EXPECT_EQ(*talk.next_row(), (Row{"b", "2"}));
    EXPECT_EQ(*talk.next_row(), (Row{"c", "3"}));
    EXPECT_FALSE(talk.has_row());
    EXPECT_EQ(talk.next_row(), nullptr);
    EXPECT_EQ(talk.next_row(), nullptr);
    talk.hear(response("d", 4), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{"d", "4"}}));
}

// Views to rows are good until the next thing is heard, however many are taken meanwhile.
TEST(ClusterConversation, KeepsRowsWhileTheyAreTaken) {
    Talk talk(Question::kSockets, {1, 0});
    talk.hear(sockets_of("a", {"s1", "s2", "s3"}), 1ms);
    const Row* first = talk.next_row();
    const Row* second = talk.next_row();
    talk.next_row();
    EXPECT_EQ(*first, socket_row("a", "s1"));
    EXPECT_EQ(*second, socket_row("a", "s2"));
}

// Attachments.

TEST(ClusterConversation, AsksForTheAttachmentsThatMayAnswer) {
    const auto asked = [](Question question, int type) {
        Talk talk(question, {1, 0});
        const json header = {{"uid", "a"}, {"type", type}, {"attachmentId", "42"}};
        return talk.hear_text(header.dump(), 1ms);
    };
    for (int type = 0; type <= 14; ++type) {
        EXPECT_EQ(asked(Question::kSockets, type), type == kSocketsResponse ? "42" : "");
        EXPECT_EQ(asked(Question::kCommand, type), type == kSocketsResponse ? "42" : "");
        EXPECT_EQ(asked(Question::kServerAcks, type), type == kServerResponse ? "42" : "");
        EXPECT_EQ(asked(Question::kClientAcks, type), type == kClientCount || type == kClientAck ? "42" : "");
    }
}

TEST(ClusterConversation, TakesAttachments) {
    for (const Question question : {Question::kSockets, Question::kClientAcks, Question::kServerAcks}) {
        Talk talk(question, {1, 0});
        talk.hear(heartbeat("a"), 1ms);
        talk.hear_attachment(answer(question, "a"), 2ms);
        EXPECT_TRUE(talk.is_over(2ms));
        EXPECT_EQ(talk.take_rows().size(), question == Question::kServerAcks ? 1U : 0U);
        expect_outcome(talk.outcome(2ms), 1, 1, 0);
    }
}

TEST(ClusterConversation, TakesItsHeaderForNoAnswer) {
    Talk talk(Question::kServerAcks, {1, 0});
    EXPECT_EQ(talk.hear_text(R"({"uid":"a","type":10,"attachmentId":"7"})", 1ms), "7");
    EXPECT_FALSE(talk.has_row());
    expect_outcome(talk.outcome(1ms), 1, 0, 0);
    EXPECT_EQ(talk.hear_text(heartbeat("a").dump(), 1ms), "") << "not the one before";
    EXPECT_EQ(talk.hear_text(R"({"uid":"a","type":10,"attachmentId":""})", 1ms), "");
    talk.hear_attachment(response("a", json::binary({0, 255, 255, 255})), 2ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", R"("AP///w==")"}}));
    EXPECT_TRUE(talk.is_over(2ms));
}

TEST(ClusterConversation, AsksForNoAttachmentOfWhoHasAnswered) {
    const std::string_view header = R"({"uid":"a","type":10,"attachmentId":"7"})";
    Talk talk(Question::kServerAcks, {2, 0});
    EXPECT_EQ(talk.hear_text(header, 1ms), "7");
    talk.hear(response("a", 1), 2ms);
    EXPECT_EQ(talk.hear_text(header, 3ms), "");
    Talk clients(Question::kClientAcks, {2, 0});
    clients.hear(client_count("a", 2), 1ms);
    EXPECT_EQ(clients.hear_text(R"({"uid":"a","type":12,"attachmentId":"8"})", 2ms), "8") << "of a client";
}

TEST(ClusterConversation, KnowsWhoseAnswerMayBeUnreadable) {
    Talk talk(Question::kServerAcks, {2, 0});
    talk.hear(response("a", 1), 1ms);
    EXPECT_EQ(talk.outcome(1ms).unreadable, 0);
    EXPECT_EQ(talk.hear_text(R"({"uid":"b","type":10,"attachmentId":"7"})", 2ms), "7");
    talk.miss_attachment();
    EXPECT_EQ(talk.end(), kLimits.timeout) << "it may have been of another request";
    EXPECT_EQ(talk.outcome(kLimits.timeout).unreadable, 1);
    expect_outcome(talk.outcome(kLimits.timeout), 2, 1, 0, true);
    talk.hear(response("b", 1), 3ms);
    EXPECT_TRUE(talk.is_over(3ms));
    EXPECT_EQ(talk.outcome(3ms).unreadable, 0) << "it was of another request";
}

TEST(ClusterConversation, KnowsWhoseAcknowledgementsMayBeUnreadable) {
    Talk talk(Question::kClientAcks, {1, 0});
    talk.hear(client_count("a", 2), 1ms);
    talk.hear(client_ack("a", 1), 2ms);
    EXPECT_EQ(talk.hear_text(R"({"uid":"a","type":12,"attachmentId":"7"})", 3ms), "7");
    talk.miss_attachment();
    EXPECT_EQ(talk.end(), kLimits.timeout);
    EXPECT_EQ(talk.outcome(kLimits.timeout).unreadable, 1);
    EXPECT_FALSE(talk.outcome(kLimits.timeout).is_complete());
}

TEST(ClusterConversation, MeetsServersByTheirAttachments) {
    Talk talk(Question::kServerAcks, {2, 0});
    talk.hear_attachment(behind("n", response("a", 1)), 1ms);
    expect_outcome(talk.outcome(1ms), 1, 1, 0);
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", "1"}}));
}

// Acknowledgements of clients.

TEST(ClusterConversation, WaitsForEveryClientThatReceived) {
    Talk talk(Question::kClientAcks, {2, 0});
    talk.hear(client_count("a", 2), 1ms);
    talk.hear(client_count("b", 1), 1ms);
    EXPECT_FALSE(talk.is_over(1ms));
    talk.hear(client_ack("a", 1), 2ms);
    talk.hear(client_ack("b", 2), 2ms);
    EXPECT_FALSE(talk.is_over(2ms));
    talk.hear(client_ack("a", 3), 3ms);
    EXPECT_TRUE(talk.is_over(3ms));
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", "1"}, {"b", "2"}, {"a", "3"}}));
    const Outcome outcome = talk.outcome(3ms);
    expect_outcome(outcome, 2, 2, 0);
    EXPECT_EQ(outcome.clients, 3);
    EXPECT_EQ(outcome.acknowledged, 3);
}

TEST(ClusterConversation, TellsHowManyClientsAreMissing) {
    Talk talk(Question::kClientAcks, {2, 0});
    talk.hear(client_count("a", 3), 1ms);
    talk.hear(client_count("b", 0), 1ms);
    talk.hear(client_ack("a", 1), 2ms);
    EXPECT_EQ(talk.end(), 5s);
    const Outcome outcome = talk.outcome(5s);
    expect_outcome(outcome, 2, 2, 0, true);
    EXPECT_EQ(outcome.clients, 3);
    EXPECT_EQ(outcome.acknowledged, 1);
}

TEST(ClusterConversation, TakesAcknowledgementsBeforeTheirCount) {
    Talk talk(Question::kClientAcks, {1, 0});
    talk.hear(client_ack("a", 1), 1ms);
    EXPECT_FALSE(talk.is_over(1ms));
    expect_outcome(talk.outcome(1ms), 1, 0, 0);
    talk.hear(client_count("a", 1), 2ms);
    EXPECT_TRUE(talk.is_over(2ms));
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", "1"}}));
}

TEST(ClusterConversation, TakesMoreAcknowledgementsThanCounted) {
    Talk talk(Question::kClientAcks, {1, 0});
    talk.hear(client_count("a", 1), 1ms);
    talk.hear(client_ack("a", 1), 1ms);
    talk.hear(client_ack("a", 2), 1ms);
    EXPECT_TRUE(talk.is_over(1ms));
    EXPECT_EQ(talk.take_rows().size(), 2U);
    EXPECT_EQ(talk.outcome(1ms).clients, 1);
    EXPECT_EQ(talk.outcome(1ms).acknowledged, 2);
}

TEST(ClusterConversation, DoesNotOffsetServersAgainstEachOther) {
    Talk talk(Question::kClientAcks, {2, 0});
    talk.hear(client_count("a", 1), 1ms);
    talk.hear(client_count("b", 1), 1ms);
    talk.hear(client_ack("a", 1), 1ms);
    talk.hear(client_ack("a", 2), 1ms);
    EXPECT_FALSE(talk.is_over(1ms));
}

TEST(ClusterConversation, TakesACountForWhatItCanBe) {
    Talk talk(Question::kClientAcks, {3, 0});
    talk.hear(client_count("a", -5), 1ms);
    talk.hear(message("b", kClientCount, json::object()), 1ms);
    talk.hear(message("c", kClientCount, {{"clientCount", "3"}}), 1ms);
    EXPECT_TRUE(talk.is_over(1ms));
    expect_outcome(talk.outcome(1ms), 3, 3, 0);
    EXPECT_EQ(talk.outcome(1ms).clients, 0);
}

TEST(ClusterConversation, CountsOfStrangersDoNotOverflow) {
    Talk talk(Question::kClientAcks, {100, 0});
    for (int i = 0; i < 100; ++i) {
        talk.hear(client_count("server " + std::to_string(i), INT64_MAX), 1ms);
    }
    EXPECT_GT(talk.outcome(1ms).clients, 0);
    EXPECT_FALSE(talk.is_over(1ms));
}

TEST(ClusterConversation, ShowsAcknowledgementsThatAreEmpty) {
    Talk talk(Question::kClientAcks, {1, 0});
    talk.hear(message("a", kClientAck, json::object()), 1ms);
    talk.hear(client_ack("a", json::array()), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{"a", std::nullopt}, {"a", "[]"}}));
}

TEST(ClusterConversation, CountsNoClientsForOtherQuestions) {
    Talk talk(Question::kSockets, {1, 0});
    talk.hear(client_count("a", 7), 1ms);
    talk.hear(client_ack("a", 7), 1ms);
    talk.hear(sockets_of("a", {}), 1ms);
    EXPECT_EQ(talk.outcome(1ms).clients, 0);
    EXPECT_EQ(talk.outcome(1ms).acknowledged, 0);
}

}  // namespace
}  // namespace socketio::cluster_conversation_test
