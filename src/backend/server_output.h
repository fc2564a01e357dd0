// Where the server sends messages of its protocol.
//
// The header that declares it also declares what a connection keeps of GSSAPI and OpenSSL, whose headers nobody should have to
// install for that.

#pragma once

#include "backend/server.h"

#undef ENABLE_GSS
#undef USE_OPENSSL
#undef USE_SSL

extern "C" {
#include "libpq/libpq.h"
#include "tcop/dest.h"
}
