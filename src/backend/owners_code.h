// What code may run with the rights of an attachment table's owner while somebody else emits.
//
// Triggers, defaults, rules and checks on the table run as its owner, and the caller must not get code of its own in
// between. A fixed search_path keeps most of it out: the owner's unqualified names mean what they mean to the owner. What
// a path cannot keep out is refused here: a function of a role that has not the owner's rights, however it was found, be
// it named by a trigger that such a role made, or by a domain in the caller's temporary schema, which is always searched;
// and a temporary table or view of the caller's.

#pragma once

#include "backend/server.h"

extern "C" {
#include "utils/array.h"

#include "utils/acl.h"
}

namespace socketio {

// Called when the library is loaded.
void install_code_guard();

// From here on, as long as `owner` is the current role, it runs no code of a role that has not its rights: ERROR 42501.
// When done, and after an ERROR, too, the one who was guarded before is to be so again, or nobody: InvalidOid.
void guard_code_of(Oid owner);
Oid guarded_owner();

// Where the owner's code finds what it names without a schema: "pg_catalog", then the table's schema unless somebody
// without the owner's rights may create objects there, and the temporary schema last. In CurrentMemoryContext.
const char* owners_search_path(Oid schema, Oid owner);

// The first role in `acl` that holds `privilege` without having the rights of `owner`; PUBLIC is ACL_ID_PUBLIC. False if
// there is none.
bool find_stranger(const Acl* acl, AclMode privilege, Oid owner, Oid& stranger);

}  // namespace socketio
