// From the credentials in a request to a Principal. The verification itself is the ladder's; here is which
// field counts, what is ambiguous, and what each answer of the ladder means to the caller.
#pragma once

#include "observe/metrics.hpp"
#include "request/exchange.hpp"
#include "request/request_memory.hpp"
#include "request/snapshot.hpp"

namespace gw {

class Ladder;

// Finds the credential (x.credential, x.credential_field) and asks the ladder's memory.
// pass, refused, or ask_the_stores: then await the ladder and go on with accept().
Verdict authenticate(Exchange& x, RequestMemory& memory, const Snapshot& snapshot, Ladder& ladder, WorkerMetrics& metrics);
// What the ladder's answer means. Counts the decision.
Verdict accept(Exchange& x, const Verification& answer, const Snapshot& snapshot, WorkerMetrics& metrics);

} // namespace gw
