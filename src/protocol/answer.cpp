#include "protocol/answer.h"

#include <utility>

#include "protocol/clean_text.h"
#include "protocol/json_capture.h"
#include "protocol/json_parser.h"
#include "protocol/msgpack_parser.h"

namespace socketio {

namespace {

// What the value that comes next is, by the keys that lead to it.
enum class Field {
    kOther,  // of no interest, with all that is in it
    kMessage,
    kType,
    kUid,
    kNode,
    kNsp,
    kAttachmentId,
    kData,
    kRequestId,
    kClientCount,
    kPacket,
    kSockets,
    kSocket,
    kSocketId,
    kSocketRooms,
    kSocketRoom,
    kSocketData,
    kHandshake,
};

struct NamedField {
    Field object;
    std::string_view key;
    Field field;
};

constexpr NamedField kFields[] = {
    {Field::kMessage, "type", Field::kType},
    {Field::kMessage, "uid", Field::kUid},
    {Field::kMessage, "nodeId", Field::kNode},
    {Field::kMessage, "nsp", Field::kNsp},
    {Field::kMessage, "attachmentId", Field::kAttachmentId},
    {Field::kMessage, "data", Field::kData},
    {Field::kData, "requestId", Field::kRequestId},
    {Field::kData, "clientCount", Field::kClientCount},
    {Field::kData, "packet", Field::kPacket},
    {Field::kData, "sockets", Field::kSockets},
    {Field::kSocket, "id", Field::kSocketId},
    {Field::kSocket, "rooms", Field::kSocketRooms},
    {Field::kSocket, "data", Field::kSocketData},
    {Field::kSocket, "handshake", Field::kHandshake},
};

Field field_of(Field object, std::string_view key) {
    for (const NamedField& named : kFields) {
        if (named.object == object && named.key == key) {
            return named.field;
        }
    }
    return Field::kOther;
}

// What the elements of an array are.
Field element_of(Field array) {
    switch (array) {
        case Field::kSockets:
            return Field::kSocket;
        case Field::kSocketRooms:
            return Field::kSocketRoom;
        default:
            return Field::kOther;
    }
}

bool is_object(Field field) { return field == Field::kMessage || field == Field::kData || field == Field::kSocket; }
bool is_kept_as_json(Field field) {
    return field == Field::kPacket || field == Field::kSocketData || field == Field::kHandshake;
}

// A handler, as value_handler.h describes it, that picks an Answer out of a message of `size` bytes.
class AnswerReader {
  public:
    explicit AnswerReader(std::size_t size) : elements_left_(kFewElements + size / kBytesPerElement) {}

    // Nothing if the message was no object, or made to fill memory.
    std::optional<Answer> take() {
        return has_message_ && elements_left_ > 0 ? std::make_optional(std::move(answer_)) : std::nullopt;
    }

    void null() {
        scalar([](JsonCapture& capture) { capture.null(); });
    }
    void boolean(bool value) {
        scalar([&](JsonCapture& capture) { capture.boolean(value); });
    }
    void large_integer(std::uint64_t value) {
        scalar([&](JsonCapture& capture) { capture.large_integer(value); });
    }
    void real(double value) {
        scalar([&](JsonCapture& capture) { capture.real(value); });
    }
    void binary(std::string_view bytes) {
        scalar([&](JsonCapture& capture) { capture.binary(bytes); });
    }

    void integer(std::int64_t value) {
        if (next_ == Field::kType) {
            answer_.type = value;
        } else if (next_ == Field::kClientCount) {
            answer_.client_count = value;
        } else if (next_ == Field::kAttachmentId) {
            answer_.attachment_id = std::to_string(value);  // adapters write a string
        }
        scalar([&](JsonCapture& capture) { capture.integer(value); });
    }

    void string(std::string_view text) {
        if (std::string* kept = text_of(next_)) {
            *kept = clean_utf8(text, scratch_);
        } else if (next_ == Field::kNsp) {
            answer_.has_nsp = true;
        }
        scalar([&](JsonCapture& capture) { capture.string(text); });
    }

    void key(std::string_view text) {
        if (capture_) {
            capture_->key(text);
        } else {
            next_ = field_of(open_.back(), text);
        }
    }

