// Parses JSON text, by nlohmann_json, without building a document: arrays nested a million deep cost no stack.

#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "protocol/value_handler.h"

namespace socketio {

// What nlohmann_json calls as it goes; each answer says whether to go on (its "SAX interface").
template <class Handler>
class JsonEvents {
  public:
    explicit JsonEvents(Handler& handler) : handler_(handler) {}

    bool null() { return handler_.null(), true; }
    bool boolean(bool value) { return handler_.boolean(value), true; }
    bool number_integer(std::int64_t value) { return handler_.integer(value), true; }
    bool number_unsigned(std::uint64_t value) {
        return value <= INT64_MAX ? handler_.integer(static_cast<std::int64_t>(value)) : handler_.large_integer(value),
               true;
    }
    bool number_float(double value, const std::string&) { return handler_.real(value), true; }
    bool string(const std::string& text) { return handler_.string(text), true; }
    bool binary(const nlohmann::json::binary_t&) { return false; }  // no such thing in JSON
    bool start_object(std::size_t) { return handler_.begin_object(), true; }
    bool key(const std::string& text) { return handler_.key(text), true; }
    bool end_object() { return handler_.end_object(), true; }
    bool start_array(std::size_t) { return handler_.begin_array(), true; }
    bool end_array() { return handler_.end_array(), true; }
    bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) { return false; }

  private:
    Handler& handler_;
};

// Report the value of `json` to `handler`. False where the text is not JSON, which shows only after what came before was
// reported. Numbers come as JavaScript reads them, but those no double holds are an error. Throws what the handler throws,
// and std::bad_alloc.
template <class Handler>
bool parse_json(std::string_view json, Handler& handler) {
    JsonEvents<Handler> events(handler);
    return nlohmann::json::sax_parse(json.begin(), json.end(), &events);
}

}  // namespace socketio
