// SPDX-License-Identifier: Apache-2.0
#include "src/exec/cuda/program_image.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <type_traits>

namespace atl::device {
namespace {

constexpr std::size_t kAlign = 16;

/// Arrays behind each other.
class Writer {
 public:
  explicit Writer(std::vector<std::byte>& bytes) : bytes_(bytes) {}

  /// A pointer that is the array's offset, one greater than it: null stays null.
  template <class T>
  T* add(const T* items, std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.resize((bytes_.size() + kAlign - 1) / kAlign * kAlign);
    const std::size_t offset = bytes_.size();
    bytes_.resize(offset + count * sizeof(T));
    if (count > 0) std::memcpy(bytes_.data() + offset, items, count * sizeof(T));
    return reinterpret_cast<T*>(offset + 1);
  }
  template <class T>
  T* add(const std::vector<T>& items) {
    return add(items.data(), items.size());
  }

 private:
  std::vector<std::byte>& bytes_;
};

template <class T>
void relocate(T*& pointer, std::byte* address) {
  if (pointer != nullptr) pointer = reinterpret_cast<T*>(address + (reinterpret_cast<std::uintptr_t>(pointer) - 1));
}

class Lowering {
 public:
  Lowering(const Plan& plan, const DeviceLinks& links, const LoweringOptions& options)
      : plan_(plan), links_(links), options_(options) {}

  Status lower() {
    for (std::size_t i = 0; i < plan_.lanes.size(); ++i) {
      ATOLL_TRY(lower(plan_.lanes[i], static_cast<std::int32_t>(i)));
    }
    return success();
  }

  void write(Writer& writer, Program& program) const {
    program.lanes = writer.add(lanes_);
    program.loops = writer.add(loops_);
    program.rounds = writer.add(rounds_);
    program.steps = writer.add(steps_);
    program.operands = writer.add(operands_);
    program.linkOf = writer.add(linkOf_);
    program.links = writer.add(ends_);
    program.outgoing = writer.add(std::vector<Outgoing>(static_cast<std::size_t>(outgoing_)));
    program.combining = writer.add(std::vector<Combining>(static_cast<std::size_t>(combining_)));
    program.incoming = writer.add(std::vector<Incoming>(static_cast<std::size_t>(incoming_)));
    program.laneCount = static_cast<std::int32_t>(lanes_.size());
  }

 private:
  template <class T>
  static std::int32_t next(const std::vector<T>& items) {
    return static_cast<std::int32_t>(items.size());
  }

  Status lower(const atl::Lane& lane, std::int32_t index) {
    Lane lowered;
    lowered.share = lane.share;
    lowered.firstLoop = next(loops_);
    lowered.loops = next(lane.loops);
    lowered.firstOutgoing = outgoing_;
    lowered.firstCombining = combining_;
    lowered.firstIncoming = incoming_;
    lanes_.push_back(lowered);
    Largest largest;
    for (const atl::Loop& loop : lane.loops) {
      loops_.push_back({loop.repeat, next(rounds_), next(loop.rounds)});
      for (const atl::Round& round : loop.rounds) {
        ATOLL_TRY(lower(round, loop.repeat, index, largest));
      }
    }
    outgoing_ += largest.outgoing;
    combining_ += largest.combining;
    incoming_ += largest.incoming;
    return success();
  }

  /// What the rounds of a lane have under way at most.
  struct Largest {
    std::int32_t outgoing = 0;
    std::int32_t combining = 0;
    std::int32_t incoming = 0;
  };

  Status lower(const atl::Round& round, std::int32_t repeat, std::int32_t lane, Largest& largest) {
    Round lowered;
    lowered.firstSend = next(steps_);
    lowered.after = round.after.value_or(-1);
    std::int32_t outgoing = 0;
    std::int32_t incoming = 0;
    for (const auto kind : {atl::Step::Kind::send, atl::Step::Kind::combine}) {
      for (const atl::Step& step : round.steps) {
        if (step.kind != kind) continue;
        const bool sends = kind == atl::Step::Kind::send;
        ATOLL_TRY(lower(step, repeat, lane));
        ++(sends ? lowered.sends : lowered.combines);
        (sends ? outgoing : incoming) += steps_.back().operands;
      }
    }
    rounds_.push_back(lowered);
    largest.outgoing = std::max(largest.outgoing, outgoing);
    largest.combining = std::max(largest.combining, lowered.combines);
    largest.incoming = std::max(largest.incoming, incoming);
    return success();
  }

