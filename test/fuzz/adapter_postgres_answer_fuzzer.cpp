// Any bytes as a payload, a piece or an answer of socket.io-adapter-postgres, and such as servers send: read without a crash,
// and however deep they are nested without a deep stack. What is read is what a parser of JSON reads, all text that comes of it
// is UTF-8 without U+0000, and what is kept as JSON is JSON of at most 200 levels. Texts come as they were sent, in however many
// pieces.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "check_json.h"
#include "protocol/adapter_postgres_answer.h"
#include "protocol/clean_text.h"
#include "support/adapter_postgres_server.h"
#include "support/document.h"
#include "take_document.h"

using namespace socketio;
using namespace socketio::adapter_postgres;
using nlohmann::json;

namespace {

// The value of a text, or a discarded one: what JSON has no room for is replaced first.
json parse_clean(const std::string& bytes) {
    std::string scratch;
    std::string clean(clean_utf8(bytes, scratch));
    clean_json_escapes(clean);
    return json::parse(clean, nullptr, false);
}

bool is_within(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// Payloads.

void check_piece(std::string_view raw) {
    const std::optional<Piece> piece = read_piece(raw);
    if (piece) {
        check(is_within(piece->id, raw) && is_within(piece->raw, raw), "a piece is a part of its text", raw);
        check(piece->raw.size() + 50 == raw.size(), "a piece is what is behind its header", raw);
        check(piece->index < piece->count, "a piece is one of all", raw);
        check(piece->id.find('_') == piece->id.npos, "an id ends with the mark", raw);
    }
}

void check_raw_text(std::string_view raw) {
    const std::optional<std::string> text = unescape(raw);
    const json model = parse_clean('"' + std::string(raw) + '"');
    check(text.has_value() == model.is_string(), "what is a string can be read", raw);
    if (text) {
        check_text(*text);
        check(*text == model, "a string is what JSON says it is", raw);
    }
}

// From a heap block of its own size, so that a read beyond it shows.
void check_payload(const std::string& bytes) {
    const std::vector<char> block(bytes.begin(), bytes.end());
    const std::string_view payload(block.data(), block.size());
    const std::optional<RawPayload> parts = split_payload(payload);
    const json model = parse_clean(bytes);
    const bool is_payload = model.is_array() && model.size() == 2 && model[0].is_string() && model[1].is_string();
    check(parts.has_value() || !is_payload, "an array of two strings is a payload", bytes);
    if (parts) {
        check(is_within(parts->topic, payload) && is_within(parts->text, payload), "a part is a part", bytes);
        check_raw_text(parts->topic);
        check_raw_text(parts->text);
        check_piece(parts->text);
    }
    if (is_payload) {
        check(unescape(parts->topic) == model[0] && unescape(parts->text) == model[1], "parts are as sent", bytes);
    }
    check(!parts || is_payload || !unescape(parts->topic) || !unescape(parts->text),
          "a payload is an array of two strings", bytes);
}

// Answers.

std::optional<Answer> read(const std::string& bytes) {
    const std::vector<char> block(bytes.begin(), bytes.end());
    std::optional<Answer> answer = read_answer({block.data(), block.size()});
    if (answer) {
        check_text(answer->request_id);
        std::for_each(answer->clients.begin(), answer->clients.end(), check_text);
        std::for_each(answer->rooms.begin(), answer->rooms.end(), check_text);
        if (answer->data) {
            check_json(*answer->data);
        }
    }
    return answer;
}

// Names that are made to fill memory take more bytes than there are.
void check_answer(const std::string& bytes) {
    check(read(bytes).has_value() == parse_clean(bytes).is_object(), "the JSON of an object is an answer", bytes);
}

std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

// About as deep as values are kept, and sometimes so deep that a stack would not do.
int take_depth(FuzzedDataProvider& data) {
    return data.ConsumeIntegral<std::uint8_t>() == 0xFF ? 50000 : data.ConsumeIntegralInRange(190, 210);
}

void check_nested(FuzzedDataProvider& data) {
    const int depth = take_depth(data);
    const std::string head =
        data.PickValueInArray({R"({"data":)", R"({"clients":[)", R"({"rooms":)", R"({"requestid":)", R"({"x":)", ""});
    const bool is_array = data.ConsumeBool();
    const std::string tail = data.PickValueInArray({"}", "]}", ",\"requestid\":\"r\"}", ""});
    check_answer(head + repeated(is_array ? "[" : "{\"k\":", depth) + data.ConsumeRandomLengthString(20) +
                 repeated(is_array ? "]" : "}", depth) + tail);
}

json take_names(FuzzedDataProvider& data) {
    json names = json::array();
    for (int i = data.ConsumeIntegralInRange(0, 6); i > 0; --i) {
        names.push_back(data.ConsumeIntegralInRange(0, 4) > 0 ? json(take_text(data)) : take_document(data, 1));
    }
    return names;
}

// With fields of their right type and of others.
json take_message(FuzzedDataProvider& data) {
    json message = json::object();
    for (int fields = data.ConsumeIntegralInRange(0, 6); fields > 0; --fields) {
        const char* key = data.PickValueInArray({"requestid", "clients", "rooms", "data", "other"});
        switch (data.ConsumeIntegralInRange(0, 2)) {
            case 0:
                message[key] = take_text(data);
                break;
            case 1:
                message[key] = take_names(data);
                break;
            default:
                message[key] = take_document(data, 4);
        }
    }
    return message;
}

std::string cleaned(const std::string& text) {
    std::string scratch;
    return std::string(clean_utf8(text, scratch));
}

std::string text_of(const json& object, const char* key) {
    const auto field = object.find(key);
    return field != object.end() && field->is_string() ? cleaned(field->get_ref<const std::string&>()) : "";
}

// Those in front of an array or an object: no server sends that.
std::vector<std::string> names_of(const json& object, const char* key) {
    std::vector<std::string> names;
    const auto field = object.find(key);
    if (field != object.end() && field->is_array()) {
        for (const json& name : *field) {
            if (name.is_structured()) {
                break;
            }
            if (name.is_string()) {
                names.push_back(cleaned(name.get_ref<const std::string&>()));
            }
        }
    }
    return names;
}

bool is_same_data(const std::optional<std::string>& text, const json& message) {
    if (!text || !message.contains("data")) {
        return text.has_value() == message.contains("data");
    }
    return equivalent(json::parse(*text), parse_clean(message["data"].dump()));
}

void check_same(const Answer& answer, const json& message) {
    const std::string evidence = message.dump();
    check(answer.request_id == text_of(message, "requestid"), "the request is as sent", evidence);
    check(answer.clients == names_of(message, "clients"), "clients are as sent", evidence);
    check(answer.rooms == names_of(message, "rooms"), "rooms are as sent", evidence);
    check(is_same_data(answer.data, message), "data is as sent", evidence);
}

void check_message(FuzzedDataProvider& data) {
    const json message = take_message(data);
    const std::string text = message.dump(-1, ' ', data.ConsumeBool());
    const std::optional<Answer> answer = read(text);
    check(answer.has_value(), "an object is an answer", text);
    check_same(*answer, message);
}

// Texts in pieces, as the adapter cuts them.
void check_pieces(FuzzedDataProvider& data) {
    const Cutting cutting = {0, data.ConsumeIntegralInRange<std::size_t>(1, 20)};
    const std::string topic = as_utf8(data.ConsumeRandomLengthString(10));
    const std::string text = as_utf8(data.ConsumeRemainingBytesAsString()) + "x";
    const std::vector<std::string> payloads = publish(topic, text, "aB3xY9", cutting);
    std::string raw;
    for (std::size_t index = 0; index < payloads.size(); ++index) {
        check_payload(payloads[index]);
        const std::optional<RawPayload> parts = split_payload(payloads[index]);
        check(parts && unescape(parts->topic) == cleaned(topic), "every piece has the topic", topic);
        const std::optional<Piece> piece = read_piece(parts->text);
        check(piece && piece->id == "aB3xY9" && piece->index == index && piece->count == payloads.size(),
              "a piece is read as it was made", payloads[index]);
        raw += piece->raw;
    }
    check(unescape(raw) == cleaned(text), "pieces make the text", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    FuzzedDataProvider data(input, size);
    switch (data.ConsumeIntegralInRange(0, 9)) {
        case 0:
            check_nested(data);
            break;
        case 1:
        case 2:
            check_message(data);
            break;
        case 3:
        case 4:
            check_pieces(data);
            break;
        case 5:
            check_piece(data.ConsumeRemainingBytesAsString());
            break;
        case 6:
            check_piece("_chunk_" + data.ConsumeRemainingBytesAsString());
            break;
        case 7:
            check_answer(data.ConsumeRemainingBytesAsString());
            break;
        case 8:
            check_payload("[\"" + data.ConsumeRandomLengthString(100) + "\",\"" + data.ConsumeRemainingBytesAsString());
            break;
        default:
            check_payload(data.ConsumeRemainingBytesAsString());
    }
    return 0;
}
