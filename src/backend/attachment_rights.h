// Whose rights a message goes into the attachment table with, and comes out of it.
//
// What code there is on a table, in triggers, defaults, policies or the view it may be, is its owner's, and must not run with
// the rights of whoever emits: a SECURITY DEFINER function that emits may be called by anybody, with any attachment_table.
// So the table's owner is who inserts and selects. If the table belongs to the extension, callers need no rights on it;
// with an application's table they need those that an INSERT or a SELECT of their own would take.

#pragma once

#include "backend/server.h"

namespace socketio {

// From its making to end() the current role is the one to use the table as; where that is another, in a restricted operation,
// so that no deferred trigger outlives the change. After an ERROR the server puts the role back itself.
class AttachmentRole {
  public:
    enum class Purpose { kInsert, kSelect };

    // ERROR 42501 where the current role lacks rights on the table, 0A000 where policies of row-level security guard it.
    AttachmentRole(Oid table, Purpose purpose);

    void end() const;

  private:
    Oid role_;
    int security_context_;
};

}  // namespace socketio
