// Any messages at any times in a conversation: who answered was heard, no row comes twice, what is over stays over, and
// the next look is the first moment that may end it.

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
#include "protocol/cluster_conversation.h"
#include "take_document.h"

using namespace socketio;
using namespace std::chrono_literals;
using nlohmann::json;
using Time = Conversation::Time;

namespace {

constexpr std::string_view kRequest = "r1";
constexpr std::string_view kWanted = "wanted";
constexpr int kClientAck = 12;

struct Setting {
    Question question;
    Listeners listeners;
    ConversationLimits limits;
};

Setting take_setting(FuzzedDataProvider& data) {
    Setting setting{};
    setting.question = data.PickValueInArray({Question::kServers, Question::kSockets, Question::kClients,
                                              Question::kRooms, Question::kClientRooms, Question::kCommand,
                                              Question::kClientAcks, Question::kServerAcks, Question::kCustom});
    setting.listeners = {data.ConsumeIntegralInRange(0, 4), data.ConsumeIntegralInRange(0, 4), data.ConsumeBool()};
    setting.limits.timeout = Time(data.ConsumeIntegralInRange(1, 3'000'000));
    setting.limits.patience = Time(data.ConsumeIntegralInRange<Time::rep>(1, setting.limits.timeout.count()));
    return setting;
}

json take_count(FuzzedDataProvider& data) {
    return data.ConsumeBool() ? json(data.ConsumeIntegralInRange(0, 3)) : take_number(data);
}

json take_sockets(FuzzedDataProvider& data, int message_number) {
    json sockets = json::array();
    for (int i = data.ConsumeIntegralInRange(0, 3); i > 0; --i) {
        const std::string own_id = std::to_string(message_number) + "/" + std::to_string(i);
        sockets.push_back({{"id", data.ConsumeBool() ? own_id : std::string(kWanted)}, {"rooms", {own_id}}});
    }
    return sockets;
}

// Few servers, so that they are heard again. `number` is of this message alone, and in all that it says.
json take_message(FuzzedDataProvider& data, int number) {
    json message = {{"uid", data.PickValueInArray({"a", "b", "c", "d", "e", "emitter", ""})},
                    {"type", data.ConsumeIntegralInRange(0, 14)}};
    if (data.ConsumeBool()) {
        message["nsp"] = "/";
    }
    if (data.ConsumeIntegralInRange(0, 3) == 0) {
        message["nodeId"] = data.PickValueInArray({"n1", "n2"});
    }
    if (data.ConsumeIntegralInRange(0, 3) == 0) {
        message["attachmentId"] = "42";
    }
    message["data"] = {{"requestId", data.ConsumeIntegralInRange(0, 3) > 0 ? std::string(kRequest) : "r2"},
                       {"clientCount", take_count(data)},
                       {"sockets", take_sockets(data, number)},
                       {"packet", number}};
    return message;
}

class ConversationFuzzer {
  public:
    explicit ConversationFuzzer(FuzzedDataProvider& data)
        : data_(data),
          setting_(take_setting(data)),
          conversation_({setting_.question, "/", kWanted, kRequest, setting_.limits}, setting_.listeners) {}

