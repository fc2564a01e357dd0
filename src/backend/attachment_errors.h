// What is said where storing a message in an attachment table, or reading it there, fails in the middle of it.

#pragma once

#include "backend/server.h"

namespace socketio {

// From its making to its end, errors tell that they come from there. After an ERROR the server ends it.
class AttachmentErrorContext {
  public:
    AttachmentErrorContext(const char* action, Oid table);

    void end() const { error_context_stack = callback_.previous; }

  private:
    ErrorContextCallback callback_;
    const char* action_;
    const char* table_;

    static void describe(void* context);
};

// The sequence that a table's ids come from, if any, in CurrentMemoryContext.
struct IdSequence {
    char* name;       // null if there is none
    char* qualified;  // as SQL has it
};

IdSequence id_sequence(Oid table);

// Inside PG_CATCH: throw the error anew, with words of ours where it is the ids that were the matter.
[[noreturn]] void rethrow_insert_error(Oid table, const IdSequence& sequence, MemoryContext context);

}  // namespace socketio
