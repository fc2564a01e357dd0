// The order of events where a statement changes a table while another statement on the same table is not done.
//
// An AFTER ... FOR EACH ROW trigger that writes to its own table makes a nested statement. PostgreSQL fires the statement
// triggers of that one first, and those of the outer statement last, since triggers for rows come before triggers for
// statements. Sent as they fire, the events would leave receivers with the rows of the outer statement, which the nested one
// has changed since. So a trigger BEFORE each statement says that it begins, and what a nested statement emits waits until
// the outer one has emitted:
//
//     UPDATE           BEFORE: begin_statement()
//       row trigger
//         UPDATE       BEFORE: begin_statement(), AFTER: postponed
//                      AFTER: end_statement() sends the outer statement's events, then those that were postponed
//
// A nested statement comes behind the outer one if that has changed rows by then. All of them, where an AFTER trigger made
// it, for those fire when the last row is written. Where a BEFORE trigger or a function in the query made it, some: PostgreSQL
// refuses to update or delete a row which a statement nested that way has changed, so what they share the outer one did
// first. An INSERT is different: what a BEFORE trigger does for its first row, such as to delete the row whose key it takes,
// comes in front. (Of further rows nothing is known. Their nested statements come behind if the table has AFTER triggers for
// rows, else in front.)
//
// Nothing but notifications waits: attachments are written at once. What waits is dropped with the savepoint it belongs to,
// and goes out at the latest when the transaction commits.

#pragma once

#include <cstddef>

#include "backend/attachment_dates.h"
#include "backend/channel.h"
#include "backend/server.h"

extern "C" {
#include "commands/trigger.h"
}

namespace socketio {

// ERROR 39P01 where `trigger` does not fire BEFORE INSERT, UPDATE or DELETE, FOR EACH STATEMENT.
void require_order_trigger(Relation relation, const Trigger* trigger);

// What a BEFORE ... FOR EACH STATEMENT trigger has to say. `emitter` is the function that emits changes: its AFTER triggers
// on the same table end what begins here.
void begin_statement(const TriggerData* trigger, Oid emitter);

// While it lives, notifications are those of the statement that `trigger`, AFTER and FOR EACH STATEMENT, is fired for. An
// ERROR may pass over it.
class StatementEvents {
  public:
    explicit StatementEvents(const TriggerData* trigger);

    // Call it when all is emitted.
    void end();

  private:
    const TriggerData* trigger_;
    struct Notifications* outer_;
    int outer_level_;
};

// Whether notifications have to wait.
bool are_notifications_postponed();

// Have a notification wait, which is copied with the attachment that it announces, if any. `payload` ends with a NUL byte behind
// `size` others.
void postpone_notification(const Channel& channel, const char* payload, std::size_t size, const Attachment* attachment);

}  // namespace socketio
