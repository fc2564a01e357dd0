// PostgreSQL's headers, for C++.
//
// Every file that talks to the server includes this before other server headers, which it pulls in through extern "C"
// blocks of its own.

#pragma once

extern "C" {
#include "postgres.h"

#include "fmgr.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
}

// The server replaces the printf family by macros, which would rewrite the standard library's headers as well.
#undef fprintf
#undef printf
#undef snprintf
#undef sprintf
#undef vfprintf
#undef vprintf
#undef vsnprintf
#undef vsprintf