    void run() {
        check_state();
        while (data_.remaining_bytes() > 0) {
            now_ += Time(data_.ConsumeIntegralInRange(0, 400'000));
            hear_something();
            if (data_.ConsumeBool()) {
                take_rows();
            }
            check_state();
        }
        take_rows();
        check_rows();
    }

  private:
    void hear_something() {
        const json message = take_message(data_, ++message_number_);
        switch (data_.ConsumeIntegralInRange(0, 3)) {
            case 0: {
                const std::vector<std::uint8_t> bytes = json::to_msgpack(message);
                note(message);
                conversation_.hear_attachment({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, now_);
                break;
            }
            case 1: {
                std::string damaged = message.dump();
                damaged.resize(data_.ConsumeIntegralInRange<std::size_t>(0, damaged.size() - 1));
                check(conversation_.hear(damaged, now_).empty(), "what is cut off says nothing", damaged);
                conversation_.hear_attachment(damaged, now_);
                break;
            }
            default: {
                note(message);
                const std::string_view id = conversation_.hear(message.dump(), now_);
                check(id.empty() || (id == "42" && message.contains("attachmentId")),
                      "an attachment is asked for by its id");
                if (!id.empty() && data_.ConsumeBool()) {
                    conversation_.miss_attachment();
                }
            }
        }
    }

    // Keep count of what may come of a message.
    void note(const json& message) {
        const std::string uid = message["uid"];
        if (uid == "emitter" || uid.empty()) {
            return;
        }
        heard_.insert(uid);
        if (message["type"] == kClientAck && message["data"]["requestId"] == kRequest) {
            ++acknowledgements_;
        }
    }

    void take_rows() {
        const bool has_row = conversation_.has_row();
        const Row* row = conversation_.next_row();
        check(has_row == (row != nullptr), "there is a row if it says so");
        for (; row != nullptr; row = conversation_.next_row()) {
            check(row->size() >= 2 && row->front().has_value(), "a row names its server");
            rows_.push_back(*row);
        }
        check(!conversation_.has_row(), "all rows were taken");
    }

    // The number of the message is in each row but those of servers, each of which comes once.
    void check_rows() const {
        std::set<Row> distinct;
        std::map<std::string, std::set<std::string>> messages;  // by server, of those who answer once
        for (const Row& row : rows_) {
            check(heard_.count(*row[0]) == 1, "a row is of a server that was heard", *row[0]);
            switch (setting_.question) {
                case Question::kServers:
                    messages[*row[0]].insert(std::to_string(messages[*row[0]].size()));
                    break;
                case Question::kSockets:
                case Question::kClients:
                case Question::kRooms:
                case Question::kClientRooms:
                case Question::kCommand:
                    check(!wants_one_socket() || row[1] == kWanted, "the one socket is the wanted one");
                    messages[*row[0]].insert(row.at(4)->substr(0, row.at(4)->find('/')));
                    check(distinct.insert(row).second, "no socket comes twice", *row[1]);
                    break;
                case Question::kServerAcks:
                case Question::kCustom:
                    messages[*row[0]].insert(std::to_string(messages[*row[0]].size()));
                    [[fallthrough]];
                case Question::kClientAcks:
                    check(distinct.insert(row).second, "no response comes twice", *row[0]);
            }
        }
        for (const auto& [server, numbers] : messages) {
            check(numbers.size() == 1, "a server answers once", server);
        }
        check(setting_.question != Question::kClientAcks || static_cast<long>(rows_.size()) == acknowledgements_,
              "every acknowledgement is a row");
    }

    void check_state() const {
        check_outcome();
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
        const bool is_over = conversation_.is_over(now_);
        const int listening = setting_.listeners.sure + setting_.listeners.possible;
        check(outcome.answered >= 0 && outcome.answered <= outcome.servers, "who answered was heard");
        check(outcome.servers <= static_cast<int>(heard_.size()), "a server was heard");
        check(outcome.unreadable >= 0 && outcome.answered + outcome.unreadable <= static_cast<int>(heard_.size()),
              "who is unreadable has not answered");
        check(outcome.silent >= 0 && outcome.silent <= listening, "who is silent listens");
        check(outcome.silent == 0 || now_ >= setting_.limits.patience, "who is silent was waited for");
        check(outcome.clients >= 0 && outcome.acknowledged >= 0, "counts are no less than none");
        check(setting_.question == Question::kClientAcks || (outcome.clients == 0 && outcome.acknowledged == 0),
              "only clients acknowledge");
        check(setting_.question != Question::kClientAcks || outcome.acknowledged == acknowledgements_,
              "every acknowledgement is counted");
        check(!conversation_.has_found() || (is_over && !outcome.timed_out), "it is over when the socket is found");
        check(!conversation_.has_found() || wants_one_socket(), "one socket is found");
        check(!is_over || !outcome.timed_out || now_ >= setting_.limits.timeout, "only the timeout is a timeout");
        check(!outcome.timed_out || setting_.question != Question::kServers, "the question for servers has its time");
    }

    bool wants_one_socket() const {
        return setting_.question == Question::kClientRooms || setting_.question == Question::kCommand;
    }

    FuzzedDataProvider& data_;
    Setting setting_;
    ClusterConversation conversation_;
    Time now_{0};
    int message_number_ = 0;
    std::set<std::string> heard_;
    long acknowledgements_ = 0;
    std::vector<Row> rows_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    FuzzedDataProvider data(bytes, size);
    ConversationFuzzer(data).run();
    return 0;
}
