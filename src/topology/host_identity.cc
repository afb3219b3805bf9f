// SPDX-License-Identifier: Apache-2.0
#include "src/topology/host_identity.h"

#include <unistd.h>

#include <array>
#include <fstream>

#include "src/base/hash.h"

namespace atl {
namespace {

std::string bootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  std::getline(file, text);
  return text;
}

std::string networkNamespace() {
  std::array<char, 64> text{};
  const auto length = ::readlink("/proc/self/ns/net", text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string();
}

}  // namespace

std::string hostName() {
  std::array<char, 256> buffer{};
  return ::gethostname(buffer.data(), buffer.size() - 1) == 0 && buffer[0] != '\0' ? buffer.data() : "?";
}

std::uint64_t machineIdentity() {
  return hashText(bootId());
}

std::uint64_t hostIdentity(const Settings& settings) {
  if (!settings.hostId.empty()) return hashText(settings.hostId);
  return hashText(bootId() + '\n' + hostName() + '\n' + networkNamespace());
}

}  // namespace atl
