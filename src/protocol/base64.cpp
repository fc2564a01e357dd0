#include "protocol/base64.h"

#include <cstdint>

namespace socketio {

namespace {

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t octet(char byte) { return static_cast<unsigned char>(byte); }

// One to three bytes.
char* write_group(std::string_view group, char* place) {
    const std::uint32_t bits = octet(group[0]) << 16 | (group.size() > 1 ? octet(group[1]) << 8 : 0) |
                               (group.size() > 2 ? octet(group[2]) : 0);
    for (std::size_t k = 0; k < 4; ++k) {
        *place++ = k <= group.size() ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
    return place;
}

}  // namespace

char* write_base64(std::string_view bytes, char* place) {
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        place = write_group(bytes.substr(i, 3), place);
    }
    return place;
}

std::string to_base64(std::string_view bytes) {
    std::string text(base64_size(bytes.size()), '\0');
    write_base64(bytes, text.data());
    return text;
}

}  // namespace socketio
