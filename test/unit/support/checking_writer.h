// A writer that holds its caller to the contract of value_writer.h: as many values as announced, properly nested, keys
// in objects alone and none of them twice, text in UTF-8, digits as jsonb prints them. Of runs of fixed tokens and of keys
// encoded beforehand it also checks that both encodings say the same and that the JSON one has a comma exactly where it
// needs one. Values encoded beforehand it takes as msgpack, in which there is room for every kind of them.
//
// Any breach throws ContractBreach. What was written meanwhile becomes document(), with fields in order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <msgpack.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/encoded.h"
#include "protocol/fixed_tokens.h"

namespace socketio {

struct ContractBreach : std::logic_error {
    using std::logic_error::logic_error;
};

class CheckingWriter {
  public:
    using Document = nlohmann::ordered_json;

    void null() { add(nullptr); }
    void boolean(bool value) { add(value); }
    void integer(std::int64_t value) { add(value); }

    void number(std::string_view decimal) {
        require(is_decimal(decimal), "digits that jsonb would not print");
        add(Document::parse(decimal));
    }

    void string(std::string_view utf8) { add(checked_text(utf8)); }

    void binary(std::string_view bytes) {
        ++binaries_;
        add(Document::binary(std::vector<std::uint8_t>(bytes.begin(), bytes.end())));
    }

    void begin_array(std::uint32_t count) { open(Document::array(), count); }
    void end_array() { close(Document::value_t::array); }
    void begin_object(std::uint32_t count) { open(Document::object(), count); }
    void end_object() { close(Document::value_t::object); }

    void key(std::string_view utf8) {
        require(!open_.empty() && open_.back().value.is_object(), "a key outside of an object");
        Container& object = open_.back();
        require(!object.key, "a key behind a key");
        require(object.value.size() < object.announced, "more pairs than announced");
        object.key = checked_text(utf8);
        require(!object.value.contains(*object.key), "the same key twice");
    }

    void key(const EncodedKey& encoded) {
        const std::string name = key_of_json(encoded.json);
        require(name == key_of_msgpack(encoded.msgpack), "an encoded key: the formats hold different keys");
        key(name);
    }

    void fixed(const FixedTokens& tokens);

    void encoded(const EncodedValues& values) {
        const std::size_t expected = binaries_ + values.binaries;
        for (std::size_t read = 0; read < values.bytes.size();) {
            replay(take_msgpack(values.bytes, read).get());
        }
        require(binaries_ == expected, "encoded values: more or fewer binaries than announced");
    }

    bool takes_string(std::size_t) { return true; }
    bool takes_binary() { return true; }
    bool holds_binary() const { return binaries_ > 0; }
    bool stopped() const { return false; }

    // The one value that was written.
    const Document& document() const {
        require(open_.empty(), "an array or object left open");
        require(root_.has_value(), "no value at all");
        return *root_;
    }

  private:
    struct Container {
        Document value;
        std::uint32_t announced;
        std::optional<std::string> key;
    };

    static void require(bool met, const char* breach) {
        if (!met) {
            throw ContractBreach(breach);
        }
    }

    static bool take_digits(std::string_view& text) {
        const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
        text.remove_prefix(digits);
        return digits > 0;
    }

    // -?D+(.D+)?, without leading zeros
    static bool is_decimal(std::string_view text) {
        if (!text.empty() && text.front() == '-') {
            text.remove_prefix(1);
        }
        const bool leading_zero = text.size() > 1 && text[0] == '0' && text[1] != '.';
        if (leading_zero || !take_digits(text)) {
            return false;
        }
        if (!text.empty() && text.front() == '.') {
            text.remove_prefix(1);
            return take_digits(text) && text.empty();
        }
        return text.empty();
    }

    static std::string checked_text(std::string_view utf8) {
        std::string text(utf8);
        try {
            static_cast<void>(Document(text).dump());
        } catch (const Document::type_error&) {
            throw ContractBreach("text that is not UTF-8");
        }
        return text;
    }

    // A string and a colon, without white space or a comma.
    static std::string key_of_json(std::string_view encoded) {
        const bool is_framed =
            encoded.size() > 2 && encoded.front() == '"' && encoded.substr(encoded.size() - 2) == "\":";
        require(is_framed, "an encoded key: no key in JSON");
        const auto name = Document::parse(encoded.substr(0, encoded.size() - 1), nullptr, false);
        require(name.is_string(), "an encoded key: no key in JSON");
        return name;
    }

    static std::string key_of_msgpack(std::string_view encoded) {
        const auto name = Document::from_msgpack(encoded, true, false);
        require(name.is_string(), "an encoded key: no key in msgpack");
        return name;
    }

    static msgpack::object_handle take_msgpack(std::string_view values, std::size_t& read) {
        try {
            return msgpack::unpack(values.data(), values.size(), read);
        } catch (const msgpack::unpack_error&) {
            throw ContractBreach("encoded values: no msgpack");
        }
    }

    static std::string_view text_of(const msgpack::object& value) {
        require(value.type == msgpack::type::STR, "encoded values: a key that is no string");
        return {value.via.str.ptr, value.via.str.size};
    }

