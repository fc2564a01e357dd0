// See change_context.h.

#include "backend/change_context.h"

namespace socketio {

void ChangeContext::add_context(void* context) {
    const ChangePlan* plan = static_cast<const ChangeContext*>(context)->plan_;
    if (column_being_read < 0) {
        errcontext("trigger \"%s\" on table \"%s\"", plan->identity.trigger, plan->identity.table);
    } else {
        errcontext("trigger \"%s\" on table \"%s\", column \"%s\"", plan->identity.trigger, plan->identity.table,
                   NameStr(TupleDescAttr(plan->descriptor, column_being_read)->attname));
    }
}

}  // namespace socketio
