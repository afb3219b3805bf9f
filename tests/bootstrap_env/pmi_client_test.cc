// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/pmi_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <map>
#include <thread>

#include "src/base/unique_fd.h"
#include "src/bootstrap/launcher_channel.h"
#include "tests/bootstrap_env/variables.h"

namespace atl {
namespace {

/// The process manager's side of PMI-1 for one process, until that says goodbye or leaves.
void serveOneProcess(int fd) {
  std::map<std::string, std::string> space;
  const auto field = [](const std::string& line, const std::string& name) {
    const auto begin = line.find(" " + name + "=");
    if (begin == std::string::npos) return std::string();
    const auto value = begin + name.size() + 2;
    return line.substr(value, line.find(' ', value) - value);
  };
  for (;;) {
    const auto line = readLine(fd, 4096, Deadline::inSeconds(60));
    if (!line.ok()) return;
    std::string answer;
    if (line->starts_with("cmd=init ")) answer = "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0";
    if (*line == "cmd=get_my_kvsname") answer = "cmd=my_kvsname kvsname=job_1";
    if (*line == "cmd=barrier_in") answer = "cmd=barrier_out";
    if (line->starts_with("cmd=put kvsname=job_1 ")) {
      space[field(*line, "key")] = field(*line, "value");
      answer = "cmd=put_result rc=0 msg=success";
    }
    if (line->starts_with("cmd=get kvsname=job_1 ")) {
      const auto found = space.find(field(*line, "key"));
      answer = found == space.end() ? "cmd=get_result rc=-1 msg=key_not_found"
                                    : "cmd=get_result rc=0 msg=success value=" + found->second;
    }
    if (!writeLine(fd, answer, Deadline::inSeconds(60)).ok()) return;
  }
}

TEST(PmiClient, ExchangesValues_AndReportsWhatTheManagerRefuses) {
  std::array<int, 2> fds{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()), 0);
  UniqueFd server(fds[0]);
  const test::Variables variables({{"PMI_FD", std::to_string(fds[1])}});
  std::thread manager([&] { serveOneProcess(server.get()); });

  const auto first = exchangeByPmi(0, "key-a", "value-a", Deadline::inSeconds(20));
  const auto again = exchangeByPmi(3, "key-a", "", Deadline::inSeconds(20));
  const auto missing = exchangeByPmi(3, "key-b", "", Deadline::inSeconds(20));
  ::shutdown(server.get(), SHUT_RDWR);  // the manager leaves first: the goodbye at exit finds nobody and does not wait
  manager.join();

  ASSERT_TRUE(first.ok()) << first.error().text;
  EXPECT_EQ(*first, "value-a");
  ASSERT_TRUE(again.ok()) << again.error().text;
  EXPECT_EQ(*again, "value-a");
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().text.find("key_not_found"), std::string::npos);
}

}  // namespace
}  // namespace atl
