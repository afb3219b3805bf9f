// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/sweep.h"

namespace atl::perf {

Result<std::vector<std::uint64_t>> sizesOf(const Sweep& sweep) {
  const auto bad = ErrorCode::invalidArgument;
  if (sweep.minBytes > sweep.maxBytes) {
    return makeError(bad, "minbytes {} is above maxbytes {}", sweep.minBytes, sweep.maxBytes);
  }
  const bool several = sweep.minBytes < sweep.maxBytes;
  if (several && sweep.factor == 1) return makeError(bad, "stepfactor 1 never leaves minbytes; use 2 or more");
  if (several && sweep.factor > 1 && sweep.minBytes == 0) {
    return makeError(bad, "minbytes 0 cannot be multiplied by stepfactor {}; begin at 1 or more, or use stepbytes",
                     sweep.factor);
  }
  if (several && sweep.factor == 0 && sweep.stepBytes == 0) {
    return makeError(bad, "stepbytes 0 never leaves minbytes; use 1 or more, or stepfactor");
  }
  std::vector<std::uint64_t> sizes = {sweep.minBytes};
  while (several) {
    const std::uint64_t last = sizes.back();
    // Compared without computing the next size, which may be past the largest number.
    const bool more =
        sweep.factor > 1 ? last <= sweep.maxBytes / sweep.factor : sweep.maxBytes - last >= sweep.stepBytes;
    if (!more) break;
    if (sizes.size() == kMaxSizes) {
      return makeError(bad, "from minbytes {} to maxbytes {} there are more than {} sizes; use a larger step",
                       sweep.minBytes, sweep.maxBytes, kMaxSizes);
    }
    sizes.push_back(sweep.factor > 1 ? last * sweep.factor : last + sweep.stepBytes);
  }
  return sizes;
}

}  // namespace atl::perf
