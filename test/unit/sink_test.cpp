#include "protocol/sink.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

#include "support/encode.h"

namespace socketio::sink_test {
namespace {

template <class Sink>
void put(Sink& sink, std::string_view text) {
    char* place = sink.reserve(text.size());
    ASSERT_NE(place, nullptr);
    std::memcpy(place, text.data(), text.size());
    sink.commit(place + text.size());
}

template <class Sink>
void write(Sink& sink, std::string_view text) {
    sink.write(text.data(), text.size());
}

TEST(BoundedSink, StartsEmpty) {
    char memory[4];
    const BoundedSink sink(memory, sizeof memory);
    EXPECT_EQ(sink.bytes(), "");
    EXPECT_EQ(sink.room(), 4U);
    EXPECT_FALSE(sink.full());
}

TEST(BoundedSink, TakesWhatFitsExactly) {
    GuardedMemory memory(6);
    BoundedSink sink(memory.data(), memory.capacity());
    write(sink, "abc");
    EXPECT_EQ(sink.room(), 3U);
    write(sink, "def");
    EXPECT_EQ(sink.bytes(), "abcdef");
    EXPECT_EQ(sink.room(), 0U);
    EXPECT_FALSE(sink.full());
    EXPECT_TRUE(memory.guards_are_intact());
}

TEST(BoundedSink, DropsWhatIsOneByteTooLong) {
    GuardedMemory memory(6);
    BoundedSink sink(memory.data(), memory.capacity());
    write(sink, "abc");
    write(sink, "defg");
    EXPECT_EQ(sink.bytes(), "abc");
    EXPECT_TRUE(sink.full());
    EXPECT_TRUE(memory.guards_are_intact());
}

TEST(BoundedSink, LetsNothingSlipInBehindWhatWasDropped) {
    GuardedMemory memory(6);
    BoundedSink sink(memory.data(), memory.capacity());
    write(sink, "abc");
    write(sink, "defg");
    EXPECT_EQ(sink.room(), 0U);
    write(sink, "d");
    EXPECT_EQ(sink.reserve(1), nullptr);
    EXPECT_EQ(sink.bytes(), "abc");
    EXPECT_TRUE(sink.full());
    EXPECT_TRUE(memory.guards_are_intact());
}

TEST(BoundedSink, HasNoRoomWithoutMemory) {
    BoundedSink sink(nullptr, 0);
    EXPECT_EQ(sink.room(), 0U);
    EXPECT_EQ(sink.reserve(1), nullptr);
    EXPECT_TRUE(sink.full());
    EXPECT_EQ(sink.bytes(), "");
}

TEST(BoundedSink, IsNotFullAfterAnEmptyWrite) {
    char memory[1];
    BoundedSink sink(memory, 0);
    write(sink, "");
    EXPECT_NE(sink.reserve(0), nullptr);
    EXPECT_FALSE(sink.full());
}

TEST(BoundedSink, ReservesInPlace) {
    GuardedMemory memory(6);
    BoundedSink sink(memory.data(), memory.capacity());
    write(sink, "abc");
    put(sink, "def");
    EXPECT_EQ(sink.bytes(), "abcdef");
    EXPECT_FALSE(sink.full());
    EXPECT_EQ(sink.reserve(1), nullptr);
    EXPECT_TRUE(sink.full());
}

TEST(BoundedSink, KeepsOfAReservationOnlyWhatIsCommitted) {
    GuardedMemory memory(6);
    BoundedSink sink(memory.data(), memory.capacity());
    char* place = sink.reserve(6);
    ASSERT_NE(place, nullptr);
    std::memcpy(place, "abcdef", 6);
    EXPECT_EQ(sink.bytes(), "") << "reserving alone writes nothing";
    sink.commit(place + 2);
    EXPECT_EQ(sink.bytes(), "ab");
    EXPECT_EQ(sink.room(), 4U);
    write(sink, "1234");
    EXPECT_EQ(sink.bytes(), "ab1234");
    EXPECT_FALSE(sink.full());
}

TEST(BoundedSink, RefusesSizesBeyondAllMemory) {
    char memory[4];
    BoundedSink sink(memory, sizeof memory);
    EXPECT_EQ(sink.reserve(static_cast<std::size_t>(-1)), nullptr);
    EXPECT_TRUE(sink.full());
}

TEST(StringSink, GrowsAndIsNeverFull) {
    StringSink sink;
    EXPECT_EQ(sink.bytes(), "");
    const std::string large(100000, 'x');
    write(sink, "abc");
    write(sink, large);
    put(sink, "def");
    EXPECT_EQ(sink.bytes(), "abc" + large + "def");
    EXPECT_FALSE(sink.full());
    EXPECT_GT(sink.room(), std::size_t{1} << 40);
}

TEST(StringSink, KeepsOfAReservationOnlyWhatIsCommitted) {
    StringSink sink;
    write(sink, "abc");
    char* place = sink.reserve(100);
    std::memcpy(place, "def", 3);
    sink.commit(place + 2);
    write(sink, "g");
    put(sink, "h");
    EXPECT_EQ(sink.bytes(), "abcdegh");
}

TEST(StringSink, GoesOnFromWhereItWasTruncated) {
    StringSink sink;
    write(sink, "abcdef");
    sink.truncate(3);
    EXPECT_EQ(sink.bytes(), "abc");
    write(sink, "1");
    put(sink, "2");
    EXPECT_EQ(sink.bytes(), "abc12");
    sink.truncate(5);
    EXPECT_EQ(sink.bytes(), "abc12");
    sink.truncate(0);
    put(sink, "z");
    EXPECT_EQ(sink.bytes(), "z");
}

}  // namespace
}  // namespace socketio::sink_test
