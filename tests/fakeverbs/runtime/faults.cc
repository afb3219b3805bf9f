// SPDX-License-Identifier: Apache-2.0
#include "tests/fakeverbs/runtime/faults.h"

#include "tests/fakeverbs/runtime/completions.h"
#include "tests/fakeverbs/runtime/queue_pairs.h"

namespace fakeverbs {
namespace {

std::size_t indexOf(Traffic traffic) {
  return traffic == Traffic::requests ? 0 : 1;
}

QueuePair& queuePairNumbered(World& all, std::uint32_t number) {
  const auto found = all.byNumber.find(number);
  if (found == all.byNumber.end()) giveUp("there is no queue pair " + std::to_string(number));
  return *found->second;
}

}  // namespace

void planLoss(Port& port, int which, int count, Traffic traffic) {
  const std::size_t index = indexOf(traffic);
  const std::uint64_t first = port.sent[index] + static_cast<std::uint64_t>(which);
  port.losses[index].push_back({first, count == kForAll ? UINT64_MAX : first + static_cast<std::uint64_t>(count)});
}

void planDown(Port& port, int packets) {
  port.downAt = port.sent[0] + static_cast<std::uint64_t>(packets);
}

WorkFault& workFault(Port& port, int which) {
  return port.workFaults[port.begun + static_cast<std::uint64_t>(which)];
}

bool countAndLose(World& all, Device& device, int port, Traffic traffic) {
  Port& sender = device.ports[static_cast<std::size_t>(port) - 1];
  const std::size_t index = indexOf(traffic);
  if (traffic == Traffic::requests && sender.sent[0] >= sender.downAt) {
    sender.downAt = UINT64_MAX;
    changePort(all, device, port, false);
  }
  if (!sender.setting.up) return true;
  const std::uint64_t number = ++sender.sent[index];
  for (const PacketFault& loss : sender.losses[index]) {
    if (number >= loss.first && number < loss.end) return true;
  }
  return false;
}

bool countAndMark(Port& port, Send& work) {
  const auto fault = port.workFaults.find(++port.begun);
  if (fault == port.workFaults.end()) return false;
  work.doomed = fault->second.lose;
  work.shallFail = fault->second.status;
  const bool breaks = fault->second.breakQueuePair;
  port.workFaults.erase(fault);
  return breaks;
}

void losePackets(int device, int port, int which, int count, Traffic traffic) {
  World& all = world();
  const Lock lock(all);
  planLoss(portAt(all, device, port), which, count, traffic);
}

void loseWork(int device, int port, int which) {
  World& all = world();
  const Lock lock(all);
  workFault(portAt(all, device, port), which).lose = true;
}

void failWork(int device, int port, int which, ibv_wc_status status) {
  World& all = world();
  const Lock lock(all);
  workFault(portAt(all, device, port), which).status = status;
}

void breakQueuePair(int device, int port, int which) {
  World& all = world();
  const Lock lock(all);
  workFault(portAt(all, device, port), which).breakQueuePair = true;
}

void downAfter(int device, int port, int packets) {
  World& all = world();
  const Lock lock(all);
  planDown(portAt(all, device, port), packets);
}

void refuseReceives(int device, int port, int times) {
  World& all = world();
  const Lock lock(all);
  portAt(all, device, port).refusals = times;
}

void holdCompletions(std::uint32_t qpNumber) {
  World& all = world();
  const Lock lock(all);
  queuePairNumbered(all, qpNumber).held = true;
}

void releaseCompletions(std::uint32_t qpNumber) {
  World& all = world();
  const Lock lock(all);
  releaseHeld(all, queuePairNumbered(all, qpNumber));
}

void delayCompletions(std::chrono::microseconds delay, std::chrono::microseconds jitter) {
  World& all = world();
  const Lock lock(all);
  all.configuration.completionDelay = delay;
  all.configuration.completionJitter = jitter;
}

void loseDevice(int device) {
  World& all = world();
  const Lock lock(all);
  Device& gone = deviceAt(all, device);
  if (gone.lost) return;
  gone.lost = true;
  all.queuePairs.forEach([&](QueuePair& qp) {
    if (qp.home == &gone) enterError(all, qp);
  });
  raisePortEvent(all, gone, 0, IBV_EVENT_DEVICE_FATAL);
}

}  // namespace fakeverbs
