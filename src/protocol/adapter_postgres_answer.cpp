#include "protocol/adapter_postgres_answer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/adapter_postgres_message.h"
#include "protocol/clean_text.h"
#include "protocol/json_capture.h"
#include "protocol/json_parser.h"

namespace socketio::adapter_postgres {

namespace {

// Takes a payload apart without decoding it.
class PayloadScanner {
  public:
    explicit PayloadScanner(std::string_view json) : rest_(json) {}

    bool take(char token) {
        skip_space();
        if (rest_.empty() || rest_.front() != token) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    bool take_string(std::string_view& raw) {
        if (!take('"')) {
            return false;
        }
        std::size_t end = 0;
        while (end < rest_.size() && rest_[end] != '"') {
            end += rest_[end] == '\\' ? 2 : 1;
        }
        if (end >= rest_.size()) {
            return false;
        }
        raw = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return true;
    }

    bool is_at_end() {
        skip_space();
        return rest_.empty();
    }

  private:
    void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

    std::string_view rest_;
};

bool take_number(std::string_view& text, std::size_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return error == std::errc();
}

// A handler, as value_handler.h describes it, for a value that is a string.
struct StringReader {
    std::optional<std::string> text;

    void null() {}
    void boolean(bool) {}
    void integer(std::int64_t) {}
    void large_integer(std::uint64_t) {}
    void real(double) {}
    void string(std::string_view value) { text = value; }
    void key(std::string_view) {}
    void begin_object() {}
    void end_object() {}
    void begin_array() {}
    void end_array() {}
};

// The same for an answer of `size` bytes.
class AnswerReader {
  public:
    explicit AnswerReader(std::size_t size) : names_left_(kFewNames + size / kBytesPerName) {}

    std::optional<Answer> take() {
        return is_object_ && names_left_ > 0 ? std::make_optional(std::move(answer_)) : std::nullopt;
    }

    void null() {
        scalar([](JsonCapture& capture) { capture.null(); });
    }
    void boolean(bool value) {
        scalar([&](JsonCapture& capture) { capture.boolean(value); });
    }
    void integer(std::int64_t value) {
        scalar([&](JsonCapture& capture) { capture.integer(value); });
    }
    void large_integer(std::uint64_t value) {
        scalar([&](JsonCapture& capture) { capture.large_integer(value); });
    }
    void real(double value) {
        scalar([&](JsonCapture& capture) { capture.real(value); });
    }

    void string(std::string_view text) {
        if (depth_ == 1 && key_ == "requestid") {
            answer_.request_id = text;
        } else if (std::vector<std::string>* names = depth_ == 2 && is_in_array_ ? names_of(key_) : nullptr) {
            names_left_ -= names_left_ > 0 ? 1 : 0;
            if (names_left_ > 0) {
                names->emplace_back(clean_utf8(text, scratch_));
            }
        }
        scalar([&](JsonCapture& capture) { capture.string(text); });
    }

    void key(std::string_view text) {
        if (is_data()) {
            capture_->key(text);
        } else if (depth_ == 1) {
            key_ = text;
        }
    }

    void begin_object() {
        is_object_ |= depth_ == 0;
        open([](JsonCapture& capture) { capture.begin_object(); }, false);
    }
    void begin_array() {
        open([](JsonCapture& capture) { capture.begin_array(); }, true);
    }
    void end_object() {
        close([](JsonCapture& capture) { capture.end_object(); });
    }
    void end_array() {
        close([](JsonCapture& capture) { capture.end_array(); });
    }

  private:
    // Names take far more memory than the few bytes a message could spend on each. Real ones have ids of twenty bytes.
    static constexpr std::size_t kFewNames = 1000;
    static constexpr std::size_t kBytesPerName = 4;

    std::vector<std::string>* names_of(std::string_view key) {
        return key == "clients" ? &answer_.clients : key == "rooms" ? &answer_.rooms : nullptr;
    }

    // Whether we are in the value of "data", or before it.
    bool is_data() const { return capture_.has_value() && capture_->is_open(); }
    bool is_before_data() const { return depth_ == 1 && key_ == "data"; }

    template <class Report>
    void scalar(const Report& report) {
        if (is_data()) {
            report(*capture_);
        } else if (is_before_data()) {
            capture_.emplace();
            report(*capture_);
            answer_.data = capture_->json();
        }
    }

    template <class Report>
    void open(const Report& report, bool is_array) {
        if (is_data()) {
            return report(*capture_);
        }
        if (is_before_data()) {
            capture_.emplace();
            return report(*capture_);
        }
        ++depth_;
        is_in_array_ = is_array;
    }

    template <class Report>
    void close(const Report& report) {
        if (!is_data()) {
            --depth_;
            is_in_array_ = false;
            return;
        }
        report(*capture_);
        if (!capture_->is_open()) {
            answer_.data = capture_->json();
        }
    }

    Answer answer_;
    bool is_object_ = false;
    std::size_t depth_ = 0;  // of the arrays and objects we are in, those of "data" not counted
    // Whether we are in an array, rather than in an object. Only told of what has no other before it in the same.
    bool is_in_array_ = false;
    std::string key_;  // of the object at depth 1
    std::size_t names_left_;
    std::optional<JsonCapture> capture_;
    std::string scratch_;
};

std::string cleaned(std::string_view json) {
    std::string scratch;
    std::string clean(clean_utf8(json, scratch));
    clean_json_escapes(clean);
    return clean;
}

}  // namespace

std::optional<RawPayload> split_payload(std::string_view json) {
    PayloadScanner scanner(json);
    RawPayload payload;
    const bool is_payload = scanner.take('[') && scanner.take_string(payload.topic) && scanner.take(',') &&
                            scanner.take_string(payload.text) && scanner.take(']') && scanner.is_at_end();
    return is_payload ? std::make_optional(payload) : std::nullopt;
}

std::optional<std::string> unescape(std::string_view raw) {
    std::string json = "\"";
    json.append(cleaned(raw)).append("\"");
    StringReader reader;
    return parse_json(json, reader) ? std::move(reader.text) : std::nullopt;
}

std::optional<Piece> read_piece(std::string_view raw) {
    constexpr std::string_view kMark = "_chunk_";
    if (raw.size() < kPieceHeader || raw.substr(0, kMark.size()) != kMark) {
        return std::nullopt;
    }
    std::string_view header = raw.substr(kMark.size(), kPieceHeader - kMark.size());
    Piece piece = {header.substr(0, header.find('_')), 0, 0, raw.substr(kPieceHeader)};
    header.remove_prefix(std::min(piece.id.size() + 1, header.size()));
    if (!take_number(header, piece.index) || header.substr(0, 1) != "_") {
        return std::nullopt;
    }
    header.remove_prefix(1);
    const bool is_piece = take_number(header, piece.count) && piece.index < piece.count;
    return is_piece ? std::make_optional(piece) : std::nullopt;
}

std::optional<Answer> read_answer(std::string_view json) {
    const std::string clean = cleaned(json);
    AnswerReader reader(clean.size());
    return parse_json(clean, reader) ? reader.take() : std::nullopt;
}

}  // namespace socketio::adapter_postgres
