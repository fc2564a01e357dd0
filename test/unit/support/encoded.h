// What is encoded before it is written, as the keys of a table's rows and the lists of a batch are: a key for both writers,
// and documents that are written from such parts.

#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/encoded.h"
#include "support/document.h"
#include "support/encode.h"

namespace socketio {

// An EncodedKey and the bytes it views.
class OwnKey {
  public:
    explicit OwnKey(std::string_view utf8, JsonCharacters characters = JsonCharacters::kUtf8)
        : json_(encode_json([&](auto& writer) { writer.key(utf8); }, characters)),
          msgpack_(encode_msgpack([&](auto& writer) { writer.key(utf8); })) {}

    EncodedKey view() const { return {json_, msgpack_}; }

  private:
    std::string json_;
    std::string msgpack_;
};

// An EncodedValues and the bytes it views.
class OwnValues {
  public:
    template <class Write>
    static OwnValues as_json(const Write& write, JsonCharacters characters) {
        return OwnValues(encode_json(write, characters), 0);
    }

    template <class Write>
    static OwnValues as_msgpack(const Write& write) {
        StringSink sink;
        MsgpackWriter<StringSink> writer(sink);
        write(writer);
        return OwnValues(sink.bytes(), writer.binaries());
    }

    EncodedValues view() const { return {bytes_, binaries_}; }

  private:
    OwnValues(std::string bytes, std::size_t binaries) : bytes_(std::move(bytes)), binaries_(binaries) {}

    std::string bytes_;
    std::size_t binaries_;
};

// How JSON is encoded beforehand: JsonParts()(write) is what a JsonWriter makes of `write`.
struct JsonParts {
    JsonCharacters characters = JsonCharacters::kUtf8;

    template <class Write>
    OwnValues operator()(const Write& write) const {
        return OwnValues::as_json(write, characters);
    }
};

// The same for msgpack, which is also what a CheckingWriter takes.
struct MsgpackParts {
    JsonCharacters characters = JsonCharacters::kUtf8;

    template <class Write>
    OwnValues operator()(const Write& write) const {
        return OwnValues::as_msgpack(write);
    }
};

// write_document() with all keys encoded beforehand, and the first half of the elements of every array. `parts` are of the
// kind that `writer` takes.
template <class Writer, class Parts>
void write_from_parts(Writer& writer, const nlohmann::json& document, const Parts& parts) {
    const auto size = static_cast<std::uint32_t>(document.size());
    if (document.is_array()) {
        const auto middle = document.begin() + size / 2;
        const auto write_half = [&](auto& part) {
            for (auto element = document.begin(); element != middle; ++element) {
                write_document(part, *element);
            }
        };
        writer.begin_array(size);
        writer.encoded(parts(write_half).view());
        for (auto element = middle; element != document.end(); ++element) {
            write_from_parts(writer, *element, parts);
        }
        writer.end_array();
    } else if (document.is_object()) {
        writer.begin_object(size);
        for (const auto& [key, value] : document.items()) {
            writer.key(OwnKey(key, parts.characters).view());
            write_from_parts(writer, value, parts);
        }
        writer.end_object();
    } else {
        write_document(writer, document);
    }
}

}  // namespace socketio
