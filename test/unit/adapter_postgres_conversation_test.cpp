#include "protocol/adapter_postgres_conversation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/adapter_postgres_server.h"

namespace socketio::adapter_postgres_conversation_test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using namespace std::string_literals;
using Names = std::vector<std::string>;
using Payloads = std::vector<std::string>;
using Time = Conversation::Time;
using Rows = std::vector<Row>;

#define FFFD "\xEF\xBF\xBD"

constexpr ConversationLimits kLimits{5s, 500ms};
constexpr std::string_view kRequest = "r1";
constexpr std::string_view kSecondRequest = "r1+";
constexpr std::string_view kWanted = "MB7DyTZ_I-Xf0aZzAAAB";
constexpr std::string_view kTopic = "socket.io-response#/#";
constexpr Listeners kUncounted{};

constexpr Question kOfAll[] = {Question::kClients, Question::kRooms, Question::kCustom};
constexpr Question kOfOne[] = {Question::kClientRooms, Question::kCommand};
constexpr Question kQuestions[] = {Question::kClients, Question::kRooms, Question::kCustom, Question::kClientRooms,
                                   Question::kCommand};

// A conversation about kRequest, without the clock: whoever hears says when. Meanwhile it does what those do who hold one: it
// looks when it is told to.
class Talk {
  public:
    explicit Talk(Question question, Listeners listeners = kUncounted, ConversationLimits limits = kLimits,
                  std::string_view topic = kTopic)
        : conversation_({question, "/", kWanted, kRequest, limits}, topic, listeners) {}

    // A payload as it is.
    void hear_payload(std::string_view payload, Time now) {
        pass_time(now);
        EXPECT_EQ(conversation_.hear(payload, now), "");
    }

    // A text as a server sends it.
    void hear_text(const std::string& text, Time now, std::string_view topic = kTopic) {
        for (const std::string& payload : publish(topic, text)) {
            hear_payload(payload, now);
        }
    }

    void hear(const json& answer, Time now) { hear_text(answer.dump(), now); }

    bool is_over(Time now) const { return conversation_.is_over(now); }
    bool has_found() const { return conversation_.has_found(); }
    bool has_row() const { return conversation_.has_row(); }
    Time next_look(Time now) const { return conversation_.next_look(now); }
    Outcome outcome(Time now) const { return conversation_.outcome(now); }

