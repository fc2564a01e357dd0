// Any answers at any times in a conversation with servers running socket.io-adapter-postgres, whole or in pieces that come in any
// order, twice or never: each that is complete counts, and nothing else. No socket comes twice, the one that is wanted comes when
// it is answered for, what is over stays over, and the next look is the first moment that may end it.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "protocol/adapter_postgres_conversation.h"
#include "support/adapter_postgres_server.h"
#include "take_document.h"

using namespace socketio;
using namespace std::chrono_literals;
using nlohmann::json;
using Time = Conversation::Time;

namespace {

constexpr std::string_view kRequest = "r1";
constexpr std::string_view kSecondRequest = "r1+";
constexpr std::string_view kWanted = "wanted";
constexpr std::string_view kTopic = "socket.io-response#/#";

struct Setting {
    Question question;
    Listeners listeners;
    ConversationLimits limits;
};

Setting take_setting(FuzzedDataProvider& data) {
    Setting setting{};
    setting.question = data.PickValueInArray(
        {Question::kClients, Question::kRooms, Question::kClientRooms, Question::kCommand, Question::kCustom});
    setting.listeners = {data.ConsumeIntegralInRange(0, 4), data.ConsumeIntegralInRange(0, 4), data.ConsumeBool()};
    setting.limits.timeout = Time(data.ConsumeIntegralInRange(1, 3'000'000));
    setting.limits.patience = Time(data.ConsumeIntegralInRange<Time::rep>(1, setting.limits.timeout.count()));
    return setting;
}

json take_names(FuzzedDataProvider& data) {
    json names = json::array();
    for (int i = data.ConsumeIntegralInRange(0, 3); i > 0; --i) {
        names.push_back(
            data.PickValueInArray({"a", "b", "\xC3\xA9\"\\\n", "\xF0\x9F\x98\x80", "", "wanted", "wanted "}));
    }
    return names;
}

json take_answer(FuzzedDataProvider& data) {
    json answer = json::object();
    answer["requestid"] = data.PickValueInArray({"r1", "r1", "r1", "r1+", "r2", ""});
    if (data.ConsumeBool()) {
        answer["clients"] = take_names(data);
    }
    if (data.ConsumeBool()) {
        answer["rooms"] = take_names(data);
    }
    if (data.ConsumeBool()) {
        answer["data"] = take_document(data, 1);
    }
    return answer;
}

// What is to come of the answers that are complete.
struct Model {
    int answers = 0;
    std::set<std::string> clients;
    std::size_t rows = 0;
    bool is_there = false;
    bool is_done = false;

    bool is_owing() const { return is_there && !is_done; }
};

// A payload that is on its way, of the answer with this number.
struct Payload {
    std::size_t answer;
    std::size_t index;
    std::string bytes;
};

class ConversationFuzzer {
  public:
    explicit ConversationFuzzer(FuzzedDataProvider& data)
        : data_(data),
          setting_(take_setting(data)),
          conversation_({setting_.question, "/", kWanted, kRequest, setting_.limits}, kTopic, setting_.listeners) {}

