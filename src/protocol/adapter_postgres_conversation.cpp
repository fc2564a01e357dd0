#include "protocol/adapter_postgres_conversation.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "protocol/adapter_postgres_message.h"

namespace socketio {

namespace {

using namespace adapter_postgres;
using Time = Conversation::Time;

// Of pieces of texts that are not complete, which anybody may send.
constexpr std::size_t kMostKept = 256 * 1024 * 1024;
constexpr std::size_t kPieceOverhead = 256;

}  // namespace

AdapterPostgresConversation::AdapterPostgresConversation(const Inquiry& inquiry, std::string_view topic,
                                                         Listeners listeners)
    : question_(inquiry.question),
      wanted_(inquiry.socket),
      request_id_(inquiry.request_id),
      second_id_(request_id_ + kSecond),
      topic_(topic),
      listeners_(listeners),
      limits_(inquiry.limits) {}

std::string_view AdapterPostgresConversation::hear(std::string_view payload, Time now) {
    const std::optional<RawPayload> raw = split_payload(payload);
    if (!raw || unescape(raw->topic) != topic_) {
        return {};
    }
    const std::optional<std::string> text = take_text(raw->text, now);
    if (std::optional<Answer> answer = text ? read_answer(*text) : std::nullopt) {
        take_answer(std::move(*answer), now);
    }
    return {};
}

// The text that is complete with this one, if one is.
std::optional<std::string> AdapterPostgresConversation::take_text(std::string_view raw, Time now) {
    const std::optional<Piece> piece = read_piece(raw);
    return piece ? take_piece(*piece, now) : unescape(raw);
}

std::optional<std::string> AdapterPostgresConversation::take_piece(const Piece& piece, Time now) {
    const std::size_t size = piece.raw.size() + kPieceOverhead;
    if (size > kMostKept - kept_bytes_) {
        return std::nullopt;
    }
    Pieces& pieces = pieces_.try_emplace(std::string(piece.id), Pieces{piece.count, {}}).first->second;
    if (!pieces.raw.try_emplace(piece.index, piece.raw).second) {
        return std::nullopt;
    }
    kept_bytes_ += size;
    last_piece_ = now;
    if (pieces.raw.size() < pieces.count) {
        return std::nullopt;
    }
    std::string whole;
    for (const auto& [index, raw] : pieces.raw) {
        whole += raw;
        kept_bytes_ -= raw.size() + kPieceOverhead;
    }
    pieces_.erase(pieces_.find(piece.id));
    return unescape(whole);
}

void AdapterPostgresConversation::take_answer(Answer&& answer, Time now) {
    if (answer.request_id == second_id_) {
        return take_second(std::move(answer));
    }
    if (answer.request_id != request_id_) {
        return;
    }
    ++answered_;
    last_answer_ = now;
    switch (question_) {
        case Question::kRooms:
            return add_socket_row(std::nullopt, std::move(answer.rooms));
        case Question::kCustom:
            add_row({std::nullopt, std::move(answer.data)});
            return;
        default:
            return take_clients(std::move(answer));
    }
}

void AdapterPostgresConversation::take_clients(Answer&& answer) {
    for (std::string& client : answer.clients) {
        if (is_about_one_socket(question_)) {
            is_there_ |= client == wanted_;
        } else if (clients_.insert(client).second) {
            add_socket_row(std::move(client), {});
        }
    }
}

// From the server that has the wanted socket.
void AdapterPostgresConversation::take_second(Answer&& answer) {
    if (is_about_one_socket(question_) && !is_done_) {
        is_there_ = is_done_ = true;
        add_socket_row(wanted_, std::move(answer.rooms));
    }
}

void AdapterPostgresConversation::add_socket_row(std::optional<std::string> id, std::vector<std::string>&& rooms) {
    Row& row = add_row({std::nullopt, std::move(id), std::nullopt, std::nullopt});
    std::move(rooms.begin(), rooms.end(), std::back_inserter(row));
}

// How many there are for sure.
int AdapterPostgresConversation::servers() const {
    return listeners_.sure + (listeners_.is_main ? listeners_.possible : 0);
}

Time AdapterPostgresConversation::quiet_end() const {
    return end_of_quiet(last_answer_, servers() > 0 ? kShortQuiet : limits_.quiet, limits_.patience);
}

// How long those that may have the namespace, and texts of which pieces are missing, are waited for.
Time AdapterPostgresConversation::patience_end() const {
    const Time last_piece = pieces_.empty() ? Time(0) : last_piece_;
    return last_piece > Time(0) || expected() > 0 ? last_piece + limits_.patience : Time(0);
}

bool AdapterPostgresConversation::has_everybody_answered(Time now) const {
    if (expected() > 0 && answered_ >= expected()) {
        return true;
    }
    return answered_ >= servers() && now >= quiet_end() && now >= patience_end();
}

bool AdapterPostgresConversation::is_over(Time now) const {
    return now >= limits_.timeout || is_done_ || (!is_owing() && has_everybody_answered(now));
}

Time AdapterPostgresConversation::next_look(Time now) const {
    return next_of({quiet_end(), patience_end()}, now, limits_.timeout);
}

Outcome AdapterPostgresConversation::outcome(Time now) const {
    Outcome outcome;
    outcome.timed_out = now >= limits_.timeout && !is_done_ && (is_owing() || !has_everybody_answered(now));
    outcome.unconfirmed = question_ == Question::kCommand && is_owing();
    outcome.servers = std::max(answered_, servers());
    outcome.answered = answered_ - (is_owing() ? 1 : 0);
    if (!is_done_ && !outcome.timed_out) {
        outcome.silent = std::max(0, expected() - answered_);
    }
    return outcome;
}

}  // namespace socketio
