// socket.io-postgres, which listens through pg-pubsub: one channel for each namespace and one for each room, and JSON only.
//
//     {"uid": "emitter", "packet": {"type": 2, "data": [event, ...args], "nsp": "/"},
//      "options": {"rooms": [], "except": [], "flags": {}}, "seq": 1}
//
// Source of the wire format: src/index.js of github.com/palmetto/socket.io-postgres. "seq" is ours alone: NOTIFY sends equal
// payloads of a transaction only once.

#include "backend/channel.h"
#include "backend/dialect.h"
#include "backend/text.h"

namespace socketio {

namespace {

using namespace std::string_view_literals;

void write_event_message(NotificationWriter& writer, const Event& event, std::uint32_t seq) {
    static constexpr auto kHead = FixedTokens::at_start()
                                      .object(4)
                                      .key("uid")
                                      .string("emitter")
                                      .key("packet")
                                      .object(3)
                                      .key("type")
                                      .integer(2)
                                      .key("data");
    static constexpr auto kOptions = FixedTokens::after_value().end_object().key("options").object(3).key("rooms");
    writer.fixed(kHead);
    write_event(writer, event.name, event.arguments);
    writer.key("nsp");
    writer.string(event.target.nsp);
    writer.fixed(kOptions);
    write_rooms(writer, event.target.rooms);
    writer.key("except");
    write_rooms(writer, event.target.except);
    writer.key("flags");
    write_flags(writer, event.target);
    writer.end_object();
    writer.key("seq");
    writer.integer(seq);
    writer.end_object();
}

class SocketioPostgresDialect final : public Dialect {
  public:
    constexpr SocketioPostgresDialect() : Dialect("socket.io-postgres", "socket-io") {}

    void require_namespace(std::string_view nsp) const override {
        Channel channel;
        name_channel(channel, nsp);
    }

    std::size_t text_limit() const override { return kMaxNotification; }

    Fit emit_text(const Event& event) const override {
        Channel channel;
        name_channel(channel, event.target);
        const std::uint32_t seq = next_seq();
        return notify_json(channel, kMaxNotification,
                           [&](NotificationWriter& writer) { write_event_message(writer, event, seq); });
    }

    std::size_t text_size(const Event& event) const override {
        return notification_size([&](NotificationWriter& writer) { write_event_message(writer, event, kLargestSeq); });
    }

  private:
    // Every server listens on the channel of the namespace, those with a socket in a room also on that room's. For several rooms
    // the first one does, once: a server could have sockets in each of them. So it does where a room's name leaves no channel
    // for it.
    void name_channel(Channel& channel, const Target& target) const {
        const bool has_channel = target.rooms.count == 1 && channel.set(prefix(), ":"sv, from_utf8(target.nsp), ":"sv,
                                                                        from_utf8(*target.rooms.begin()));
        if (!has_channel) {
            name_channel(channel, target.nsp);
        }
    }

    void name_channel(Channel& channel, std::string_view utf8_nsp) const {
        const std::string_view nsp = from_utf8(utf8_nsp);
        if (!channel.set(prefix(), ":"sv, nsp)) {
            report_channel_too_long(prefix(), ":", nsp);
        }
    }
};

constexpr SocketioPostgresDialect kDialect;

}  // namespace

const Dialect& socketio_postgres_dialect = kDialect;

}  // namespace socketio
