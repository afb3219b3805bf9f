// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/stream_request.h"

#include <algorithm>

namespace atl {

std::vector<Endpoint> endpointsFor(const StreamKey& key, const ProcessInfo& process, Switchboard::Via via) {
  std::vector<Endpoint> endpoints;
  if (via == Switchboard::Via::local) {
    if (!process.localName.empty()) endpoints.push_back({{}, process.localName});
    return endpoints;
  }
  for (const auto& address : process.addresses) endpoints.push_back({address, {}});
  if (process.rails < 2 || process.rails > endpoints.size()) return endpoints;
  const std::size_t first = (std::size_t{key.lane} + key.index) % process.rails;
  const auto begin = endpoints.begin();
  std::rotate(begin, begin + static_cast<std::ptrdiff_t>(first), begin + process.rails);
  return endpoints;
}

StreamRequest::StreamRequest(Service& service, const StreamKey& key, Rank me, const ProcessInfo& peer,
                             const Secret& secret, Switchboard::Via via, Deadline deadline, Done done) {
  const std::string name =
      fmt::format("rank {} (host {}, pid {})", me == key.lower ? key.higher : key.lower, peer.hostName, peer.pid);
  auto named = [name, report = std::move(done)](Result<UniqueFd> result) {
    if (result.ok()) return report(std::move(result));
    report(std::move(result).error().within(fmt::format("stream to {}", name)));
  };
  const std::uint64_t group = groupOf(secret);
  if (me == key.higher) {
    accept_ = Reception::instance().accept(group, key, deadline, std::move(named));
    return;
  }
  DialRequest request;
  request.purpose = Purpose::stream;
  request.group = group;
  request.secret = secret;
  request.key = key;
  request.endpoints = endpointsFor(key, peer, via);
  request.deadline = deadline;
  request.peer = name;
  dial_ = Dial::start(service, std::move(request), std::move(named));
}

StreamRequest::~StreamRequest() {
  if (dial_) dial_->cancel();
  if (accept_ != 0) Reception::instance().cancel(accept_);
}

}  // namespace atl
