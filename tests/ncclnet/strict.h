// SPDX-License-Identifier: Apache-2.0
// A network plug-in for tests, whose network is this process. It keeps to the interface to the letter and takes nothing
// else: a call that the interface forbids ends the process with a text that says which. Where the interface allows a
// plug-in to be awkward it is: connections take several calls, every third send and receive cannot begin, nothing is
// done at the first test, data is read and written late, no more than 8 requests of a connection are borne.
//
// Forbidden: what is not initialised; a handle elsewhere than at the first connect; a connection, request or
// registration that is over, or of another; memory outside of its registration; a size that does not fit; tags that
// differ; two threads in one connection; closing what still has registrations; finalize with connections left.
//
// It is built once for each version of the interface (libstrict_net_v8.so …), which exports `strictControl` beside its
// table.
#pragma once

namespace atl::test {

/// What is there at present.
struct StrictState {
  int initialised = 0;  ///< calls of init, less those of finalize
  int connections = 0;  ///< of all kinds
  int registrations = 0;
  int requests = 0;
  int closedEarly = 0;  ///< connections that were closed with requests, or registrations ended that a request used
};

struct StrictControl {
  StrictState (*state)();
  /// The nth call from now of this function, from 1, does nothing and returns the code, with a warning in the log.
  void (*fail)(const char* call, int nth, int code);
  /// Whether one that was asked for has happened; forgets those that have not.
  bool (*hasFailed)();
  void (*setDevices)(int count);
};

}  // namespace atl::test
