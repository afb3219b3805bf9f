// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/topo/png.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "src/base/unique_fd.h"

extern char** environ;  // NOLINT: POSIX names it so

namespace atl::tools {
namespace {

/// An anonymous file with the text, read from its beginning: a pipe would have to be fed while the program runs.
Result<UniqueFd> fileOf(const std::string& text) {
  UniqueFd file(::memfd_create("atoll-picture", MFD_CLOEXEC));
  if (file.get() < 0) return systemError(errno, "cannot make room for a picture");
  for (std::size_t done = 0; done < text.size();) {
    const auto wrote = ::write(file.get(), text.data() + done, text.size() - done);
    if (wrote < 0) return systemError(errno, "cannot make room for a picture");
    done += static_cast<std::size_t>(wrote);
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return systemError(errno, "cannot make room for a picture");
  return file;
}

}  // namespace

Status writePng(const std::string& path, const std::string& svg, const std::string& converter) {
  ATOLL_ASSIGN(const UniqueFd input, fileOf(svg));
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
  std::array<std::string, 4> words = {converter, "--format=png", "--zoom=2", "--output=" + path};
  std::array<char*, 5> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  pid_t child = 0;
  const int refused = ::posix_spawnp(&child, converter.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (refused == ENOENT) {
    return makeError(
        ErrorCode::unsupported,
        "a PNG needs the program {}, which is not here (Debian's package librsvg2-bin); --svg needs nothing",
        converter);
  }
  if (refused != 0) return systemError(refused, fmt::format("cannot start {}", converter));
  int state = 0;
  while (::waitpid(child, &state, 0) < 0) {
    if (errno != EINTR) return systemError(errno, fmt::format("cannot wait for {}", converter));
  }
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return success();
  return makeError(ErrorCode::systemError, "{} could not write {}", converter, path);
}

}  // namespace atl::tools
