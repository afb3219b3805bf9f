// SPDX-License-Identifier: Apache-2.0
#include "transports/declared_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "transports/shareable_memory.h"

namespace atl {
namespace {

TEST(DeclaredMemory, IsFoundFromEveryPlaceInItAndNoFurther) {
  std::vector<std::byte> memory(1000);
  EXPECT_FALSE(findDeclared(memory.data(), 1));
  const Declaration declaration(memory.data(), 900);
  const auto all = findDeclared(memory.data(), 900);
  ASSERT_TRUE(all);
  EXPECT_TRUE(isDeclared(all->id));
  EXPECT_TRUE(findDeclared(memory.data() + 899, 1));
  EXPECT_FALSE(findDeclared(memory.data() + 900, 1));
  EXPECT_FALSE(findDeclared(memory.data(), 901));
  EXPECT_FALSE(findDeclared(memory.data(), ~std::size_t{0}));
}

TEST(DeclaredMemory, EndsWithItsDeclarationForEveryThread) {
  std::vector<std::byte> memory(100);
  std::optional<Declaration> declaration(std::in_place, memory.data(), memory.size());
  const auto id = findDeclared(memory.data(), 1)->id;
  std::vector<std::uint64_t> ended;
  whenAreasEnd([&ended, id](std::uint64_t which) {
    if (which == id) ended.push_back(which);
  });
  std::thread([&declaration] { declaration.reset(); }).join();
  EXPECT_FALSE(findDeclared(memory.data(), 1));
  EXPECT_FALSE(isDeclared(id));
  EXPECT_EQ(ended, std::vector<std::uint64_t>{id});
  const Declaration again(memory.data(), memory.size());
  EXPECT_NE(findDeclared(memory.data(), 1)->id, id);
}

TEST(DeclaredMemory, OverlapsAreFoundInWhicheverHoldsAll) {
  std::vector<std::byte> memory(100);
  const Declaration front(memory.data(), 60);
  const Declaration back(memory.data() + 40, 60);
  EXPECT_TRUE(findDeclared(memory.data() + 10, 50));
  EXPECT_TRUE(findDeclared(memory.data() + 50, 50));
  EXPECT_FALSE(findDeclared(memory.data() + 10, 80));
}

/// Of the page size of every system that this is tested on, or several such.
constexpr std::size_t kPages = 64 << 10;
struct alignas(kPages) Pages {
  std::byte bytes[3 * kPages];
};

TEST(DeclaredMemory, IsOneAreaForAllDeclarationsOfTheSamePages) {
  const auto memory = std::make_unique<Pages>();
  std::byte* const at = memory->bytes;
  const auto areaOf = [](const std::byte* byte) { return findDeclared(byte, 1)->id; };
  std::optional<Declaration> first(std::in_place, at + 10, kPages);
  std::optional<Declaration> equal(std::in_place, at + 10, kPages);
  std::optional<Declaration> overlapping(std::in_place, at + 20, kPages);
  std::optional<Declaration> beside(std::in_place, at + 2 * kPages, 10);
  std::optional<Declaration> adjacent(std::in_place, at + 2 * kPages + 10, 10);
  EXPECT_NE(first->id(), equal->id());
  const auto area = areaOf(at + 10);
  EXPECT_EQ(areaOf(at + 19 + kPages), area);
  EXPECT_EQ(findDeclared(at + 10, 1)->begin, at);
  EXPECT_EQ(findDeclared(at + 10, 1)->bytes % static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), 0U);
  EXPECT_NE(areaOf(at + 2 * kPages), area);
  EXPECT_EQ(areaOf(at + 2 * kPages), areaOf(at + 2 * kPages + 10));
  // Only bytes that are declared are found, though devices know of all bytes of the pages.
  EXPECT_FALSE(findDeclared(at, 1));
  EXPECT_FALSE(findDeclared(at + 2 * kPages + 20, 1));

  std::vector<std::uint64_t> ended;
  whenAreasEnd([&ended, area](std::uint64_t which) {
    if (which == area) ended.push_back(which);
  });
  first.reset();
  overlapping.reset();
  EXPECT_THAT(ended, testing::IsEmpty());
  EXPECT_EQ(areaOf(at + 10), area);
  EXPECT_FALSE(findDeclared(at + 19 + kPages, 1));
  equal.reset();
  EXPECT_THAT(ended, testing::ElementsAre(area));
  EXPECT_FALSE(isDeclared(area));
  const Declaration again(at + 10, kPages);
  EXPECT_NE(areaOf(at + 10), area);
}

TEST(DeclaredMemory, AMovedDeclarationEndsOnce) {
  std::vector<std::byte> memory(100);
  Declaration first(memory.data(), memory.size());
  Declaration second(std::move(first));
  first = {};
  EXPECT_TRUE(findDeclared(memory.data(), 1));
  second = {};
  EXPECT_FALSE(findDeclared(memory.data(), 1));
}

TEST(DeclaredMemory, ShareableMemoryIsDeclared) {
  const auto memory = allocateShareable(1 << 20);
  ASSERT_TRUE(memory.ok());
  EXPECT_TRUE(findDeclared(*memory, 1 << 20));
  EXPECT_TRUE(freeShareable(*memory));
  EXPECT_FALSE(findDeclared(*memory, 1));
}

}  // namespace
}  // namespace atl