  Status lower(const atl::Step& step, std::int32_t repeat, std::int32_t lane) {
    Step lowered;
    lowered.chunk = step.chunk;
    lowered.firstOperand = next(operands_);
    lowered.finish = step.finish;
    if (options_.tagOf) lowered.tag = options_.tagOf(step.chunk);
    for (const Peer& peer : step.to) {
      ATOLL_TRY(addPeer(peer, repeat, lane));
    }
    for (const atl::Operand& operand : step.operands) {
      if (operand.isPeer()) {
        ATOLL_TRY(addPeer(*operand.peer, repeat, lane));
      } else {
        operands_.push_back({operand.chunk, -1, false});
      }
    }
    lowered.operands = next(operands_) - lowered.firstOperand;
    steps_.push_back(lowered);
    return success();
  }

  Status addPeer(const Peer& peer, std::int32_t repeat, std::int32_t lane) {
    operands_.push_back({Chunk{}, next(linkOf_), peer.stride != 0});
    for (std::int32_t k = 0; k < (peer.stride != 0 ? repeat : 1); ++k) {
      ATOLL_ASSIGN(const std::int32_t link, linkTo(atRepetition(peer, k, plan_.ranks), lane));
      linkOf_.push_back(link);
    }
    return success();
  }

  Result<std::int32_t> linkTo(Rank peer, std::int32_t lane) {
    const auto [entry, isNew] = known_.try_emplace({peer, lane}, next(ends_));
    if (isNew) {
      ATOLL_ASSIGN(const Link link, links_(peer, lane));
      ends_.push_back(link);
    }
    return entry->second;
  }

  const Plan& plan_;
  const DeviceLinks& links_;
  const LoweringOptions& options_;
  std::vector<Lane> lanes_;
  std::vector<Loop> loops_;
  std::vector<Round> rounds_;
  std::vector<Step> steps_;
  std::vector<Operand> operands_;
  std::vector<std::int32_t> linkOf_;
  std::vector<Link> ends_;
  std::map<std::pair<Rank, std::int32_t>, std::int32_t> known_;  ///< by peer and lane, into ends_
  std::int32_t outgoing_ = 0;
  std::int32_t combining_ = 0;
  std::int32_t incoming_ = 0;
};

}  // namespace

std::vector<std::pair<Rank, std::int32_t>> linksOf(const Plan& plan) {
  std::set<std::pair<Rank, std::int32_t>> links;
  for (std::size_t lane = 0; lane < plan.lanes.size(); ++lane) {
    for (const atl::Loop& loop : plan.lanes[lane].loops) {
      const auto add = [&](const Peer& peer) {
        for (std::int32_t k = 0; k < (peer.stride != 0 ? loop.repeat : 1); ++k) {
          links.emplace(atRepetition(peer, k, plan.ranks), static_cast<std::int32_t>(lane));
        }
      };
      for (const atl::Round& round : loop.rounds) {
        for (const atl::Step& step : round.steps) {
          for (const Peer& peer : step.to) add(peer);
          for (const atl::Operand& operand : step.operands) {
            if (operand.isPeer()) add(*operand.peer);
          }
        }
      }
    }
  }
  return {links.begin(), links.end()};
}

Result<ProgramImage> ProgramImage::of(const Plan& plan, const exec::Layout& layout, const DeviceLinks& links,
                                      const LoweringOptions& options) {
  Lowering lowering(plan, links, options);
  ATOLL_TRY(lowering.lower());
  ProgramImage image;
  Writer writer(image.bytes_);
  Program& program = image.offsets_;
  lowering.write(writer, program);
  program.layout = layout.view();
  for (int side = 0; side < 2; ++side) {
    exec::BlocksView& blocks = program.layout.blocks[side];
    if (blocks.contiguous()) continue;
    const auto count = static_cast<std::size_t>(program.layout.blockCounts[side]);
    blocks.counts = writer.add(blocks.counts, count);
    blocks.displs = writer.add(blocks.displs, count);
  }
  program.ranks = plan.ranks;
  program.scratchSlots = plan.scratchSlots;
  program.sendsEmpty = options.sendsEmpty;
  program.slotBytes = options.slotBytes;
  program.packetBytes = options.packetBytes;
  program.packetsUpTo = options.packetsUpTo;
  program.tagBase = options.tagBase;
  return image;
}

Program ProgramImage::program(std::byte* address) const {
  Program program = offsets_;
  relocate(program.lanes, address);
  relocate(program.loops, address);
  relocate(program.rounds, address);
  relocate(program.steps, address);
  relocate(program.operands, address);
  relocate(program.linkOf, address);
  relocate(program.links, address);
  relocate(program.outgoing, address);
  relocate(program.combining, address);
  relocate(program.incoming, address);
  for (exec::BlocksView& blocks : program.layout.blocks) {
    relocate(blocks.counts, address);
    relocate(blocks.displs, address);
  }
  return program;
}

}  // namespace atl::device
