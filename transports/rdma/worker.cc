// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/worker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "src/base/log.h"
#include "transports/rdma/wire.h"

namespace atl::rdma {
namespace {

/// Slots that wait for notes: one for so many links, since most are idle at any time, and no fewer than these. Should
/// they not do, the device has the sender try again (receiver not ready), so that nothing is lost; progress() fills
/// them up.
constexpr std::uint32_t kLinksPerReceive = 4;
constexpr std::uint32_t kLeastReceives = 32;
constexpr std::uint32_t kMostReceives = 4096;
constexpr int kCompletions = 4096;  ///< of all queue pairs of a device that have not been looked at
/// To look around takes system calls; what is to be found is rare, and seldom urgent.
constexpr int kEmptyPollsBetweenLooks = 256;
/// To look for devices the library reads many files.
constexpr auto kSearchPause = std::chrono::seconds(1);
constexpr std::size_t kSlotsInBlock = 32;
constexpr std::size_t kChunksInBlock = 4;

std::vector<std::shared_ptr<Nic>> nicsOf(const std::vector<Port>& ports) {
  std::vector<std::shared_ptr<Nic>> nics;
  for (const Port& port : ports) {
    if (std::ranges::find(nics, port.nic) == nics.end()) nics.push_back(port.nic);
  }
  return nics;
}

WriteOrder orderOfData(const RdmaSettings& settings) {
  return settings.relaxedOrdering ? WriteOrder::free : WriteOrder::kept;
}

/// Leaves out what is too many, first of the ports that do not work.
void keepMostDevices(std::vector<Port>& ports) {
  while (nicsOf(ports).size() > kMostDevices) {
    const auto idle = std::find_if(ports.rbegin(), ports.rend(), [](const Port& port) { return !port.works(); });
    ports.erase(idle == ports.rend() ? ports.end() - 1 : idle.base() - 1);
  }
}

}  // namespace

// A device without a port that works may be one that is out of order: it is done without.
Result<std::shared_ptr<Worker>> Worker::create(const RdmaSettings& settings, std::size_t turn) {
  ATOLL_ASSIGN(const Api* const api, rdma::api());
  ATOLL_ASSIGN(auto ports, findPorts(settings, turn));
  keepMostDevices(ports);
  for (;;) {
    std::shared_ptr<Worker> worker(new Worker(*api, settings, ports));
    const Nic* refused = nullptr;
    auto opened = worker->open(refused);
    if (opened.ok()) return worker;
    const auto isOfIt = [refused](const Port& port) { return port.nic.get() == refused; };
    const auto isNeeded = [&](const Port& port) { return isOfIt(port) && port.works(); };
    if (refused == nullptr || std::ranges::any_of(ports, isNeeded)) return std::move(opened).error();
    log::line(log::Subject::link, kNoRank, "RDMA goes without {}", opened.error().text);
    std::erase_if(ports, isOfIt);
  }
}

Worker::Worker(const Api& api, RdmaSettings settings, std::vector<Port> ports)
    : api_(&api),
      settings_(std::move(settings)),
      ports_(std::move(ports)),
      slots_(nicsOf(ports_), kSlotBytes, kSlotsInBlock, WriteOrder::kept),
      chunks_(nicsOf(ports_), kChunkBytes, kChunksInBlock, orderOfData(settings_)),
      declared_(nicsOf(ports_), orderOfData(settings_)),
      nextSearch_(Clock::now() + kSearchPause) {
  const auto nics = nicsOf(ports_);
  for (const Port& port : ports_) {
    deviceOf_.push_back(static_cast<std::size_t>(std::ranges::find(nics, port.nic) - nics.begin()));
  }
  for (const auto& nic : nics) devices_.emplace_back().nic = nic;
}

Status Worker::open(const Nic*& refused) {
  atOnce_ = UniqueFd(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!atOnce_) return systemError(errno, "cannot make an event descriptor");
  streams_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!streams_) return systemError(errno, "cannot make an epoll descriptor");
  for (std::size_t place = 0; place < devices_.size(); ++place) {
    if (auto status = open(devices_[place]); !status.ok()) {
      refused = devices_[place].nic.get();
      return std::move(status).error().within(devices_[place].nic->name());
    }
    ATOLL_TRY(fill(place));
  }
  return success();
}

