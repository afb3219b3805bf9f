// SPDX-License-Identifier: Apache-2.0
// One fold into several places: each has every byte of it, and nothing beside it is written.
#include "src/exec/host/spread.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace atl::exec {
namespace {

constexpr float kUntouched = -1;

/// Floats with room around them, that begin `shift` elements into a cache line.
class Place {
 public:
  Place(std::size_t count, std::size_t shift) : count_(count), room_(count + 48, kUntouched) {
    const auto line = reinterpret_cast<std::uintptr_t>(room_.data()) / sizeof(float) % 16;
    begin_ = 16 + (16 - line) % 16 + shift % 16;
  }
  [[nodiscard]] float* data() { return room_.data() + begin_; }
  [[nodiscard]] std::byte* bytes() { return reinterpret_cast<std::byte*>(data()); }
  [[nodiscard]] std::vector<float> values() { return {data(), data() + count_}; }
  [[nodiscard]] bool surroundingsUntouched() {
    const auto isUntouched = [](float value) { return value == kUntouched; };
    return std::all_of(room_.data(), data(), isUntouched) &&
           std::all_of(data() + count_, room_.data() + room_.size(), isUntouched);
  }

 private:
  std::size_t count_;
  std::size_t begin_ = 0;
  std::vector<float> room_;
};

class FoldToAll : public testing::TestWithParam<std::size_t> {};

TEST_P(FoldToAll, EveryPlaceHasTheResult) {
  const std::size_t count = GetParam();
  const Reducer reducer(DataType::float32, Operator{.op = ReduceOp::avg}, 2);
  for (const int sources : {1, 2, 3}) {
    for (const bool finish : {false, true}) {
      for (const bool keeps : {false, true}) {
        std::vector<std::vector<float>> inputs;
        std::vector<const void*> operands;
        for (int s = 0; s < sources; ++s) {
          auto& input = inputs.emplace_back(count);
          std::iota(input.begin(), input.end(), static_cast<float>(s));
        }
        std::vector<float> expected(count, 0);
        for (const auto& input : inputs) {
          operands.push_back(input.data());
          std::ranges::transform(expected, input, expected.begin(), std::plus());
        }
        if (finish) std::ranges::transform(expected, expected.begin(), [](float sum) { return sum / 2; });
        Place kept(count, 2);
        Place places[] = {{count, 0}, {count, 1}, {count, 15}};
        std::byte* const around[] = {places[0].bytes(), places[1].bytes(), places[2].bytes()};

        foldToAll(reducer, finish, operands, count * sizeof(float), keeps ? kept.bytes() : nullptr, around);

        SCOPED_TRACE(fmt::format("{} sources, finish {}, kept {}", sources, finish, keeps));
        for (Place& place : places) {
          EXPECT_EQ(place.values(), expected);
          EXPECT_TRUE(place.surroundingsUntouched());
        }
        if (keeps) {
          EXPECT_EQ(kept.values(), expected);
        }
        EXPECT_TRUE(kept.surroundingsUntouched());
        for (int s = 0; s < sources; ++s) {
          const auto read = static_cast<std::size_t>(s);
          EXPECT_EQ(operands[read], inputs[read].data() + count) << "the sources are used up";
        }
      }
    }
  }
}

TEST_P(FoldToAll, APlaceMayBeASource) {
  const std::size_t count = GetParam();
  Place mine(count, 3);
  Place theirs(count, 5);
  std::iota(mine.data(), mine.data() + count, 1.0F);
  std::iota(theirs.data(), theirs.data() + count, 2.0F);
  std::vector<float> expected(count);
  std::iota(expected.begin(), expected.end(), 0.0F);
  std::ranges::transform(expected, expected.begin(), [](float i) { return 2 * i + 3; });
  const void* operands[] = {mine.data(), theirs.data()};
  std::byte* const around[] = {mine.bytes(), theirs.bytes()};

  foldToAll(Reducer(DataType::float32, Operator{}, 2), false, operands, count * sizeof(float), nullptr, around);

  EXPECT_EQ(mine.values(), expected);
  EXPECT_EQ(theirs.values(), expected);
}

// Fewer than a line, whole lines, blocks and what is left of them.
INSTANTIATE_TEST_SUITE_P(Counts, FoldToAll, testing::Values(0, 1, 15, 16, 17, 4095, 4096, 4097, 20011));

}  // namespace
}  // namespace atl::exec
