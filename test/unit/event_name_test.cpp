#include "protocol/event_name.h"

#include <gtest/gtest.h>

#include <string_view>

namespace socketio::event_name_test {
namespace {

using namespace std::string_view_literals;

TEST(IsReservedEvent, KnowsTheSixNames) {
    for (const auto event :
         {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}) {
        EXPECT_TRUE(is_reserved_event(event)) << event;
    }
}

TEST(IsReservedEvent, ComparesWholeNamesAsTheyStand) {
    for (const auto event : {""sv, "hello"sv, "Connect"sv, "CONNECT"sv, "connec"sv, "connect "sv, " connect"sv,
                             "connect\0"sv, "connected"sv, "connection"sv, "connect_timeout"sv, "connecterror"sv,
                             "disconnected"sv, "newlistener"sv, "new_listener"sv, "removeListeners"sv, "message"sv}) {
        EXPECT_FALSE(is_reserved_event(event)) << event;
    }
}

TEST(IsReservedEvent, LooksNoFurtherThanTheView) {
    EXPECT_TRUE(is_reserved_event("connection"sv.substr(0, 7)));
    EXPECT_FALSE(is_reserved_event("connect"sv.substr(0, 6)));
}

}  // namespace
}  // namespace socketio::event_name_test
