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
// SQL_FUNCTION is the only way an SQL function is defined here, so that none can do without the guard:
//
//     SQL_FUNCTION(socketio_hello, hello)   // Datum hello(FunctionCallInfo)

#pragma once

#include <exception>
#include <new>

#include "backend/server.h"

namespace socketio {

// What is kept of an exception once its handler has ended: an ereport() from within the handler would leak the
// exception object.
struct CaughtException {
    int sqlstate = ERRCODE_INTERNAL_ERROR;
    char message[512];  // left alone until there is one: every call passes through here

    void set_message(const char* text) { strlcpy(message, text, sizeof message); }
};

[[noreturn]] inline void report(const CaughtException& caught) {
    ereport(ERROR, (errcode(caught.sqlstate), errmsg("socketio_emitter: %s", caught.message)));
    pg_unreachable();
}

// Run `body()`. A thrown exception becomes an ERROR: std::bad_alloc with SQLSTATE 53200 (out_of_memory), anything else with
// XX000 (internal_error) and its what().
template <class Body>
auto run_guarded(const Body& body) {
    CaughtException caught;
    try {
        return body();
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

// The same for the body of an SQL function.
template <Datum (*body)(FunctionCallInfo)>
Datum guarded(FunctionCallInfo fcinfo) {
    return run_guarded([&] { return body(fcinfo); });
}

}  // namespace socketio

// Define the C symbol `name`, which CREATE FUNCTION refers to, as `body` behind the guard. A macro, because only one
// can declare the pair of symbols the server looks for; nothing else of the library is visible outside of it.
#define SQL_FUNCTION(name, body)                                                         \
    extern "C" {                                                                         \
    __attribute__((visibility("default"))) Datum name(PG_FUNCTION_ARGS);                 \
    __attribute__((visibility("default"))) const Pg_finfo_record* pg_finfo_##name(void); \
    PG_FUNCTION_INFO_V1(name);                                                           \
    Datum name(PG_FUNCTION_ARGS) { return socketio::guarded<body>(fcinfo); }             \
    }                                                                                    \
    static_assert(true, "")  // takes the semicolon