    Rows take_rows() {
        Rows rows;
        while (const Row* row = conversation_.next_row()) {
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

    AdapterPostgresConversation conversation_;
    Time now_{0};
};

json clients(const Names& ids, std::string_view request = kRequest) {
    return {{"requestid", request}, {"clients", ids}};
}
json rooms(const Names& names, std::string_view request = kRequest) {
    return {{"requestid", request}, {"rooms", names}};
}
json reply(const json& data) { return {{"requestid", kRequest}, {"data", data}}; }
json confirmation(std::string_view request = kSecondRequest) { return {{"requestid", request}}; }

const json kHasIt = clients({std::string(kWanted)});
const json kHasItNot = clients({});

// An answer to `question`, from a server that does not have the wanted socket.
json answer(Question question) {
    switch (question) {
        case Question::kRooms:
            return rooms({"a"});
        case Question::kCustom:
            return reply(1);
        default:
            return clients({});
    }
}

Row client_row(const std::string& id) { return {std::nullopt, id, std::nullopt, std::nullopt}; }

Row rooms_row(std::optional<std::string> id, const Names& rooms) {
    Row row = {std::nullopt, std::move(id), std::nullopt, std::nullopt};
    row.insert(row.end(), rooms.begin(), rooms.end());
    return row;
}

Row wanted_row(const Names& rooms) { return rooms_row(std::string(kWanted), rooms); }

// Before the end, too.
void expect_counts(const Outcome& outcome, int servers, int answered, bool unconfirmed = false) {
    EXPECT_EQ(outcome.servers, servers);
    EXPECT_EQ(outcome.answered, answered);
    EXPECT_EQ(outcome.unconfirmed, unconfirmed);
    EXPECT_EQ(outcome.unreadable, 0);
    EXPECT_EQ(outcome.clients, 0);
    EXPECT_EQ(outcome.acknowledged, 0);
}

void expect_outcome(const Outcome& outcome, int servers, int answered, int silent = 0) {
    expect_counts(outcome, servers, answered);
    EXPECT_EQ(outcome.silent, silent);
    EXPECT_FALSE(outcome.timed_out);
    EXPECT_EQ(outcome.is_complete(), silent == 0);
}

void expect_timeout(const Outcome& outcome, int servers, int answered, bool unconfirmed = false) {
    expect_counts(outcome, servers, answered, unconfirmed);
    EXPECT_EQ(outcome.silent, 0);
    EXPECT_TRUE(outcome.timed_out);
    EXPECT_FALSE(outcome.is_complete());
}

// Nobody is there.

TEST(AdapterPostgresConversation, GivesUpOnNobodySoon) {
    for (const Question question : kQuestions) {
        Talk talk(question);
        EXPECT_FALSE(talk.is_over(0us));
        EXPECT_EQ(talk.end(), 200ms);
        EXPECT_FALSE(talk.has_row());
        expect_outcome(talk.outcome(200ms), 0, 0);
        expect_outcome(talk.outcome(5s), 0, 0);
    }
}

TEST(AdapterPostgresConversation, WaitsForNobodyLongerThanTheTimeout) {
    for (const Listeners listeners : {Listeners{0, 0}, Listeners{2, 0}, Listeners{0, 2}, Listeners{2, 2}}) {
        Talk talk(Question::kClients, listeners, {100ms, 100ms});
        EXPECT_EQ(talk.end(), 100ms);
        // It is not known that nobody is there.
        expect_timeout(talk.outcome(100ms), listeners.sure, 0);
    }
}

TEST(AdapterPostgresConversation, TimesOutOnlyWhileItIsUnknownWhoIsThere) {
    Talk talk(Question::kClients, kUncounted, {200ms, 200ms});
    EXPECT_EQ(talk.end(), 200ms);
    expect_outcome(talk.outcome(200ms), 0, 0);
}

// As many are known to listen.

TEST(AdapterPostgresConversation, IsOverWithTheLastAnswer) {
    for (const Question question : kQuestions) {
        Talk talk(question, {2, 0});
        talk.hear(answer(question), 3ms);
        EXPECT_FALSE(talk.is_over(3ms));
        EXPECT_FALSE(talk.is_over(4s));
        talk.hear(answer(question), 4s);
        EXPECT_TRUE(talk.is_over(4s));
        expect_outcome(talk.outcome(4s), 2, 2);
        expect_outcome(talk.outcome(5s), 2, 2);
    }
}

TEST(AdapterPostgresConversation, WaitsForTheSilentUntilTheTimeout) {
    for (const Question question : kQuestions) {
        Talk nobody(question, {2, 0});
        EXPECT_EQ(nobody.end(), 5s);
        expect_counts(nobody.outcome(4999ms), 2, 0);
        expect_timeout(nobody.outcome(5s), 2, 0);
        Talk one(question, {2, 0});
        one.hear(answer(question), 1ms);
        EXPECT_EQ(one.end(), 5s);
        expect_timeout(one.outcome(5s), 2, 1);
    }
}

TEST(AdapterPostgresConversation, TakesMoreAnswersThanExpected) {
    Talk talk(Question::kCustom, {1, 0});
    talk.hear(reply(1), 1ms);
    EXPECT_TRUE(talk.is_over(1ms));
    talk.hear(reply(2), 1ms);
    EXPECT_TRUE(talk.is_over(1ms));
    EXPECT_EQ(talk.take_rows().size(), 2U);
    expect_outcome(talk.outcome(1ms), 2, 2);
}

TEST(AdapterPostgresConversation, WaitsForManyServers) {
    constexpr int kServers = 500;
    Talk talk(Question::kClients, {kServers, 0});
    for (int i = 0; i < kServers; ++i) {
        EXPECT_FALSE(talk.is_over(2ms));
        talk.hear(clients({"socket " + std::to_string(i)}), 2ms);
    }
    EXPECT_TRUE(talk.is_over(2ms));
    EXPECT_EQ(talk.take_rows().size(), std::size_t{kServers});
    expect_outcome(talk.outcome(2ms), kServers, kServers);
}

// Others may listen.

TEST(AdapterPostgresConversation, WaitsForWhoMightListenOnlySoLong) {
    for (const Question question : kQuestions) {
        Talk nobody(question, {0, 2});
        EXPECT_EQ(nobody.end(), 500ms);
        expect_outcome(nobody.outcome(500ms), 0, 0, 2);
        expect_outcome(nobody.outcome(5s), 0, 0, 2);
        Talk one(question, {0, 2});
        one.hear(answer(question), 1ms);
        EXPECT_EQ(one.end(), 500ms);
        expect_outcome(one.outcome(500ms), 1, 1, 1);
        Talk sure(question, {2, 2});
        sure.hear(answer(question), 1ms);
        sure.hear(answer(question), 2ms);
        EXPECT_EQ(sure.end(), 500ms);
        expect_outcome(sure.outcome(500ms), 2, 2, 2);
    }
}

TEST(AdapterPostgresConversation, WaitsForNobodyElseWhenAllWhoMightListenHaveAnswered) {
    for (const Listeners listeners : {Listeners{0, 2}, Listeners{1, 1}, Listeners{2, 0}}) {
        Talk talk(Question::kRooms, listeners);
        talk.hear(rooms({}), 1ms);
        EXPECT_FALSE(talk.is_over(1ms));
        talk.hear(rooms({}), 2ms);
        EXPECT_TRUE(talk.is_over(2ms));
        expect_outcome(talk.outcome(2ms), 2, 2);
    }
}

// Who has answered does not show, only how many have.
TEST(AdapterPostgresConversation, WaitsForTheSureUntilTheTimeoutWhoeverElseAnswers) {
    Talk talk(Question::kCustom, {2, 3});
    talk.hear(reply(1), 1ms);
    EXPECT_EQ(talk.end(), 5s);
    expect_timeout(talk.outcome(5s), 2, 1);
    talk.hear(reply(2), 3s);
    EXPECT_EQ(talk.end(), 3500ms) << "for the others it has to be quiet";
    expect_outcome(talk.outcome(3500ms), 2, 2, 3);
}

// Every server has "/", whatever its connection is named after.
TEST(AdapterPostgresConversation, WaitsForAllInTheMainNamespace) {
    for (const Question question : kQuestions) {
        for (const Listeners listeners : {Listeners{0, 2, true}, Listeners{1, 1, true}, Listeners{2, 0, true}}) {
            Talk nobody(question, listeners);
            EXPECT_EQ(nobody.end(), 5s);
            expect_timeout(nobody.outcome(5s), 2, 0);
            Talk one(question, listeners);
            one.hear(answer(question), 1ms);
            EXPECT_EQ(one.end(), 5s);
            expect_timeout(one.outcome(5s), 2, 1);
            one.hear(answer(question), 4s);
            EXPECT_TRUE(one.is_over(4s));
            expect_outcome(one.outcome(5s), 2, 2);
        }
        Talk nobody(question, {0, 0, true});
        EXPECT_EQ(nobody.end(), 200ms);
        expect_outcome(nobody.outcome(200ms), 0, 0);
    }
}

// Four times what the slowest took, but no less than 200 ms and no more than the patience.
TEST(AdapterPostgresConversation, WaitsForQuietIfNobodyWasCounted) {
    for (const auto& [heard, end] : std::vector<std::pair<Time, Time>>{
             {0us, 200ms}, {12500us, 212500us}, {50ms, 250ms}, {50001us, 250005us}, {125ms, 625ms}, {180ms, 680ms}}) {
        Talk talk(Question::kCustom);
        talk.hear(reply(1), heard);
        EXPECT_FALSE(talk.is_over(heard));
        EXPECT_EQ(talk.end(), end);
        expect_outcome(talk.outcome(end), 1, 1);
    }
}

TEST(AdapterPostgresConversation, IsQuietOnlySinceTheLastAnswer) {
    Talk talk(Question::kCustom);
    talk.hear(reply(1), 1ms);
    talk.hear(reply(2), 60ms);
    EXPECT_EQ(talk.end(), 300ms);
    talk.hear_text("noise", 200ms);
    talk.hear(clients({}, "r2"), 250ms);
    EXPECT_EQ(talk.end(), 300ms) << "that was none";
    talk.hear(reply(3), 290ms);
    EXPECT_EQ(talk.end(), 790ms);
}

TEST(AdapterPostgresConversation, WaitsForWhoMightListenUntilItIsQuiet) {
    for (const auto& [heard, end] : std::vector<std::pair<Time, Time>>{
             {1ms, 500ms}, {99ms, 500ms}, {100ms, 500ms}, {101ms, 505ms}, {200ms, 700ms}, {480ms, 980ms}}) {
        for (const Listeners listeners : {Listeners{1, 1}, Listeners{0, 2}}) {
            Talk talk(Question::kCustom, listeners);
            talk.hear(reply(1), heard);
            EXPECT_EQ(talk.end(), end) << listeners.sure;
            expect_outcome(talk.outcome(end), 1, 1, 1);
        }
    }
}

// Where all have answered who are known, it is for the others alone that it has to be quiet.
TEST(AdapterPostgresConversation, WaitsForLessQuietWhereTheKnownHaveAnswered) {
    Talk known(Question::kCustom, {1, 1}, {5s, 10ms});
    known.hear(reply(1), 5ms);
    EXPECT_EQ(known.end(), 55ms);
    Talk unknown(Question::kCustom, {0, 2}, {5s, 10ms});
    unknown.hear(reply(1), 5ms);
    EXPECT_EQ(unknown.end(), 205ms);
    Talk late(Question::kCustom, {1, 1}, {5s, 10ms});
    late.hear(reply(1), 4s);
    EXPECT_EQ(late.end(), 4050ms);
}

// The timeout.

TEST(AdapterPostgresConversation, EndsWithTheTimeoutThoughOthersKeepComing) {
    Talk talk(Question::kCustom, kUncounted, {100ms, 100ms});
    for (int i = 0; i < 100; ++i) {
        talk.hear(reply(i), Time(i * 1000));
        EXPECT_FALSE(talk.is_over(Time(i * 1000)));
    }
    EXPECT_TRUE(talk.is_over(100ms));
    EXPECT_EQ(talk.take_rows().size(), 100U);
    expect_timeout(talk.outcome(100ms), 100, 100);
}

TEST(AdapterPostgresConversation, TakesATimeoutBeyondCounting) {
    Talk talk(Question::kCustom, {2, 0}, {Time::max(), 500ms});
    talk.hear(reply(1), 1ms);
    EXPECT_FALSE(talk.is_over(std::chrono::hours(24 * 365)));
    EXPECT_EQ(talk.next_look(std::chrono::hours(24)), Time::max());
}

TEST(AdapterPostgresConversation, LooksWhenSomethingMayHaveEnded) {
    Talk talk(Question::kCustom, {1, 1});
    EXPECT_EQ(talk.next_look(0us), 50ms);
    EXPECT_EQ(talk.next_look(50ms), 500ms);
    EXPECT_EQ(talk.next_look(500ms), 5s);
    talk.hear(reply(1), 200ms);
    EXPECT_EQ(talk.next_look(200ms), 500ms);
    EXPECT_EQ(talk.next_look(500ms), 700ms);
}

// One socket.

TEST(AdapterPostgresConversation, IsOverWhenWhoHasTheSocketHasAnswered) {
    for (const Question question : kOfOne) {
        Talk talk(question, {3, 0});
        talk.hear(clients({"MB7DyTZ_I-Xf0aZzAAAC", "MB7DyTZ_I-Xf0aZzAAA", "MB7DyTZ_I-Xf0aZzAAABB"}), 1ms);
        EXPECT_FALSE(talk.has_found()) << "these are others";
        talk.hear(kHasIt, 2ms);
        EXPECT_TRUE(talk.has_found());
        EXPECT_FALSE(talk.has_row());
        EXPECT_FALSE(talk.is_over(2ms));
        talk.hear(rooms({"a", "b"}, kSecondRequest), 3ms);
        EXPECT_TRUE(talk.has_found());
        EXPECT_TRUE(talk.is_over(3ms)) << "whoever else has not answered";
        EXPECT_EQ(talk.take_rows(), Rows{wanted_row({"a", "b"})});
        expect_outcome(talk.outcome(3ms), 3, 2);
        expect_outcome(talk.outcome(5s), 3, 2);
    }
}

TEST(AdapterPostgresConversation, TakesAConfirmationWithoutRooms) {
    for (const Question question : kOfOne) {
        Talk talk(question, {1, 0});
        talk.hear(kHasIt, 1ms);
        talk.hear(confirmation(), 2ms);
        EXPECT_TRUE(talk.is_over(2ms));
        EXPECT_EQ(talk.take_rows(), Rows{wanted_row({})});
        expect_outcome(talk.outcome(2ms), 1, 1);
    }
}

TEST(AdapterPostgresConversation, FindsTheSocketNowhere) {
    for (const Question question : kOfOne) {
        Talk talk(question, {2, 0});
        talk.hear(kHasItNot, 1ms);
        EXPECT_FALSE(talk.is_over(1ms));
        talk.hear(clients({"other"}), 2ms);
        EXPECT_TRUE(talk.is_over(2ms));
        EXPECT_FALSE(talk.has_found());
        EXPECT_FALSE(talk.has_row());
        expect_outcome(talk.outcome(2ms), 2, 2);
    }
}

TEST(AdapterPostgresConversation, DoesNotKnowOfTheSocketWhereSomebodyIsSilent) {
    for (const Question question : kOfOne) {
        Talk talk(question, {2, 0});
        talk.hear(kHasItNot, 1ms);
        EXPECT_EQ(talk.end(), 5s);
        EXPECT_FALSE(talk.has_found());
        expect_timeout(talk.outcome(5s), 2, 1);
    }
}

TEST(AdapterPostgresConversation, WaitsForTheConfirmationUntilTheTimeout) {
    for (const Question question : kOfOne) {
        for (const Listeners listeners : {Listeners{0, 0}, Listeners{1, 0}, Listeners{0, 1}, Listeners{1, 1}}) {
            Talk talk(question, listeners);
            talk.hear(kHasIt, 1ms);
            EXPECT_TRUE(talk.has_found());
            EXPECT_EQ(talk.end(), 5s) << "though all have answered whether they have it";
            EXPECT_FALSE(talk.has_row());
            const bool unconfirmed = question == Question::kCommand;
            expect_counts(talk.outcome(4999ms), 1, 0, unconfirmed);
            expect_timeout(talk.outcome(5s), 1, 0, unconfirmed);
            talk.hear(confirmation(), 4s);
            EXPECT_TRUE(talk.is_over(4s));
            expect_outcome(talk.outcome(4s), 1, 1);
            expect_outcome(talk.outcome(5s), 1, 1);
        }
    }
}

TEST(AdapterPostgresConversation, CountsTheOthersWhileAConfirmationIsMissing) {
    Talk talk(Question::kCommand, {3, 0});
    talk.hear(kHasIt, 1ms);
    talk.hear(kHasItNot, 2ms);
    expect_counts(talk.outcome(2ms), 3, 1, true);
    talk.hear(kHasItNot, 3ms);
    expect_timeout(talk.outcome(5s), 3, 2, true);
    talk.hear(confirmation(), 4ms);
    expect_outcome(talk.outcome(4ms), 3, 3);
}

// It may be theirs.
TEST(AdapterPostgresConversation, DoesNotKnowOfTheSocketWhereOneWhoMightListenIsSilent) {
    for (const Question question : kOfOne) {
        Talk talk(question, {1, 1});
        talk.hear(kHasItNot, 1ms);
        EXPECT_EQ(talk.end(), 500ms);
        EXPECT_FALSE(talk.has_found());
        expect_outcome(talk.outcome(500ms), 1, 1, 1);
        talk.hear(rooms({}, kSecondRequest), 400ms);
        expect_outcome(talk.outcome(400ms), 1, 1, 0);
    }
}

// Both requests leave at once, and pools of connections send the answers.
TEST(AdapterPostgresConversation, TakesTheSecondAnswerBeforeTheFirst) {
    for (const Question question : kOfOne) {
        Talk talk(question, {2, 0});
        talk.hear(rooms({"a"}, kSecondRequest), 1ms);
        EXPECT_TRUE(talk.has_found());
        EXPECT_TRUE(talk.is_over(1ms));
        EXPECT_EQ(talk.take_rows(), Rows{wanted_row({"a"})});
        expect_outcome(talk.outcome(1ms), 2, 0);
        talk.hear(kHasIt, 2ms);
        EXPECT_TRUE(talk.is_over(2ms));
        EXPECT_FALSE(talk.has_row());
        expect_outcome(talk.outcome(2ms), 2, 1);
        expect_outcome(talk.outcome(5s), 2, 1);
    }
}

TEST(AdapterPostgresConversation, TakesTheSecondAnswerOnce) {
    for (const Question question : kOfOne) {
        Talk talk(question, {2, 0});
        talk.hear(rooms({"a"}, kSecondRequest), 1ms);
        talk.hear(rooms({"b"}, kSecondRequest), 1ms);
        talk.hear(confirmation(), 1ms);
        EXPECT_EQ(talk.take_rows(), Rows{wanted_row({"a"})});
    }
}

// Questions of all sockets ask nothing twice.
TEST(AdapterPostgresConversation, HasNoSecondAnswerToOtherQuestions) {
    for (const Question question : kOfAll) {
        Talk talk(question, {1, 0});
        talk.hear(rooms({"a"}, kSecondRequest), 1ms);
        talk.hear(clients({std::string(kWanted)}, kSecondRequest), 1ms);
        EXPECT_FALSE(talk.has_found());
        EXPECT_FALSE(talk.has_row());
        EXPECT_FALSE(talk.is_over(1ms));
        expect_counts(talk.outcome(1ms), 1, 0);
    }
}

TEST(AdapterPostgresConversation, FindsNothingForOtherQuestions) {
    for (const Question question : kOfAll) {
        Talk talk(question, {1, 0});
        talk.hear(kHasIt, 1ms);
        EXPECT_FALSE(talk.has_found());
        EXPECT_TRUE(talk.is_over(1ms));
    }
}

// Rows.

TEST(AdapterPostgresConversation, ShowsClientsOnce) {
    Talk talk(Question::kClients, {3, 0});
    talk.hear(clients({"a", "b", "a"}), 1ms);
    talk.hear(clients({}), 1ms);
    talk.hear(clients({"b", "c", ""}), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{client_row("a"), client_row("b"), client_row("c"), client_row("")}));
}

TEST(AdapterPostgresConversation, ShowsTheRoomsOfEveryServer) {
    Talk talk(Question::kRooms, {3, 0});
    talk.hear(rooms({"a", "b"}), 1ms);
    talk.hear(rooms({}), 1ms);
    talk.hear(rooms({"b", ""}), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{rooms_row(std::nullopt, {"a", "b"}), rooms_row(std::nullopt, {}),
                                      rooms_row(std::nullopt, {"b", ""})}));
}