    // Report a value of msgpack, as if it had come one by one.
    void replay(const msgpack::object& value) {
        switch (value.type) {
            case msgpack::type::NIL:
                return null();
            case msgpack::type::BOOLEAN:
                return boolean(value.via.boolean);
            case msgpack::type::POSITIVE_INTEGER:
                return add(value.via.u64);
            case msgpack::type::NEGATIVE_INTEGER:
                return integer(value.via.i64);
            case msgpack::type::FLOAT64:
                return add(value.via.f64);
            case msgpack::type::STR:
                return string(text_of(value));
            case msgpack::type::BIN:
                return binary({value.via.bin.ptr, value.via.bin.size});
            case msgpack::type::ARRAY:
                return replay_array(value.via.array);
            case msgpack::type::MAP:
                return replay_object(value.via.map);
            default:
                throw ContractBreach("encoded values: a type that no writer writes");
        }
    }

    void replay_array(const msgpack::object_array& array) {
        begin_array(array.size);
        for (std::uint32_t i = 0; i < array.size; ++i) {
            replay(array.ptr[i]);
        }
        end_array();
    }

    void replay_object(const msgpack::object_map& object) {
        begin_object(object.size);
        for (std::uint32_t i = 0; i < object.size; ++i) {
            key(text_of(object.ptr[i].key));
            replay(object.ptr[i].val);
        }
        end_object();
    }

    // Whether a value that came next would stand behind another one of its array or object.
    bool is_behind_value() const {
        return open_.empty() ? root_.has_value() : !open_.back().value.empty() && !open_.back().key;
    }

    void add(Document value) {
        if (open_.empty()) {
            require(!root_, "a second root");
            root_ = std::move(value);
            return;
        }
        Container& parent = open_.back();
        if (parent.value.is_array()) {
            require(parent.value.size() < parent.announced, "more values than announced");
            parent.value.push_back(std::move(value));
        } else {
            require(parent.key.has_value(), "a value without a key");
            parent.value.emplace(*std::exchange(parent.key, std::nullopt), std::move(value));
        }
    }

    void open(Document value, std::uint32_t count) {
        require(!open_.empty() || !root_, "a second root");
        require(open_.empty() || open_.back().value.is_array() || open_.back().key, "a value without a key");
        open_.push_back({std::move(value), count, std::nullopt});
    }

    void close(Document::value_t type) {
        require(!open_.empty() && open_.back().value.type() == type, "an end without its beginning");
        require(!open_.back().key, "a key without a value");
        require(open_.back().value.size() == open_.back().announced, "fewer values than announced");
        Container container = std::move(open_.back());
        open_.pop_back();
        add(std::move(container.value));
    }

    std::vector<Container> open_;
    std::optional<Document> root_;
    std::size_t binaries_ = 0;
};

// Reads the JSON and the msgpack of a run side by side.
class FixedTokensReader {
  public:
    explicit FixedTokensReader(const FixedTokens& tokens) : json_(tokens.json()), msgpack_(tokens.msgpack()) {}

    bool at_end() const { return json_.empty() && msgpack_.empty(); }
    char peek() const { return json_.empty() ? '\0' : json_.front(); }

    bool take(char token) {
        if (peek() != token) {
            return false;
        }
        json_.remove_prefix(1);
        return true;
    }

    std::uint8_t take_msgpack() {
        if (msgpack_.empty()) {
            throw ContractBreach("fixed tokens: the msgpack is too short");
        }
        const auto byte = static_cast<std::uint8_t>(msgpack_.front());
        msgpack_.remove_prefix(1);
        return byte;
    }

    // The text of a string behind its opening quote, from both.
    std::string_view take_string() {
        const std::string_view text = json_.substr(0, json_.find('"'));
        json_.remove_prefix(std::min(text.size() + 1, json_.size()));
        if (take_msgpack() != (0xA0 | text.size()) || msgpack_.substr(0, text.size()) != text) {
            throw ContractBreach("fixed tokens: the formats hold different strings");
        }
        msgpack_.remove_prefix(text.size());
        return text;
    }

    int take_integer() {
        const auto digits = std::min(json_.find_first_not_of("0123456789"), json_.size());
        const std::string text(json_.substr(0, digits));
        json_.remove_prefix(digits);
        if (text.empty() || std::to_string(take_msgpack()) != text) {
            throw ContractBreach("fixed tokens: the formats hold different integers");
        }
        return std::stoi(text);
    }

  private:
    std::string_view json_;
    std::string_view msgpack_;
};

inline void CheckingWriter::fixed(const FixedTokens& tokens) {
    FixedTokensReader run(tokens);
    while (!run.at_end()) {
        const bool has_comma = run.take(',');
        const bool needs_comma = is_behind_value() && run.peek() != '}';
        require(has_comma == needs_comma, "fixed tokens: a comma too many or too few");
        if (run.take('{')) {
            const std::uint8_t head = run.take_msgpack();
            require((head & 0xF0) == 0x80, "fixed tokens: an object in JSON alone");
            begin_object(head & 0x0F);
        } else if (run.take('}')) {
            end_object();
        } else if (run.take('[')) {
            require(run.take(']') && run.take_msgpack() == 0x90, "fixed tokens: an array that is not empty");
            begin_array(0);
            end_array();
        } else if (run.take('"')) {
            const std::string_view text = run.take_string();
            run.take(':') ? key(text) : string(text);
        } else {
            integer(run.take_integer());
        }
    }
    require(tokens.ends_behind_value() == is_behind_value(), "fixed tokens: a wrong end");
}

}  // namespace socketio
