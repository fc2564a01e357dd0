#include "protocol/json_capture.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "support/checking_handler.h"
#include "support/document.h"
#include "support/random_document.h"

namespace socketio::json_capture_test {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using namespace std::string_view_literals;

#define FFFD "\xEF\xBF\xBD"

template <class Report>
std::string captured(const Report& report) {
    JsonCapture capture;
    report(capture);
    EXPECT_FALSE(capture.is_open());
    return capture.json();
}

std::string nested(int depth, const std::string& core) {
    return std::string(depth, '[') + core + std::string(depth, ']');
}

void report_nested(JsonCapture& capture, int depth, const ordered_json& core) {
    for (int i = 0; i < depth; ++i) {
        capture.begin_array();
    }
    report_document(capture, core);
    for (int i = 0; i < depth; ++i) {
        capture.end_array();
    }
}

TEST(JsonCapture, KeepsScalars) {
    EXPECT_EQ(captured([](auto& c) { c.null(); }), "null");
    EXPECT_EQ(captured([](auto& c) { c.boolean(true); }), "true");
    EXPECT_EQ(captured([](auto& c) { c.boolean(false); }), "false");
    EXPECT_EQ(captured([](auto& c) { c.integer(INT64_MIN); }), "-9223372036854775808");
    EXPECT_EQ(captured([](auto& c) { c.integer(INT64_MAX); }), "9223372036854775807");
    EXPECT_EQ(captured([](auto& c) { c.large_integer(UINT64_MAX); }), "18446744073709551615");
    EXPECT_EQ(captured([](auto& c) { c.string("a\"\\\n\xC3\xA9"); }), "\"a\\\"\\\\\\n\xC3\xA9\"");
    EXPECT_EQ(captured([](auto& c) { c.string(""); }), R"("")");
}

TEST(JsonCapture, KeepsArraysAndObjects) {
    EXPECT_EQ(captured([](auto& c) { c.begin_array(), c.end_array(); }), "[]");
    EXPECT_EQ(captured([](auto& c) { c.begin_object(), c.end_object(); }), "{}");
    const json document = json::parse(R"([1,[],{"a":{"b":[null,{}]},"c":""},[[2],true]])");
    EXPECT_EQ(captured([&](auto& c) { report_document(c, document); }), document.dump());
}

TEST(JsonCapture, IsOpenUntilTheLastEnd) {
    JsonCapture capture;
    EXPECT_FALSE(capture.is_open());
    capture.begin_object();
    capture.key("a");
    capture.begin_array();
    EXPECT_TRUE(capture.is_open());
    capture.end_array();
    EXPECT_TRUE(capture.is_open());
    capture.end_object();
    EXPECT_FALSE(capture.is_open());
}

TEST(JsonCapture, KeepsRealsToTheLastBit) {
    const auto real = [](double value) { return captured([&](auto& c) { c.real(value); }); };
    EXPECT_EQ(real(0.1), "0.1");
    EXPECT_EQ(real(-1.5), "-1.5");
    EXPECT_EQ(real(2.0), "2");
    for (const double value : {5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 1e21, 1e5, 123456.789, -0.0,
                               4.35, 0.30000000000000004, 9007199254740993.0, 1e300, 1e-7}) {
        EXPECT_EQ(json::parse(real(value)).get<double>(), value) << real(value);
    }
}

TEST(JsonCapture, HasNullForWhatIsNotFinite) {
    using Limits = std::numeric_limits<double>;
    for (const double value : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::quiet_NaN()}) {
        EXPECT_EQ(captured([&](auto& c) { c.real(value); }), "null");
        EXPECT_EQ(captured([&](auto& c) { c.begin_array(), c.real(value), c.real(value), c.end_array(); }),
                  "[null,null]");
    }
}