TEST(AdapterPostgresConversation, ShowsWhatWasCalledBackWith) {
    Talk talk(Question::kCustom, {4, 0});
    talk.hear(reply({{"k", {1, "\xC3\xA9"}}}), 1ms);
    talk.hear(reply(nullptr), 1ms);
    talk.hear(confirmation(kRequest), 1ms);
    talk.hear(reply(nullptr), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, "{\"k\":[1,\"\xC3\xA9\"]}"},
                                      {std::nullopt, "null"},
                                      {std::nullopt, std::nullopt},
                                      {std::nullopt, "null"}}));
    EXPECT_TRUE(talk.is_over(1ms));
}

TEST(AdapterPostgresConversation, GivesRowsAsTheyCome) {
    Talk talk(Question::kCustom, {5, 0});
    EXPECT_FALSE(talk.has_row());
    EXPECT_TRUE(talk.take_rows().empty());
    talk.hear(reply(1), 1ms);
    EXPECT_TRUE(talk.has_row());
    EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, "1"}}));
    EXPECT_FALSE(talk.has_row());
    talk.hear(reply(2), 1ms);
    talk.hear(reply(3), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, "2"}, {std::nullopt, "3"}}));
}

// A server that answers in another way has answered.
TEST(AdapterPostgresConversation, CountsAnswersThatLackWhatWasAsked) {
    for (const Question question : kQuestions) {
        Talk talk(question, {3, 0});
        talk.hear({{"requestid", kRequest}}, 1ms);
        talk.hear({{"requestid", kRequest}, {"clients", "text"}, {"rooms", 7}}, 1ms);
        talk.hear({{"requestid", kRequest}, {"clients", {{"0", kWanted}}}, {"rooms", {{"a", true}}}}, 1ms);
        EXPECT_TRUE(talk.is_over(1ms));
        EXPECT_FALSE(talk.has_found());
        expect_outcome(talk.outcome(1ms), 3, 3);
    }
}

