// What servers running @socket.io/postgres-adapter say between a request leaving and its last answer.
//
// Servers of a cluster know of each other by their heartbeats. A request knows nobody, so an INITIAL_HEARTBEAT goes ahead of
// it, which every server answers at once, be it ever so busy with the request afterwards: whoever is heard is a server.
// How many there are tells the number of connections that listen (PostgreSQL shows those): when as many have answered, it is
// over.
//
// Otherwise everybody was heard when as many were heard as connections listen and nobody new has been for some time: one
// connection can speak for the workers of a whole Node.js cluster, or the connections could not be counted. A connection that
// listens and stays silent may be no server, but somebody who looks on, so it is not waited for longer than `patience`.
//
// A server that was heard is waited for until the timeout, unless it says that it closes.
//
// Adapters from 0.3.0 on listen on all channels by one connection, which shows one of them only; those before have a connection
// for each. Which it is shows from 0.4.0 on, where messages have "nsp".

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "protocol/answer.h"
#include "protocol/conversation.h"

namespace socketio {

class ClusterConversation : public Conversation {
  public:
    ClusterConversation(const Inquiry& inquiry, Listeners listeners);

    std::string_view hear(std::string_view json, Time now) override;
    void hear_attachment(std::string_view msgpack, Time now) override;
    void miss_attachment() override;
    bool is_over(Time now) const override;
    bool has_found() const override { return has_found_; }
    Time next_look(Time now) const override;
    Outcome outcome(Time now) const override;

  private:
    struct Server {
        std::string node;
        bool has_nsp = false;      // its adapter listens by one connection
        bool is_closed = false;    // it said so
        bool is_newcomer = false;  // it may have come too late for the request
        int unreadable = 0;        // attachments that may be its answers
        bool has_answered = false;
        long clients = 0;
        long acknowledged = 0;
    };

    bool is_response(const Answer& answer) const;
    Server& meet(const Answer& answer, Time now);
    void part(const Answer& answer);
    void take(Answer&& answer, Server& server);
    void take_sockets(Answer&& answer, Server& server);
    void add_response(Answer&& answer);
    bool is_wanted(const AnswerSocket& socket) const;
    static bool has_said_all(const Server& server);
    bool is_done(const Server& server) const;
    bool has_everybody_answered() const;
    int answered() const;
    bool has_everybody_been_heard(Time now) const;
    bool is_nobody_there() const;
    bool is_each_one_connection() const;
    bool is_each_its_own() const;
    int connections_heard() const;
    int connections_expected() const;
    int silent_connections() const;
    Time quiet_end() const;

    Question question_;
    std::string wanted_;
    std::string request_id_;
    Listeners listeners_;
    ConversationLimits limits_;
    std::map<std::string, Server> servers_;  // by uid
    Time last_met_{0};                       // when the last new server was heard, which is also the slowest to be
    bool has_found_ = false;
    std::string attachment_id_;
    Server* speaker_ = nullptr;  // who was heard last
};

}  // namespace socketio
