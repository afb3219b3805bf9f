// SPDX-License-Identifier: Apache-2.0
// What is common to all verbs: they are counted and may be told to fail. Every verb's body runs in call() or create(),
// under the one lock of the world.
#pragma once

#include <cerrno>
#include <string>
#include <type_traits>

#include "tests/fakeverbs/runtime/world.h"

namespace fakeverbs {

struct Verb;

/// The process fails when there is no verb of this name. What is returned stays.
Verb& verbNamed(const std::string& name);

/// Counts a call. The error that it shall fail with, or 0.
int enter(Verb& verb);

/// Forgets counts and planned failures.
void forgetCalls();

void reportFailure(std::string what);

/// A verb that returns an error number. The body: int(World&).
template <class Body>
int call(Verb& verb, Body&& body) {
  World& all = world();  // first of all: its configuration may plan failures
  const int planned = enter(verb);
  if (planned != 0) return planned;
  const Lock lock(all);
  return body(all);
}

/// A verb that returns an object, or null and errno. The body: T*(World&, int& error).
template <class Body>
auto create(Verb& verb, Body&& body) {
  World& all = world();
  std::invoke_result_t<Body, World&, int&> made = nullptr;
  int error = enter(verb);
  if (error == 0) {
    const Lock lock(all);
    made = body(all, error);
  }
  if (made == nullptr) errno = error != 0 ? error : EINVAL;
  return made;
}

}  // namespace fakeverbs