// Whom it listens to.

TEST(AdapterPostgresConversation, IgnoresOtherTopics) {
    for (const Question question : kQuestions) {
        Talk talk(question, {1, 0});
        for (const char* topic :
             {"", "socket.io-response#/", "socket.io-response#/#x", "socket.io-response#/x#", "socket.io-request#/#",
              "socket.io#/#", "Socket.io-response#/#", " socket.io-response#/#", "socket.io-response#//#"}) {
            talk.hear_text(kHasIt.dump(), 1ms, topic);
            talk.hear_text(rooms({}, kSecondRequest).dump(), 1ms, topic);
        }
        EXPECT_FALSE(talk.has_row());
        EXPECT_FALSE(talk.has_found());
        expect_counts(talk.outcome(1ms), 1, 0);
    }
}

TEST(AdapterPostgresConversation, KnowsItsTopicHoweverItIsWritten) {
    constexpr std::string_view kOther = "\xC3\xA9-response#/\"\\\xF0\x9F\x98\x80#";
    Talk talk(Question::kCustom, {2, 0}, kLimits, kOther);
    talk.hear_text(reply(1).dump(), 1ms, kOther);
    talk.hear_payload(R"( ["\u00e9\u002dresponse#\/\u0022\u005c\ud83d\ude00#" , "{\"requestid\":\"r1\",\"data\":2}"])",
                      1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, "1"}, {std::nullopt, "2"}}));
}

