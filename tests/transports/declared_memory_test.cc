// SPDX-License-Identifier: Apache-2.0
#include "transports/declared_memory.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(all->begin, memory.data());
  EXPECT_EQ(all->bytes, 900U);
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
  whenDeclarationsEnd([&ended, id](std::uint64_t which) {
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
