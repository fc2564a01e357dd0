// Any bytes as a string: in JSON as they are or as ASCII, valid UTF-8 or not, in memory of any size.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "check.h"
#include "protocol/utf8.h"
#include "support/encode.h"
#include "take_document.h"

using namespace socketio;
using nlohmann::json;

namespace {

void check_decoding(const std::string& text) {
    const auto write = [&](auto& writer) { writer.string(text); };
    for (const JsonCharacters characters : {JsonCharacters::kUtf8, JsonCharacters::kAscii}) {
        check(json::parse(encode_json(write, characters)) == text, "JSON decodes to the text", text);
    }
}

// True of damaged text as well. From a heap block of its own size, so that a read beyond it shows.
void check_ascii(const std::string& bytes) {
    const std::vector<char> block(bytes.begin(), bytes.end());
    const std::string text = encode_json(
        [&](auto& writer) {
            writer.string({block.data(), block.size()});
        },
        JsonCharacters::kAscii);
    check(text.size() >= 2 && text.front() == '"' && text.back() == '"', "a string has quotes", text);
    bool is_escaped = false;
    for (const char byte : std::string_view(text).substr(1, text.size() - 2)) {
        check(byte >= ' ', "ASCII text is ASCII, without control characters", text);
        check(is_escaped || byte != '"', "no quote but the last ends a string", text);
        is_escaped = byte == '\\' && !is_escaped;
    }
    check(!is_escaped, "no escape takes the last quote", text);
}

void check_code_points(const std::string& bytes) {
    const std::vector<char> block(bytes.begin(), bytes.end());
    std::string_view rest(block.data(), block.size());
    while (!rest.empty()) {
        const std::size_t before = rest.size();
        const char32_t code_point = take_code_point(rest);
        check(rest.size() < before, "a code point takes at least one byte");
        check(code_point <= 0x1FFFFF, "a code point has at most 21 bits");
    }
}

void check_bounded(const std::string& bytes, std::size_t capacity, JsonCharacters characters) {
    const auto write = [&](auto& writer) {
        writer.begin_object(1);
        writer.key(bytes);
        writer.string(bytes);
        writer.end_object();
    };
    const std::string whole = encode_json(write, characters);
    const Bounded bounded = encode_bounded_json(capacity, write, characters);
    check(bounded.in_bounds, "nothing is written beyond the memory", whole);
    check(bounded.stopped == (capacity < whole.size()), "a text stops if and only if it does not fit", whole);
    check(bounded.stopped || bounded.bytes == whole, "a text that fits is whole", whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    FuzzedDataProvider data(input, size);
    const auto capacity = data.ConsumeIntegralInRange<std::size_t>(0, 2000);
    const auto characters = data.ConsumeBool() ? JsonCharacters::kAscii : JsonCharacters::kUtf8;
    const std::string bytes = data.ConsumeRemainingBytesAsString();
    check_code_points(bytes);
    check_ascii(bytes);
    check_bounded(bytes, capacity, characters);
    check_decoding(as_utf8(bytes));
    return 0;
}
