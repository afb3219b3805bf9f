// SPDX-License-Identifier: Apache-2.0
// Memory for communication, and the registration of memory.
#include <utility>

#include "src/api/arguments.h"
#include "src/api/entry.h"
#include "src/api/report.h"
#include "transports/shareable_memory.h"

namespace atl::api {
namespace {

Status allocate(void** ptr, std::size_t size) {
  ATOLL_TRY(checkNotNull("ptr", ptr));
  *ptr = nullptr;
  if (size == 0) return success();
  auto memory = allocateShareable(size);
  if (!memory.ok()) return std::move(memory).error().within(fmt::format("argument size is {}", size));
  *ptr = *memory;
  return success();
}

Status release(void* ptr) {
  if (freeShareable(ptr)) return success();
  return makeError(ErrorCode::invalidArgument, "argument ptr is {}, which is not live memory of atollMemAlloc",
                   fmt::ptr(ptr));
}

Status registerBuffer(atollComm_t comm, void* buff, std::size_t size, void** handle) {
  ATOLL_TRY(checkNotNull("handle", handle));
  *handle = nullptr;
  ATOLL_TRY(checkNotNull("buff", buff));
  if (size == 0) return makeError(ErrorCode::invalidArgument, "argument size is 0; it must be at least 1");
  ATOLL_TRY(checkBuffer({"buff", buff, size}));
  const Claim claim(comm);
  if (!claim) return refusal(comm);
  Declaration declaration(buff, size);
  // Never used twice in the process, so that a handle of another communicator, or an old one, is told.
  const std::uint64_t number = declaration.id();
  claim.entry().registrations.emplace(number, std::move(declaration));
  *handle = reinterpret_cast<void*>(number);  // NOLINT(performance-no-int-to-ptr): never followed
  return success();
}

Status deregister(atollComm_t comm, void* handle) {
  const Claim claim(comm);
  if (!claim) return refusal(comm);
  if (claim.entry().registrations.erase(reinterpret_cast<std::uintptr_t>(handle)) == 0) {
    return makeError(ErrorCode::invalidArgument,
                     "argument handle is {}, which is not a live registration of this communicator", fmt::ptr(handle));
  }
  return success();
}

}  // namespace
}  // namespace atl::api

using namespace atl::api;  // NOLINT(google-build-using-namespace): the C functions are outside

atollResult_t atollMemAlloc(void** ptr, size_t size) {
  return guarded("atollMemAlloc", [&] { return finish("atollMemAlloc", allocate(ptr, size)); });
}

atollResult_t atollMemFree(void* ptr) {
  if (ptr == nullptr) return atollSuccess;
  return guarded("atollMemFree", [&] { return finish("atollMemFree", release(ptr)); });
}

atollResult_t atollCommRegister(atollComm_t comm, void* buff, size_t size, void** handle) {
  return guarded("atollCommRegister",
                 [&] { return finish("atollCommRegister", registerBuffer(comm, buff, size, handle)); });
}

atollResult_t atollCommDeregister(atollComm_t comm, void* handle) {
  return guarded("atollCommDeregister", [&] { return finish("atollCommDeregister", deregister(comm, handle)); });
}
