// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/path.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <random>

#include "src/base/clock.h"
#include "src/base/log.h"

namespace atl::rdma {
namespace {

/// Wanted; devices have less, or more.
constexpr std::uint32_t kInlineBytes = 256;
/// For the device to tell of all that a queue pair that is in its error state had under way.
constexpr auto kFlushing = std::chrono::seconds(2);
constexpr std::uint8_t kRnrForEver = 7;
/// 0.64 ms between tries while the receiver has no slot.
constexpr std::uint8_t kRnrTimer = 12;
constexpr std::uint8_t kMostHops = 64;

std::uint32_t randomPacketNumber() {
  std::random_device source;
  return source() & 0xffffff;
}

}  // namespace

Status Path::open() {
  const Worker::Device& queues = worker_.device(device());
  gid_ = port().gid;
  ibv_qp_init_attr attributes{};
  attributes.send_cq = queues.completions;
  attributes.recv_cq = queues.completions;
  attributes.srq = queues.receives;
  attributes.qp_type = IBV_QPT_RC;
  attributes.cap.max_send_wr = worker_.settings().adaptiveRouting ? 2 * kDepth : kDepth;
  attributes.cap.max_send_sge = 1;
  // A device that offers less refuses the request as a whole.
  for (std::uint32_t bytes = kInlineBytes;; bytes /= 2) {
    attributes.cap.max_inline_data = bytes;
    pair_ = worker_.api().createQp(port().nic->protectionDomain(), &attributes);
    if (pair_ != nullptr || bytes == 0) break;
  }
  if (pair_ == nullptr) return failure(errno, fmt::format("{} gives no queue pair", port().nic->name()));
  mostInline_ = attributes.cap.max_inline_data;
  firstPacket_ = randomPacketNumber();
  worker_.enrol(device(), pair_->qp_num, *this);

  ibv_qp_attr init{};
  init.qp_state = IBV_QPS_INIT;
  init.port_num = port().number;
  init.qp_access_flags = IBV_ACCESS_REMOTE_WRITE;
  return change(init, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS, "INIT");
}

PathOffer Path::offer() const {
  PathOffer mine;
  mine.gid = gid_.gid;
  mine.queuePair = pair_->qp_num;
  mine.packetNumber = firstPacket_;
  mine.lid = port().lid;
  mine.mtu = static_cast<std::uint8_t>(port().mtu);
  mine.ethernet = port().ethernet ? 1 : 0;
  mine.device = static_cast<std::uint8_t>(device());
  return mine;
}

Status Path::connect(const PathOffer& theirs) {
  theirs_ = theirs;
  if ((theirs.ethernet != 0) != port().ethernet) {
    return makeError(ErrorCode::unsupported, "{} is {}, and the peer's port is not", port().name(),
                     port().ethernet ? "Ethernet" : "InfiniBand");
  }
  ATOLL_TRY(beginReceiving(theirs));
  return beginSending();
}

Status Path::beginReceiving(const PathOffer& theirs) {
  ibv_qp_attr attributes{};
  attributes.qp_state = IBV_QPS_RTR;
  attributes.path_mtu = std::min(port().mtu, static_cast<ibv_mtu>(theirs.mtu));
  attributes.dest_qp_num = theirs.queuePair;
  attributes.rq_psn = theirs.packetNumber;
  attributes.max_dest_rd_atomic = 1;
  attributes.min_rnr_timer = kRnrTimer;
  ibv_ah_attr& address = attributes.ah_attr;
  address.port_num = port().number;
  address.sl = static_cast<std::uint8_t>(worker_.settings().serviceLevel);
  address.dlid = theirs.lid;
  if (port().ethernet) {
    address.is_global = 1;
    address.grh.sgid_index = static_cast<std::uint8_t>(gid_.index);
    address.grh.hop_limit = kMostHops;
    address.grh.traffic_class = static_cast<std::uint8_t>(worker_.settings().trafficClass);
    std::ranges::copy(theirs.gid, std::begin(address.grh.dgid.raw));
  }
  return change(attributes,
                IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
                    IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER,
                "RTR");
}

Status Path::beginSending() {
  ibv_qp_attr attributes{};
  attributes.qp_state = IBV_QPS_RTS;
  attributes.timeout = static_cast<std::uint8_t>(worker_.settings().timeout);
  attributes.retry_cnt = static_cast<std::uint8_t>(worker_.settings().retries);
  attributes.rnr_retry = kRnrForEver;
  attributes.sq_psn = firstPacket_;
  attributes.max_rd_atomic = 1;
  return change(
      attributes,
      IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC,
      "RTS");
}

Status Path::change(ibv_qp_attr& attributes, int mask, const char* to) {
  const int error = worker_.api().modifyQp(pair_, &attributes, mask);
  if (error == 0) return success();
  return failure(error, fmt::format("{}: a queue pair cannot be brought to {} (peer {})", port().describe(), to,
                                    textOf(theirs_.gid)));
}

void Path::send(const Request& request) {
  sent_[tail_++ % kDepth] = request;
  credits_ += request.credit ? 1 : 0;
  if (!state_.ok()) return;
  state_ = post(request);
  if (state_.ok()) ++posted_;
}

// Keys that are known already may be of before the device came.
Status Path::post(const Request& request) {
  if (request.keys->local[device()] == 0) worker_.declared().complete(*request.keys);
  ibv_sge what{reinterpret_cast<std::uint64_t>(request.data), request.bytes, request.keys->local[device()]};
  ibv_send_wr work{};
  work.sg_list = &what;
  work.num_sge = 1;
  work.send_flags = IBV_SEND_SIGNALED;
  if (request.bytes <= mostInline_) work.send_flags |= IBV_SEND_INLINE;
  if (request.grant == nullptr) {
    work.opcode = IBV_WR_SEND;
  } else {
    work.opcode = IBV_WR_RDMA_WRITE_WITH_IMM;
    work.imm_data = htonl(immediateOf({request.grant->number, request.bytes}));
    work.wr.rdma.remote_addr = request.grant->address + request.at;
    work.wr.rdma.rkey = request.grant->keys[theirs_.device];
  }
  ibv_send_wr flag{};
  if (goesInParts(request)) {
    flag = work;
    flag.sg_list = nullptr;
    flag.num_sge = 0;
    work.opcode = IBV_WR_RDMA_WRITE;
    work.send_flags = 0;
    work.wr_id = kPartId;
    work.next = &flag;
  }
  ibv_send_wr* refused = nullptr;
  const int error = ibv_post_send(pair_, &work, &refused);
  if (error == 0) return success();
  return failure(error, fmt::format("{} takes nothing to send", describe()));
}

// Where the network sends packets by several ways, those of a write with immediate have to be brought in order, or sent
// again; those of a plain write go to memory as they come. The immediate follows in a write of no bytes: the receiver
// is told of it when all that came before by the same queue pair is there. That is worth a request only for what has
// more packets than one.
bool Path::goesInParts(const Request& request) const {
  const auto mtu = std::min(port().mtu, static_cast<ibv_mtu>(theirs_.mtu));
  return worker_.settings().adaptiveRouting && request.grant != nullptr && request.bytes > (128U << mtu);
}

void Path::onPartFailed(ibv_wc_status status) {
  if (!state_.ok()) return;
  state_ = makeError(ErrorCode::remoteError, "{}: {}", describe(), worker_.api().wcStatusStr(status));
}

// In order. What is behind the first that failed is flushed, which says nothing new; it stays, for unreceived().
void Path::onSent(ibv_wc_status status) {
  ++answered_;
  if (status == IBV_WC_SUCCESS) return retire();
  onPartFailed(status);
}

void Path::retire() {
  const Request& request = sent_[head_++ % kDepth];
  credits_ -= request.credit ? 1 : 0;
  if (request.piece != nullptr) request.piece->left -= request.through;
  request.giveBack();
}

void Path::onNote(Buffer& note, std::uint32_t bytes) {
  ++received_;
  user_.onNote(note, bytes);
}

void Path::onWritten(std::uint32_t immediate) {
  ++received_;
  user_.onWritten(arrivalOf(immediate));
}

std::string Path::describe() const {
  return fmt::format("{} {} → {}", port().name(), textOf(gid_.gid), textOf(theirs_.gid));
}

void Path::giveUp(std::string_view why) {
  if (state_.ok()) state_ = makeError(ErrorCode::remoteError, "{}: {}", describe(), why);
}

Path::~Path() {
  halt();
  destroy();
  for (; head_ != tail_; ++head_) sent_[head_ % kDepth].giveBack();
}

// In its error state a queue pair takes no packet any more, and says of everything that it had been given to send that
// it is over. That is waited for: buffers would else be used again while the device reads them.
void Path::halt() {
  if (pair_ == nullptr) return;
  giveUp("the peer gave it up");
  ibv_qp_attr error{};
  error.qp_state = IBV_QPS_ERR;
  worker_.api().modifyQp(pair_, &error, IBV_QP_STATE);
  pollUntil([this] { return answered_ == posted_; });
}

// Receives are the worker's, so that none of them says that it was the last. A device may have acknowledged what it
// tells of only later.
Status Path::close(std::uint64_t arrivedHere) {
  const bool complete = pair_ == nullptr || pollUntil([&] { return received_ >= arrivedHere; });
  destroy();
  if (complete) return success();
  return makeError(ErrorCode::remoteError, "{}: of {} requests that have arrived the device tells of {}", describe(),
                   arrivedHere, received_);
}

template <class Condition>
bool Path::pollUntil(Condition holds) {
  const Deadline deadline = Deadline::in(kFlushing);
  for (;;) {
    const auto moved = worker_.poll();
    const bool quiet = !moved.ok() || !*moved;
    if (!quiet) continue;
    if (holds()) return true;
    if (deadline.passed()) return false;
  }
}

void Path::destroy() {
  if (pair_ == nullptr) return;
  worker_.dismiss(device(), pair_->qp_num);
  if (const int result = worker_.api().destroyQp(pair_); result != 0) {
    log::warn("{} keeps a queue pair: {}", port().name(), failure(result, "it cannot be destroyed").text);
  }
  pair_ = nullptr;
}

Result<std::vector<Request>> Path::unreceived(std::uint64_t receivedThere) {
  if (receivedThere < head_ || receivedThere > posted_) {
    return makeError(ErrorCode::remoteError,
                     "protocol: the peer has received {} requests of {}, {} of which are known to be", receivedThere,
                     posted_, head_);
  }
  while (head_ < receivedThere) retire();
  std::vector<Request> rest;
  for (; head_ != tail_; ++head_) {
    const Request& request = sent_[head_ % kDepth];
    if (request.probe) {
      request.giveBack();
    } else {
      rest.push_back(request);
    }
  }
  credits_ = 0;
  return rest;
}

}  // namespace atl::rdma
