// @socket.io/postgres-adapter: one channel for each namespace, JSON, and the attachment table for what does not fit.

#include "backend/attachment_table.h"
#include "backend/cluster_request.h"
#include "backend/dialect.h"
#include "backend/listeners.h"
#include "backend/settings.h"
#include "backend/text.h"
#include "protocol/cluster_conversation.h"
#include "protocol/cluster_message.h"

extern "C" {
#include "commands/async.h"
}

namespace socketio {

namespace {

using namespace std::string_view_literals;
using EventMessage = Broadcast<EventArguments>;

constexpr int kNotificationKind = 0;  // of a request's messages; the others are the types of attachments

EventMessage message_of(const Event& event) { return {event.target, event.name, event.arguments}; }

// Name the channel on which the servers of a namespace listen.
void name_channel(Channel& channel, std::string_view prefix, std::string_view utf8_nsp) {
    const std::string_view nsp = from_utf8(utf8_nsp);
    if (!channel.set(prefix, "#"sv, nsp)) {
        report_channel_too_long(prefix, "#", nsp);
    }
}

[[noreturn]] void report_id_too_long(const char* id) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("id of a message in attachment table \"%s\" is too long", settings.attachment_table),
                    errdetail("It has %zu bytes, and the notification that names it may have %d.", std::strlen(id),
                              static_cast<int>(kMaxNotification)),
                    errhint("Let the table's column \"id\" be a bigserial.")));
    pg_unreachable();
}

// Notify the servers of a row of the attachment table. `put` takes the payload.
template <class Put>
void announce(MessageType type, std::string_view nsp, const char* id, const Put& put) {
    NotificationBuffer payload;
    const NotificationText text = write_notification(
        payload, kMaxNotification, [&](NotificationWriter& header) { write_attachment_header(header, type, nsp, id); });
    if (text.fit != Fit::kFits) {
        report_id_too_long(id);
    }
    put(payload, text.size);
}

template <class Message>
void publish_attachment(const Channel& channel, const Message& message, std::size_t expected_size) {
    PayloadSink sink(expected_size);
    AttachmentWriter writer(sink);
    write_attached_message(writer, message);
    message.release();  // the row takes as much memory again
    const Attachment attachment = insert_attachment(sink.bytea(), sink.size(), next_announcement());
    sink.release();
    announce(Message::kType, message.nsp(), attachment.id,
             [&](const char* payload, std::size_t size) { notify(channel, payload, size, &attachment); });
}

template <class Message>
Fit publish_notification(const Channel& channel, const Message& message) {
    const std::uint32_t seq = next_seq();
    return notify_json(channel, settings.payload_threshold,
                       [&](NotificationWriter& writer) { write_message(writer, message, seq); });
}

// Send `message` to the servers of its namespace, when and if the current transaction commits.
template <class Message>
void publish(std::string_view prefix, const Message& message) {
    require_primary();
    Channel channel;
    name_channel(channel, prefix, message.nsp());
    if (publish_notification(channel, message) != Fit::kFits) {
        publish_attachment(channel, message, PayloadSink::kUsualSize);
    }
}

// Let a request send `message`.
template <class Message>
void add(Request& request, const Message& message, Moment moment = Moment::kAtOnce) {
    NotificationBuffer payload;
    const std::uint32_t seq = next_seq();
    const NotificationText text = write_notification(
        payload, settings.payload_threshold, [&](NotificationWriter& writer) { write_message(writer, message, seq); });
    if (text.fit == Fit::kFits) {
        return add_message(request, moment, kNotificationKind, {payload, text.size});
    }
    PayloadSink sink;
    AttachmentWriter writer(sink);
    write_attached_message(writer, message);
    add_message(request, moment, static_cast<int>(Message::kType), sink.bytes());
    sink.release();
}

// Call `take` with the message that `command` is.
template <class Take>
void with_message(const SocketCommand& command, const Take& take) {
    switch (command.action) {
        case SocketAction::kJoin:
            return take(SocketsJoin{command.target, command.rooms});
        case SocketAction::kLeave:
            return take(SocketsLeave{command.target, command.rooms});
        case SocketAction::kDisconnect:
            return take(DisconnectSockets{command.target, command.close});
    }
}

class ClusterDialect final : public Dialect {
  public:
    constexpr ClusterDialect() : Dialect("cluster", "socket.io") {}

    void require_namespace(std::string_view nsp) const override {
        Channel channel;
        name_channel(channel, prefix(), nsp);
    }

    std::size_t text_limit() const override { return static_cast<std::size_t>(settings.payload_threshold); }

    Fit emit_text(const Event& event) const override {
        Channel channel;
        name_channel(channel, prefix(), event.target.nsp);
        return publish_notification(channel, message_of(event));
    }

    std::size_t binary_limit() const override { return PayloadSink::kLargestSize; }

    void emit_binary(const Event& event, std::size_t expected_size) const override {
        Channel channel;
        name_channel(channel, prefix(), event.target.nsp);
        publish_attachment(channel, message_of(event), expected_size);
    }

    std::size_t text_size(const Event& event) const override {
        return notification_size(
            [&](NotificationWriter& writer) { write_message(writer, message_of(event), kLargestSeq); });
    }

    std::size_t binary_size(const Event& event) const override {
        PayloadSink sink;
        AttachmentWriter writer(sink);
        write_attached_message(writer, message_of(event));
        const std::size_t size = sink.size();
        sink.release();
        return size;
    }

    void emit_to_servers(const Event& event) const override {
        publish(prefix(), ServerSideEmit<EventArguments>{event.target.nsp, event.name, event.arguments});
    }

    void command_sockets(const SocketCommand& command) const override {
        with_message(command, [&](const auto& message) { publish(prefix(), message); });
    }

    // A heartbeat goes ahead: see protocol/cluster_conversation.h.
    void ask(Request& request) const override {
        const Target& target = request.target;
        const std::string_view id = request.request_id();
        name_channel(request.channel, prefix(), target.nsp);
        add(request, InitialHeartbeat{target.nsp});
        switch (request.question) {
            case Question::kServers:
                break;
            case Question::kSockets:
            case Question::kClients:
            case Question::kRooms:
            case Question::kClientRooms:
                return add(request, FetchSockets{target, id});
            case Question::kCommand:
                add(request, FetchSockets{target, id});
                return with_message(*request.command,
                                    [&](const auto& message) { add(request, message, Moment::kWhenFound); });
            case Question::kClientAcks:
                return add(request, BroadcastWithAck<EventArguments>{message_of(*request.event), id});
            case Question::kServerAcks:
            case Question::kCustom:
                return add(request, ServerSideEmitWithAck<EventArguments>{target.nsp, request.event->name,
                                                                          request.event->arguments, id});
        }
    }

    Conversation* converse(const Inquiry& inquiry, const Channel& channel) const override {
        return new ClusterConversation(inquiry, count_listeners(channel.name, prefix()));
    }

    void send(const Channel& channel, std::string_view nsp, int kind, std::string_view bytes) const override {
        if (kind == kNotificationKind) {
            return Dialect::send(channel, nsp, kind, bytes);
        }
        PayloadSink sink(bytes.size());
        sink.write(bytes.data(), bytes.size());
        const Attachment attachment = insert_attachment(sink.bytea(), sink.size(), Announcement::kAtCommit);
        announce(static_cast<MessageType>(kind), nsp, attachment.id,
                 [&](const char* payload, std::size_t) { Async_Notify(channel.name, payload); });
    }
};

constexpr ClusterDialect kDialect;

}  // namespace

const Dialect& cluster_dialect = kDialect;

}  // namespace socketio