    void begin_object() {
        if (!begins_capture([](JsonCapture& capture) { capture.begin_object(); })) {
            open(is_object(next_) ? next_ : Field::kOther);
        }
    }

    void begin_array() {
        if (!begins_capture([](JsonCapture& capture) { capture.begin_array(); })) {
            open(element_of(next_) == Field::kOther ? Field::kOther : next_);
        }
    }

    void end_object() {
        if (!ends_capture([](JsonCapture& capture) { capture.end_object(); })) {
            close();
        }
    }

    void end_array() {
        if (!ends_capture([](JsonCapture& capture) { capture.end_array(); })) {
            close();
        }
    }

  private:
    // Sockets and rooms take far more memory than the one byte a message could spend on each. Real ones have ids of twenty
    // bytes, and handshakes of hundreds.
    static constexpr std::size_t kFewElements = 1000;
    static constexpr std::size_t kBytesPerElement = 4;

    bool takes_element() {
        elements_left_ -= elements_left_ > 0 ? 1 : 0;
        return elements_left_ > 0;
    }

    std::string* text_of(Field field) {
        switch (field) {
            case Field::kUid:
                return &answer_.uid;
            case Field::kNode:
                return &answer_.node;
            case Field::kAttachmentId:
                return &answer_.attachment_id;
            case Field::kRequestId:
                return &answer_.request_id;
            case Field::kSocketId:
                return &socket_.id;
            case Field::kSocketRoom:
                return takes_element() ? &socket_.rooms.emplace_back() : nullptr;
            default:
                return nullptr;
        }
    }

    void keep(Field field, const std::string& json) {
        switch (field) {
            case Field::kPacket:
                answer_.packet = json;
                break;
            case Field::kSocketData:
                socket_.data = json;
                break;
            case Field::kHandshake:
                socket_.handshake = json;
                break;
            default:
                break;
        }
    }

    template <class Report>
    void scalar(const Report& report) {
        if (!capture_ && is_kept_as_json(next_)) {
            capture_.emplace();
        }
        if (capture_) {
            report(*capture_);
            end_capture();
        } else {
            next_is_element();
        }
    }

    template <class Report>
    bool begins_capture(const Report& report) {
        if (!capture_ && is_kept_as_json(next_)) {
            capture_.emplace();
        }
        if (capture_) {
            report(*capture_);
        }
        return capture_.has_value();
    }

    template <class Report>
    bool ends_capture(const Report& report) {
        if (!capture_) {
            return false;
        }
        report(*capture_);
        end_capture();
        return true;
    }

    void end_capture() {
        if (!capture_->is_open()) {
            keep(next_, capture_->json());
            capture_.reset();
            next_is_element();
        }
    }

    void open(Field field) {
        has_message_ = has_message_ || field == Field::kMessage;
        if (field == Field::kSocket) {
            socket_ = {};
        }
        open_.push_back(field);
        next_is_element();
    }

    void close() {
        if (open_.back() == Field::kSocket && !socket_.id.empty() && takes_element()) {
            answer_.sockets.push_back(std::move(socket_));
        }
        open_.pop_back();
        next_is_element();
    }

    // What follows is an element of the array that is open, unless a key says otherwise.
    void next_is_element() { next_ = open_.empty() ? Field::kOther : element_of(open_.back()); }

    Answer answer_;
    AnswerSocket socket_;  // the one we are in
    bool has_message_ = false;
    std::size_t elements_left_;
    Field next_ = Field::kMessage;
    std::vector<Field> open_;  // the arrays and objects we are in, unless a value in there is kept as JSON
    std::optional<JsonCapture> capture_;
    std::string scratch_;
};

}  // namespace

std::optional<Answer> read_answer(std::string_view json) {
    std::string scratch;
    std::string clean(clean_utf8(json, scratch));
    clean_json_escapes(clean);
    AnswerReader reader(clean.size());
    return parse_json(clean, reader) ? reader.take() : std::nullopt;
}

std::optional<Answer> read_attached_answer(std::string_view msgpack) {
    AnswerReader reader(msgpack.size());
    return parse_msgpack(msgpack, reader) ? reader.take() : std::nullopt;
}

}  // namespace socketio
