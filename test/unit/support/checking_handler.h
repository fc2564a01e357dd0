// A handler that holds parsers to the contract of value_handler.h: one value, properly nested, keys in objects alone, no
// integer called large that is none. Any breach throws ContractBreach. What was reported becomes document(), with fields in
// order; and the other way round, report_document() tells a handler what a parser would.

#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/checking_writer.h"
#include "support/document.h"

namespace socketio {

class CheckingHandler {
  public:
    using Document = nlohmann::ordered_json;

    void null() { add(nullptr); }
    void boolean(bool value) { add(value); }
    void integer(std::int64_t value) { add(value); }
    void large_integer(std::uint64_t value) {
        require(value > INT64_MAX, "a large integer that fits an int64");
        add(value);
    }
    void real(double value) { add(value); }
    void string(std::string_view text) { add(std::string(text)); }
    void binary(std::string_view bytes) { add(Document::binary({bytes.begin(), bytes.end()})); }
    void begin_array() { open_.push_back({Document::array(), std::nullopt}); }
    void begin_object() { open_.push_back({Document::object(), std::nullopt}); }
    void end_array() { close(Document::value_t::array); }
    void end_object() { close(Document::value_t::object); }

    void key(std::string_view text) {
        require(!open_.empty() && open_.back().value.is_object(), "a key outside of an object");
        require(!open_.back().key, "a key behind a key");
        open_.back().key = text;
    }

    const Document& document() const {
        require(open_.empty() && root_, "no whole value");
        return *root_;
    }

  private:
    struct Open {
        Document value;
        std::optional<std::string> key;
    };

    static void require(bool holds, const char* breach) {
        if (!holds) {
            throw ContractBreach(breach);
        }
    }

    void add(Document value) {
        if (open_.empty()) {
            require(!root_, "a second root");
            root_ = std::move(value);
            return;
        }
        Open& open = open_.back();
        if (open.value.is_array()) {
            open.value.push_back(std::move(value));
            return;
        }
        require(open.key.has_value(), "a value without a key");
        open.value[*open.key] = std::move(value);
        open.key.reset();
    }

    void close(Document::value_t type) {
        require(!open_.empty() && open_.back().value.type() == type, "an end without its beginning");
        require(!open_.back().key, "a key without a value");
        Document value = std::move(open_.back().value);
        open_.pop_back();
        add(std::move(value));
    }

    std::optional<Document> root_;
    std::vector<Open> open_;
};

template <class Handler, class Document>
void report_document(Handler& handler, const Document& document) {
    switch (document.type()) {
        case Document::value_t::null:
        case Document::value_t::discarded:
            return handler.null();
        case Document::value_t::boolean:
            return handler.boolean(document.template get<bool>());
        case Document::value_t::number_integer:
            return handler.integer(document.template get<std::int64_t>());
        case Document::value_t::number_unsigned: {
            const auto number = document.template get<std::uint64_t>();
            return number > INT64_MAX ? handler.large_integer(number)
                                      : handler.integer(static_cast<std::int64_t>(number));
        }
        case Document::value_t::number_float:
            return handler.real(document.template get<double>());
        case Document::value_t::string:
            return handler.string(document.template get_ref<const std::string&>());
        case Document::value_t::binary:
            return handler.binary(as_text(document.get_binary()));
        case Document::value_t::array:
            handler.begin_array();
            for (const auto& element : document) {
                report_document(handler, element);
            }
            return handler.end_array();
        case Document::value_t::object:
            handler.begin_object();
            for (const auto& [key, value] : document.items()) {
                handler.key(key);
                report_document(handler, value);
            }
            return handler.end_object();
    }
}

}  // namespace socketio
