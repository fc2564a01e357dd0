// What is said between a request leaving and its last answer: who has answered, and when it is over. Each protocol has one of its
// own, made by its dialect.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace socketio {

// What is asked. Comments say what the fields of a row are; those that a protocol does not tell are null.
enum class Question {
    kServers,      // uid, node, latency in microseconds: who is there?
    kSockets,      // server, id, data, handshake, then a field for each room: the sockets of a target
    kClients,      // the same, for their ids alone
    kRooms,        // the same, for their rooms alone; the id may be null, and the rooms those of a whole server
    kClientRooms,  // the same of the one socket that is wanted, and over when it is found
    kCommand,      // the same, and then something is done to that socket
    kClientAcks,   // server, response: acknowledgements of an event by clients
    kServerAcks,   // server, response: acknowledgements of an event by servers
    kCustom,       // the same, of a custom request
};

// What is shown of a row: fields in the order of the question's. Text is UTF-8, without U+0000.
using Row = std::vector<std::optional<std::string>>;

struct Outcome {
    bool timed_out = false;    // before everybody had answered
    bool unconfirmed = false;  // the wanted socket was found, but not that what was to be done has been
    int servers = 0;           // that were heard, or are known to be there
    int answered = 0;          // of these
    int unreadable = 0;        // whose missing answers may be in attachments that could not be read
    int silent = 0;            // connections that listen and were waited for in vain
    long clients = 0;          // that received the event: kClientAcks
    long acknowledged = 0;     // of these

    bool is_complete() const { return !timed_out && unreadable == 0 && silent == 0; }
};

// All times count from when the request left.
using ConversationTime = std::chrono::microseconds;

struct ConversationLimits {
    ConversationTime timeout;
    ConversationTime patience;  // with connections that may be servers' and stay silent
    ConversationTime quiet =
        std::chrono::milliseconds(200);  // until whoever can be heard has been, if nobody can be counted
};

// What a conversation is about. The views have to outlive it.
struct Inquiry {
    Question question;
    std::string_view nsp;     // UTF-8
    std::string_view socket;  // id of the one that is wanted, if one is
    std::string_view request_id;
    ConversationLimits limits;
};

// Connections to the database that listen, as far as it shows.
struct Listeners {
    int sure = 0;          // for the namespace asked
    int possible = 0;      // for another one under the same prefix, and perhaps for this one as well
    bool is_main = false;  // whether it is "/", which every server has
};

// How long it has to be quiet, at least, for everybody to have been heard, if all have answered that are known for sure.
inline constexpr ConversationTime kShortQuiet = std::chrono::milliseconds(50);

// When it has been quiet long enough, if nobody has been heard since `last`: behind that, four times what the slowest took.
inline ConversationTime end_of_quiet(ConversationTime last, ConversationTime shortest, ConversationTime patience) {
    return last + std::clamp(last * 4, shortest, std::max(shortest, patience));
}

// The first of `times` that is still to come, or `limit`.
inline ConversationTime next_of(std::initializer_list<ConversationTime> times, ConversationTime now,
                                ConversationTime limit) {
    for (const ConversationTime time : times) {
        limit = time > now ? std::min(time, limit) : limit;
    }
    return limit;
}

inline bool is_about_one_socket(Question question) {
    return question == Question::kClientRooms || question == Question::kCommand;
}

class Conversation {
  public:
    using Time = ConversationTime;

    // Take in the payload of a notification. Returns the id of the attachment that holds the rest of it, for
    // hear_attachment(), or nothing; the view is valid until the next call. Throws std::bad_alloc, as the others do.
    virtual std::string_view hear(std::string_view payload, Time now) = 0;
    virtual void hear_attachment(std::string_view, Time) {}

    // Instead of the latter, where the attachment that hear() has just named cannot be read: it may have been an answer.
    virtual void miss_attachment() {}

    virtual bool is_over(Time now) const = 0;

    // Whether the wanted socket has been found.
    virtual bool has_found() const = 0;

    // When it may be over, though nobody is heard until then.
    virtual Time next_look(Time now) const = 0;

    virtual Outcome outcome(Time now) const = 0;

    // The next row that has come in, valid until the next call of anything but this; null when there is none.
    const Row* next_row() {
        if (has_row()) {
            return &rows_[taken_++];
        }
        rows_.clear();
        taken_ = 0;
        return nullptr;
    }
    bool has_row() const { return taken_ < rows_.size(); }

  protected:
    ~Conversation() = default;

    Row& add_row(Row row = {}) { return rows_.emplace_back(std::move(row)); }

  private:
    std::vector<Row> rows_;  // that have come in since they were all taken
    std::size_t taken_ = 0;  // of these
};

}  // namespace socketio
