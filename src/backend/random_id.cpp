// See random_id.h.

#include "backend/random_id.h"

#include "backend/server.h"

namespace socketio {

RandomId make_random_id() {
    constexpr char kHex[] = "0123456789abcdef";
    unsigned char bytes[8];
    if (!pg_strong_random(bytes, sizeof bytes)) {
        elog(ERROR, "could not generate random numbers");
    }
    RandomId id;
    char* digit = id.digits;
    for (const unsigned char byte : bytes) {
        *digit++ = kHex[byte >> 4];
        *digit++ = kHex[byte & 15];
    }
    *digit = '\0';
    return id;
}

}  // namespace socketio
