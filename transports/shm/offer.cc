// SPDX-License-Identifier: Apache-2.0
#include "transports/shm/offer.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

namespace atl::shm {
namespace {

/// Room for one more descriptor than an offer may have, so that one too many is seen as such.
struct alignas(cmsghdr) ControlBuffer {
  std::byte bytes[CMSG_SPACE(sizeof(int) * (kMaxDescriptors + 1))];
};

bool wouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

Result<bool> trySend(int socket, const Offer& offer, std::span<const int> descriptors) {
  if (descriptors.size() > kMaxDescriptors) {
    return makeError(ErrorCode::internalError, "{} descriptors in an offer, which has room for {}", descriptors.size(),
                     kMaxDescriptors);
  }
  iovec bytes{const_cast<Offer*>(&offer), sizeof offer};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());

  const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && wouldBlock(errno)) return false;
  if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
    return makeError(ErrorCode::remoteError, "the peer closed the socket before it was sent the memory");
  }
  if (sent < 0) return systemError(errno, "cannot hand over shared memory");
  // The first bytes on a fresh local socket, and few: the kernel takes them whole.
  if (sent != sizeof offer)
    return makeError(ErrorCode::systemError, "only {} of {} bytes of an offer were sent", sent, sizeof offer);
  return true;
}

Result<bool> OfferReader::poll(int socket) {
  while (received_ < sizeof offer_) {
    iovec bytes{reinterpret_cast<std::byte*>(&offer_) + received_, sizeof offer_ - received_};
    ControlBuffer control{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    const ssize_t got = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && wouldBlock(errno)) return false;
    if (got < 0 && errno != ECONNRESET) return systemError(errno, "cannot receive shared memory");
    if (got <= 0)
      return makeError(ErrorCode::remoteError, "the peer closed the socket after {} bytes of its offer", received_);
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
        descriptors_.emplace_back(fd);
      }
    }
    received_ += static_cast<std::size_t>(got);
    if (descriptors_.size() > kMaxDescriptors || (message.msg_flags & MSG_CTRUNC) != 0) {
      return makeError(
          ErrorCode::remoteError,
          "the peer sent more descriptors than an offer can have (or this process may open no more files)");
    }
  }
  ATOLL_TRY(check());
  return true;
}

Status OfferReader::check() const {
  if (offer_.magic != kOfferMagic) {
    return makeError(ErrorCode::remoteError, "protocol: what the peer sent ({:#x}) is no offer of shared memory",
                     offer_.magic);
  }
  if (offer_.version != kOfferVersion) {
    return makeError(ErrorCode::remoteError,
                     "protocol: the peer offers shared memory in version {}, this is version {}", offer_.version,
                     kOfferVersion);
  }
  const std::size_t expected = offer_.regionBytes == 0 ? 1 : 2;
  if (offer_.descriptors != expected || descriptors_.size() != expected) {
    return makeError(ErrorCode::remoteError,
                     "protocol: an offer with {} descriptors that says {} where there should be {}",
                     descriptors_.size(), offer_.descriptors, expected);
  }
  return success();
}

}  // namespace atl::shm
