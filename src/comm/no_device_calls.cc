// SPDX-License-Identifier: Apache-2.0
#include "src/comm/device_calls.h"

namespace atl {

Result<std::unique_ptr<DeviceCalls>> DeviceCalls::create(Environment environment) {
  return makeError(ErrorCode::unsupported, "this build of Atoll knows no CUDA, and so not device {}",
                   environment.settings->device);
}

}  // namespace atl
