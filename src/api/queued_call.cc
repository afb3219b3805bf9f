// SPDX-License-Identifier: Apache-2.0
#include "src/api/queued_call.h"

namespace atl::api {

QueuedCall::QueuedCall(const Call& call, Rank ranks, std::shared_ptr<const CustomOperator> custom)
    : what_(call), custom_(std::move(custom)) {
  auto& own = std::get<Call>(what_);
  const std::size_t** const arrays[] = {&own.sendCounts, &own.sendDispls, &own.recvCounts, &own.recvDispls};
  const auto length = static_cast<std::size_t>(ranks);
  if (own.vForm) arrays_.reserve(4 * length);  // no growth below: the pointers into it stay good
  for (const std::size_t** array : arrays) {
    if (*array == nullptr) continue;
    const std::size_t* const copy = arrays_.data() + arrays_.size();
    arrays_.insert(arrays_.end(), *array, *array + length);
    *array = copy;
  }
}

}  // namespace atl::api
