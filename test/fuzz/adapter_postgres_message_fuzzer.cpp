// Any text behind any topic as payloads of socket.io-adapter-postgres: each fits a notification, there is but one where the text
// fits it, and a server that puts pieces together has the text again. Events are announced as they are written, and their type
// says whether there is binary in them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "protocol/adapter_postgres_message.h"
#include "support/adapter_postgres_server.h"
#include "support/checking_writer.h"
#include "support/document.h"
#include "support/encode.h"
#include "support/encoded.h"
#include "support/event.h"
#include "take_document.h"

using namespace socketio;
using namespace socketio::adapter_postgres;
using nlohmann::json;

namespace {

constexpr std::size_t kLimit = 7999;  // of a notification

struct Id {
    std::string_view view() const { return "A1b2C3d4E5f6G7h8"; }
};

// `size` is what the text takes in a payload, `sent` what a server is to find.
template <class Text>
void check_payloads(const std::string& topic, Text text, std::size_t size, const std::string& sent) {
    const std::string head = "[" + json(topic).dump(-1, ' ', true) + ",\"";
    if (head.size() > kMaxHead) {
        return;
    }
    check(text.size() == size, "a text is as long as it says", sent);
    const bool fits = head.size() + size + 2 <= kLimit;
    std::size_t payloads = 0;
    ReceivingServer server;
    std::optional<Received> received;
    write_payloads(
        head, text, [] { return Id(); },
        [&](const char* payload, std::size_t payload_size) {
            check(payload_size <= kLimit && payload[payload_size] == '\0', "a payload fits a notification", head);
            check(!received, "a text is complete with its last piece", sent);
            received = server.hear({payload, payload_size});
            ++payloads;
        });
    check(fits ? payloads == 1 : payloads == text.pieces(), "a text is cut where it does not fit", head);
    check(received && received->topic == topic && received->text == sent, "a server hears what was sent", sent);
}

// Sometimes about as long as fits a payload or some pieces, which are longer than inputs are.
std::string take_long(FuzzedDataProvider& data) {
    std::string bytes = data.ConsumeRandomLengthString(200);
    constexpr std::size_t kEdges[] = {3750, 5000, 5960, 7500, 7960, 10000, 11250, 15000};
    if (data.ConsumeBool() && !bytes.empty()) {
        const std::size_t size = data.PickValueInArray(kEdges) + data.ConsumeIntegralInRange<std::size_t>(0, 60);
        while (bytes.size() < size) {
            bytes.append(bytes, 0, size - bytes.size());
        }
    }
    return bytes;
}

std::string take_topic(FuzzedDataProvider& data) {
    std::string topic = as_utf8(data.ConsumeRandomLengthString(20));
    return data.ConsumeBool() ? topic : topic.append(data.ConsumeIntegralInRange<std::size_t>(0, 2950), 't');
}

void check_base64(FuzzedDataProvider& data) {
    const std::string topic = take_topic(data);
    const std::string bytes = take_long(data);
    check_payloads(topic, Base64Text(bytes), (bytes.size() + 2) / 3 * 4, to_base64(bytes));
}

// Of what writers of JSON write: an object, in ASCII without control characters.
void check_json(FuzzedDataProvider& data) {
    const std::string topic = take_topic(data);
    std::string text = "{" + take_long(data);
    for (char& c : text) {
        c = static_cast<char>(' ' + static_cast<unsigned char>(c) % 0x5F);
    }
    text.front() = '{';
    check_payloads(topic, JsonText(text), json(text).dump().size() - 2, text);
}

void check_request(FuzzedDataProvider& data) {
    json rooms = json::array();
    for (int i = data.ConsumeIntegralInRange(0, 20); i > 0; --i) {
        rooms.push_back(take_text(data));
    }
    const std::string id = take_text(data);
    const auto write = [&](auto& writer) {
        write_request(writer, RequestType::kClients, id, 1, [&] {
            writer.key("rooms");
            write_document(writer, rooms);
        });
    };
    CheckingWriter checker;
    write(checker);  // throws when it is not as announced
    const std::string text = encode_json(write, JsonCharacters::kAscii);
    check(json::parse(text) == json({{"requestid", id}, {"type", 0}, {"rooms", rooms}}), "a request says what is asked",
          text);
    check_payloads(take_topic(data), JsonText(text), json(text).dump().size() - 2, text);
}

bool holds_binary(const json& value) {
    return value.is_binary() || (value.is_structured() && std::any_of(value.begin(), value.end(),
                                                                      [](const json& v) { return holds_binary(v); }));
}

// The arguments of an event, as they are or encoded beforehand.
struct Arguments {
    const json& list;
    bool is_encoded;

    std::uint32_t count() const { return static_cast<std::uint32_t>(list.size()); }

    template <class Writer>
    void write(Writer& writer) const {
        const auto write_all = [&](auto& each) {
            for (const json& argument : list) {
                write_document(each, argument);
            }
        };
        if (is_encoded) {
            writer.encoded(MsgpackParts()(write_all).view());
        } else {
            write_all(writer);
        }
    }
};

Names take_names(FuzzedDataProvider& data) {
    Names names;
    for (int i = data.ConsumeIntegralInRange(0, 20); i > 0; --i) {
        names.push_back(as_utf8(data.ConsumeRandomLengthString(8)));
    }
    return names;
}

void check_event(FuzzedDataProvider& data) {
    const std::string nsp = take_text(data);
    const std::string event = take_text(data);
    const OwnTarget target(nsp, take_names(data), take_names(data), data.ConsumeBool(),
                           data.ConsumeBool() ? std::optional<bool>(data.ConsumeBool()) : std::nullopt);
    const auto seq = data.ConsumeIntegral<std::uint32_t>();
    json list = json::array();
    for (int i = data.ConsumeIntegralInRange(0, 18); i > 0; --i) {
        list.push_back(take_document(data, 3, Binary::kAllowed));
    }
    json opts = target.opts();
    opts["seq"] = seq;
    json packet = {{"nsp", nsp}, {"type", holds_binary(list) ? 5 : 2}, {"data", list}};
    packet["data"].insert(packet["data"].begin(), event);
    const json expected = json::array({"emitter", packet, opts});
    for (const bool is_encoded : {false, true}) {
        const Arguments arguments{list, is_encoded};
        const auto write = [&](auto& writer) { write_broadcast(writer, *target, event, arguments, seq); };
        CheckingWriter checker;
        write(checker);
        check(equivalent(checker.document(), expected), "an event is what was to be sent", expected.dump());
        const std::string bytes = encode_msgpack(write);
        check(equivalent(json::from_msgpack(bytes), expected), "msgpack decodes to the event", expected.dump());
        check_payloads("socket.io#/#", Base64Text(bytes), (bytes.size() + 2) / 3 * 4, to_base64(bytes));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    FuzzedDataProvider data(input, size);
    switch (data.ConsumeIntegralInRange(0, 3)) {
        case 0:
            check_base64(data);
            break;
        case 1:
            check_json(data);
            break;
        case 2:
            check_request(data);
            break;
        default:
            check_event(data);
    }
    return 0;
}
