#include "protocol/socket_id.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace socketio::socket_id_test {
namespace {

using namespace std::string_literals;

constexpr std::string_view kId = "MB7DyTZ_I-Xf0aZzAAAB";

TEST(SocketId, HasTwentyCharactersOfBase64id) {
    EXPECT_TRUE(is_socket_id("/", kId));
    EXPECT_TRUE(is_socket_id("/", "--------------------"));
    EXPECT_TRUE(is_socket_id("/", "____________________"));
    EXPECT_TRUE(is_socket_id("/", "00000000009999999999"));
    EXPECT_TRUE(is_socket_id("/", "AZAZAZAZAZazazazazaz"));
}

TEST(SocketId, HasNoOtherLength) {
    const std::string id = std::string(kId) + std::string(kId);
    for (std::size_t size = 0; size <= id.size(); ++size) {
        EXPECT_EQ(is_socket_id("/", id.substr(0, size)), size == 20) << size;
    }
}

TEST(SocketId, HasNoOtherCharacter) {
    const std::string allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    for (const std::size_t place : {0, 10, 19}) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string id(kId);
            id[place] = static_cast<char>(byte);
            EXPECT_EQ(is_socket_id("/", id), allowed.find(id[place]) != allowed.npos) << byte;
        }
    }
}

TEST(SocketId, HasItsNamespaceInFront) {
    const std::string id(kId);
    EXPECT_TRUE(is_socket_id("/admin", "/admin#" + id));
    for (const std::string& other :
         {id, "#" + id, "/#" + id, "/admin" + id, "/admin/" + id, "/admi#" + id, "/adminx#" + id, "/Admin#" + id,
          "admin#" + id, " /admin#" + id, "/admin##" + id, "/admin#/admin#" + id, "/admin#"s, "/admin"s, ""s}) {
        EXPECT_FALSE(is_socket_id("/admin", other)) << other;
    }
}

TEST(SocketId, HasNothingInFrontInTheMainNamespace) {
    const std::string id(kId);
    EXPECT_FALSE(is_socket_id("/", "/#" + id));
    EXPECT_FALSE(is_socket_id("/", "#" + id));
    EXPECT_FALSE(is_socket_id("/", "/admin#" + id));
}

// Any text may be one.
TEST(SocketId, TakesAnyNamespace) {
    const std::string id(kId);
    for (const std::string& nsp :
         {""s, "#"s, "/a#b"s, "/\xC3\xA9"s, "a\"\\\n"s, std::string(1000, 'n'), id, "/" + id}) {
        EXPECT_TRUE(is_socket_id(nsp, nsp + "#" + id)) << nsp;
        EXPECT_FALSE(is_socket_id(nsp, nsp + id)) << nsp;
        EXPECT_FALSE(is_socket_id(nsp, id)) << nsp;
        EXPECT_FALSE(is_socket_id(nsp, nsp + "#" + id.substr(1))) << nsp;
        EXPECT_FALSE(is_socket_id(nsp, nsp + "#" + id.substr(1) + "#")) << nsp;
    }
}

// A view may end where memory does: sanitizers see what is read behind it.
TEST(SocketId, ReadsNoFurtherThanTheView) {
    for (const std::string& text : {""s, "/"s, "/admin"s, "/admin#"s}) {
        const std::string block(text.data(), text.size());
        EXPECT_FALSE(is_socket_id("/admin", std::string_view(block)));
        EXPECT_FALSE(is_socket_id("/", std::string_view(block)));
    }
    const std::string longer = std::string(kId) + "x";
    EXPECT_TRUE(is_socket_id("/", std::string_view(longer).substr(0, 20)));
}

}  // namespace
}  // namespace socketio::socket_id_test
