// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/worker.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace atl::ucx {
namespace {

/// A header as it came, if it is as long as it should be. Payloads' memory is aligned for nothing.
template <class Header>
bool read(const void* from, std::size_t bytes, Header& header) {
  if (bytes != sizeof header) return false;
  std::memcpy(&header, from, sizeof header);
  return true;
}

}  // namespace

Result<std::shared_ptr<Worker>> Worker::create() {
  ATOLL_ASSIGN(auto context, Context::instance());
  std::shared_ptr<Worker> worker(new Worker(std::move(context)));
  ATOLL_TRY(worker->open());
  return worker;
}

Status Worker::open() {
  atOnce_ = UniqueFd(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!atOnce_) return systemError(errno, "cannot make an event descriptor");
  ucp_worker_params_t params{};
  params.field_mask = UCP_WORKER_PARAM_FIELD_THREAD_MODE;
  params.thread_mode = UCS_THREAD_MODE_SERIALIZED;  // one thread at a time, not always the same
  if (const auto status = api().workerCreate(context_->handle(), &params, &handle_); status != UCS_OK) {
    return failure(api(), ErrorCode::systemError, "a UCP worker cannot be made", status);
  }
  if (const auto status = api().workerGetEfd(handle_, &events_); status != UCS_OK) {
    return failure(api(), ErrorCode::unsupported, "what UCX is told to use (UCX_TLS) cannot wake a waiting thread",
                   status);
  }
  ucp_address_t* address = nullptr;
  std::size_t bytes = 0;
  if (const auto status = api().workerGetAddress(handle_, &address, &bytes); status != UCS_OK) {
    return failure(api(), ErrorCode::systemError, "a UCP worker has no address", status);
  }
  const auto* const begin = reinterpret_cast<const std::byte*>(address);
  address_.assign(begin, begin + bytes);
  api().workerReleaseAddress(handle_, address);
  if (bytes > kMostAddressBytes) {
    return makeError(ErrorCode::unsupported,
                     "a UCP worker's address takes {} bytes, {} at most can be exchanged; name "
                     "fewer devices in UCX_NET_DEVICES",
                     bytes, kMostAddressBytes);
  }
  ATOLL_TRY(listenTo(kFragmentId, &Worker::onFragment));
  ATOLL_TRY(listenTo(kCreditId, &Worker::onCredit));
  return listenTo(kHelloId, &Worker::onHello);
}

Status Worker::listenTo(unsigned id, ucp_am_recv_callback_t callback) {
  ucp_am_handler_param_t param{};
  param.field_mask = UCP_AM_HANDLER_PARAM_FIELD_ID | UCP_AM_HANDLER_PARAM_FIELD_FLAGS | UCP_AM_HANDLER_PARAM_FIELD_CB |
                     UCP_AM_HANDLER_PARAM_FIELD_ARG;
  param.id = id;
  param.flags = UCP_AM_FLAG_WHOLE_MSG | UCP_AM_FLAG_PERSISTENT_DATA;
  param.cb = callback;
  param.arg = this;
  const auto status = api().workerSetAmRecvHandler(handle_, &param);
  if (status == UCS_OK) return success();
  return failure(api(), ErrorCode::unsupported, "UCX cannot receive active messages", status);
}

Worker::~Worker() {
  if (handle_ != nullptr) api().workerDestroy(handle_);
}

std::uint32_t Worker::enrol(Addressee& addressee) {
  addressees_.push_back(&addressee);
  return static_cast<std::uint32_t>(addressees_.size() - 1);
}

void Worker::dismiss(std::uint32_t number) {
  addressees_[number] = nullptr;
}

Addressee* Worker::find(std::uint32_t number) const {
  return number < addressees_.size() ? addressees_[number] : nullptr;
}

bool Worker::progress() {
  return api().workerProgress(handle_) != 0;
}

void Worker::wanted(std::vector<pollfd>& fds) const {
  // Not armed: something came meanwhile, which progress() must take first.
  const bool armed = api().workerArm(handle_) == UCS_OK;
  fds.push_back({armed ? events_ : atOnce_.get(), POLLIN, 0});
}

ucs_status_t Worker::onFragment(void* self, const void* header, std::size_t headerBytes, void* data, std::size_t bytes,
                                const ucp_am_recv_param_t* param) {
  FragmentHeader fragment;
  if (!read(header, headerBytes, fragment)) return UCS_OK;
  Addressee* const addressee = static_cast<Worker*>(self)->find(fragment.link);
  if (addressee == nullptr) return UCS_OK;  // it has left; UCX takes the payload back
  const bool announced = (param->recv_attr & UCP_AM_RECV_ATTR_FLAG_RNDV) != 0;
  return addressee->onFragment(fragment, data, bytes, announced) ? UCS_INPROGRESS : UCS_OK;
}

ucs_status_t Worker::onCredit(void* self, const void* header, std::size_t headerBytes, void* /*data*/,
                              std::size_t /*bytes*/, const ucp_am_recv_param_t* /*param*/) {
  CreditHeader credit;
  if (!read(header, headerBytes, credit)) return UCS_OK;
  Addressee* const addressee = static_cast<Worker*>(self)->find(credit.link);
  if (addressee != nullptr) addressee->onCredit(credit);
  return UCS_OK;
}

ucs_status_t Worker::onHello(void* self, const void* header, std::size_t headerBytes, void* /*data*/,
                             std::size_t /*bytes*/, const ucp_am_recv_param_t* /*param*/) {
  HelloHeader hello;
  if (!read(header, headerBytes, hello)) return UCS_OK;
  Addressee* const addressee = static_cast<Worker*>(self)->find(hello.link);
  if (addressee != nullptr) addressee->onHello(hello.word);
  return UCS_OK;
}

}  // namespace atl::ucx
