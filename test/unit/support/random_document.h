// Random JSON documents, the same ones in every run: all depends on the seed alone.

#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace socketio {

inline void append_utf8(std::string& text, char32_t code_point) {
    const auto continuation = [&](int shift) { text += static_cast<char>(0x80 | (code_point >> shift & 0x3F)); };
    if (code_point < 0x80) {
        text += static_cast<char>(code_point);
    } else if (code_point < 0x800) {
        text += static_cast<char>(0xC0 | code_point >> 6);
        continuation(0);
    } else if (code_point < 0x10000) {
        text += static_cast<char>(0xE0 | code_point >> 12);
        continuation(6);
        continuation(0);
    } else {
        text += static_cast<char>(0xF0 | code_point >> 18);
        continuation(12);
        continuation(6);
        continuation(0);
    }
}

inline constexpr char32_t kLastCodePoint = 0x10FFFF;

// The halves of surrogate pairs are no characters and have no UTF-8.
constexpr bool is_surrogate(char32_t code_point) { return code_point >= 0xD800 && code_point <= 0xDFFF; }

class RandomDocument {
  public:
    explicit RandomDocument(std::uint64_t seed) : random_(seed) {}

    // A document of at most `depth` levels below its root.
    nlohmann::json value(int depth = 5) {
        switch (below(depth > 0 ? 9 : 6)) {
            case 0:
                return nullptr;
            case 1:
                return below(2) == 0;
            case 2:
            case 3:
                return below(2) == 0 ? nlohmann::json(integer()) : nlohmann::json(unsigned_integer());
            case 4:
                return real();
            case 5:
                return string();
            case 6:
            case 7:
                return array(depth - 1);
            default:
                return object(depth - 1);
        }
    }

    // Characters of every kind that some encoding has to treat in its own way.
    std::string string() {
        std::string text;
        for (std::uint64_t i = length(); i > 0; --i) {
            append_utf8(text, code_point());
        }
        return text;
    }

    // Of any width, evenly.
    std::uint64_t unsigned_integer() { return random_() >> below(64); }

    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  private:
    std::int64_t integer() {
        const auto magnitude = static_cast<std::int64_t>(unsigned_integer() >> 1);
        return below(2) == 0 ? magnitude : -magnitude - 1;
    }

    // Any finite float64, or one of the size that people use.
    double real() {
        if (below(2) == 0) {
            return static_cast<double>(integer() % 1000000) / 64;
        }
        double number;
        do {
            const std::uint64_t bits = random_();
            std::memcpy(&number, &bits, sizeof number);
        } while (!std::isfinite(number));
        return number;
    }

    // Mostly short, sometimes about where msgpack changes the width of a length.
    std::uint64_t length() {
        switch (below(12)) {
            case 0:
                return 30 + below(4);
            case 1:
                return 254 + below(4);
            default:
                return below(8);
        }
    }

    char32_t code_point() {
        switch (below(8)) {
            case 0:
                return static_cast<char32_t>(below(0x20));
            case 1:
                return "\"\\/\x7F"[below(4)];
            case 2:
                return static_cast<char32_t>(0x80 + below(0x780));
            case 3:
                return static_cast<char32_t>(0x800 + below(0xD000));
            case 4:
                return static_cast<char32_t>(0xE000 + below(0x2000));
            case 5:
                return static_cast<char32_t>(0x10000 + below(0x100000));
            default:
                return static_cast<char32_t>(' ' + below(0x5F));
        }
    }

    std::uint64_t size() { return below(20) == 0 ? 14 + below(4) : below(5); }

    nlohmann::json array(int depth) {
        auto elements = nlohmann::json::array();
        for (std::uint64_t i = size(); i > 0; --i) {
            elements.push_back(value(depth));
        }
        return elements;
    }

    nlohmann::json object(int depth) {
        auto pairs = nlohmann::json::object();
        for (std::uint64_t i = size(); i > 0; --i) {
            pairs[string()] = value(depth);
        }
        return pairs;
    }

    std::mt19937_64 random_;
};

}  // namespace socketio