TEST(JsonCapture, HasBinaryAsBase64) {
    EXPECT_EQ(captured([](auto& c) { c.binary(""); }), R"("")");
    EXPECT_EQ(captured([](auto& c) { c.binary("\0\xFF\xFF\xFF"sv); }), R"("AP///w==")");
    EXPECT_EQ(captured([](auto& c) { c.begin_array(), c.binary("f"), c.binary("foo"), c.end_array(); }),
              R"(["Zg==","Zm9v"])");
}

// As JSON.stringify() has them.
TEST(JsonCapture, HasBuffersAsBase64AtAnyDepth) {
    const auto kept = [](const char* text) {
        return captured([&](auto& c) { report_document(c, ordered_json::parse(text)); });
    };
    EXPECT_EQ(kept(R"({"type":"Buffer","data":[0,255,255,255]})"), R"("AP///w==")");
    EXPECT_EQ(kept(R"({"type":"Buffer","data":[]})"), R"("")");
    EXPECT_EQ(kept(R"([1,{"type":"Buffer","data":[102]},{"k":{"type":"Buffer","data":[102]},"l":[]},2])"),
              R"([1,"Zg==",{"k":"Zg==","l":[]},2])");
    EXPECT_EQ(kept(R"({"type":"Buffer","data":[{"type":"Buffer","data":[102]}]})"),
              R"({"type":"Buffer","data":["Zg=="]})");
    EXPECT_EQ(kept(R"([{"type":"Buffer","data":[256]},{"type":"Buffer"}])"),
              R"([{"type":"Buffer","data":[256]},{"type":"Buffer"}])");
    EXPECT_EQ(kept(R"(["{\"type\":\"Buffer\",\"data\":[1]}"])"), R"(["{\"type\":\"Buffer\",\"data\":[1]}"])") << "text";
}

TEST(JsonCapture, HasBuffersAsBase64AsDeepAsItGoes) {
    const ordered_json buffer = ordered_json::parse(R"({"type":"Buffer","data":[102]})");
    EXPECT_EQ(captured([&](auto& c) { report_nested(c, 198, buffer); }), nested(198, "\"Zg==\""));
    EXPECT_EQ(captured([&](auto& c) { report_nested(c, 199, buffer); }),
              nested(199, R"({"type":"Buffer","data":null})"));
    EXPECT_EQ(captured([&](auto& c) { report_nested(c, 200, buffer); }), nested(200, "null"));
    EXPECT_EQ(captured([&](auto& c) { report_nested(c, 201, buffer); }), nested(200, "null"));
}

TEST(JsonCapture, CleansTextAndKeys) {
    EXPECT_EQ(captured([](auto& c) { c.string("a\0\xFF"sv); }), "\"a" FFFD FFFD "\"");
    EXPECT_EQ(captured([](auto& c) { c.begin_object(), c.key("\0"sv), c.string("\x80"), c.end_object(); }),
              "{\"" FFFD "\":\"" FFFD "\"}");
    EXPECT_EQ(captured([](auto& c) { c.begin_object(), c.key(""), c.null(), c.end_object(); }), R"({"":null})");
}

TEST(JsonCapture, KeepsTwoHundredLevels) {
    EXPECT_EQ(captured([](auto& c) { report_nested(c, 199, json::array()); }), nested(200, ""));
    EXPECT_EQ(captured([](auto& c) { report_nested(c, 200, "core"); }), nested(200, "\"core\""));
    EXPECT_EQ(captured([](auto& c) { report_nested(c, 199, {{"k", 1}}); }), nested(199, R"({"k":1})"));
}

TEST(JsonCapture, HasNullForWhatIsDeeper) {
    EXPECT_EQ(captured([](auto& c) { report_nested(c, 200, json::array()); }), nested(200, "null"));
    EXPECT_EQ(captured([](auto& c) { report_nested(c, 200, json::object()); }), nested(200, "null"));
    const json everything = json::parse(R"({"a": [1, {"b": null}], "c": "text", "d": true, "e": 0.5})");
    EXPECT_EQ(captured([&](auto& c) { report_nested(c, 200, everything); }), nested(200, "null"));
    EXPECT_EQ(captured([&](auto& c) { report_nested(c, 201, everything); }), nested(200, "null"));
    EXPECT_EQ(captured([&](auto& c) { report_nested(c, 1000, everything); }), nested(200, "null"));
}

TEST(JsonCapture, GoesOnBehindWhatIsTooDeep) {
    const json around = {1, {{"too", "deep"}}, {2}, "text", {{{{4}}}}, nullptr};
    EXPECT_EQ(captured([&](auto& c) { report_nested(c, 199, around); }),
              nested(199, R"([1,null,null,"text",null,null])"));
    const json object = {{"a", json::array({1})}, {"b", 2}};
    EXPECT_EQ(captured([&](auto& c) { report_nested(c, 199, object); }), nested(199, R"({"a":null,"b":2})"));
}

TEST(JsonCapture, CountsAMillionLevels) {
    EXPECT_EQ(captured([](auto& c) { report_nested(c, 1'000'000, 1); }), nested(200, "null"));
}

TEST(JsonCapture, KeepsRandomDocuments) {
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        json document = RandomDocument(seed).value(6);
        const std::string text = captured([&](auto& c) { report_document(c, document); });
        // U+0000 is the one thing in these that does not stay.
        std::string model = document.dump();
        clean_json_escapes(model);
        ASSERT_TRUE(equivalent(json::parse(text), json::parse(model))) << text;
    }
}

}  // namespace
}  // namespace socketio::json_capture_test
