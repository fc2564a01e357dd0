#include "protocol/base64.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "support/encode.h"
#include "support/random_document.h"

namespace socketio::base64_test {
namespace {

using namespace std::string_view_literals;

// The other way round, as plainly as it can be said.
std::string from_base64(std::string_view text) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bits;
    for (const char digit : text.substr(0, text.find('='))) {
        const std::size_t value = kDigits.find(digit);
        EXPECT_NE(value, kDigits.npos) << text;
        for (int bit = 5; bit >= 0; --bit) {
            bits += static_cast<char>('0' + (value >> bit & 1));
        }
    }
    std::string bytes;
    for (std::size_t i = 0; i + 8 <= bits.size(); i += 8) {
        bytes += static_cast<char>(std::stoi(bits.substr(i, 8), nullptr, 2));
    }
    EXPECT_EQ(bits.find('1', bytes.size() * 8), bits.npos) << "bits left over in " << text;
    return bytes;
}

// RFC 4648, section 10.
TEST(ToBase64, HasTheTestVectorsOfTheStandard) {
    EXPECT_EQ(to_base64(""), "");
    EXPECT_EQ(to_base64("f"), "Zg==");
    EXPECT_EQ(to_base64("fo"), "Zm8=");
    EXPECT_EQ(to_base64("foo"), "Zm9v");
    EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
    EXPECT_EQ(to_base64("fooba"), "Zm9vYmE=");
    EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
}

TEST(ToBase64, TakesAnyByte) {
    EXPECT_EQ(to_base64("\0"sv), "AA==");
    EXPECT_EQ(to_base64("\xFF\xFF\xFF"), "////");
    EXPECT_EQ(to_base64("\xFB\xEF\xBE"), "++++");
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) {
        bytes += static_cast<char>(byte);
    }
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
}

TEST(ToBase64, DecodesToWhatWentInAtAnyLength) {
    RandomDocument random(64);
    for (std::size_t size = 0; size < 300; ++size) {
        std::string bytes;
        while (bytes.size() < size) {
            bytes += static_cast<char>(random.below(256));
        }
        const std::string text = to_base64(bytes);
        EXPECT_EQ(text.size(), (size + 2) / 3 * 4);
        EXPECT_EQ(from_base64(text), bytes);
    }
}

TEST(Base64Size, IsThatOfTheText) {
    static_assert(base64_size(0) == 0 && base64_size(1) == 4 && base64_size(3) == 4 && base64_size(4) == 8);
    for (std::size_t size = 0; size < 300; ++size) {
        EXPECT_EQ(base64_size(size), to_base64(std::string(size, 'x')).size());
    }
    EXPECT_EQ(base64_size(std::size_t{3} << 30), std::size_t{4} << 30);
}

// Into memory of exactly that size, so that a write beyond it shows.
TEST(WriteBase64, WritesTheTextAndNothingElse) {
    RandomDocument random(65);
    for (std::size_t size = 0; size < 300; ++size) {
        std::string bytes;
        while (bytes.size() < size) {
            bytes += static_cast<char>(random.below(256));
        }
        GuardedMemory memory(base64_size(size));
        EXPECT_EQ(write_base64(bytes, memory.data()), memory.data() + memory.capacity());
        EXPECT_EQ(std::string_view(memory.data(), memory.capacity()), to_base64(bytes));
        EXPECT_TRUE(memory.guards_are_intact());
    }
}

// What is cut where three bytes end needs no padding, so the texts can be put together again.
TEST(WriteBase64, GoesOnWhereItEnded) {
    const std::string_view bytes = "any carnal pleas";
    char text[24];
    char* end = write_base64(bytes.substr(0, 6), text);
    end = write_base64(bytes.substr(6, 9), end);
    end = write_base64(bytes.substr(15), end);
    EXPECT_EQ(std::string_view(text, static_cast<std::size_t>(end - text)), to_base64(bytes));
}

}  // namespace
}  // namespace socketio::base64_test
