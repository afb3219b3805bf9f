// SPDX-License-Identifier: Apache-2.0
#include "tests/bootstrap_env/fake_rendezvous.h"

#include <utility>

namespace atl {
namespace test {

std::vector<AddressRequest>& addressRequests() {
  static std::vector<AddressRequest> requests;
  return requests;
}

std::optional<Error>& nextOpenFails() {
  static std::optional<Error> error;
  return error;
}

UniqueId idNumber(unsigned number) {
  UniqueId id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) id.bytes[i] = static_cast<std::uint8_t>(number * 37 + i);
  return id;
}

}  // namespace test

Result<UniqueId> openRendezvous(const Settings&) {
  static unsigned opened = 0;
  if (auto error = std::exchange(test::nextOpenFails(), std::nullopt)) return *std::move(error);
  return test::idNumber(++opened);
}

Result<UniqueId> rendezvousAt(const std::string& hostPort, std::string_view secretText, bool host, const Settings&) {
  test::addressRequests().push_back({hostPort, std::string(secretText), host});
  return test::idNumber(0);
}

}  // namespace atl
