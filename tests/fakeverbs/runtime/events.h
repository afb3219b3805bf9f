// SPDX-License-Identifier: Apache-2.0
// Giving events to the program; each has to be acknowledged before its object can go.
#pragma once

#include "tests/fakeverbs/runtime/calls.h"
#include "tests/fakeverbs/runtime/objects.h"

namespace fakeverbs {

/// A verb that waits for an event: bool take(World&, int& error), under the lock, takes one if there is one.
template <class Take>
int awaitEvent(Verb& verb, int descriptor, Take&& take) {
  World& all = world();
  int error = enter(verb);
  while (error == 0) {
    {
      const Lock lock(all);
      if (take(all, error)) return 0;
    }
    if (error == 0 && !awaitReadable(descriptor)) return -1;
  }
  errno = error;
  return -1;
}

/// Under the world's lock. More than were given is a failure.
void acknowledge(const char* what, Acknowledgements& events, unsigned count);

/// Waits, without the world's lock, for another thread to acknowledge what it was given. The real library waits for
/// ever; here that is a failure after some seconds.
void awaitAcknowledgements(const char* what, const Acknowledgements& one, const Acknowledgements& other);

}  // namespace fakeverbs
