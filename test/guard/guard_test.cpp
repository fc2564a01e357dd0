// SQL functions that fail in every way C++ and PostgreSQL can, behind the guard that all functions of the extension
// use. Built for this test only.

#include <new>
#include <stdexcept>
#include <string>

#include "backend/guard.h"

extern "C" {
PG_MODULE_MAGIC;
}

namespace socketio {

Datum throw_runtime_error(FunctionCallInfo) { throw std::runtime_error("thrown by the test"); }
Datum throw_long_message(FunctionCallInfo) { throw std::runtime_error(std::string(100000, 'x')); }
Datum throw_bad_alloc(FunctionCallInfo) { throw std::bad_alloc(); }
Datum throw_number(FunctionCallInfo) { throw 42; }

Datum raise_error(FunctionCallInfo) {
    ereport(ERROR, (errcode(ERRCODE_DIVISION_BY_ZERO), errmsg("raised by the test")));
    PG_RETURN_VOID();
}

Datum return_argument(FunctionCallInfo fcinfo) { return PG_GETARG_DATUM(0); }

}  // namespace socketio

SQL_FUNCTION(guard_runtime_error, socketio::throw_runtime_error);
SQL_FUNCTION(guard_long_message, socketio::throw_long_message);
SQL_FUNCTION(guard_bad_alloc, socketio::throw_bad_alloc);
SQL_FUNCTION(guard_number, socketio::throw_number);
SQL_FUNCTION(guard_error, socketio::raise_error);
SQL_FUNCTION(guard_return, socketio::return_argument);
