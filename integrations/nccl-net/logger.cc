// SPDX-License-Identifier: Apache-2.0
#include "integrations/nccl-net/logger.h"

#include <atomic>

namespace atl::netplugin {
namespace {

std::atomic<ncclnet::Logger> current = nullptr;

}  // namespace

void setLogger(ncclnet::Logger logger) {
  current.store(logger, std::memory_order_relaxed);
}

void tell(ncclnet::LogLevel level, const std::string& text) {
  const auto logger = current.load(std::memory_order_relaxed);
  if (logger == nullptr) return;
  // NCCL shows warnings whatever they are about, the rest only of the subjects that are asked for.
  const auto subjects =
      level == ncclnet::LogLevel::warn ? ncclnet::kAboutAll : ncclnet::kAboutInit | ncclnet::kAboutNet;
  logger(level, subjects, "libnccl-net-atoll", 0, "NET/Atoll : %s", text.c_str());
}

}  // namespace atl::netplugin