TEST(AdapterPostgresConversation, IgnoresOtherRequests) {
    for (const Question question : kQuestions) {
        Talk talk(question, {1, 0});
        for (const char* request : {"r2", "", "r1 ", "R1", "r1++", "r", "r1-"}) {
            talk.hear(clients({std::string(kWanted)}, request), 1ms);
            talk.hear(rooms({"a"}, request), 1ms);
        }
        talk.hear({{"clients", {kWanted}}, {"rooms", {"a"}}, {"data", 1}}, 1ms);
        talk.hear({{"requestid", {kRequest}}}, 1ms);
        EXPECT_FALSE(talk.has_row());
        EXPECT_FALSE(talk.has_found());
        expect_counts(talk.outcome(1ms), 1, 0);
    }
}

TEST(AdapterPostgresConversation, IgnoresNoise) {
    Talk talk(Question::kCustom, {1, 0});
    const std::string text = reply(1).dump();
    for (const std::string& payload :
         {""s, "hello"s, "{"s, "[]"s, text, R"(["socket.io-response#/#"])"s, R"(["socket.io-response#/#",7])"s,
          json({std::string(kTopic), reply(1)}).dump(), json({text, std::string(kTopic)}).dump(),
          R"(["socket.io-response#/#","\x"])"s, "[\"socket.io-response#/#\",\"\n\"]"s}) {
        talk.hear_payload(payload, 1ms);
    }
    for (const std::string& noise : {""s, "hello"s, "null"s, "7"s, "[" + text + "]", text + "x", text.substr(1),
                                     text.substr(0, text.size() - 1), std::string(100'000, '[')}) {
        talk.hear_text(noise, 1ms);
    }
    EXPECT_FALSE(talk.has_row());
    expect_counts(talk.outcome(1ms), 1, 0);
    EXPECT_EQ(talk.end(), 5s);
}

TEST(AdapterPostgresConversation, TakesNothingFromWhatIsCutOff) {
    const std::string payload = publish(kTopic, reply("text").dump()).front();
    Talk talk(Question::kCustom, {1, 0});
    for (std::size_t size = 0; size < payload.size(); ++size) {
        talk.hear_payload(payload.substr(0, size), 1ms);
    }
    EXPECT_FALSE(talk.has_row());
    talk.hear_payload(payload, 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, R"("text")"}}));
}

// Texts in pieces.

json long_reply(char letter) { return reply(std::string(12'000, letter)); }
Row long_row(char letter) { return {std::nullopt, "\"" + std::string(12'000, letter) + "\""}; }

// A payload that says to be a piece.
std::string piece_payload(const std::string& header, const std::string& piece) {
    std::string text = header;
    text.resize(50, ' ');
    return json({std::string(kTopic), text + piece}).dump();
}

TEST(AdapterPostgresConversation, PutsPiecesTogether) {
    Talk talk(Question::kCustom, {1, 0});
    const Payloads pieces = publish(kTopic, long_reply('x').dump());
    ASSERT_EQ(pieces.size(), 3U);
    for (const std::string& piece : pieces) {
        EXPECT_FALSE(talk.has_row());
        EXPECT_FALSE(talk.is_over(1ms));
        expect_counts(talk.outcome(1ms), 1, 0);
        talk.hear_payload(piece, 1ms);
    }
    EXPECT_TRUE(talk.is_over(1ms));
    EXPECT_EQ(talk.take_rows(), Rows{long_row('x')});
    expect_outcome(talk.outcome(1ms), 1, 1);
}

// Each piece leaves by whichever connection of the server's pool is free.
TEST(AdapterPostgresConversation, TakesPiecesInAnyOrder) {
    Payloads pieces = publish(kTopic, long_reply('x').dump());
    std::sort(pieces.begin(), pieces.end());
    do {
        Talk talk(Question::kCustom, {1, 0});
        for (const std::string& piece : pieces) {
            talk.hear_payload(piece, 1ms);
        }
        EXPECT_EQ(talk.take_rows(), Rows{long_row('x')});
    } while (std::next_permutation(pieces.begin(), pieces.end()));
}

TEST(AdapterPostgresConversation, TakesThePiecesOfManyTextsAtOnce) {
    Talk talk(Question::kCustom, {4, 0});
    const Payloads a = publish(kTopic, long_reply('a').dump(), "A");
    const Payloads b = publish(kTopic, long_reply('b').dump(), "B");
    const Payloads c = publish(kTopic, long_reply('c').dump(), "AB");
    for (const std::string& piece : {a[0], b[2], c[1], b[0], a[1], c[0], b[1]}) {
        talk.hear_payload(piece, 1ms);
    }
    EXPECT_EQ(talk.take_rows(), Rows{long_row('b')});
    talk.hear(reply(1), 1ms);
    talk.hear_payload(c[2], 1ms);
    talk.hear_payload(a[2], 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, "1"}, long_row('c'), long_row('a')}));
    EXPECT_TRUE(talk.is_over(1ms));
}

TEST(AdapterPostgresConversation, TakesAPieceOnce) {
    Talk talk(Question::kCustom, {2, 0});
    const Payloads x = publish(kTopic, long_reply('x').dump(), "A");
    const Payloads y = publish(kTopic, long_reply('y').dump(), "A");
    for (const std::string& piece : {x[0], x[0], y[0], x[1], x[1], y[1], x[2]}) {
        EXPECT_FALSE(talk.has_row());
        talk.hear_payload(piece, 1ms);
    }
    EXPECT_EQ(talk.take_rows(), Rows{long_row('x')});
    EXPECT_FALSE(talk.is_over(1ms));
    for (const std::string& piece : y) {
        talk.hear_payload(piece, 1ms);
    }
    EXPECT_EQ(talk.take_rows(), Rows{long_row('y')}) << "another text under the same id";
}

TEST(AdapterPostgresConversation, TakesAPieceForNoAnswer) {
    Talk talk(Question::kCustom, {1, 0});
    const Payloads pieces = publish(kTopic, long_reply('x').dump());
    talk.hear_payload(pieces[0], 1ms);
    talk.hear_payload(pieces[2], 1ms);
    EXPECT_EQ(talk.end(), 5s);
    expect_timeout(talk.outcome(5s), 1, 0);
    EXPECT_FALSE(talk.has_row());
}

// Somebody is about to answer.
TEST(AdapterPostgresConversation, WaitsForTheRestOfATextAsForWhoMightListen) {
    const Payloads pieces = publish(kTopic, long_reply('x').dump());
    for (const Listeners listeners : {Listeners{0, 0}, Listeners{0, 2}, Listeners{1, 1}}) {
        Talk talk(Question::kCustom, listeners);
        if (listeners.sure > 0) {
            talk.hear(reply(1), 1ms);
        }
        talk.hear_payload(pieces[1], 150ms);
        EXPECT_EQ(talk.end(), 650ms);
        talk.hear_payload(pieces[0], 600ms);
        EXPECT_EQ(talk.end(), 1100ms);
        talk.hear_payload(pieces[0], 700ms);
        EXPECT_EQ(talk.end(), 1100ms) << "it was heard before";
        talk.hear_payload(publish("socket.io-response#/x#", long_reply('x').dump(), "x").front(), 800ms);
        talk.hear_payload(piece_payload("_chunk_a_7_1", ""), 800ms);
        EXPECT_EQ(talk.end(), 1100ms) << "these are none";
        expect_outcome(talk.outcome(1100ms), listeners.sure, listeners.sure, listeners.possible);
        talk.hear_payload(pieces[2], 1s);
        EXPECT_EQ(talk.take_rows().back(), long_row('x'));
        expect_counts(talk.outcome(1s), 1 + listeners.sure, 1 + listeners.sure);
    }
}

TEST(AdapterPostgresConversation, WaitsNoLongerWhenATextIsComplete) {
    Talk talk(Question::kCustom, {1, 2});
    talk.hear(reply(1), 1ms);
    const Payloads pieces = publish(kTopic, long_reply('x').dump());
    talk.hear_payload(pieces[0], 20ms);
    talk.hear_payload(pieces[1], 20ms);
    EXPECT_EQ(talk.end(), 520ms);
    EXPECT_EQ(talk.next_look(20ms), 51ms);
    EXPECT_EQ(talk.next_look(51ms), 520ms);
    talk.hear_payload(pieces[2], 21ms);
    EXPECT_EQ(talk.end(), 500ms);
    expect_outcome(talk.outcome(500ms), 2, 2, 1);
}

TEST(AdapterPostgresConversation, WaitsForTheRestOfATextNoLongerThanTheTimeout) {
    Talk talk(Question::kCustom, kUncounted, {600ms, 500ms});
    for (int i = 0; i < 60; ++i) {
        talk.hear_payload(piece_payload("_chunk_a_" + std::to_string(i) + "_1000", "x"), i * 10ms + 1us);
        EXPECT_EQ(talk.end(), std::min<Time>(i * 10ms + 1us + 500ms, 600ms));
    }
    expect_timeout(talk.outcome(600ms), 0, 0);
}

TEST(AdapterPostgresConversation, WaitsForNoRestWhereAllHaveAnswered) {
    Talk talk(Question::kCustom, {1, 1});
    talk.hear_payload(publish(kTopic, long_reply('x').dump()).front(), 1ms);
    talk.hear(reply(1), 2ms);
    EXPECT_FALSE(talk.is_over(2ms));
    talk.hear(reply(2), 3ms);
    EXPECT_TRUE(talk.is_over(3ms));
    expect_outcome(talk.outcome(3ms), 2, 2);
}

// Unlike the others, of the half of a character that is the first of its piece only an escape sequence is left.
TEST(AdapterPostgresConversation, PutsCharactersTogetherThatWereCutInTwo) {
    for (const std::size_t before : {4900, 4965, 4966, 4967, 4968, 4969, 4970, 4971, 4972}) {
        const std::string text = std::string(before, 'x') + "\xF0\x9F\x98\x80" + std::string(5000, 'y');
        Talk talk(Question::kCustom, {1, 0});
        talk.hear(reply(text), 1ms);
        EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, json(text).dump()}}));
    }
}

