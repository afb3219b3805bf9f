// SPDX-License-Identifier: Apache-2.0
#include "src/api/submit.h"

#include "src/api/dispatch.h"

namespace atl::api {

atollResult_t refuse(const char* name, atollComm_t comm) {
  return spoilGroup(report(name, refusal(comm)));
}

atollResult_t reject(const char* name, Entry& entry, const Error& error) {
  return spoilGroup(entry.fail(name, error));
}

atollResult_t defer(const char* name, atollComm_t comm, Entry& entry, atollStream_t stream, QueuedCall call) {
  std::shared_ptr<HostStream> host;
  if (stream != nullptr) {
    auto found = hostStream(stream);
    if (!found.ok()) return reject(name, entry, found.error());
    host = std::move(*found);
  }
  if (groupIsOpen()) {
    addToGroup(comm, std::move(host), std::move(call));
    return atollSuccess;
  }
  std::vector<QueuedCall> calls;
  calls.push_back(std::move(call));
  auto batch = std::make_shared<Batch>(name);
  batch->add(entry, std::move(calls));
  StreamSet streams;
  streams.add(std::move(host));
  const Status status = dispatch(std::move(batch), streams);
  return status.ok() ? atollSuccess : reject(name, entry, status.error());
}

}  // namespace atl::api
