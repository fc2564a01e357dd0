#include "protocol/cluster_conversation.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "protocol/cluster_message.h"

namespace socketio {

namespace {

using namespace std::chrono_literals;
using Time = Conversation::Time;

constexpr std::string_view kEmitter = "emitter";

constexpr Time kPatienceWithPossible = 500ms;  // connections, if the limit is longer

constexpr std::int64_t kMostClients = INT32_MAX;  // that a server is believed to have

MessageType response_to(Question question) {
    switch (question) {
        case Question::kSockets:
        case Question::kClients:
        case Question::kRooms:
        case Question::kClientRooms:
        case Question::kCommand:
            return MessageType::kFetchSocketsResponse;
        case Question::kServerAcks:
        case Question::kCustom:
            return MessageType::kServerSideEmitResponse;
        case Question::kClientAcks:
            return MessageType::kBroadcastAck;
        case Question::kServers:
            break;
    }
    return MessageType::kHeartbeat;
}

// Nothing where a server sent none.
std::optional<std::string> optional_text(std::string&& text) {
    return text.empty() ? std::nullopt : std::make_optional(std::move(text));
}

}  // namespace

ClusterConversation::ClusterConversation(const Inquiry& inquiry, Listeners listeners)
    : question_(inquiry.question),
      wanted_(inquiry.socket),
      request_id_(inquiry.request_id),
      listeners_(listeners),
      limits_(inquiry.limits) {}

std::string_view ClusterConversation::hear(std::string_view json, Time now) {
    attachment_id_.clear();
    std::optional<Answer> answer = read_answer(json);
    if (!answer || answer->uid.empty() || answer->uid == kEmitter) {
        return {};
    }
    if (answer->type == static_cast<int>(MessageType::kAdapterClose)) {
        part(*answer);
        return {};
    }
    Server& server = meet(*answer, now);
    speaker_ = &server;
    if (is_response(*answer) && (!server.has_answered || question_ == Question::kClientAcks)) {
        attachment_id_ = std::move(answer->attachment_id);
        take(std::move(*answer), server);
    }
    return attachment_id_;
}

void ClusterConversation::hear_attachment(std::string_view msgpack, Time now) {
    std::optional<Answer> answer = read_attached_answer(msgpack);
    if (answer && !answer->uid.empty() && answer->uid != kEmitter && is_response(*answer)) {
        take(std::move(*answer), meet(*answer, now));
    }
}

void ClusterConversation::miss_attachment() { ++speaker_->unreadable; }

bool ClusterConversation::is_response(const Answer& answer) const {
    return answer.type == static_cast<int>(response_to(question_)) ||
           (question_ == Question::kClientAcks && answer.type == static_cast<int>(MessageType::kBroadcastClientCount));
}

ClusterConversation::Server& ClusterConversation::meet(const Answer& answer, Time now) {
    const auto [place, is_new] = servers_.try_emplace(answer.uid);
    place->second.has_nsp |= answer.has_nsp;
    // An attachment names the node, the notification that announces it does not.
    if (!answer.node.empty()) {
        place->second.node = answer.node;
    }
    if (is_new) {
        place->second.is_newcomer = answer.type == static_cast<int>(MessageType::kInitialHeartbeat);
        last_met_ = now;
        if (question_ == Question::kServers) {
            place->second.has_answered = true;
            std::string node = answer.node;
            add_row({answer.uid, optional_text(std::move(node)), std::to_string(now.count())});
        }
    }
    return place->second;
}

// It has been heard, but is not there to answer.
void ClusterConversation::part(const Answer& answer) {
    Server& server = servers_[answer.uid];
    server.node = answer.node.empty() ? server.node : answer.node;
    server.has_nsp |= answer.has_nsp;
    server.is_closed = true;
}

void ClusterConversation::take(Answer&& answer, Server& server) {
    if (answer.request_id != request_id_) {
        return;
    }
    switch (question_) {
        case Question::kServers:
            break;
        case Question::kSockets:
        case Question::kClients:
        case Question::kRooms:
        case Question::kClientRooms:
        case Question::kCommand:
            return take_sockets(std::move(answer), server);
        case Question::kServerAcks:
        case Question::kCustom:
            if (!server.has_answered) {
                server.has_answered = true;
                add_response(std::move(answer));
            }
            break;
        case Question::kClientAcks:
            if (answer.type == static_cast<int>(MessageType::kBroadcastAck)) {
                ++server.acknowledged;
                add_response(std::move(answer));
            } else {
                server.has_answered = true;
                server.clients =
                    static_cast<long>(std::clamp<std::int64_t>(answer.client_count.value_or(0), 0, kMostClients));
            }
            break;
    }
}

void ClusterConversation::take_sockets(Answer&& answer, Server& server) {
    if (server.has_answered) {
        return;
    }
    server.has_answered = true;
    for (AnswerSocket& socket : answer.sockets) {
        if (!is_wanted(socket)) {
            continue;
        }
        Row& row = add_row();
        row.reserve(4 + socket.rooms.size());
        row.emplace_back(answer.uid);
        row.emplace_back(std::move(socket.id));
        row.push_back(optional_text(std::move(socket.data)));
        row.push_back(optional_text(std::move(socket.handshake)));
        std::move(socket.rooms.begin(), socket.rooms.end(), std::back_inserter(row));
        has_found_ = is_about_one_socket(question_);
    }
}

// Other sockets may be in the room that has the wanted one's id for a name.
bool ClusterConversation::is_wanted(const AnswerSocket& socket) const {
    return !is_about_one_socket(question_) || socket.id == wanted_;
}

void ClusterConversation::add_response(Answer&& answer) { add_row({answer.uid, std::move(answer.packet)}); }

bool ClusterConversation::has_said_all(const Server& server) {
    return server.has_answered && server.acknowledged >= server.clients;
}

// An attachment that could not be read may have been of another request, so it ends nothing.
bool ClusterConversation::is_done(const Server& server) const {
    return question_ == Question::kServers || server.is_closed || has_said_all(server) ||
           (server.is_newcomer && !server.has_answered);
}

bool ClusterConversation::has_everybody_answered() const {
    return std::all_of(servers_.begin(), servers_.end(), [&](const auto& entry) { return is_done(entry.second); });
}

int ClusterConversation::answered() const {
    return static_cast<int>(
        std::count_if(servers_.begin(), servers_.end(), [](const auto& entry) { return entry.second.has_answered; }));
}

int ClusterConversation::connections_heard() const {
    std::set<std::string_view> connections;
    for (const auto& [uid, server] : servers_) {
        if (server.has_answered || !server.is_newcomer) {
            connections.insert(server.node.empty() ? uid : server.node);
        }
    }
    return static_cast<int>(connections.size());
}

Time ClusterConversation::quiet_end() const {
    if (is_nobody_there()) {
        return last_met_ + limits_.quiet;
    }
    const bool is_countable = is_each_its_own() && listeners_.sure > 0 && answered() >= listeners_.sure;
    const Time shortest = is_countable ? kShortQuiet : limits_.quiet;
    return end_of_quiet(last_met_, shortest, limits_.patience);
}

bool ClusterConversation::is_nobody_there() const {
    return std::all_of(servers_.begin(), servers_.end(),
                       [](const auto& entry) { return entry.second.is_closed && !entry.second.has_answered; });
}

bool ClusterConversation::is_each_one_connection() const {
    return std::all_of(servers_.begin(), servers_.end(), [](const auto& entry) { return entry.second.has_nsp; });
}

// None is the worker of a Node.js cluster, which shares the connection of its primary.
bool ClusterConversation::is_each_its_own() const {
    return std::all_of(servers_.begin(), servers_.end(), [](const auto& entry) { return entry.second.node.empty(); });
}

// How many are waited for.
int ClusterConversation::connections_expected() const {
    return listeners_.sure + (is_each_one_connection() ? listeners_.possible : 0);
}

bool ClusterConversation::has_everybody_been_heard(Time now) const {
    const int listening = listeners_.sure + listeners_.possible;
    if (listening > 0 && answered() >= listening && is_each_its_own()) {
        return true;
    }
    const int heard = connections_heard();
    return now >= quiet_end() && (heard >= connections_expected() || now >= limits_.patience ||
                                  (heard >= listeners_.sure && now >= kPatienceWithPossible));
}

// How many connections that ask for it were waited for in vain. Of those that listen on another channel it is not known, but
// for the one every server has.
int ClusterConversation::silent_connections() const {
    const int asked = listeners_.is_main ? connections_expected() : listeners_.sure;
    return std::max(0, asked - connections_heard());
}

bool ClusterConversation::is_over(Time now) const {
    return now >= limits_.timeout || has_found_ || (has_everybody_answered() && has_everybody_been_heard(now));
}

Time ClusterConversation::next_look(Time now) const {
    return next_of({quiet_end(), kPatienceWithPossible, limits_.patience}, now, limits_.timeout);
}

Outcome ClusterConversation::outcome(Time now) const {
    Outcome outcome;
    outcome.answered = answered();
    for (const auto& [uid, server] : servers_) {
        outcome.servers += server.has_answered || !(server.is_closed || server.is_newcomer) ? 1 : 0;
        outcome.unreadable += server.unreadable > 0 && !has_said_all(server) ? 1 : 0;
        outcome.clients += server.clients;
        outcome.acknowledged += server.acknowledged;
    }
    if (!has_found_ && now >= limits_.patience) {
        outcome.silent = silent_connections();
    }
    outcome.timed_out = now >= limits_.timeout && !has_found_ && !has_everybody_answered();
    if (is_nobody_there() && now < quiet_end()) {
        outcome.timed_out = question_ != Question::kServers;  // nobody is known, and nobody is known not to be there
    }
    return outcome;
}

}  // namespace socketio