Status Worker::open(Device& device) {
  ibv_context* const context = device.nic->context();
  const auto& most = device.nic->attributes();
  device.channel = api_->createCompChannel(context);
  if (device.channel == nullptr) return failure(errno, "no completion channel");
  const int flags = ::fcntl(device.channel->fd, F_GETFL);
  if (flags < 0 || ::fcntl(device.channel->fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    return systemError(errno, "a completion channel cannot be polled");
  }
  device.completions = api_->createCq(context, std::min(kCompletions, most.max_cqe), nullptr, device.channel, 0);
  if (device.completions == nullptr) return failure(errno, "no completion queue");
  ibv_srq_init_attr receives{};
  receives.attr.max_wr = std::min(kMostReceives, static_cast<std::uint32_t>(std::max(most.max_srq_wr, 1)));
  receives.attr.max_sge = 1;
  device.receives = api_->createSrq(device.nic->protectionDomain(), &receives);
  if (device.receives == nullptr) return failure(errno, "no shared receive queue");
  device.depth = std::min(kLeastReceives, receives.attr.max_wr);
  return success();
}

Worker::~Worker() {
  for (Device& device : devices_) close(device);
}

void Worker::close(Device& device) {
  if (device.receives != nullptr) api_->destroySrq(device.receives);
  if (device.completions != nullptr) api_->destroyCq(device.completions);
  if (device.channel != nullptr) api_->destroyCompChannel(device.channel);
}

Status Worker::fill(std::size_t place) {
  Device& device = devices_[place];
  while (device.posted < device.depth) {
    ATOLL_ASSIGN(Buffer* const slot, slots_.take());
    ibv_sge where{reinterpret_cast<std::uint64_t>(slot->data()), kSlotBytes, slot->keys().local[place]};
    ibv_recv_wr request{};
    request.wr_id = reinterpret_cast<std::uint64_t>(slot);
    request.sg_list = &where;
    request.num_sge = 1;
    ibv_recv_wr* refused = nullptr;
    if (const int error = ibv_post_srq_recv(device.receives, &request, &refused); error != 0) {
      slot->giveBack();
      device.nic->hearEvents();
      if (device.nic->isLost()) return success();
      return failure(error, fmt::format("{} takes no receive", device.nic->name()));
    }
    ++device.posted;
  }
  return success();
}

void Worker::enrol(std::size_t place, std::uint32_t queuePair, QueuePairUser& user) {
  Device& device = devices_[place];
  device.users[queuePair] = &user;
  const auto wanted = static_cast<std::uint32_t>(device.users.size()) / kLinksPerReceive;
  device.depth = std::max(device.depth, std::min(wanted, kMostReceives));
}

void Worker::dismiss(std::size_t place, std::uint32_t queuePair) {
  devices_[place].users.erase(queuePair);
}

Status Worker::watch(int stream, StreamUser& user) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &user;
  if (::epoll_ctl(streams_.get(), EPOLL_CTL_ADD, stream, &event) == 0) return success();
  return systemError(errno, "cannot watch a stream");
}

void Worker::unwatch(int stream) {
  ::epoll_ctl(streams_.get(), EPOLL_CTL_DEL, stream, nullptr);
}

Result<bool> Worker::progress() {
  ATOLL_ASSIGN(const bool moved, poll());
  if (moved) {
    emptyPolls_ = 0;
  } else if (++emptyPolls_ >= kEmptyPollsBetweenLooks) {
    emptyPolls_ = 0;
    lookAround();
  }
  return moved;
}

void Worker::lookAtPorts() {
  for (Port& port : ports_) {
    if (port.news != port.nic->news()) look(port);
  }
}

void Worker::lookForPorts() {
  for (const Device& device : devices_) device.nic->hearEvents();
  for (Port& port : ports_) {
    if (!port.missing.empty() || port.news != port.nic->news()) look(port);
  }
  if (const auto now = Clock::now(); now >= nextSearch_) {
    nextSearch_ = now + kSearchPause;
    lookForDevices();
  }
}

// One that was lost and has come back is new. What is lost keeps its place, since links and buffers go by places.
void Worker::lookForDevices() {
  std::vector<std::shared_ptr<Nic>> known;
  for (const Device& device : devices_) known.push_back(device.nic);
  const Nic* refused = nullptr;
  for (Port& port : portsOfNewDevices(settings_, known)) {
    if (port.nic.get() == refused) continue;
    if (devices_.back().nic != port.nic) {
      if (devices_.size() == kMostDevices) return;
      if (auto added = add(port.nic); !added.ok()) {
        log::line(log::Subject::link, kNoRank, "RDMA goes without {}", added.error().text);
        refused = port.nic.get();
        continue;
      }
    }
    log::line(log::Subject::link, kNoRank, "{}",
              port.works() ? port.describe() + " is new, and can be used" : port.missing);
    deviceOf_.push_back(devices_.size() - 1);
    ports_.push_back(std::move(port));
  }
}

