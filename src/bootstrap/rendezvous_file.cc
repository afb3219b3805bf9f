// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/rendezvous_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

#include "src/base/unique_fd.h"
#include "src/bootstrap/rendezvous_offer.h"

namespace atl {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(5);

Status writeWhole(const std::string& path, const std::string& text) {
  const std::string draft = fmt::format("{}.{}", path, ::getpid());
  UniqueFd fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return systemError(errno, fmt::format("cannot create rendezvous file {}", draft));
  const auto written = ::write(fd.get(), text.data(), text.size());
  int failure = written < 0 ? errno : (static_cast<std::size_t>(written) < text.size() ? ENOSPC : 0);
  if (failure == 0 && ::rename(draft.c_str(), path.c_str()) != 0) failure = errno;
  if (failure == 0) return success();
  ::unlink(draft.c_str());
  return systemError(failure, fmt::format("cannot write rendezvous file {}", path));
}

/// When this process started, on the clock that files are stamped with: /proc counts it in ticks since the boot.
std::time_t processStart() {
  constexpr int kStartTimeField = 20;  // counted after the command's name, which may hold spaces
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string field;
  for (int i = 0; i < kStartTimeField; ++i) fields >> field;
  const std::time_t now = std::time(nullptr);
  timespec sinceBoot{};
  const long ticks = ::sysconf(_SC_CLK_TCK);
  if (!fields || ticks <= 0 || ::clock_gettime(CLOCK_BOOTTIME, &sinceBoot) != 0) return now;
  return now - sinceBoot.tv_sec + std::strtol(field.c_str(), nullptr, 10) / ticks;
}

/// The offer in the file; empty while there is none, or only an old one.
Result<std::string> readFresh(const std::string& path, double patienceSeconds) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT) return std::string();
    return systemError(errno, fmt::format("cannot open rendezvous file {}", path));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0)
    return systemError(errno, fmt::format("cannot examine rendezvous file {}", path));
  static const std::time_t start = processStart();
  if (patienceSeconds > 0 && std::difftime(start, status.st_mtime) > patienceSeconds) return std::string();
  std::array<char, kMaxOfferBytes + 1> buffer{};
  const auto got = ::read(fd.get(), buffer.data(), buffer.size());
  if (got < 0) return systemError(errno, fmt::format("cannot read rendezvous file {}", path));
  std::string text(buffer.data(), static_cast<std::size_t>(got));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Result<UniqueId> rendezvousByFile(const std::string& path, bool host, const Settings& settings, Deadline deadline) {
  if (host) {
    const Result<UniqueId> offer = openRendezvous(settings);
    ATOLL_TRY(writeWhole(path, encodeOffer(offer) + '\n'));
    return offer;
  }
  for (;;) {
    ATOLL_ASSIGN(const std::string text, readFresh(path, settings.bootstrapTimeoutSeconds));
    if (!text.empty()) {
      auto offer = decodeOffer(text);
      if (!offer.ok()) return std::move(offer).error().within(fmt::format("rendezvous file {}", path));
      return offer;
    }
    if (deadline.passed()) {
      return makeError(ErrorCode::timeout,
                       "rendezvous file {} did not appear within the time limit; process 0 writes it", path);
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

Status removeRendezvousFile(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return systemError(errno, fmt::format("cannot remove rendezvous file {}", path));
  }
  return success();
}

}  // namespace atl
