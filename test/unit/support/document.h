// JSON documents as the model that writers are tested against: an nlohmann::json goes in as events, what the writers
// made of it is decoded by nlohmann_json or msgpack-c, and the two documents must be equivalent.

#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace socketio {

// A finite number as jsonb prints it: the fewest digits that name it, and no exponent.
inline std::string plain_digits(double number) {
    // The largest float64 has 309 digits before the point; the smallest, 5e-324, has 324 behind it and the
    // fullest of its kind 766.
    char digits[1100];
    return {digits, std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed).ptr};
}

template <class Writer, class Document>
void write_number(Writer& writer, const Document& number) {
    if (number.is_number_float()) {
        writer.number(plain_digits(number.template get<double>()));
    } else if (number.is_number_unsigned() &&
               number.template get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
        writer.number(std::to_string(number.template get<std::uint64_t>()));
    } else {
        writer.integer(number.template get<std::int64_t>());
    }
}

inline std::string_view as_text(const std::vector<std::uint8_t>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Report `document` to `writer`, as a reader would. `Document` is nlohmann::json or nlohmann::ordered_json.
template <class Writer, class Document>
void write_document(Writer& writer, const Document& document) {
    switch (document.type()) {
        case Document::value_t::null:
        case Document::value_t::discarded:
            return writer.null();
        case Document::value_t::boolean:
            return writer.boolean(document.template get<bool>());
        case Document::value_t::number_integer:
        case Document::value_t::number_unsigned:
        case Document::value_t::number_float:
            return write_number(writer, document);
        case Document::value_t::string:
            return writer.string(document.template get_ref<const std::string&>());
        case Document::value_t::binary:
            return writer.binary(as_text(document.get_binary()));
        case Document::value_t::array:
            writer.begin_array(static_cast<std::uint32_t>(document.size()));
            for (const auto& element : document) {
                write_document(writer, element);
            }
            return writer.end_array();
        case Document::value_t::object:
            writer.begin_object(static_cast<std::uint32_t>(document.size()));
            for (const auto& [key, value] : document.items()) {
                writer.key(key);
                write_document(writer, value);
            }
            return writer.end_object();
    }
}

inline bool is_negative(const nlohmann::json& integer) {
    return !integer.is_number_unsigned() && integer.get<std::int64_t>() < 0;
}

// Whether two numbers mean the same, however they were stored: 1 and 1.0 do, 2^53 and 2^53 + 1 as integers do not.
inline bool same_number(const nlohmann::json& a, const nlohmann::json& b) {
    if (a.is_number_float() || b.is_number_float()) {
        return a.get<double>() == b.get<double>();
    }
    return is_negative(a) == is_negative(b) && a.get<std::uint64_t>() == b.get<std::uint64_t>();
}

// Whether two documents mean the same to a receiver: as operator==, but for same_number().
inline bool equivalent(const nlohmann::json& a, const nlohmann::json& b) {
    if (a.is_number() && b.is_number()) {
        return same_number(a, b);
    }
    if (a.type() != b.type() || a.size() != b.size()) {
        return false;
    }
    if (a.is_array()) {
        return std::equal(a.begin(), a.end(), b.begin(), equivalent);
    }
    if (a.is_object()) {
        return std::equal(a.items().begin(), a.items().end(), b.items().begin(), [](const auto& x, const auto& y) {
            return x.key() == y.key() && equivalent(x.value(), y.value());
        });
    }
    return a.is_binary() ? a.get_binary() == b.get_binary() : a == b;
}

}  // namespace socketio