    void run() {
        check_state();
        while (data_.remaining_bytes() > 0) {
            now_ += Time(data_.ConsumeIntegralInRange(0, 400'000));
            do_something();
            if (data_.ConsumeBool()) {
                take_rows();
            }
            check_state();
        }
        take_rows();
        check(rows_ == model_.rows, "every answer has its rows");
    }

  private:
    void do_something() {
        const int choice = data_.ConsumeIntegralInRange(0, 7);
        if (choice <= 2 || on_their_way_.empty()) {
            return send(choice == 0);
        }
        const std::size_t place = data_.ConsumeIntegralInRange<std::size_t>(0, on_their_way_.size() - 1);
        const Payload payload = on_their_way_[place];
        if (choice != 3) {
            on_their_way_.erase(on_their_way_.begin() + static_cast<std::ptrdiff_t>(place));
        }
        if (choice == 4) {
            return hear_damaged(payload.bytes);
        }
        if (choice != 5) {
            hear(payload);
        }
    }

    // In small pieces, for which no long texts are needed.
    void send(bool is_heard_at_once) {
        const json answer = take_answer(data_);
        const std::string text = answer.dump();
        const Cutting cutting = {data_.ConsumeIntegralInRange<std::size_t>(0, 100),
                                 data_.ConsumeIntegralInRange<std::size_t>(10, 60)};
        const std::size_t number = answers_.size();
        const std::vector<std::string> payloads = publish(kTopic, text, std::to_string(number), cutting);
        answers_.push_back({answer, payloads.size(), utf16_of(text).size() > cutting.longest});
        for (std::size_t index = 0; index < payloads.size(); ++index) {
            const Payload payload = {number, index, payloads[index]};
            is_heard_at_once ? hear(payload) : on_their_way_.push_back(payload);
        }
    }

    void hear(const Payload& payload) {
        check(conversation_.hear(payload.bytes, now_).empty(), "there are no attachments", payload.bytes);
        std::set<std::size_t>& heard = heard_[payload.answer];
        const Sent& sent = answers_[payload.answer];
        if (heard.insert(payload.index).second && sent.is_in_pieces) {
            last_piece_ = now_;
        }
        if (heard.size() == sent.payloads) {
            heard.clear();
            note(sent.answer);
        }
    }

    // Cut off, or of another topic.
    void hear_damaged(std::string payload) {
        if (data_.ConsumeBool()) {
            payload.resize(data_.ConsumeIntegralInRange<std::size_t>(0, payload.size() - 1));
        } else {
            payload.insert(data_.ConsumeIntegralInRange<std::size_t>(2, 2 + kTopic.size()), "x");
        }
        conversation_.hear(payload, now_);
    }

    void note(const json& answer) {
        if (answer["requestid"] == kSecondRequest) {
            if (is_about_one_socket() && !model_.is_done) {
                model_.is_there = model_.is_done = true;
                ++model_.rows;
            }
        } else if (answer["requestid"] == kRequest) {
            ++model_.answers;
            last_answer_ = now_;
            model_.rows += setting_.question == Question::kRooms || setting_.question == Question::kCustom ? 1 : 0;
            note_clients(answer.value("clients", json::array()));
        }
    }

    void note_clients(const json& clients) {
        for (const std::string client : clients) {
            if (is_about_one_socket()) {
                model_.is_there |= client == kWanted;
            } else if (setting_.question == Question::kClients) {
                model_.rows += model_.clients.insert(client).second ? 1 : 0;
            }
        }
    }

    void take_rows() {
        const bool has_row = conversation_.has_row();
        const Row* row = conversation_.next_row();
        check(has_row == (row != nullptr), "there is a row if it says so");
        for (; row != nullptr; row = conversation_.next_row()) {
            check_row(*row);
            ++rows_;
        }
        check(!conversation_.has_row(), "all rows were taken");
        check(rows_ == model_.rows, "every answer has its rows");
    }

    void check_row(const Row& row) {
        check(!row.at(0).has_value(), "no server says its name");
        switch (setting_.question) {
            case Question::kCustom:
                check(row.size() == 2, "a response is all there is");
                break;
            case Question::kRooms:
                check(row.size() >= 4 && !row[1], "rooms are of a whole server");
                break;
            case Question::kClients:
                check(row.size() == 4 && row[1] && model_.clients.count(*row[1]) == 1, "a client was answered");
                check(shown_.insert(*row[1]).second, "no client comes twice", *row[1]);
                break;
            default:
                check(row.size() >= 4 && row[1] == kWanted, "the one socket is the wanted one");
                check(rows_ == 0, "it comes once");
        }
        check(setting_.question == Question::kCustom || (!row[2] && !row[3]), "of sockets only ids and rooms are told");
        check(setting_.question == Question::kCustom ||
                  std::all_of(row.begin() + 4, row.end(), [](const auto& room) { return room.has_value(); }),
              "a room has a name");
    }

    void check_state() const {
        check_outcome();
        check_end();
        if (conversation_.is_over(now_)) {
            for (const Time later : {now_, now_ + 1us, setting_.limits.patience, setting_.limits.timeout, now_ + 1h}) {
                check(later < now_ || conversation_.is_over(later), "what is over stays over");
            }
            return;
        }
        Time time = now_;
        for (int looks = 0; !conversation_.is_over(time); ++looks) {
            const Time next = conversation_.next_look(time);
            check(next > time, "the next look is still to come");
            check(!conversation_.is_over(next - 1us), "it is not over before the next look");
            check(looks < 4, "four looks are enough");
            time = next;
        }
        check(time <= setting_.limits.timeout, "it is over by the timeout");
    }

    void check_outcome() const {
        const Outcome outcome = conversation_.outcome(now_);
        check(conversation_.has_found() == model_.is_there, "the socket is found where a server says so");
        check(outcome.answered == model_.answers - (model_.is_owing() ? 1 : 0), "every answer is counted, once");
        check(outcome.servers == std::max(model_.answers, servers()), "as many servers are there as are known");
        check(outcome.unconfirmed == (setting_.question == Question::kCommand && model_.is_owing()),
              "what is to be done is done when it is said to be");
        check(!outcome.timed_out || (now_ >= setting_.limits.timeout && !model_.is_done), "only the timeout is one");
        check(!outcome.timed_out || model_.is_owing() || outcome.answered < listening() || listening() == 0,
              "nobody is waited for who has answered");
        check(outcome.silent >= 0 && outcome.silent <= std::max(0, listening() - model_.answers),
              "who is silent listens and has not answered");
        if (conversation_.is_over(now_)) {
            const bool is_without_others = !outcome.timed_out && !model_.is_done && model_.answers < listening();
            check((outcome.silent > 0) == is_without_others, "who is silent was waited for in vain");
        }
        check(outcome.unreadable == 0 && outcome.clients == 0 && outcome.acknowledged == 0,
              "there is nothing else to tell");
    }

    void check_end() const {
        const bool is_over = conversation_.is_over(now_);
        if (now_ >= setting_.limits.timeout || model_.is_done) {
            check(is_over, "it is over at the timeout, and when the socket has been dealt with");
        } else if (model_.is_owing()) {
            check(!is_over, "it is not over before the socket has been dealt with");
        } else if (listening() > 0 && model_.answers >= listening()) {
            check(is_over, "it is over with the last answer");
        } else if (model_.answers < servers() || now_ < last_answer_ + 50ms) {
            check(!is_over, "who is known to listen is waited for, and others until it is quiet");
        } else if (is_in_the_middle()) {
            check(!is_over, "the rest of an answer is waited for");
        }
    }

    // Whether a piece has come whose answer is not complete, and not so long ago.
    bool is_in_the_middle() const {
        return now_ < last_piece_ + setting_.limits.patience &&
               std::any_of(heard_.begin(), heard_.end(), [](const auto& heard) { return !heard.second.empty(); });
    }

    bool is_about_one_socket() const {
        return setting_.question == Question::kClientRooms || setting_.question == Question::kCommand;
    }

    int listening() const { return setting_.listeners.sure + setting_.listeners.possible; }
    int servers() const { return setting_.listeners.is_main ? listening() : setting_.listeners.sure; }

    struct Sent {
        json answer;
        std::size_t payloads;
        bool is_in_pieces;
    };

    FuzzedDataProvider& data_;
    Setting setting_;
    AdapterPostgresConversation conversation_;
    Time now_{1};  // nothing is heard the moment a request leaves
    Time last_answer_{0};
    Time last_piece_{0};
    std::vector<Sent> answers_;
    std::vector<Payload> on_their_way_;
    std::map<std::size_t, std::set<std::size_t>> heard_;  // indexes of the pieces that are there, by answer
    Model model_;
    std::set<std::string> shown_;
    std::size_t rows_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    FuzzedDataProvider data(bytes, size);
    ConversationFuzzer(data).run();
    return 0;
}
