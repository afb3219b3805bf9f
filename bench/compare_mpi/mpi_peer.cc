// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_mpi/mpi_peer.h"

#include <cstdlib>
#include <cstring>
#include <limits>

#include "bench/compare_mpi/mpi_call.h"
#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

Status checkedMpi(int result, std::string_view name) {
  if (result == MPI_SUCCESS) return success();
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(result, text, &length);
  return makeError(ErrorCode::systemError, "{}: {}", name, text);
}

/// From the implementation's text about itself: "Open MPI v4.1.4, …", or "MPICH Version:\t4.0.2\nMPICH Release …".
Library parseLibrary(const std::string& text) {
  std::string first = text.substr(0, text.find_first_of(",\n"));
  const auto space = first.find_last_of(" \t");
  if (space == std::string::npos) return {"MPI", first};
  const std::string version = first.substr(space + 1);
  first.erase(first.find_last_not_of(" \t", space) + 1);
  constexpr std::string_view kLabel = " Version:";
  if (first.ends_with(kLabel)) first.erase(first.size() - kLabel.size());
  return {first, version};
}

class MpiPeer final : public Peer {
 public:
  MpiPeer() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks_);
  }
  ~MpiPeer() override { MPI_Finalize(); }

  [[nodiscard]] Library library() const override {
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
    int length = 0;
    MPI_Get_library_version(text, &length);
    return parseLibrary(text);
  }
  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int ranks() const override { return ranks_; }

  Result<PeerIssue> bind(std::string_view collective, const PeerCall& call) override {
    if (call.count > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
      return makeError(ErrorCode::unsupported, "MPI's counts are ints; {} elements are too many", call.count);
    }
    MpiCall bound;
    ATOLL_ASSIGN(bound.type, mpiTypeOf(call.type));
    ATOLL_ASSIGN(bound.op, mpiOpOf(call.reduction));
    bound.count = static_cast<int>(call.count);
    bound.root = call.root;
    bound.rank = rank_;
    bound.ranks = ranks_;
    bound.inPlace = call.inPlace;
    return PeerIssue([bound, collective, make = mpiCallNamed(collective)](const void* send, void* recv) {
      MpiCall placed = bound;
      placed.send = send;
      placed.recv = recv;
      return checkedMpi(make(placed), collective);
    });
  }

  Status barrier() override { return checkedMpi(MPI_Barrier(MPI_COMM_WORLD), "barrier"); }

  Status combine(std::span<double> values, Fold fold) override {
    const MPI_Op op = fold == Fold::min ? MPI_MIN : fold == Fold::max ? MPI_MAX : MPI_SUM;
    return checkedMpi(
        MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_DOUBLE, op, MPI_COMM_WORLD),
        "combining figures");
  }

  Result<std::vector<std::byte>> gather(std::span<const std::byte> mine) override {
    const auto bytes = static_cast<int>(mine.size());
    std::vector<std::byte> all(mine.size() * static_cast<std::size_t>(ranks_));
    ATOLL_TRY(checkedMpi(MPI_Allgather(mine.data(), bytes, MPI_BYTE, all.data(), bytes, MPI_BYTE, MPI_COMM_WORLD),
                         "gathering names"));
    return all;
  }

  [[noreturn]] void abort(int exitCode) override {
    MPI_Abort(MPI_COMM_WORLD, exitCode);
    std::_Exit(exitCode);
  }

 private:
  int rank_ = 0;
  int ranks_ = 1;
};

}  // namespace

std::span<const PeerCollective> mpiCollectives() {
  // In place, MPI's reduce-scatter leaves its result elsewhere than Atoll's, and its broadcast has no other form.
  static const PeerCollective all[] = {
      {"allreduce", &allReduce(), Forms::both},
      {"allgather", &allGather(), Forms::both},
      {"reducescatter", &reduceScatter(), Forms::outOfPlaceOnly},
      {"alltoall", &allToAll(), Forms::outOfPlaceOnly},
      {"broadcast", &broadcast(), Forms::inPlaceOnly},
      {"reduce", &reduce(), Forms::both},
      {"sendrecv", &sendRecv(), Forms::outOfPlaceOnly},
      {"barrier", &barrier(), Forms::outOfPlaceOnly},
  };
  return all;
}

Result<std::unique_ptr<Peer>> joinMpi(int* argc, char*** argv) {
  ATOLL_TRY(checkedMpi(MPI_Init(argc, argv), "MPI_Init"));
  return std::unique_ptr<Peer>(std::make_unique<MpiPeer>());
}

}  // namespace atl::perf
