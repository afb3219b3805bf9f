// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/dial.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "src/base/log.h"

namespace atl {
namespace {

/// One endpoint's share of the time: long enough for a lost SYN, short enough to try the next address soon.
constexpr auto kAttemptLimit = std::chrono::seconds(3);
/// A peer that was there and is not any more is given up after this long.
constexpr auto kAbsencePatience = std::chrono::seconds(3);
constexpr auto kFirstPause = std::chrono::milliseconds(5);
constexpr auto kLongestPause = std::chrono::milliseconds(250);

}  // namespace

std::shared_ptr<Dial> Dial::start(Service& service, DialRequest request, Done done) {
  auto dial = std::make_shared<Dial>(service, std::move(request), std::move(done));
  if (!dial->request_.deadline.isNever()) {
    dial->deadlineTimer_ = service.at(dial->request_.deadline.at(), [dial] {
      dial->finish(makeError(ErrorCode::timeout, "no connection to {} within the time limit{}", dial->request_.peer,
                             dial->lastFailure_));
    });
  }
  dial->attempt();
  return dial;
}

Dial::Dial(Service& service, DialRequest request, Done done)
    : service_(service), request_(std::move(request)), done_(std::move(done)), pause_(kFirstPause) {}

void Dial::cancel() {
  done_ = nullptr;
  closeAttempt();
  service_.cancel(deadlineTimer_);
}

void Dial::attempt() {
  if (request_.endpoints.empty()) {
    return finish(makeError(ErrorCode::remoteError, "{} has no address to connect to", request_.peer));
  }
  absent_ = false;
  auto fd = beginConnect(endpoint());
  if (!fd.ok()) {
    absent_ = errno == ECONNREFUSED;
    return attemptFailed(std::move(fd).error());
  }
  fd_ = std::move(fd).value();
  stage_ = Stage::connecting;
  const auto self = shared_from_this();
  watch_ = service_.watch(fd_.get(), EPOLLOUT, [self](std::uint32_t) { self->onEvent(0); });
  attemptTimer_ = service_.at(Clock::now() + kAttemptLimit, [self] {
    self->attemptTimer_ = 0;
    self->attemptFailed(makeError(ErrorCode::timeout, "no answer from {}", self->endpoint().text()));
  });
}

void Dial::onEvent(std::uint32_t) {
  const auto self = shared_from_this();  // the last reference may go with the watch
  if (auto status = advance(); !status.ok()) {
    if (final_) {
      finish(std::move(status).error());
    } else {
      attemptFailed(std::move(status).error());
    }
  }
}

Status Dial::advance() {
  if (stage_ == Stage::connecting) return onConnected();
  ATOLL_ASSIGN(const bool complete, input_.from(fd_.get()));
  if (!complete) return success();
  if (stage_ == Stage::greeting) return onChallenge();
  if (input_.bytes().front() != kWelcome)
    return makeError(ErrorCode::mismatch, "{} answered with nonsense", endpoint().text());
  service_.forget(std::exchange(watch_, 0));
  finish(std::move(fd_));
  return success();
}

Status Dial::onConnected() {
  if (const int error = connectResult(fd_.get()); error != 0) {
    absent_ = error == ECONNREFUSED;
    return systemError(error, fmt::format("cannot connect to {}", endpoint().text()));
  }
  hello_ = Hello{};
  hello_.purpose = request_.purpose;
  hello_.group = request_.group;
  fillRandom(hello_.nonce);
  if (!sendSmall(fd_.get(), encode(hello_)))
    return systemError(errno, fmt::format("cannot greet {}", endpoint().text()));
  input_.expect(kChallengeBytes);
  stage_ = Stage::greeting;
  service_.change(watch_, EPOLLIN);
  return success();
}

Status Dial::onChallenge() {
  const auto challenge = decodeChallenge(input_.bytes());
  if (!challenge) return makeError(ErrorCode::mismatch, "{} does not speak Atoll's protocol", endpoint().text());
  if (challenge->verdict == Challenge::Verdict::unknownGroup) {
    absent_ = true;
    return makeError(ErrorCode::remoteError,
                     "the process at {} does not know this group (its rendezvous or communicator is closed)",
                     endpoint().text());
  }
  const bool authentic = proves(*challenge, hello_, request_.secret);
  // The answer goes out even when it is of no use, so that the other end can name this process as the one that has the
  // wrong secret or version, instead of seeing a connection that closes without a word.
  const Answer answer =
      authentic ? answerFor(*challenge, hello_, request_.key, request_.secret) : Answer{request_.key, Proof{}};
  if (!sendSmall(fd_.get(), encode(answer)))
    return systemError(errno, fmt::format("cannot answer {}", endpoint().text()));
  if (!authentic) {
    final_ = !request_.mayComeLater;  // another job's process may sit on a well-known port for a while
    return makeError(ErrorCode::mismatch, "{} at {} has another secret than this process", request_.peer,
                     endpoint().text());
  }
  if (challenge->version != kProtocolVersion) {
    final_ = true;
    return makeError(ErrorCode::mismatch,
                     "{} at {} speaks bootstrap protocol version {}, this process speaks version {}", request_.peer,
                     endpoint().text(), challenge->version, kProtocolVersion);
  }
  // From here on the peer is who it should be: it may take its time to ask for the stream.
  service_.cancel(std::exchange(attemptTimer_, 0));
  input_.expect(1);
  stage_ = Stage::waiting;
  return success();
}

void Dial::attemptFailed(Error error) {
  closeAttempt();
  log::line(log::Subject::bootstrap, kNoRank, "{}: {}", request_.peer, error.text);
  lastFailure_ = fmt::format("; the last attempt: {}", error.text);
  if (!absent_) {
    absentSince_.reset();  // merely slow, so far
  } else if (!absentSince_) {
    absentSince_ = Clock::now();
  }
  if (!request_.mayComeLater && absentSince_ && Clock::now() - *absentSince_ > kAbsencePatience) {
    return finish(makeError(ErrorCode::remoteError, "no connection to {}: {}", request_.peer, error.text));
  }
  const auto self = shared_from_this();
  next_ = (next_ + 1) % request_.endpoints.size();
  if (next_ != 0) {
    service_.post([self] {
      if (self->done_) self->attempt();
    });
    return;
  }
  attemptTimer_ = service_.at(Clock::now() + pause_, [self] {
    self->attemptTimer_ = 0;
    self->attempt();
  });
  pause_ = std::min<Duration>(pause_ * 2, kLongestPause);
}

void Dial::finish(Result<UniqueFd> result) {
  const auto self = shared_from_this();
  Done done = std::move(done_);
  cancel();
  if (done) done(std::move(result));
}

void Dial::closeAttempt() {
  if (watch_ != 0) service_.forget(std::exchange(watch_, 0));
  service_.cancel(std::exchange(attemptTimer_, 0));
  fd_.reset();
  stage_ = Stage::idle;
}

}  // namespace atl