TEST(AdapterPostgresConversation, ReadsWhatTheAdapterSends) {
    const std::string before = R"({"requestid":"r1","data":")";
    const std::string whole =
        before + std::string(4999 - before.size(), 'x') + "\xF0\x9F\x98\x80" + std::string(4000, 'y') + "\"}";
    const Payloads pieces = publish(kTopic, whole, "aB3xY9");
    ASSERT_EQ(pieces.size(), 2U);
    EXPECT_EQ(pieces[0].substr(pieces[0].size() - 10), R"(xx\ud83d"])");
    EXPECT_EQ(pieces[1].substr(0, 84),
              R"(["socket.io-response#/#","_chunk_aB3xY9_1_2                                 \ude00yy)");
    Talk talk(Question::kCustom, {1, 0});
    talk.hear_payload(pieces[0], 1ms);
    talk.hear_payload(pieces[1], 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, whole.substr(before.size() - 1, whole.size() - before.size())}}));
}

TEST(AdapterPostgresConversation, ReplacesHalvesOfCharacters) {
    Talk talk(Question::kCustom, {2, 0});
    talk.hear_payload(R"(["socket.io-response#/#","{\"requestid\":\"r1\",\"data\":\"\ud83d\"}"])", 1ms);
    talk.hear_payload(R"(["socket.io-response#/#","{\"requestid\":\"r1\",\"data\":\"\\ud83d\\u0000\"}"])", 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, "\"" FFFD "\""}, {std::nullopt, "\"" FFFD FFFD "\""}}));
}

TEST(AdapterPostgresConversation, TakesPiecesThatCutEscapesInTwo) {
    const std::string text = "{\"requestid\":\"r1\",\"data\":\"" + std::string(4000, 'x') + R"(\"\\\u0001\ud800)" +
                             std::string(6000, 'y') + "\"}";
    for (std::size_t piece = 4020; piece < 4050; ++piece) {
        Talk talk(Question::kCustom, {1, 0});
        for (const std::string& payload : publish(kTopic, text, "id", {8000, piece})) {
            talk.hear_payload(payload, 1ms);
        }
        EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, "\"" + std::string(4000, 'x') + "\\\"\\\\\\u0001" FFFD +
                                                             std::string(6000, 'y') + "\""}}));
    }
}

