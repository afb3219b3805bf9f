// SPDX-License-Identifier: Apache-2.0
#include "src/comm/link_table.h"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "src/base/log.h"

namespace atl {

LinkTable::LinkTable(const TransportContext& context, Outbox& outbox, Prices prices)
    : context_(context), prices_(std::move(prices)) {
  context_.outbox = &outbox;
  transports_ = makeTransports(context_);
}

plan::LinkModel LinkTable::priceOf(const Transport& transport, const ProcessInfo& a, const ProcessInfo& b) const {
  return prices_ ? prices_(a, b, transport.model()) : transport.model();
}

Result<exec::LinkEnd*> LinkTable::link(Rank peer, std::int32_t lane) {
  const std::uint64_t key =
      static_cast<std::uint64_t>(static_cast<std::uint32_t>(peer)) << 32 | static_cast<std::uint32_t>(lane);
  const auto found = links_.find(key);
  if (found != links_.end()) return found->second.get();

  const Directory& directory = *context_.directory;
  ATOLL_ASSIGN(Transport* const transport,
               agree(transports_, directory.process(context_.rank), directory.process(peer)));
  auto end = std::make_unique<exec::LinkEnd>();
  end->peer = peer;
  end->transport = transport->name();
  end->pending = transport->connect(peer, lane);
  log::line(log::Subject::link, context_.rank, "lane {} to {} by {}", lane, directory.name(peer), transport->name());
  exec::LinkEnd* const raw = end.get();
  links_.emplace(key, std::move(end));
  // A memory link within the process is usually there at once.
  ATOLL_TRY(raw->connect());
  return raw;
}

Result<LinkSurvey> LinkTable::survey() const {
  // Processes of one host and of one kind reach each other alike, so comparing each process with the first of its own
  // host and with the first of all covers every pair: linear in the processes, and the same answer everywhere.
  const auto& processes = context_.directory->processes;
  std::vector<Rank> ranksOf(processes.size());
  for (const std::uint32_t process : context_.directory->processOf) ++ranksOf[process];
  LinkSurvey survey;
  std::uint32_t used = 0;
  const auto take = [&](const ProcessInfo& a, const ProcessInfo& b) -> Status {
    ATOLL_ASSIGN(const Transport* const transport, agree(transports_, a, b));
    const plan::LinkModel model = priceOf(*transport, a, b);
    if (model.latency > survey.worst.latency) survey.worst = model;
    used |= transportBit(transport->name());
    return success();
  };
  std::unordered_map<std::uint64_t, const ProcessInfo*> firstOfHost;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const ProcessInfo& process = processes[i];
    const auto [first, isFirst] = firstOfHost.try_emplace(process.host, &process);
    // The first of a host is compared with itself, but a rank alone in its process has nobody there to reach.
    if (!isFirst || ranksOf[i] > 1) ATOLL_TRY(take(*first->second, process));
    if (isFirst && i > 0) ATOLL_TRY(take(processes.front(), process));
  }
  survey.site.ranks = context_.directory->ranks();
  survey.site.hosts = static_cast<Rank>(firstOfHost.size());
  for (const std::string_view name : kTransportNames) {
    if ((used & transportBit(name)) == 0) continue;
    survey.site.links += survey.site.links.empty() ? "" : "+";
    survey.site.links += name;
  }
  return survey;
}

Result<std::vector<plan::LinkModel>> LinkTable::levelModels(const plan::Hierarchy& hierarchy) const {
  // As in survey(), those that are near each other reach others alike: the first rank of an island stands for it.
  const Directory& directory = *context_.directory;
  std::vector<plan::LinkModel> worst(static_cast<std::size_t>(hierarchy.levels()));
  for (int level = 0; level < hierarchy.levels(); ++level) {
    plan::LinkModel& model = worst[static_cast<std::size_t>(level)];
    for (std::int32_t group = 0; group < hierarchy.groups(level); ++group) {
      const std::uint32_t first = directory.processOf[static_cast<std::size_t>(hierarchy.ranksOf(level, group)[0])];
      std::optional<std::uint32_t> before;
      for (std::int32_t m = 1; m < hierarchy.members(level, group); ++m) {
        const std::int32_t member = hierarchy.firstMember(level, group) + m;
        const Rank rank = level == 0 ? hierarchy.ranksOf(0, group)[m] : hierarchy.ranksOf(level - 1, member)[0];
        const std::uint32_t process = directory.processOf[static_cast<std::size_t>(rank)];
        if (process == before) continue;
        before = process;
        const ProcessInfo& a = directory.processes[first];
        const ProcessInfo& b = directory.processes[process];
        ATOLL_ASSIGN(const Transport* const transport, agree(transports_, a, b));
        const plan::LinkModel its = priceOf(*transport, a, b);
        if (its.latency > model.latency) model = its;
      }
    }
  }
  return worst;
}

std::size_t LinkTable::bytesHeld() const {
  std::size_t bytes = transports_.size() * sizeof(void*);
  for (const auto& [key, end] : links_) {
    bytes += sizeof *end + sizeof key + (end->isMemory() ? sizeof(MailRegion) : 0);
  }
  return bytes;
}

void LinkTable::close() {
  for (const auto& [key, end] : links_) {
    if (end->message != nullptr) {
      end->message->cancel();
    } else if (end->memory.in != nullptr) {
      end->memory.in->ended.store(1, std::memory_order_release);
    }
  }
}

void LinkTable::awaitReaders() const {
  // Long enough for any peer that is in a call to notice the failure; one that is not in a call is not reading.
  constexpr auto kPatience = std::chrono::seconds(1);
  const Deadline deadline = Deadline::in(kPatience);
  for (const auto& [key, end] : links_) {
    const MemoryLink& link = end->memory;
    if (!link.sameProcess) continue;
    while (link.out->consumed.load(std::memory_order_acquire) < link.sent &&
           link.out->ended.load(std::memory_order_acquire) == 0 && !deadline.passed()) {
      std::this_thread::yield();
    }
  }
}

}  // namespace atl
