// SPDX-License-Identifier: Apache-2.0
#include "tests/fakeverbs/runtime/calls.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fakeverbs/fakeverbs.h"

namespace fakeverbs {

struct Verb {
  std::atomic<int> calls = 0;
  std::atomic<bool> shallFail = false;  ///< polling is frequent, and this spares it the ledger's lock
  std::map<int, int> planned;           ///< error by number of the call; under the ledger's lock
};

namespace {

constexpr std::array kNames = {"_ibv_query_gid_ex",
                               "ibv_ack_async_event",
                               "ibv_ack_cq_events",
                               "ibv_alloc_pd",
                               "ibv_close_device",
                               "ibv_create_ah",
                               "ibv_create_comp_channel",
                               "ibv_create_cq",
                               "ibv_create_qp",
                               "ibv_create_srq",
                               "ibv_dealloc_pd",
                               "ibv_dereg_mr",
                               "ibv_destroy_ah",
                               "ibv_destroy_comp_channel",
                               "ibv_destroy_cq",
                               "ibv_destroy_qp",
                               "ibv_destroy_srq",
                               "ibv_get_async_event",
                               "ibv_get_cq_event",
                               "ibv_get_device_list",
                               "ibv_modify_qp",
                               "ibv_open_device",
                               "ibv_poll_cq",
                               "ibv_post_recv",
                               "ibv_post_send",
                               "ibv_post_srq_recv",
                               "ibv_query_device",
                               "ibv_query_gid",
                               "ibv_query_port",
                               "ibv_query_qp",
                               "ibv_reg_dmabuf_mr",
                               "ibv_reg_mr",
                               "ibv_reg_mr_iova2",
                               "ibv_req_notify_cq"};

/// Never destroyed: the engine may still run while the process ends.
struct Ledger {
  std::mutex mutex;
  std::array<Verb, kNames.size()> verbs;
  std::vector<std::string> failures;
};

Ledger& ledger() {
  static auto* const made = new Ledger;
  return *made;
}

/// Ends a process whose failures nobody looked at, so that a worker of a test cannot hide one behind a good result.
struct EndOfProcess {
  ~EndOfProcess() {
    const std::vector<std::string> left = takeFailures();
    if (left.empty()) return;
    for (const std::string& failure : left) std::fprintf(stderr, "fakeverbs: %s\n", failure.c_str());
    std::fflush(nullptr);  // what the process has written is part of the picture
    _exit(70);
  }
};
const EndOfProcess endOfProcess;

}  // namespace

Verb& verbNamed(const std::string& name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return ledger().verbs[i];
  }
  giveUp("there is no verb '" + name + "'");
}

int enter(Verb& verb) {
  const int number = ++verb.calls;
  if (!verb.shallFail.load(std::memory_order_relaxed)) return 0;
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  const auto planned = verb.planned.find(number);
  if (planned == verb.planned.end()) return 0;
  const int error = planned->second;
  verb.planned.erase(planned);
  verb.shallFail = !verb.planned.empty();
  return error;
}

void forgetCalls() {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  for (Verb& verb : all.verbs) {
    verb.calls = 0;
    verb.shallFail = false;
    verb.planned.clear();
  }
  all.failures.clear();
}

void failCall(const std::string& name, int which, int error) {
  Verb& verb = verbNamed(name);
  const std::lock_guard lock(ledger().mutex);
  verb.planned[verb.calls + which] = error;
  verb.shallFail = true;
}

int callCount(const std::string& name) {
  return verbNamed(name).calls;
}

std::vector<std::string> failures() {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  return all.failures;
}

void reportFailure(std::string what) {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  all.failures.push_back(std::move(what));
}

std::vector<std::string> takeFailures() {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  return std::exchange(all.failures, {});
}

}  // namespace fakeverbs
