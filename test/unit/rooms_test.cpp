#include "protocol/rooms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "support/random_document.h"

namespace socketio::rooms_test {
namespace {

using Names = std::vector<std::string_view>;
using namespace std::string_view_literals;

Names without_duplicates(Names names) {
    names.resize(drop_duplicate_rooms(names.data(), names.size()));
    return names;
}

// The same, as plainly as it can be said.
Names first_of_each(const Names& names) {
    Names kept;
    for (const std::string_view name : names) {
        if (std::find(kept.begin(), kept.end(), name) == kept.end()) {
            kept.push_back(name);
        }
    }
    return kept;
}

TEST(DropDuplicateRooms, TakesNoRooms) { EXPECT_EQ(drop_duplicate_rooms(nullptr, 0), 0U); }

TEST(DropDuplicateRooms, KeepsTheFirstOfEachInOrder) {
    EXPECT_EQ(without_duplicates({"b", "a", "b", "c", "a", "a"}), (Names{"b", "a", "c"}));
    EXPECT_EQ(without_duplicates({"a"}), Names{"a"});
    EXPECT_EQ(without_duplicates({"a", "a"}), Names{"a"});
}

TEST(DropDuplicateRooms, ComparesWholeNames) {
    const Names distinct = {"", "a", "A", "a ", "a\0"sv, "a\0b"sv, "aa", "\xC3\xA9", "e\xCC\x81"};
    EXPECT_EQ(without_duplicates(distinct), distinct);
    EXPECT_EQ(without_duplicates({"", "", "a\0b"sv, "a\0b"sv, ""}), (Names{"", "a\0b"sv}));
}

TEST(DropDuplicateRooms, KeepsTheViewsThatCameFirst) {
    const std::string first = "same";
    const std::string second = "same";
    const Names kept = without_duplicates({first, second});
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(kept[0].data(), first.data());
}

// A few rooms are compared pair by pair and many are hashed: both must agree, and so at the count where one takes
// over from the other.
TEST(DropDuplicateRooms, GivesTheSameForFewAndForMany) {
    RandomDocument random(16);
    for (std::size_t count = 0; count <= 64; ++count) {
        for (const std::size_t distinct : {1, 2, 7, 16, 17, 1000}) {
            std::vector<std::string> texts(count);
            for (std::string& text : texts) {
                text = "room" + std::to_string(random.below(distinct));
            }
            const Names names(texts.begin(), texts.end());
            const Names expected = first_of_each(names);
            const Names kept = without_duplicates(names);
            ASSERT_EQ(kept, expected) << count << " rooms of " << distinct << " names";
            for (std::size_t i = 0; i < kept.size(); ++i) {
                ASSERT_EQ(kept[i].data(), expected[i].data());
            }
        }
    }
}

// Comparing every pair of these would take hours.
TEST(DropDuplicateRooms, IsLinearInTheirNumber) {
    constexpr std::size_t kRooms = 500000;
    std::vector<std::string> texts(kRooms);
    Names names;
    for (std::size_t i = 0; i < kRooms; ++i) {
        texts[i] = "room" + std::to_string(i);
        names.push_back(texts[i]);
    }
    const Names distinct = names;
    names.insert(names.end(), distinct.rbegin(), distinct.rend());
    EXPECT_EQ(without_duplicates(names), distinct);
}

TEST(Rooms, IsAViewOfNames) {
    const Names names = {"a", "b"};
    const Rooms rooms{names.data(), names.size()};
    EXPECT_EQ(Names(rooms.begin(), rooms.end()), names);
    EXPECT_FALSE(rooms.empty());
    EXPECT_TRUE(Rooms().empty());
    EXPECT_EQ(Rooms().begin(), Rooms().end());
}

}  // namespace
}  // namespace socketio::rooms_test
