// Any document, through every writer: JSON and msgpack decode to what went in, and are the same when parts of it were
// encoded beforehand.

#include <msgpack.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "check.h"
#include "support/document.h"
#include "support/encode.h"
#include "support/encoded.h"
#include "take_document.h"

using namespace socketio;
using nlohmann::json;

namespace {

void check_json(const json& document) {
    const auto write = [&](auto& writer) { write_document(writer, document); };
    for (const JsonCharacters characters : {JsonCharacters::kUtf8, JsonCharacters::kAscii}) {
        const std::string text = encode_json(write, characters);
        check(equivalent(json::parse(text, nullptr, false), document), "JSON decodes to the document", text);
        const auto from_parts = [&](auto& writer) { write_from_parts(writer, document, JsonParts{characters}); };
        check(encode_json(from_parts, characters) == text, "JSON is the same from encoded parts", text);
    }
}

void check_msgpack(const json& document) {
    const std::string bytes = encode_msgpack([&](auto& writer) { write_document(writer, document); });
    check(equivalent(json::from_msgpack(bytes), document), "msgpack decodes to the document", document.dump());
    std::size_t read = 0;
    msgpack::unpack(bytes.data(), bytes.size(), read);
    check(read == bytes.size(), "msgpack is one value", document.dump());
    const auto from_parts = [&](auto& writer) { write_from_parts(writer, document, MsgpackParts()); };
    check(encode_msgpack(from_parts) == bytes, "msgpack is the same from encoded parts", document.dump());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    FuzzedDataProvider data(bytes, size);
    if (data.ConsumeBool()) {
        check_msgpack(take_document(data, 6, Binary::kAllowed));
    } else {
        const json document = take_document(data, 6);
        check_json(document);
        check_msgpack(document);
    }
    return 0;
}
