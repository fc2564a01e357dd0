// Turns the bytes of a fuzzer into text and documents.

#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace socketio {

// `bytes` with whatever is not UTF-8 replaced.
inline std::string as_utf8(std::string bytes) {
    using nlohmann::json;
    return json::parse(json(std::move(bytes)).dump(-1, ' ', false, json::error_handler_t::replace));
}

// Sometimes padded to where msgpack changes the width of a length.
inline std::string take_text(FuzzedDataProvider& data) {
    std::string text = as_utf8(data.ConsumeRandomLengthString(64));
    constexpr std::size_t kEdges[] = {31, 32, 255, 256, 65535, 65536};
    if (data.ConsumeIntegral<std::uint8_t>() >= 0xF8) {
        const std::size_t edge = data.PickValueInArray(kEdges);
        text.append(edge > text.size() ? edge - text.size() : 0, 'x');
    }
    return text;
}

inline nlohmann::json take_number(FuzzedDataProvider& data) {
    switch (data.ConsumeIntegralInRange(0, 3)) {
        case 0:
            return data.ConsumeIntegral<std::int64_t>();
        case 1:
            return data.ConsumeIntegral<std::uint64_t>();
        case 2:
            return data.ConsumeIntegral<std::int8_t>();
        default: {
            const auto number = data.ConsumeFloatingPoint<double>();
            return std::isfinite(number) ? number : 0.5;
        }
    }
}

enum class Binary { kNone, kAllowed };

inline nlohmann::json take_document(FuzzedDataProvider& data, int depth, Binary binary = Binary::kNone) {
    using nlohmann::json;
    const bool is_leaf = depth == 0 || data.remaining_bytes() == 0;
    switch (data.ConsumeIntegralInRange(0, is_leaf ? 4 : 6)) {
        case 0:
            return nullptr;
        case 1:
            return data.ConsumeBool();
        case 2:
            return take_number(data);
        case 3:
            return take_text(data);
        case 4: {
            const std::string bytes = data.ConsumeRandomLengthString(64);
            return binary == Binary::kAllowed ? json::binary(std::vector<std::uint8_t>(bytes.begin(), bytes.end()))
                                              : json(as_utf8(bytes));
        }
        case 5: {
            json array = json::array();
            for (int i = data.ConsumeIntegralInRange(0, 20); i > 0; --i) {
                array.push_back(take_document(data, depth - 1, binary));
            }
            return array;
        }
        default: {
            json object = json::object();
            for (int i = data.ConsumeIntegralInRange(0, 20); i > 0; --i) {
                std::string key = take_text(data);
                object[std::move(key)] = take_document(data, depth - 1, binary);
            }
            return object;
        }
    }
}

}  // namespace socketio
