#include "protocol/buffer_json.h"

#include <charconv>
#include <cstdint>

namespace socketio {

std::optional<std::string> read_buffer(std::string_view json) {
    constexpr std::string_view kHead = "{\"type\":\"Buffer\",\"data\":[";
    constexpr std::string_view kTail = "]}";
    if (json.size() < kHead.size() + kTail.size() || json.substr(0, kHead.size()) != kHead ||
        json.substr(json.size() - kTail.size()) != kTail) {
        return std::nullopt;
    }
    std::string bytes;
    const char* next = json.data() + kHead.size();
    const char* end = json.data() + json.size() - kTail.size();
    while (next < end) {
        std::uint8_t byte = 0;
        const auto [behind, error] = std::from_chars(next, end, byte);
        if (error != std::errc() || (behind < end && *behind != ',')) {
            return std::nullopt;
        }
        bytes += static_cast<char>(byte);
        next = behind + (behind < end ? 1 : 0);
    }
    return bytes;
}

}  // namespace socketio
