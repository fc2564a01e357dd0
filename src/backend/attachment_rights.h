// Whose rights a message goes into the attachment table with, and comes out of it.
//
// What code there is on a table, in triggers, defaults, policies or the view it may be, is its owner's, and must not run with
// the rights of whoever emits: a SECURITY DEFINER function that emits may be called by anybody, with any attachment_table.
// So the table's owner is who inserts and selects. If the table belongs to the extension, callers need no rights on it;
// with an application's table they need those that an INSERT or a SELECT of their own would take.
//
// Nor must the caller's code run with the rights of the owner: so that code sees a search_path of its own, as in a function
// that sets one, whoever emits, and runs nothing that strangers made (owners_code.h). What it sets itself ends with it, for the
// caller may be a SECURITY DEFINER function that goes on.

#pragma once

#include "backend/attachment_errors.h"
#include "backend/server.h"

namespace socketio {

enum class AttachmentPurpose { kInsert, kSelect };

// From its making to end() the current role is the one to use the table as; where that is another, in a restricted operation,
// so that no deferred trigger outlives the change. After an ERROR the server puts role and search_path back itself.
class AttachmentRole {
  public:
    // ERROR 42501 where the current role lacks rights on the table, or others have too many; 0A000 where row-level security
    // guards it.
    AttachmentRole(Oid table, AttachmentPurpose purpose);

    void end() const;

    void end_guard() const;  // what is to be done after an ERROR all the same

  private:
    Oid role_;
    int security_context_;
    int settings_level_;
    Oid guarded_before_;
};

// Call `body()` as the one to use the table as.
template <class Body>
void with_attachment_role(Oid table, AttachmentPurpose purpose, const Body& body) {
    const AttachmentRole role(table, purpose);
    const AttachmentErrorContext context(
        purpose == AttachmentPurpose::kInsert ? "while storing a message in" : "while reading a message from", table);
    PG_TRY();
    { body(); }
    PG_CATCH();
    {
        role.end_guard();
        PG_RE_THROW();
    }
    PG_END_TRY();
    context.end();
    role.end();
}

}  // namespace socketio
