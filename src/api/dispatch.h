// SPDX-License-Identifier: Apache-2.0
// Where a batch runs: in this thread, on a stream, or on several streams that come together for it.
#pragma once

#include <memory>
#include <vector>

#include "src/api/batch.h"
#include "src/api/host_stream.h"

namespace atl::api {

/// The streams that the calls of a batch name, each once.
struct StreamSet {
  bool null = false;
  std::vector<std::shared_ptr<HostStream>> host;

  void add(std::shared_ptr<HostStream> stream);
};

/// With the null stream among them, the batch runs here, after what is queued on the others. Otherwise it is queued and
/// this returns at once: the first stream runs it when all have come to it, and they go on when it is done; its error
/// is every stream's.
Status dispatch(std::shared_ptr<Batch> batch, const StreamSet& streams);

}  // namespace atl::api
