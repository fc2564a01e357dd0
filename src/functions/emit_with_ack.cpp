// socketio_emit_with_ack, socketio_server_side_emit_with_ack, socketio_custom_request: events whose receivers answer.

#include "backend/guard.h"
#include "backend/jsonb_reader.h"
#include "backend/settings.h"
#include "functions/asking.h"

namespace socketio {

namespace {

// (server, response), as Question::kClientAcks and kServerAcks have them
void put_response(const RowFields& answer, void* rows) {
    bool nulls[2] = {};
    const Datum values[] = {text_field(answer, 0, nulls[0]), jsonb_field(answer, 1, nulls[1])};
    put_row(static_cast<ReturnSetInfo*>(rows), values, nulls);
}

void ask(Question question, const Event& event, Conversation::Time timeout, ReturnSetInfo* rows) {
    Request request = {question, event.target, timeout};
    request.event = &event;
    make_request(request, put_response, rows);
}

// (nsp, rooms, except_rooms, event, args, timeout)
Datum emit_flat(FunctionCallInfo fcinfo) {
    ReturnSetInfo* rows = begin_rows(fcinfo);
    if (settings.enabled) {
        Destination destination;
        read_flat_target(fcinfo, destination);
        const std::string_view event = read_client_event(fcinfo, 3);
        ask(Question::kClientAcks, {destination.target, event, JsonbArguments(fcinfo, 4)}, read_timeout(fcinfo, 5),
            rows);
    }
    return Datum(0);
}

// (target, event, args)
Datum emit_to_target(FunctionCallInfo fcinfo) {
    ReturnSetInfo* rows = begin_rows(fcinfo);
    if (settings.enabled) {
        Destination destination;
        read_target(fcinfo, 0, destination);
        const std::string_view event = read_client_event(fcinfo, 1);
        ask(Question::kClientAcks, {destination.target, event, JsonbArguments(fcinfo, 2)}, kDefaultTimeout, rows);
    }
    return Datum(0);
}

// (nsp, event, args, timeout)
Datum server_side(FunctionCallInfo fcinfo) {
    ReturnSetInfo* rows = begin_rows(fcinfo);
    if (settings.enabled) {
        Destination destination;
        read_namespace_target(fcinfo, 0, destination);
        const std::string_view event = read_event(fcinfo, 1);
        ask(Question::kServerAcks, {destination.target, event, JsonbArguments(fcinfo, 2)}, read_timeout(fcinfo, 3),
            rows);
    }
    return Datum(0);
}

// One value is one argument, even if it is an array.
class RequestData final : public ArgumentsOf<RequestData> {
  public:
    explicit RequestData(Jsonb* data) : data_(data) {}

    std::uint32_t count() const override { return 1; }
    void release() const override {}

    template <class Writer>
    void write_values(Writer& writer) const {
        read_jsonb(data_, writer);
    }

  private:
    Jsonb* data_;
};

Jsonb* read_request_data(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("data must not be NULL"),
                        errhint("The null of JSON is 'null'::jsonb.")));
    }
    return PG_GETARG_JSONB_P(argument);
}

// (data, nsp, timeout)
Datum custom_request(FunctionCallInfo fcinfo) {
    constexpr std::string_view kEvent = "customRequest";
    ReturnSetInfo* rows = begin_rows(fcinfo);
    if (settings.enabled) {
        const RequestData data(read_request_data(fcinfo, 0));
        Destination destination;
        read_namespace_target(fcinfo, 1, destination);
        ask(Question::kCustom, {destination.target, kEvent, data}, read_timeout(fcinfo, 2), rows);
    }
    return Datum(0);
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_emit_with_ack_flat, socketio::emit_flat);
SQL_FUNCTION(socketio_emit_with_ack_target, socketio::emit_to_target);
SQL_FUNCTION(socketio_server_side_emit_with_ack, socketio::server_side);
SQL_FUNCTION(socketio_custom_request, socketio::custom_request);
