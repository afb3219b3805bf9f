// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/pmi_client.h"

#include <fcntl.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <mutex>

#include "src/bootstrap/launcher_channel.h"

namespace atl {
namespace {

constexpr std::size_t kMaxLineBytes = 4096;
constexpr double kGoodbyeSeconds = 1;

/// The value of `name` in "cmd=get_result rc=0 msg=success value=abc"; empty when absent.
std::string_view fieldOf(std::string_view line, std::string_view name) {
  while (!line.empty()) {
    const auto space = line.find(' ');
    const auto field = line.substr(0, space);
    const auto equals = field.find('=');
    if (equals != std::string_view::npos && field.substr(0, equals) == name) return field.substr(equals + 1);
    line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  }
  return {};
}

class PmiClient {
 public:
  /// Opens the connection that the process manager left for us.
  Status open(Deadline deadline) {
    if (open_) return success();
    const char* const text = std::getenv("PMI_FD");
    const std::string_view number = text == nullptr ? "" : text;
    int fd = -1;
    const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), fd);
    if (ec != std::errc() || end != number.data() + number.size() || ::fcntl(fd, F_GETFD) < 0) {
      return makeError(ErrorCode::invalidArgument, "PMI_FD is '{}', which is no open descriptor", number);
    }
    fd_ = fd;
    ATOLL_TRY(ask("cmd=init pmi_version=1 pmi_subversion=1", "response_to_init", deadline));
    ATOLL_ASSIGN(const std::string answer, ask("cmd=get_my_kvsname", "my_kvsname", deadline));
    space_ = fieldOf(answer, "kvsname");
    std::atexit([] { instance().close(); });
    open_ = true;
    return success();
  }

  Status put(std::string_view key, std::string_view value, Deadline deadline) {
    ATOLL_TRY(ask(fmt::format("cmd=put kvsname={} key={} value={}", space_, key, value), "put_result", deadline));
    return success();
  }

  Status barrier(Deadline deadline) {
    ATOLL_TRY(ask("cmd=barrier_in", "barrier_out", deadline));
    return success();
  }

  Result<std::string> get(std::string_view key, Deadline deadline) {
    ATOLL_ASSIGN(const std::string answer,
                 ask(fmt::format("cmd=get kvsname={} key={}", space_, key), "get_result", deadline));
    return std::string(fieldOf(answer, "value"));
  }

  static PmiClient& instance() {
    static PmiClient* const client = new PmiClient;  // lives to the end: the exit handler uses it
    return *client;
  }

  std::mutex mutex;

 private:
  /// One request, one answer; an answer of another kind or with a return code other than 0 is an error.
  Result<std::string> ask(std::string_view request, std::string_view wanted, Deadline deadline) {
    ATOLL_TRY(writeLine(fd_, request, deadline));
    ATOLL_ASSIGN(std::string answer, readLine(fd_, kMaxLineBytes, deadline));
    const auto code = fieldOf(answer, "rc");
    if (fieldOf(answer, "cmd") != wanted || (!code.empty() && code != "0")) {
      return makeError(ErrorCode::systemError, "the process manager answered '{}' where '{}' was due", answer, wanted);
    }
    return answer;
  }

  /// A process that leaves without this is taken for a failed one.
  void close() {
    const std::scoped_lock lock(mutex);
    [[maybe_unused]] const auto answer = ask(
        "cmd=finalize", "finalize_ack", Deadline::inSeconds(kGoodbyeSeconds));  // nobody is left to tell of a failure
  }

  bool open_ = false;
  int fd_ = -1;
  std::string space_;  ///< the job's key-value space
};

}  // namespace

Result<std::string> exchangeByPmi(Rank process, std::string_view key, std::string_view value, Deadline deadline) {
  PmiClient& client = PmiClient::instance();
  const std::scoped_lock lock(client.mutex);
  ATOLL_TRY(client.open(deadline));
  if (process == 0) ATOLL_TRY(client.put(key, value, deadline));
  ATOLL_TRY(client.barrier(deadline));
  return client.get(key, deadline);
}

}  // namespace atl
