// What is said between a request leaving and its last answer: which servers there are, who has answered, and when it is over.
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

#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/answer.h"

namespace socketio {

// What is asked. Comments say what the fields of a row are.
enum class Question {
    kServers,     // uid, node, latency in microseconds: who is there?
    kSockets,     // server, id, data, handshake, then a field for each room: FETCH_SOCKETS
    kOneSocket,   // the same of the one socket with the wanted id, and over when it is found
    kClientAcks,  // server, response: acknowledgements of a BROADCAST
    kServerAcks,  // server, response: acknowledgements of a SERVER_SIDE_EMIT
};

// Connections to the database that listen.
//
// Adapters from 0.3.0 on listen on all channels by one connection, which shows one of them only; those before have a connection
// for each. Which it is shows from 0.4.0 on, where messages have "nsp".
struct Listeners {
    int sure = 0;          // on the channel asked
    int possible = 0;      // on a channel of the same prefix, and perhaps on that one as well
    bool is_main = false;  // whether the channel is that of "/", which every server has
};

// What is shown of a row: fields in the order of the question's. Text is UTF-8, without U+0000.
using Row = std::vector<std::optional<std::string>>;

struct Outcome {
    bool timed_out = false;  // before everybody had answered
    int servers = 0;         // that were heard
    int answered = 0;        // of these
    int unreadable = 0;      // whose missing answers may be in attachments that could not be read
    int silent = 0;          // connections that listen and were waited for in vain
    long clients = 0;        // that received the event: kClientAcks
    long acknowledged = 0;   // of these

    bool is_complete() const { return !timed_out && unreadable == 0 && silent == 0; }
};

class Conversation {
  public:
    // All times count from when the request left.
    using Time = std::chrono::microseconds;

    struct Limits {
        Time timeout;
        Time patience;  // with connections that listen and stay silent
    };

    // `wanted` is the id of kOneSocket.
    Conversation(Question question, std::string_view wanted, std::string_view request_id, Listeners listeners,
                 Limits limits);

    // Take in the payload of a notification. Returns the id of the attachment that holds the rest of it, for
    // hear_attachment(), or nothing; the view is valid until the next call. Throws std::bad_alloc, as the others do.
    std::string_view hear(std::string_view json, Time now);
    void hear_attachment(std::string_view msgpack, Time now);

    // Instead of the latter, where the attachment that hear() has just named cannot be read: it may have been an answer.
    void miss_attachment();

    // The next row that has come in, valid until the next call of anything but this; null when there is none.
    const Row* next_row();
    bool has_row() const { return taken_ < rows_.size(); }

    bool is_over(Time now) const;
    bool has_found() const { return has_found_; }

    // When it may be over, though nobody is heard until then.
    Time next_look(Time now) const;

    Outcome outcome(Time now) const;

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
    Limits limits_;
    std::map<std::string, Server> servers_;  // by uid
    Time last_met_{0};                       // when the last new server was heard, which is also the slowest to be
    std::vector<Row> rows_;                  // that have come in since they were all taken
    std::size_t taken_ = 0;                  // of these
    bool has_found_ = false;
    std::string attachment_id_;
    Server* speaker_ = nullptr;  // who was heard last
};

}  // namespace socketio
