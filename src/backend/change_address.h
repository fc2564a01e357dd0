// Where a change goes: the channel and target of its message.

#pragma once

#include "backend/change_plan.h"
#include "backend/change_target.h"
#include "backend/channel.h"
#include "protocol/cluster_message.h"

namespace socketio {

// What changes of kind `op` have in common, with the rooms of one of them.
struct ChangeAddress {
    Channel channel;
    Target target;
};

// Fill in `address` in place. ERROR 42622 where the channel's name is too long.
inline void set_address(const ChangePlan* plan, ChangeOp op, const ChangeTarget& found, ChangeAddress& address) {
    const int index = static_cast<int>(op);
    name_channel(address.channel, plan->channel_nsp[index]);
    address.target = {plan->nsp[index], found.rooms, found.except, plan->is_volatile, plan->compress};
}

}  // namespace socketio
