// Any bytes as an answer, in either format, and answers as servers send them: read without a crash, and however deep they
// are nested without a deep stack. All text that comes of it is UTF-8 without U+0000, and what is kept as JSON is JSON of
// at most 200 levels. Answers without damage come as they were sent, the same by either format.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <msgpack.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "check_json.h"
#include "protocol/answer.h"
#include "protocol/clean_text.h"
#include "support/document.h"
#include "take_document.h"

using namespace socketio;
using nlohmann::json;

namespace {

void check_answer(const Answer& answer) {
    for (const std::string* text : {&answer.uid, &answer.node, &answer.attachment_id, &answer.request_id}) {
        check_text(*text);
    }
    if (answer.packet) {
        check_json(*answer.packet);
    }
    for (const AnswerSocket& socket : answer.sockets) {
        check_text(socket.id);
        std::for_each(socket.rooms.begin(), socket.rooms.end(), check_text);
        for (const std::string* kept : {&socket.data, &socket.handshake}) {
            if (!kept->empty()) {
                check_json(*kept);
            }
        }
    }
}

// From a heap block of its own size, so that a read beyond it shows.
std::optional<Answer> read(std::optional<Answer> (*reader)(std::string_view), const std::string& bytes) {
    const std::vector<char> block(bytes.begin(), bytes.end());
    std::optional<Answer> answer = reader({block.data(), block.size()});
    if (answer) {
        check_answer(*answer);
    }
    return answer;
}

void check_text_answer(const std::string& bytes) {
    std::string scratch;
    std::string clean(clean_utf8(bytes, scratch));
    clean_json_escapes(clean);
    const bool is_object = json::parse(clean, nullptr, false).is_object();
    check(read(read_answer, bytes).has_value() == is_object, "the JSON of an object is an answer", bytes);
}

bool unpacks_to_map(const std::string& bytes) {
    const msgpack::unpack_limit limit(10000, 10000, 10000, 10000, 10000, 100000);  // it sets aside what is announced
    std::size_t end = 0;
    try {
        const auto unpacked = msgpack::unpack(bytes.data(), bytes.size(), end, nullptr, nullptr, limit);
        return end == bytes.size() && unpacked->type == msgpack::type::MAP;
    } catch (const msgpack::unpack_error&) {
        return false;
    }
}

void check_attached_answer(const std::string& bytes) {
    if (read(read_attached_answer, bytes)) {
        check(unpacks_to_map(bytes), "an attached answer is the msgpack of an object");
    }
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
        data.PickValueInArray({R"({"data":{"packet":)", R"({"data":{"sockets":[{"data":)", R"({"x":)", ""});
    const bool is_array = data.ConsumeBool();
    const std::string core = data.ConsumeRandomLengthString(20);
    const std::string tail = data.PickValueInArray({"}}", "}]}}", "}", ""});
    check_text_answer(head + repeated(is_array ? "[" : "{\"k\":", depth) + core +
                      repeated(is_array ? "]" : "}", depth) + tail);
    const std::string packed_head =
        data.PickValueInArray({"\x81\xA4"
                               "data\x81\xA6packet",
                               "\x81\xA1x", ""});
    check_attached_answer(packed_head + repeated(is_array ? "\x91" : "\x81\xA1k", depth) + core);
}

const char* take_key(FuzzedDataProvider& data, std::initializer_list<const char*> keys) {
    return keys.begin()[data.ConsumeIntegralInRange<std::size_t>(0, keys.size() - 1)];
}

json take_sockets(FuzzedDataProvider& data) {
    json sockets = json::array();
    for (int i = data.ConsumeIntegralInRange(0, 4); i > 0; --i) {
        json socket = json::object();
        for (int fields = data.ConsumeIntegralInRange(0, 5); fields > 0; --fields) {
            const std::string key = take_key(data, {"id", "data", "handshake", "rooms", "requestId"});
            socket[key] =
                key == "rooms" ? json::array({take_text(data), take_document(data, 1)}) : take_document(data, 4);
        }
        sockets.push_back(data.ConsumeBool() ? socket : take_document(data, 1));
    }
    return sockets;
}

// With fields of their right type and of others.
json take_message(FuzzedDataProvider& data) {
    json message = json::object();
    for (int fields = data.ConsumeIntegralInRange(0, 6); fields > 0; --fields) {
        message[take_key(data, {"uid", "nodeId", "type", "attachmentId", "nsp", "data"})] = take_document(data, 2);
    }
    if (data.ConsumeBool()) {
        message["data"] = {{"requestId", take_text(data)}, {"clientCount", take_number(data)}};
        message["data"][take_key(data, {"packet", "other"})] = take_document(data, 5);
        message["data"][take_key(data, {"sockets", "other"})] = take_sockets(data);
    }
    return message;
}

// What a string is to become, or nothing, as `json::value()` does not say it of one that is there and no string.
std::string text_of(const json& object, const char* key) {
    const auto field = object.find(key);
    if (field == object.end() || !field->is_string()) {
        return "";
    }
    std::string scratch;
    return std::string(clean_utf8(field->get_ref<const std::string&>(), scratch));
}

bool is_same_json(const std::string& text, const json& object, const char* key) {
    if (!object.contains(key)) {
        return text.empty();
    }
    std::string model = object[key].dump();
    clean_json_escapes(model);
    return equivalent(json::parse(text), json::parse(model));
}

std::vector<json> socket_objects(const json& data) {
    std::vector<json> objects;
    if (data.contains("sockets") && data["sockets"].is_array()) {
        std::copy_if(data["sockets"].begin(), data["sockets"].end(), std::back_inserter(objects),
                     [](const json& socket) { return socket.is_object(); });
    }
    return objects;
}

void check_same(const Answer& answer, const json& message) {
    const std::string evidence = message.dump();
    const json data = message.contains("data") && message["data"].is_object() ? message["data"] : json::object();
    check(answer.uid == text_of(message, "uid"), "the uid is as sent", evidence);
    check(answer.node == text_of(message, "nodeId"), "the node is as sent", evidence);
    check(answer.request_id == text_of(data, "requestId"), "the request is as sent", evidence);
    check(answer.packet.has_value() == data.contains("packet"), "there is a packet where one was sent", evidence);
    check(is_same_json(answer.packet.value_or(""), data, "packet"), "the packet is as sent", evidence);
    const std::vector<json> sockets = socket_objects(data);
    check(answer.sockets.size() == sockets.size(), "every socket is there", evidence);
    for (std::size_t i = 0; i < sockets.size(); ++i) {
        check(answer.sockets[i].id == text_of(sockets[i], "id"), "a socket's id is as sent", evidence);
        check(is_same_json(answer.sockets[i].data, sockets[i], "data"), "a socket's data is as sent", evidence);
        check(is_same_json(answer.sockets[i].handshake, sockets[i], "handshake"), "a handshake is as sent", evidence);
    }
}

void check_message(FuzzedDataProvider& data) {
    const json message = take_message(data);
    const std::string text = message.dump(-1, ' ', data.ConsumeBool());
    const std::vector<std::uint8_t> packed = json::to_msgpack(message);
    const std::optional<Answer> answer = read(read_answer, text);
    const std::optional<Answer> attached = read(read_attached_answer, std::string(packed.begin(), packed.end()));
    check(answer && attached, "an object is an answer", text);
    check_same(*answer, message);
    check_same(*attached, message);
    check(answer->type == attached->type && answer->client_count == attached->client_count &&
              answer->attachment_id == attached->attachment_id && answer->has_nsp == attached->has_nsp,
          "the formats say the same", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    FuzzedDataProvider data(input, size);
    switch (data.ConsumeIntegralInRange(0, 7)) {
        case 0:
            check_nested(data);
            break;
        case 1:
        case 2:
            check_message(data);
            break;
        case 3:
        case 4:
            check_text_answer(data.ConsumeRemainingBytesAsString());
            break;
        default:
            check_attached_answer(data.ConsumeRemainingBytesAsString());
    }
    return 0;
}