// All that it takes is taken before anything changes: what cannot be used is done without.
Status Worker::add(const std::shared_ptr<Nic>& nic) {
  Device device;
  device.nic = nic;
  auto ofSlots = slots_.registerOn(*nic);
  if (!ofSlots.ok()) return std::move(ofSlots).error();
  auto ofChunks = chunks_.registerOn(*nic);
  if (!ofChunks.ok()) return std::move(ofChunks).error();
  if (auto opened = open(device); !opened.ok()) {
    close(device);
    return std::move(opened).error().within(nic->name());
  }
  slots_.extend(nic, std::move(ofSlots).value());
  chunks_.extend(nic, std::move(ofChunks).value());
  declared_.extend(nic);
  devices_.push_back(std::move(device));
  return fill(devices_.size() - 1);
}

void Worker::look(Port& port) {
  const bool could = port.missing.empty();
  port.examine(settings_);
  if (port.missing.empty() == could) return;
  log::line(log::Subject::link, kNoRank, "{}", could ? port.missing : port.describe() + " can be used now");
}

void Worker::lookAround() {
  for (const Device& device : devices_) device.nic->hearEvents();
  lookAtPorts();
  std::array<epoll_event, 16> events;
  const int count = ::epoll_wait(streams_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) static_cast<StreamUser*>(events[static_cast<std::size_t>(i)].data.ptr)->onReadable();
}

Result<bool> Worker::poll() {
  constexpr int kAtOnce = 16;
  bool moved = false;
  for (std::size_t place = 0; place < devices_.size(); ++place) {
    Device& device = devices_[place];
    if (armed_) drainEvents(device);
    std::array<ibv_wc, kAtOnce> completions;
    const int count = ibv_poll_cq(device.completions, kAtOnce, completions.data());
    if (count < 0) {
      return makeError(ErrorCode::systemError, "{}'s completion queue cannot be read", device.nic->name());
    }
    for (int i = 0; i < count; ++i) take(device, completions[static_cast<std::size_t>(i)]);
    if (count > 0) {
      moved = true;
      ATOLL_TRY(fill(place));
    }
  }
  armed_ = false;
  return moved;
}

// Of a completion that failed, only status, queue pair and the request's number count: receives have a slot for number.
void Worker::take(Device& device, const ibv_wc& completion) {
  const auto found = device.users.find(completion.qp_num);
  // What an earlier user of the number left behind.
  QueuePairUser* const user = found == device.users.end() ? nullptr : found->second;
  if (completion.wr_id == kPartId) {
    if (user != nullptr && completion.status != IBV_WC_SUCCESS) user->onPartFailed(completion.status);
    return;
  }
  auto* const slot = reinterpret_cast<Buffer*>(completion.wr_id);
  if (slot != nullptr) --device.posted;
  if (slot == nullptr) {
    if (user != nullptr) user->onSent(completion.status);
    return;
  }
  const bool good = user != nullptr && completion.status == IBV_WC_SUCCESS;
  if (good && completion.opcode == IBV_WC_RECV) return user->onNote(*slot, completion.byte_len);
  slot->giveBack();
  if (good && completion.opcode == IBV_WC_RECV_RDMA_WITH_IMM) user->onWritten(ntohl(completion.imm_data));
}

void Worker::drainEvents(Device& device) {
  ibv_cq* queue = nullptr;
  void* context = nullptr;
  while (api_->getCqEvent(device.channel, &queue, &context) == 0) api_->ackCqEvents(queue, 1);
}

void Worker::wanted(std::vector<pollfd>& fds) {
  // Armed first and looked at then: what came in between must not be slept over.
  bool ready = false;
  armed_ = true;
  for (Device& device : devices_) {
    ready |= ibv_req_notify_cq(device.completions, 0) != 0;
    fds.push_back({device.channel->fd, POLLIN, 0});
  }
  fds.push_back({streams_.get(), POLLIN, 0});
  for (const Device& device : devices_) fds.push_back({device.nic->context()->async_fd, POLLIN, 0});
  const auto moved = poll();
  armed_ = true;
  emptyPolls_ = kEmptyPollsBetweenLooks;  // what wakes the waiting thread may be a stream
  if (ready || !moved.ok() || *moved) fds.push_back({atOnce_.get(), POLLIN, 0});
}

}  // namespace atl::rdma