// Pieces from strangers.

TEST(AdapterPostgresConversation, IgnoresPiecesThatAreNone) {
    const std::string text = reply(1).dump();
    for (const char* header : {"_chunk_", "_chunk_a", "_chunk_a_0", "_chunk_a_0_0", "_chunk_a_1_1", "_chunk_a_7_1",
                               "_chunk_a_0_-1", "_chunk_a_-1_1", "_chunk_a_0_x", "_chunk_a_x_1", "_chunk_0_1",
                               "_chunk_a_99999999999999999999_1", "_chunk_a_0_99999999999999999999"}) {
        Talk talk(Question::kCustom, {1, 0});
        talk.hear_payload(piece_payload(header, text), 1ms);
        EXPECT_FALSE(talk.has_row()) << header;
    }
    Talk talk(Question::kCustom, {1, 0});
    talk.hear_payload(piece_payload("_chunk_a_0_1", text), 1ms);
    EXPECT_TRUE(talk.has_row()) << "one of one is";
}

TEST(AdapterPostgresConversation, SurvivesPiecesThatDoNotAgree) {
    Talk talk(Question::kCustom, {3, 0});
    const std::string text = reply(1).dump();
    talk.hear_payload(piece_payload("_chunk_a_1_2", text.substr(10)), 1ms);
    talk.hear_payload(piece_payload("_chunk_a_5_7", "!"), 1ms);
    talk.hear_payload(piece_payload("_chunk_a_0_2", text.substr(0, 10)), 1ms);
    talk.hear_payload(piece_payload("_chunk_b_0_18446744073709551615", text), 1ms);
    talk.hear_payload(piece_payload("_chunk_b_18446744073709551614_18446744073709551615", ""), 1ms);
    talk.hear_payload(piece_payload("_chunk_c_0_2", "{\\"), 1ms);
    talk.hear_payload(piece_payload("_chunk_c_1_2", "\"}"), 1ms);
    EXPECT_FALSE(talk.has_row());
    expect_counts(talk.outcome(1ms), 3, 0);
    talk.hear(reply(2), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, "2"}}));
}

