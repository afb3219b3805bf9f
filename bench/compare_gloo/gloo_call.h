// SPDX-License-Identifier: Apache-2.0
// gloo's counterparts of the collectives that Atoll's programs measure, made as gloo's users make them: each call gets
// its options and buffers anew.
#pragma once

#include <gloo/context.h>

#include <memory>

#include "bench/compare_peer/peer.h"

namespace atl::perf {

/// All that gloo has. Its reduce-scatter is an object bound to one buffer for good, which cannot follow the rotation of
/// buffers, and is left out.
std::span<const PeerCollective> glooCollectives();

/// The call of the collective of that name. Failures of gloo's, which it throws, are returned.
Result<PeerIssue> bindGloo(const std::shared_ptr<gloo::Context>& context, std::string_view collective,
                           const PeerCall& call);

/// Runs what may throw one of gloo's exceptions, and makes an error of it.
template <class Action>
Status caughtGloo(std::string_view what, Action&& action) {
  try {
    action();
  } catch (const std::exception& failure) {
    return makeError(ErrorCode::systemError, "gloo's {}: {}", what, failure.what());
  }
  return success();
}

}  // namespace atl::perf
