#include "protocol/buffer_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "support/random_document.h"

namespace socketio::buffer_json_test {
namespace {

using nlohmann::ordered_json;
using namespace std::string_literals;

TEST(ReadBuffer, ReadsTheBytes) {
    EXPECT_EQ(read_buffer(R"({"type":"Buffer","data":[]})"), "");
    EXPECT_EQ(read_buffer(R"({"type":"Buffer","data":[0]})"), "\0"s);
    EXPECT_EQ(read_buffer(R"({"type":"Buffer","data":[1,2,255]})"), "\x01\x02\xFF");
}

TEST(ReadBuffer, ReadsAnyBytes) {
    RandomDocument random(3);
    for (std::size_t size = 0; size < 300; ++size) {
        ordered_json list = ordered_json::array();
        std::string bytes;
        while (bytes.size() < size) {
            bytes += static_cast<char>(random.below(256));
            list.push_back(static_cast<unsigned char>(bytes.back()));
        }
        EXPECT_EQ(read_buffer(ordered_json({{"type", "Buffer"}, {"data", list}}).dump()), bytes);
    }
}

TEST(ReadBuffer, LeavesOtherObjects) {
    for (const char* json :
         {"", "{}", "[]", "]}", R"({"type":"Buffer"})", R"({"type":"Buffer","data":[)",
          R"({"type":"Buffer","data":[]})"
          "}",
          R"({"type":"Buffer","data":[1],"more":[]})", R"({"type":"Buffer","data":{"0":[]}})",
          R"({"type":"Buffer","data":"[1]"})", R"({"data":[1],"type":"Buffer"})", R"({"type":"buffer","data":[1]})",
          R"({"Type":"Buffer","data":[1]})", R"({"type":"Blob","data":[1]})", R"({"type":"Buffer","data":null})"}) {
        EXPECT_EQ(read_buffer(json), std::nullopt) << json;
    }
}

TEST(ReadBuffer, LeavesWhatIsNoByte) {
    for (const char* element : {"256", "-1", "1.5", "1e2", "99999999999999999999", "\"1\"", "null", "true", "[]", "[1]",
                                "{}", R"({"a":[1]})", "1,256", "256,1", "1,[2]", "1,null,2"}) {
        const std::string json = R"({"type":"Buffer","data":[)"s + element + "]}";
        EXPECT_EQ(read_buffer(json), std::nullopt) << json;
    }
}

}  // namespace
}  // namespace socketio::buffer_json_test
