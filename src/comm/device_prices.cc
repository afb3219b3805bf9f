// SPDX-License-Identifier: Apache-2.0
#include "src/comm/device_prices.h"

#include <algorithm>

namespace atl {
namespace {

constexpr double kPerReducedByte = 1 / 2000e9;
/// A device and the host's memory: PCIe 4 with 16 lanes. To be seen across it takes a store about a microsecond; a
/// proxy looks, posts, and its peer's proxy stores.
constexpr double kPciePerByte = 1 / 25e9;
constexpr double kProxyLatency = 4e-6;
/// Between processes of a host that no peer access joins the bytes go by a network transport all the same: as on the
/// loopback.
constexpr double kLoopbackLatency = 6.6e-6;
constexpr double kLoopbackPerMessage = 5.5e-6;
constexpr double kLoopbackPerByte = 1 / 2e9;

plan::LinkModel memoryModel(double latency, double perByte) {
  plan::LinkModel model;
  model.memory = true;
  model.latency = latency;
  model.perMessage = 0.2e-6;
  model.perByte = perByte;
  model.perPostedByte = perByte;
  model.perReducedByte = kPerReducedByte;
  model.inlined = kDevicePacketsUpTo;
  model.bulkLatency = latency;
  return model;
}

}  // namespace

// Of an NVLink of 450 GB/s and packets that take 1.5 us to arrive, as published for H100s; not measured yet.
plan::LinkModel deviceLinkModel(const ProcessInfo& a, const ProcessInfo& b, const plan::LinkModel& hosts,
                                bool peerAccess) {
  if (a.host == b.host && peerAccess) return memoryModel(1.5e-6, 1 / 450e9);
  if (a.id == b.id && hosts.memory) return memoryModel(2.5e-6, kPciePerByte);
  plan::LinkModel model = hosts;
  if (hosts.memory) {
    model = {};
    model.latency = kLoopbackLatency;
    model.perMessage = kLoopbackPerMessage;
    model.perByte = kLoopbackPerByte;
  }
  model.latency += kProxyLatency;
  model.perByte = std::max(model.perByte, kPciePerByte);
  model.perReducedByte = kPerReducedByte;
  model.untiled = 1;
  return model;
}

}  // namespace atl
