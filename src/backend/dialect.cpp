// See dialect.h.

#include "backend/dialect.h"

#include "backend/cluster_request.h"
#include "backend/settings.h"

extern "C" {
#include "commands/async.h"
}

namespace socketio {

namespace {

const char* verb_of(Question question) {
    switch (question) {
        case Question::kServers:
            return "list servers";
        case Question::kSockets:
            return "fetch sockets";
        case Question::kClients:
            return "list clients";
        case Question::kRooms:
        case Question::kClientRooms:
            return "list rooms";
        case Question::kCommand:
            return "make a socket join, leave or disconnect";
        case Question::kClientAcks:
        case Question::kServerAcks:
            return "ask for acknowledgements";
        case Question::kCustom:
            return "make custom requests";
    }
    pg_unreachable();
}

}  // namespace

std::string_view Dialect::prefix() const {
    return settings.channel_prefix == nullptr ? default_prefix_ : settings.channel_prefix;
}

void Dialect::emit(const Event& event) const {
    require_primary();
    const Fit fit = emit_text(event);
    if (fit == Fit::kFits) {
        return;
    }
    if (binary_limit() == 0) {
        report_unfit(fit);
    }
    emit_binary(event, PayloadSink::kUsualSize);
}

void Dialect::emit_binary(const Event&, std::size_t) const { report_unfit(Fit::kTooLong); }

void Dialect::report_unfit(Fit fit) const {
    if (fit == Fit::kHoldsBinary) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("protocol \"%s\" cannot send binary", name),
                        errhint("Emit text instead: encode(..., 'base64'); or leave columns of bytea out of row "
                                "changes.")));
    }
    report_too_long(text_limit() - 1, "It has no other way than a notification.");
}

void Dialect::report_too_long(std::size_t limit, const char* detail) const {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("message exceeds the %zu bytes that protocol \"%s\" can send", limit, name),
                    errdetail("%s", detail),
                    errhint("Split the arguments over several emits, or emit a reference to the data; leave large "
                            "columns out of row changes.")));
    pg_unreachable();
}

void Dialect::emit_to_servers(const Event&) const { refuse("emit to servers"); }

void Dialect::command_sockets(const SocketCommand&) const { refuse("make sockets join, leave or disconnect"); }

void Dialect::ask(Request& request) const { refuse(verb_of(request.question)); }

Conversation* Dialect::converse(const Inquiry& inquiry, const Channel&) const { refuse(verb_of(inquiry.question)); }

void Dialect::send(const Channel& channel, std::string_view, int, std::string_view bytes) const {
    Async_Notify(channel.name, bytes.data());
}

void Dialect::refuse(const char* what) const {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("protocol \"%s\" cannot %s", name, what),
                    errhint("Servers that run @socket.io/postgres-adapter can, with socketio_emitter.protocol set to "
                            "\"cluster\".")));
    pg_unreachable();
}

}  // namespace socketio
