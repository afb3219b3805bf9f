// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/mpi_library.h"

#include <dlfcn.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): on_exit is in no C++ header

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "src/base/log.h"

namespace atl {
namespace {

constexpr int kMpiSuccess = 0;
constexpr auto kTestInterval = std::chrono::microseconds(200);

/// What the calls need that the ABIs shape differently. Handles of Open MPI are addresses of its own objects; those of
/// MPICH are numbers, fixed by its ABI.
struct OpenMpi {
  using Handle = void*;
  Handle world = nullptr;
  Handle byte = nullptr;
  static void* statusIgnore() { return nullptr; }
};

struct Mpich {
  using Handle = int;
  Handle world = 0x44000000;
  Handle byte = 0x4c00010d;
  static void* statusIgnore() {
    return reinterpret_cast<void*>(std::uintptr_t{1});  // NOLINT(performance-no-int-to-ptr): MPICH's MPI_STATUS_IGNORE
  }
};

void* symbol(void* library, const char* name) {
  return ::dlsym(library, name);
}

template <class Function>
bool bind(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(symbol(library, name));
  return function != nullptr;
}

template <class Abi>
class Library final : public MpiLibrary {
 public:
  using Handle = typename Abi::Handle;

  /// Null when a symbol is missing.
  static std::unique_ptr<MpiLibrary> bindTo(void* library, const Abi& abi) {
    auto self = std::make_unique<Library>();
    self->abi_ = abi;
    const bool complete = bind(library, "MPI_Initialized", self->initialized_) &&
                          bind(library, "MPI_Finalized", self->finalized_) && bind(library, "MPI_Init", self->init_) &&
                          bind(library, "MPI_Finalize", self->finalize_) &&
                          bind(library, "MPI_Ibcast", self->ibcast_) && bind(library, "MPI_Test", self->test_) &&
                          bind(library, "MPI_Comm_size", self->commSize_);
    if (!complete) return nullptr;
    return self;
  }

  Status initialize() override {
    int yes = 0;
    if (finalized_(&yes) == kMpiSuccess && yes != 0) {
      return makeError(ErrorCode::unsupported, "MPI has been finalised; the rendezvous needs it before that");
    }
    if (initialized_(&yes) != kMpiSuccess) return makeError(ErrorCode::systemError, "MPI_Initialized failed");
    if (yes != 0) return success();
    if (const int code = init_(nullptr, nullptr); code != kMpiSuccess) {
      return makeError(ErrorCode::systemError, "MPI_Init failed with code {}", code);
    }
    ::on_exit([](int status, void* self) { static_cast<Library*>(self)->finalizeAtExit(status); }, this);
    return success();
  }

  Result<Rank> processes() override {
    int size = 0;
    if (commSize_(abi_.world, &size) != kMpiSuccess) return makeError(ErrorCode::systemError, "MPI_Comm_size failed");
    return size;
  }

  Status broadcast(std::span<std::byte> bytes, Deadline deadline) override {
    Handle request{};
    if (const int code = ibcast_(bytes.data(), static_cast<int>(bytes.size()), abi_.byte, 0, abi_.world, &request);
        code != kMpiSuccess) {
      return makeError(ErrorCode::systemError, "MPI_Ibcast failed with code {}", code);
    }
    for (;;) {
      int done = 0;
      if (const int code = test_(&request, &done, Abi::statusIgnore()); code != kMpiSuccess) {
        return makeError(ErrorCode::systemError, "MPI_Test failed with code {}", code);
      }
      if (done != 0) return success();
      if (deadline.passed()) {
        return makeError(ErrorCode::timeout,
                         "process 0 did not broadcast the rendezvous within the time limit; every MPI process has to "
                         "call this");
      }
      std::this_thread::sleep_for(kTestInterval);
    }
  }

 private:
  void finalizeAtExit(int status) {
    int yes = 0;
    if (status == 0 && finalized_(&yes) == kMpiSuccess && yes == 0) finalize_();
  }

  Abi abi_;
  int (*initialized_)(int*) = nullptr;
  int (*finalized_)(int*) = nullptr;
  int (*init_)(int*, char***) = nullptr;
  int (*finalize_)() = nullptr;
  int (*ibcast_)(void*, int, Handle, int, Handle, Handle*) = nullptr;
  int (*test_)(Handle*, int*, void*) = nullptr;
  int (*commSize_)(Handle, int*) = nullptr;
};

/// Binds a loaded library by the ABI that its symbols show. Null when it is no MPI library.
std::unique_ptr<MpiLibrary> bindLoaded(void* library) {
  void* const world = symbol(library, "ompi_mpi_comm_world");
  void* const byte = symbol(library, "ompi_mpi_byte");
  if (world != nullptr && byte != nullptr) return Library<OpenMpi>::bindTo(library, OpenMpi{world, byte});
  return Library<Mpich>::bindTo(library, Mpich{});
}

std::vector<const char*> usualNames(MpiAbi abi) {
  if (abi == MpiAbi::openMpi) return {"libmpi.so.40", "libmpi.so.80", "libmpi.so.20", "libmpi.so"};
  return {"libmpich.so.12", "libmpi.so.12", "libmpich.so", "libmpi.so"};
}

Result<std::unique_ptr<MpiLibrary>> load(MpiAbi abi) {
  if (MpiLibrary::present()) {
    if (auto library = bindLoaded(RTLD_DEFAULT)) return library;
  }
  std::string tried;
  for (const char* name : usualNames(abi)) {
    // Global, because Open MPI's plug-ins expect to find the library's symbols in the process.
    void* const library = ::dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) {
      tried += fmt::format("{}{}", tried.empty() ? "" : "; ", ::dlerror());
      continue;
    }
    const bool isOpenMpi = symbol(library, "ompi_mpi_comm_world") != nullptr;
    if (isOpenMpi == (abi == MpiAbi::openMpi)) {
      if (auto bound = bindLoaded(library)) {
        log::line(log::Subject::bootstrap, kNoRank, "rendezvous by {} (MPI)", name);
        return bound;
      }
    }
    tried += fmt::format("{}{} is of another MPI", tried.empty() ? "" : "; ", name);
  }
  return makeError(
      ErrorCode::unsupported,
      "the launcher is {}'s but its MPI library cannot be loaded ({}); put its folder into LD_LIBRARY_PATH, "
      "or start the program with `atoll run`, or set ATOLL_RENDEZVOUS_FILE to a path that all processes see",
      abi == MpiAbi::openMpi ? "Open MPI" : "MPICH", tried);
}

}  // namespace

bool MpiLibrary::present() {
  return ::dlsym(RTLD_DEFAULT, "MPI_Initialized") != nullptr;
}

Result<MpiLibrary*> MpiLibrary::find(MpiAbi abi) {
  static std::mutex mutex;
  // Never destroyed: the exit handler uses it after static destructors may have run.
  static MpiLibrary* found = nullptr;
  const std::scoped_lock lock(mutex);
  if (found == nullptr) {
    ATOLL_ASSIGN(auto library, load(abi));
    found = library.release();
  }
  return found;
}

}  // namespace atl
