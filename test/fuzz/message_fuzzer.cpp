// Any message to any target: announced as it is written, the same in JSON and msgpack, and whole in memory of exactly its
// size. Less stops it, and never is anything written beyond.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "protocol/cluster_message.h"
#include "support/checking_writer.h"
#include "support/document.h"
#include "support/encode.h"
#include "take_document.h"

using namespace socketio;
using nlohmann::json;

namespace {

// The arguments of an event, as a reader offers them: it stops early when the writer has.
struct DocumentArguments {
    json list;

    std::uint32_t count() const { return static_cast<std::uint32_t>(list.size()); }

    template <class Writer>
    void write(Writer& writer) const {
        for (const json& argument : list) {
            if (writer.stopped()) {
                return;
            }
            write_document(writer, argument);
        }
    }
};

DocumentArguments take_arguments(FuzzedDataProvider& data) {
    json list = json::array();
    for (int i = data.ConsumeIntegralInRange(0, 18); i > 0; --i) {
        list.push_back(take_document(data, 3));
    }
    return {list};
}

struct OwnRooms {
    std::vector<std::string> names;
    std::vector<std::string_view> views;

    Rooms distinct() {
        views.assign(names.begin(), names.end());
        return {views.data(), drop_duplicate_rooms(views.data(), views.size())};
    }
};

OwnRooms take_rooms(FuzzedDataProvider& data) {
    OwnRooms rooms;
    for (int i = data.ConsumeIntegralInRange(0, 20); i > 0; --i) {
        rooms.names.push_back(as_utf8(data.ConsumeRandomLengthString(8)));
    }
    return rooms;
}

template <class Write>
void check_formats(const Write& write) {
    CheckingWriter checker;
    write(checker);  // throws when it is not as announced
    const json document = checker.document();
    const std::string text = encode_json(write, JsonCharacters::kAscii);
    check(equivalent(json::parse(text), document), "JSON decodes to the message", text);
    check(equivalent(json::from_msgpack(encode_msgpack(write)), document), "msgpack decodes to the message", text);
}

template <class Write>
void check_bounded(const Write& write, std::size_t missing) {
    const std::string whole = encode_json(write);
    const Bounded exact = encode_bounded_json(whole.size(), write);
    check(!exact.stopped && exact.bytes == whole, "a message fits memory of its size", whole);
    const Bounded less = encode_bounded_json(whole.size() - std::min(missing, whole.size()), write);
    check(less.stopped, "a message stops in less", whole);
    check(exact.in_bounds && less.in_bounds, "nothing is written beyond the memory", whole);
}

template <class Message>
void check_message(FuzzedDataProvider& data, const Message& message) {
    const auto seq = data.ConsumeIntegral<std::uint32_t>();
    const auto missing = data.ConsumeIntegralInRange<std::size_t>(1, 500);
    const auto write = [&](auto& writer) { write_message(writer, message, seq); };
    check_formats(write);
    check_bounded(write, missing);
    check_formats([&](auto& writer) { write_attached_message(writer, message); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    FuzzedDataProvider data(bytes, size);
    const std::string nsp = take_text(data);
    const std::string event = take_text(data);
    OwnRooms rooms = take_rooms(data);
    OwnRooms except = take_rooms(data);
    OwnRooms changed = take_rooms(data);
    Target target;
    target.nsp = nsp;
    target.rooms = rooms.distinct();
    target.except = except.distinct();
    target.is_volatile = data.ConsumeBool();
    target.compress = data.ConsumeBool() ? std::optional<bool>(data.ConsumeBool()) : std::nullopt;
    const std::string request_id = take_text(data);
    switch (data.ConsumeIntegralInRange(0, 8)) {
        case 0:
            check_message(data, SocketsJoin{target, changed.distinct()});
            break;
        case 1:
            check_message(data, SocketsLeave{target, changed.distinct()});
            break;
        case 2:
            check_message(data, DisconnectSockets{target, data.ConsumeBool()});
            break;
        case 3: {
            const DocumentArguments arguments = take_arguments(data);
            check_message(data, ServerSideEmit<DocumentArguments>{nsp, event, arguments});
            break;
        }
        case 4:
            check_message(data, FetchSockets{target, request_id});
            break;
        case 5:
            check_message(data, InitialHeartbeat{nsp});
            break;
        case 6: {
            const DocumentArguments arguments = take_arguments(data);
            check_message(data, ServerSideEmitWithAck<DocumentArguments>{nsp, event, arguments, request_id});
            break;
        }
        case 7: {
            const DocumentArguments arguments = take_arguments(data);
            check_message(data, BroadcastWithAck<DocumentArguments>{{target, event, arguments}, request_id});
            break;
        }
        default: {
            const DocumentArguments arguments = take_arguments(data);
            check_message(data, Broadcast<DocumentArguments>{target, event, arguments});
        }
    }
    return 0;
}