TEST(AdapterPostgresConversation, TellsTheTopicsOfPiecesApart) {
    Talk talk(Question::kCustom, {1, 0});
    const Payloads pieces = publish(kTopic, long_reply('x').dump());
    const Payloads others = publish("socket.io-response#/admin#", long_reply('y').dump());
    for (const std::string& piece : {pieces[0], others[1], pieces[1], others[2]}) {
        talk.hear_payload(piece, 1ms);
    }
    EXPECT_FALSE(talk.has_row());
    talk.hear_payload(pieces[2], 1ms);
    EXPECT_EQ(talk.take_rows(), Rows{long_row('x')});
}

// What is not complete takes no more than 256 MB, whatever is sent.

constexpr std::size_t kKilobyte = 1024;
constexpr std::size_t kMegabyte = 1024 * kKilobyte;

// Leave room for hardly more than `left` bytes.
void fill(Talk& talk, std::size_t left) {
    constexpr std::size_t kPieces = 16;
    constexpr std::size_t kOverhead = kKilobyte;  // more than is reckoned for each piece
    const std::string piece((256 * kMegabyte - left) / kPieces - kOverhead, 'x');
    for (std::size_t index = 0; index < kPieces; ++index) {
        const std::string text = chunk_header("filler", index, 1'000'000) + piece;
        talk.hear_payload("[\"" + std::string(kTopic) + "\",\"" + text + "\"]", 1ms);
    }
}

void hear_pieces(Talk& talk, const Payloads& pieces) {
    for (const std::string& piece : pieces) {
        talk.hear_payload(piece, 1ms);
    }
}

TEST(AdapterPostgresConversation, KeepsNoMorePiecesThanAreBearable) {
    Talk talk(Question::kCustom, {100, 0});
    const Payloads pieces = publish(kTopic, long_reply('x').dump());
    fill(talk, 100 * kKilobyte);
    for (int i = 0; i < 12; ++i) {
        hear_pieces(talk, pieces);
        EXPECT_EQ(talk.take_rows(), Rows{long_row('x')}) << "what is complete makes room for others";
    }
    for (int i = 0; i < 5; ++i) {
        talk.hear_payload(piece_payload("_chunk_twice_0_2", std::string(60 * kKilobyte, 'x')), 1ms);
    }
    hear_pieces(talk, pieces);
    EXPECT_EQ(talk.take_rows(), Rows{long_row('x')}) << "what came twice is kept once";
    for (int i = 0; i < 10; ++i) {
        talk.hear_payload(piece_payload("_chunk_more_" + std::to_string(i) + "_100", std::string(8 * kKilobyte, 'x')),
                          1ms);
    }
    hear_pieces(talk, pieces);
    EXPECT_FALSE(talk.has_row()) << "there is no more room";
    talk.hear(reply(1), 1ms);
    EXPECT_EQ(talk.take_rows(), (Rows{{std::nullopt, "1"}})) << "whole texts are kept nowhere";
    expect_timeout(talk.outcome(5s), 100, 14);
}

// Even a piece of nothing takes some memory: about 250 bytes, if its text has no other piece.
TEST(AdapterPostgresConversation, KeepsNoMoreEmptyPiecesThanAreBearable) {
    Talk talk(Question::kCustom, {2, 0});
    const Payloads pieces = publish(kTopic, long_reply('x').dump());
    fill(talk, 50 * kKilobyte);
    hear_pieces(talk, pieces);
    EXPECT_EQ(talk.take_rows(), Rows{long_row('x')});
    for (int i = 0; i < 260; ++i) {
        talk.hear_payload(piece_payload("_chunk_" + std::to_string(i) + "_0_2", ""), 1ms);
    }
    hear_pieces(talk, pieces);
    EXPECT_FALSE(talk.has_row());
}

}  // namespace
}  // namespace socketio::adapter_postgres_conversation_test
