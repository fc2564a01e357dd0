// The dialects there are: one file each, and a line here.

#include "backend/dialect.h"
#include "backend/settings.h"

namespace socketio {

extern const Dialect& cluster_dialect;
extern const Dialect& adapter_postgres_dialect;
extern const Dialect& socketio_postgres_dialect;

namespace {

// The first one is the default.
const Dialect* const kDialects[] = {&cluster_dialect, &adapter_postgres_dialect, &socketio_postgres_dialect};

}  // namespace

const Dialect& dialect_number(int number) { return *kDialects[number]; }

int count_dialects() { return lengthof(kDialects); }

const Dialect& dialect() { return *kDialects[settings.protocol]; }

}  // namespace socketio
