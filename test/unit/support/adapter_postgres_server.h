// What a server running socket.io-adapter-postgres does with the texts it sends and hears, said as plainly as its index.js
// (1.2.1) says it: _publish(), and what it makes of a notification.

#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/utf8.h"
#include "support/random_document.h"

namespace socketio {

// A string as JavaScript has it, of valid UTF-8.
inline std::u16string utf16_of(std::string_view utf8) {
    std::u16string units;
    while (!utf8.empty()) {
        const char32_t code_point = take_code_point(utf8);
        if (code_point < 0x10000) {
            units += static_cast<char16_t>(code_point);
        } else {
            units += static_cast<char16_t>(0xD800 + ((code_point - 0x10000) >> 10));
            units += static_cast<char16_t>(0xDC00 + ((code_point - 0x10000) & 0x3FF));
        }
    }
    return units;
}

// JSON.stringify(), since Node.js 12: half of a surrogate pair is an escape sequence.
inline std::string stringify(std::u16string_view units) {
    std::string text = "\"";
    for (std::size_t i = 0; i < units.size(); ++i) {
        const char32_t unit = units[i];
        const char32_t next = i + 1 < units.size() ? units[i + 1] : 0;
        if (unit >= 0xD800 && unit < 0xDC00 && next >= 0xDC00 && next < 0xE000) {
            append_utf8(text, 0x10000 + ((unit - 0xD800) << 10) + (next - 0xDC00));
            ++i;
        } else if (is_surrogate(unit)) {
            constexpr char kHex[] = "0123456789abcdef";
            text += "\\u";
            for (const int shift : {12, 8, 4, 0}) {
                text += kHex[unit >> shift & 15];
            }
        } else {
            std::string character;
            append_utf8(character, unit);
            const std::string quoted = nlohmann::json(character).dump();
            text.append(quoted, 1, quoted.size() - 2);
        }
    }
    return text + '"';
}

inline std::string notification_of(std::string_view topic, std::u16string_view text) {
    return "[" + stringify(utf16_of(topic)) + "," + stringify(text) + "]";
}

// In units of UTF-16.
struct Cutting {
    std::size_t longest = 8000;
    std::size_t piece = 5000;
};

inline std::string chunk_header(std::string_view id, std::size_t index, std::size_t count) {
    std::string header = "_chunk_" + std::string(id) + "_" + std::to_string(index) + "_" + std::to_string(count);
    header.resize(std::max<std::size_t>(header.size(), 50), ' ');
    return header;
}

// The payloads of the notifications that `text` takes.
inline std::vector<std::string> publish(std::string_view topic, std::string_view text, std::string_view id = "aB3xY9",
                                        const Cutting& cutting = {}) {
    const std::u16string units = utf16_of(text);
    if (units.size() <= cutting.longest) {
        return {notification_of(topic, units)};
    }
    const std::size_t count = (units.size() + cutting.piece - 1) / cutting.piece;
    std::vector<std::string> payloads;
    for (std::size_t index = 0; index < count; ++index) {
        const std::u16string piece = units.substr(index * cutting.piece, cutting.piece);
        payloads.push_back(notification_of(topic, utf16_of(chunk_header(id, index, count)) + piece));
    }
    return payloads;
}

// What onmessage() and onrequest() are called with.
struct Received {
    std::string topic;
    std::string text;
};

// Of texts that are ASCII, in which a character is a byte.
class ReceivingServer {
  public:
    std::optional<Received> hear(std::string_view payload) {
        const nlohmann::json message = nlohmann::json::parse(payload);
        const std::string topic = message.at(0);
        const std::string text = message.at(1);
        if (text.rfind("_chunk_", 0) != 0) {
            return Received{topic, text};
        }
        const std::vector<std::string> header = split(trimmed(text.substr(0, 50)));
        std::map<int, std::string>& pieces = pieces_[header.at(2)];
        pieces[std::stoi(header.at(3))] = text.substr(50);
        const auto has_text = [](const auto& piece) { return !piece.second.empty(); };
        if (std::count_if(pieces.begin(), pieces.end(), has_text) != std::stoi(header.at(4))) {
            return std::nullopt;
        }
        std::string whole;
        for (const auto& [index, piece] : pieces) {
            whole += piece;
        }
        pieces_.erase(header[2]);
        return Received{topic, whole};
    }

    bool is_waiting() const { return !pieces_.empty(); }

  private:
    static std::string trimmed(std::string text) {
        text.erase(text.find_last_not_of(' ') + 1);
        return text;
    }

    static std::vector<std::string> split(const std::string& text) {
        std::vector<std::string> fields;
        std::istringstream stream(text);
        for (std::string field; std::getline(stream, field, '_');) {
            fields.push_back(field);
        }
        return fields;
    }

    std::map<std::string, std::map<int, std::string>> pieces_;  // by id, by index
};

}  // namespace socketio
