// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_gloo/gloo_peer.h"

#include <gloo/allgather.h>
#include <gloo/allreduce.h>
#include <gloo/barrier.h>
#include <gloo/config.h>
#include <gloo/math.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/transport/tcp/device.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "bench/compare_gloo/gloo_call.h"

namespace atl::perf {
namespace {

class GlooPeer final : public Peer {
 public:
  explicit GlooPeer(std::shared_ptr<gloo::Context> context) : context_(std::move(context)) {}
  ~GlooPeer() override {
    // A rank that closed its connections earlier would be a failure to the others.
    if (!barrier().ok()) std::_Exit(EXIT_FAILURE);
  }

  [[nodiscard]] Library library() const override {
    return {"gloo", fmt::format("{}.{}.{}", GLOO_VERSION_MAJOR, GLOO_VERSION_MINOR, GLOO_VERSION_PATCH)};
  }
  [[nodiscard]] int rank() const override { return context_->rank; }
  [[nodiscard]] int ranks() const override { return context_->size; }

  Result<PeerIssue> bind(std::string_view collective, const PeerCall& call) override {
    return bindGloo(context_, collective, call);
  }

  Status barrier() override {
    return caughtGloo("barrier", [&] {
      gloo::BarrierOptions options(context_);
      gloo::barrier(options);
    });
  }

  Status combine(std::span<double> values, Fold fold) override {
    return caughtGloo("allreduce of figures", [&] {
      using Function = void (*)(void*, const void*, const void*, std::size_t);
      const Function sum = gloo::sum<double>;
      const Function min = gloo::min<double>;
      const Function max = gloo::max<double>;
      gloo::AllreduceOptions options(context_);
      options.setOutput(values.data(), values.size());
      options.setReduceFunction(fold == Fold::min ? min : fold == Fold::max ? max : sum);
      gloo::allreduce(options);
    });
  }

  Result<std::vector<std::byte>> gather(std::span<const std::byte> mine) override {
    std::vector<std::uint8_t> input(mine.size());
    std::memcpy(input.data(), mine.data(), mine.size());
    std::vector<std::byte> all(mine.size() * static_cast<std::size_t>(ranks()));
    ATOLL_TRY(caughtGloo("allgather of names", [&] {
      gloo::AllgatherOptions options(context_);
      options.setInput(input.data(), input.size());
      options.setOutput(reinterpret_cast<std::uint8_t*>(all.data()), all.size());
      gloo::allgather(options);
    }));
    return all;
  }

  [[noreturn]] void abort(int exitCode) override {
    std::_Exit(exitCode);  // the others see their connections close
  }

 private:
  std::shared_ptr<gloo::Context> context_;
};

/// A number that one of the process managers puts into the environment.
Result<int> numberFrom(const char* openMpi, const char* pmi) {
  for (const char* name : {openMpi, pmi}) {
    const char* const text = std::getenv(name);
    if (text == nullptr) continue;
    int number = 0;
    const char* const end = text + std::strlen(text);
    const auto [stop, problem] = std::from_chars(text, end, number);
    if (problem == std::errc() && stop == end) return number;
    return makeError(ErrorCode::invalidArgument, "{} is '{}', not a number", name, text);
  }
  return makeError(ErrorCode::invalidUsage, "neither {} nor {} is set: start this with mpirun", openMpi, pmi);
}

}  // namespace

Result<std::unique_ptr<Peer>> joinGloo(int*, char***) {
  ATOLL_ASSIGN(const int rank, numberFrom("OMPI_COMM_WORLD_RANK", "PMI_RANK"));
  ATOLL_ASSIGN(const int ranks, numberFrom("OMPI_COMM_WORLD_SIZE", "PMI_SIZE"));
  const char* const folder = std::getenv(kGlooStoreVariable);
  if (folder == nullptr) {
    return makeError(ErrorCode::invalidUsage, "{} does not name a folder for the ranks to meet in", kGlooStoreVariable);
  }
  std::shared_ptr<gloo::Context> joined;
  ATOLL_TRY(caughtGloo("rendezvous", [&] {
    gloo::rendezvous::FileStore store(folder);
    gloo::transport::tcp::attr attributes;
    const char* const interface = std::getenv(kGlooInterfaceVariable);
    attributes.iface = interface == nullptr ? "lo" : interface;
    auto device = gloo::transport::tcp::CreateDevice(attributes);
    auto context = std::make_shared<gloo::rendezvous::Context>(rank, ranks);
    context->connectFullMesh(store, device);
    joined = std::move(context);
  }));
  return std::unique_ptr<Peer>(std::make_unique<GlooPeer>(std::move(joined)));
}

}  // namespace atl::perf
