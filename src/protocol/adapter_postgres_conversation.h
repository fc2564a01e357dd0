// What servers running socket.io-adapter-postgres say between a request leaving and its last answer.
//
// Their answers do not name them, so they are counted, as the adapter itself does: by connections that bear the name of the
// namespace. All of these are waited for. A connection bears the name of the last namespace its server made only. Those that bear
// another may have this one as well, and surely if it is "/"; otherwise they are waited for not longer than 500 ms, and behind a
// piece of an answer as long again.
//
// To a request that concerns one socket only the server answers which has it, and silence says nothing. So all are asked
// along with it whether they have it; what is to be done to a socket is sent when one has said so, and over when that one
// has said that it is done.

#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>

#include "protocol/adapter_postgres_answer.h"
#include "protocol/conversation.h"

namespace socketio {

class AdapterPostgresConversation final : public Conversation {
  public:
    // Answers come on `topic`. Throws std::bad_alloc.
    AdapterPostgresConversation(const Inquiry& inquiry, std::string_view topic, Listeners listeners);

    std::string_view hear(std::string_view payload, Time now) override;
    bool is_over(Time now) const override;
    bool has_found() const override { return is_there_; }
    Time next_look(Time now) const override;
    Outcome outcome(Time now) const override;

  private:
    // A text of which pieces have come.
    struct Pieces {
        std::size_t count;
        std::map<std::size_t, std::string> raw;  // by index
    };

    std::optional<std::string> take_text(std::string_view raw, Time now);
    std::optional<std::string> take_piece(const adapter_postgres::Piece& piece, Time now);
    void take_answer(adapter_postgres::Answer&& answer, Time now);
    void take_clients(adapter_postgres::Answer&& answer);
    void take_second(adapter_postgres::Answer&& answer);
    void add_socket_row(std::optional<std::string> id, std::vector<std::string>&& rooms);
    bool is_owing() const { return is_there_ && !is_done_; }
    int servers() const;
    int expected() const { return listeners_.sure + listeners_.possible; }
    bool has_everybody_answered(Time now) const;
    Time quiet_end() const;
    Time patience_end() const;

    Question question_;
    std::string wanted_;
    std::string request_id_;
    std::string second_id_;
    std::string topic_;
    Listeners listeners_;
    ConversationLimits limits_;
    std::map<std::string, Pieces, std::less<>> pieces_;  // by id
    std::size_t kept_bytes_ = 0;                         // of these
    Time last_piece_{0};
    std::unordered_set<std::string> clients_;
    int answered_ = 0;
    Time last_answer_{0};
    bool is_there_ = false;  // a server has the wanted socket
    bool is_done_ = false;   // and has answered what concerns it
};

}  // namespace socketio
