#include "protocol/target.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "support/checking_writer.h"
#include "support/encode.h"
#include "support/event.h"

namespace socketio::target_test {
namespace {

using nlohmann::json;

// The same by every writer, and as announced.
template <class Write>
std::string written(const Write& write) {
    const std::string text = encode_json(write);
    CheckingWriter checker;
    EXPECT_NO_THROW(write(checker));
    EXPECT_EQ(checker.document().dump(), text);
    EXPECT_EQ(nlohmann::ordered_json::from_msgpack(encode_msgpack(write)).dump(), text);
    return text;
}

std::string flags_of(bool is_volatile, std::optional<bool> compress) {
    const OwnTarget target("/", {"r"}, {"x"}, is_volatile, compress);
    return written([&](auto& writer) { write_flags(writer, *target); });
}

std::string rooms_of(const Names& names) {
    const OwnTarget target("/", names, {});
    return written([&](auto& writer) { write_rooms(writer, (*target).rooms); });
}

std::string event_of(const std::string& event, const json& list) {
    const DocumentArguments arguments(list);
    return written([&](auto& writer) { write_event(writer, event, arguments); });
}

TEST(Target, IsEveryoneUnlessSaidOtherwise) {
    const Target target;
    EXPECT_EQ(target.nsp, "/");
    EXPECT_TRUE(target.rooms.empty());
    EXPECT_TRUE(target.except.empty());
    EXPECT_FALSE(target.is_volatile);
    EXPECT_EQ(target.compress, std::nullopt);
}

// What nobody set is left to the servers.
TEST(Target, HasTheFlagsThatWereSet) {
    EXPECT_EQ(flags_of(false, std::nullopt), "{}");
    EXPECT_EQ(flags_of(true, std::nullopt), R"({"volatile":true})");
    EXPECT_EQ(flags_of(false, false), R"({"compress":false})");
    EXPECT_EQ(flags_of(false, true), R"({"compress":true})");
    EXPECT_EQ(flags_of(true, false), R"({"volatile":true,"compress":false})");
    EXPECT_EQ(flags_of(true, true), R"({"volatile":true,"compress":true})");
}

TEST(Target, HasRoomsInTheirOrder) {
    EXPECT_EQ(rooms_of({}), "[]");
    EXPECT_EQ(rooms_of({""}), R"([""])");
    EXPECT_EQ(rooms_of({"b", "a", "\"\\\n\xC3\xA9"}), "[\"b\",\"a\",\"\\\"\\\\\\n\xC3\xA9\"]");
    for (const std::size_t count : {15, 16, 17, 1000}) {
        EXPECT_EQ(rooms_of(Names(count, "r")), json(Names(count, "r")).dump());
    }
}

TEST(Event, IsItsNameAndItsArguments) {
    EXPECT_EQ(event_of("hello", json::array()), R"(["hello"])");
    EXPECT_EQ(event_of("", {nullptr}), R"(["",null])");
    EXPECT_EQ(event_of("a \"b\"", json::parse(R"([1,[2],{"k":"v"}])")), R"(["a \"b\"",1,[2],{"k":"v"}])");
    for (const std::size_t count : {14, 15, 16}) {
        json expected(count + 1, 7);
        expected[0] = "event";
        EXPECT_EQ(event_of("event", json(count, 7)), expected.dump());
    }
}

}  // namespace
}  // namespace socketio::target_test
