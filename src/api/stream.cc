// SPDX-License-Identifier: Apache-2.0
// atollStream…: handles of host streams.
#include <cstdint>
#include <unordered_map>

#include "src/api/host_stream.h"
#include "src/api/report.h"

namespace atl::api {
namespace {

/// Live streams by handle. Handles are numbers that are never used twice, not addresses.
struct StreamTable {
  std::mutex mutex;
  std::uintptr_t next = 0;
  std::unordered_map<std::uintptr_t, std::shared_ptr<HostStream>> live;
};

StreamTable& table() {
  static auto* const streams = new StreamTable;  // never destroyed: calls may come while the process ends
  return *streams;
}

/// Tells a stream's handle from a communicator's and from an address.
constexpr std::uintptr_t kMark = 0x5;

std::uintptr_t keyOf(atollStream_t handle) {
  return reinterpret_cast<std::uintptr_t>(handle);
}

}  // namespace

Result<std::shared_ptr<HostStream>> hostStream(atollStream_t handle) {
  StreamTable& streams = table();
  const std::scoped_lock lock(streams.mutex);
  const auto found = streams.live.find(keyOf(handle));
  if (found == streams.live.end()) {
    return makeError(ErrorCode::invalidArgument,
                     "argument stream is {}, which is neither NULL nor a live stream of atollStreamCreate",
                     fmt::ptr(handle));
  }
  return found->second;
}

namespace {

/// For what waits: a stream that this very thread works for would never become idle.
Result<std::shared_ptr<HostStream>> waitableStream(atollStream_t handle) {
  ATOLL_ASSIGN(auto stream, hostStream(handle));
  if (stream->isSelf()) {
    return makeError(ErrorCode::invalidUsage, "argument stream is {}, the stream that this thread works for",
                     fmt::ptr(handle));
  }
  return stream;
}

Status destroy(atollStream_t handle) {
  ATOLL_ASSIGN(const auto stream, waitableStream(handle));
  {
    StreamTable& streams = table();
    const std::scoped_lock lock(streams.mutex);
    if (streams.live.erase(keyOf(handle)) == 0) {
      return makeError(ErrorCode::invalidArgument, "argument stream is {}, which another thread just destroyed",
                       fmt::ptr(handle));
    }
  }
  stream->waitIdle();
  return stream->takeFailure();
}

}  // namespace
}  // namespace atl::api

using namespace atl;       // NOLINT(google-build-using-namespace): the C functions are outside
using namespace atl::api;  // NOLINT(google-build-using-namespace)

atollResult_t atollStreamCreate(atollStream_t* stream) {
  constexpr auto kCall = "atollStreamCreate";
  return guarded(kCall, [&] {
    if (stream == nullptr) return report(kCall, makeError(ErrorCode::invalidArgument, "argument stream is NULL"));
    *stream = nullptr;
    auto made = std::make_shared<HostStream>();
    StreamTable& streams = table();
    const std::scoped_lock lock(streams.mutex);
    const std::uintptr_t key = (++streams.next << 4) | kMark;
    streams.live.emplace(key, std::move(made));
    *stream = reinterpret_cast<atollStream_t>(key);  // NOLINT(performance-no-int-to-ptr): never followed
    return atollSuccess;
  });
}

atollResult_t atollStreamSynchronize(atollStream_t stream) {
  constexpr auto kCall = "atollStreamSynchronize";
  if (stream == nullptr) return atollSuccess;
  return guarded(kCall, [&] {
    const auto found = waitableStream(stream);
    if (!found.ok()) return report(kCall, found.error());
    (*found)->waitIdle();
    return finish(kCall, (*found)->takeFailure());
  });
}

atollResult_t atollStreamQuery(atollStream_t stream) {
  constexpr auto kCall = "atollStreamQuery";
  if (stream == nullptr) return atollSuccess;
  return guarded(kCall, [&] {
    const auto found = hostStream(stream);
    if (!found.ok()) return report(kCall, found.error());
    const auto status = (*found)->query();
    return status ? finish(kCall, *status) : atollInProgress;
  });
}

atollResult_t atollStreamDestroy(atollStream_t stream) {
  constexpr auto kCall = "atollStreamDestroy";
  if (stream == nullptr) return atollSuccess;
  return guarded(kCall, [&] { return finish(kCall, destroy(stream)); });
}
