// What the conversations of all protocols have in common.

#include "protocol/conversation.h"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>
#include <vector>

namespace socketio::conversation_test {
namespace {

using namespace std::chrono_literals;
using Time = ConversationTime;

TEST(Conversation, IsQuietAfterFourTimesWhatTheSlowestTook) {
    EXPECT_EQ(end_of_quiet(100ms, 50ms, 500ms), 500ms);
    EXPECT_EQ(end_of_quiet(12501us, 50ms, 500ms), 62505us);
    EXPECT_EQ(end_of_quiet(125ms, 50ms, 500ms), 625ms);
}

TEST(Conversation, IsNotQuietTooSoonOrTooLate) {
    EXPECT_EQ(end_of_quiet(0us, 50ms, 500ms), 50ms);
    EXPECT_EQ(end_of_quiet(12500us, 50ms, 500ms), 62500us);
    EXPECT_EQ(end_of_quiet(1ms, 200ms, 500ms), 201ms);
    EXPECT_EQ(end_of_quiet(126ms, 50ms, 500ms), 626ms);
    EXPECT_EQ(end_of_quiet(4s, 50ms, 500ms), 4500ms);
    EXPECT_EQ(end_of_quiet(4s, 200ms, 10ms), 4200ms) << "with little patience";
}

TEST(Conversation, LooksWhenTheNextTimeHasCome) {
    EXPECT_EQ(next_of({3s, 1s, 2s}, 0us, 5s), 1s);
    EXPECT_EQ(next_of({3s, 1s, 2s}, 1s, 5s), 2s) << "what is now is not still to come";
    EXPECT_EQ(next_of({3s, 1s, 2s}, 2999999us, 5s), 3s);
    EXPECT_EQ(next_of({3s, 1s, 2s}, 3s, 5s), 5s);
    EXPECT_EQ(next_of({3s, 9s}, 0us, 2s), 2s);
    EXPECT_EQ(next_of({}, 0us, 2s), 2s);
    EXPECT_EQ(next_of({1s}, 2s, Time::max()), Time::max());
}

TEST(Conversation, IsAboutOneSocketOrAll) {
    const std::vector<std::pair<Question, bool>> questions = {
        {Question::kServers, false},    {Question::kSockets, false},    {Question::kClients, false},
        {Question::kRooms, false},      {Question::kClientRooms, true}, {Question::kCommand, true},
        {Question::kClientAcks, false}, {Question::kServerAcks, false}, {Question::kCustom, false}};
    for (const auto& [question, is_about_one] : questions) {
        EXPECT_EQ(is_about_one_socket(question), is_about_one) << static_cast<int>(question);
    }
}

TEST(Conversation, IsCompleteWhenNobodyIsMissing) {
    EXPECT_TRUE(Outcome().is_complete());
    Outcome outcome;
    outcome.servers = outcome.answered = 3;
    outcome.clients = 2;
    EXPECT_TRUE(outcome.is_complete());
    Outcome timed_out = outcome;
    timed_out.timed_out = true;
    EXPECT_FALSE(timed_out.is_complete());
    Outcome unreadable = outcome;
    unreadable.unreadable = 1;
    EXPECT_FALSE(unreadable.is_complete());
    Outcome silent = outcome;
    silent.silent = 1;
    EXPECT_FALSE(silent.is_complete());
}

}  // namespace
}  // namespace socketio::conversation_test
