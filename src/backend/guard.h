// The border between C++ and PostgreSQL.
//
// Two kinds of error meet here and neither understands the other:
//
// * A C++ exception must not leave an extern "C" function: the server's C frames cannot unwind it. Every SQL
//   function therefore runs its body inside guarded(), which turns what is thrown into an ordinary ERROR.
// * A PostgreSQL ERROR is a longjmp that skips destructors. So nothing with a destructor that matters is alive across a
//   call into the server: code on the backend floor uses views, plain structs and palloc, and the standard
//   library's containers stay in functions of the protocol floor, which never call the server.
//
//     extern "C" {
//     PG_FUNCTION_INFO_V1(socketio_hello);
//     Datum socketio_hello(PG_FUNCTION_ARGS) { return guarded<hello>(fcinfo); }
//     }

#pragma once

#include <array>
#include <cstdio>
#include <exception>
#include <new>

#include "backend/server.h"

namespace socketio {

// What is kept of an exception once its handler has ended: an ereport() from within the handler would leak the
// exception object.
struct CaughtException {
    int sqlstate = ERRCODE_INTERNAL_ERROR;
    std::array<char, 512> message{};

    void set_message(const char* text) { strlcpy(message.data(), text, message.size()); }
};

[[noreturn]] inline void report(const CaughtException& caught) {
    ereport(ERROR, (errcode(caught.sqlstate), errmsg("socketio_emitter: %s", caught.message.data())));
    pg_unreachable();
}

// Run the body of an SQL function. A thrown exception becomes an ERROR: std::bad_alloc with SQLSTATE 53200
// (out_of_memory), anything else with XX000 (internal_error) and its what().
template <Datum (*body)(FunctionCallInfo)>
Datum guarded(FunctionCallInfo fcinfo) {
    CaughtException caught;
    try {
        return body(fcinfo);
    } catch (const std::bad_alloc&) {
        caught.sqlstate = ERRCODE_OUT_OF_MEMORY;
        caught.set_message("out of memory");
    } catch (const std::exception& exception) {
        caught.set_message(exception.what());
    } catch (...) {
        caught.set_message("unknown C++ exception");
    }
    report(caught);
}

}  // namespace socketio
