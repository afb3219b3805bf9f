// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/endpoint.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace atl::ucx {

Status Endpoint::open(std::span<const std::byte> address) {
  ucp_ep_params_t params{};
  params.field_mask =
      UCP_EP_PARAM_FIELD_REMOTE_ADDRESS | UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE | UCP_EP_PARAM_FIELD_ERR_HANDLER;
  params.address = reinterpret_cast<const ucp_address_t*>(address.data());
  params.err_mode = UCP_ERR_HANDLING_MODE_PEER;
  params.err_handler.cb = &Endpoint::onFailure;
  params.err_handler.arg = this;
  const auto status = api().epCreate(worker_.handle(), &params, &handle_);
  if (status == UCS_OK) return success();
  handle_ = nullptr;
  return ucx::failure(
      api(), ErrorCode::unsupported,
      "no endpoint to it can be made (do both ends have the same transports of UCX, and like versions?)", status);
}

void Endpoint::onFailure(void* self, ucp_ep_h /*endpoint*/, ucs_status_t status) {
  static_cast<Endpoint*>(self)->fail(status);
}

std::string Endpoint::lanes() const {
  char* text = nullptr;
  std::size_t bytes = 0;
  std::FILE* const stream = ::open_memstream(&text, &bytes);
  if (stream == nullptr) return "";
  api().epPrintInfo(handle_, stream);
  std::fclose(stream);
  // One line a lane: "#     lane[0]:  2:tcp/eth0.0 md[1]  -> …". What several lanes use is named once.
  std::string names;
  std::string_view rest(text, bytes);
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto lane = line.find("lane[");
    const auto slash = line.find('/', lane == std::string_view::npos ? line.size() : lane);
    if (slash == std::string_view::npos) continue;
    const auto begin = line.rfind(':', slash) + 1;
    const auto end = std::min(line.find_first_of(" .", slash), line.size());
    const auto name = line.substr(begin, end - begin);
    if (names.find(name) == std::string::npos) names += (names.empty() ? "" : ", ") + std::string(name);
  }
  std::free(text);
  return names;
}

void Endpoint::close() {
  if (handle_ == nullptr) return;
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_FLAGS;
  param.flags = UCP_EP_CLOSE_FLAG_FORCE;
  const ucs_status_ptr_t request = api().epCloseNbx(handle_, &param);
  handle_ = nullptr;
  fail(UCS_ERR_CANCELED);
  if (UCS_PTR_IS_PTR(request)) closing_ = request;
}

bool Endpoint::closed() {
  if (closing_ != nullptr && api().requestCheckStatus(closing_) != UCS_INPROGRESS) {
    api().requestFree(closing_);
    closing_ = nullptr;
  }
  return handle_ == nullptr && closing_ == nullptr;
}

}  // namespace atl::ucx
