// SPDX-License-Identifier: Apache-2.0
#include "transports/shareable_memory.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "transports/peer_memory.h"

namespace atl {
namespace {

constexpr std::size_t kBytes = 300'000;

/// An area that goes with its owner.
class Area {
 public:
  explicit Area(std::size_t bytes) {
    const auto memory = allocateShareable(bytes);
    EXPECT_TRUE(memory.ok()) << memory.error().text;
    data_ = static_cast<char*>(*memory);
  }
  Area(const Area&) = delete;
  Area& operator=(const Area&) = delete;
  ~Area() {
    if (data_ != nullptr) freeShareable(data_);
  }
  [[nodiscard]] char* data() const { return data_; }
  void free() { EXPECT_TRUE(freeShareable(std::exchange(data_, nullptr))); }

 private:
  char* data_ = nullptr;
};

TEST(ShareableMemory, IsZeroedAndPageAligned) {
  const Area area(kBytes);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(area.data()) % static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE)), 0U);
  for (std::size_t i = 0; i < kBytes; ++i) ASSERT_EQ(area.data()[i], 0) << i;
}

/// What the kernel says of the mapping at an address: the number that follows "name:" in smaps, in KiB.
std::optional<std::size_t> mappingFigure(const void* begin, std::string_view name) {
  std::ifstream smaps("/proc/self/smaps");
  const std::string range = fmt::format("{:x}-", reinterpret_cast<std::uintptr_t>(begin));
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    if (line.find(" kB") == std::string::npos) inside = line.starts_with(range);
    if (inside && line.starts_with(name)) return std::stoul(line.substr(name.size() + 1));
  }
  return std::nullopt;
}

TEST(ShareableMemory, OfSeveralMiB_HasHugePagesHereAndAtThePeer) {
  constexpr std::size_t kHugePage = 2 << 20;
  constexpr std::size_t kLarge = 3 * kHugePage + 5000;
  const Area area(kLarge);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(area.data()) % kHugePage, 0U);
  for (std::size_t i = 0; i < kLarge; i += 1000) ASSERT_EQ(area.data()[i], 0) << i;
  const auto place = findShareable(area.data(), kLarge);
  ASSERT_TRUE(place);
  PeerMemory peer(::getpid());
  const auto mapped = peer.area(*place);
  ASSERT_TRUE(mapped.ok()) << mapped.error().text;
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(mapped->data()) % kHugePage, 0U);
  area.data()[kLarge - 1] = 'z';
  EXPECT_EQ(std::to_integer<char>((*mapped)[kLarge - 1]), 'z');

  const auto huge = mappingFigure(area.data(), "ShmemPmdMapped");
  if (!huge || *huge == 0)
    GTEST_SKIP() << "this system gave no huge pages for shared memory (Linux before 6.1, or none free)";
  EXPECT_EQ(*huge * 1024, 3 * kHugePage);
  ASSERT_EQ(std::to_integer<char>((*mapped)[0]), 0);  // the peer's page comes when it is looked at
  EXPECT_EQ(mappingFigure(mapped->data(), "ShmemPmdMapped"), kHugePage / 1024);
}

TEST(ShareableMemory, EveryRunInsideIsFoundAndNoneBeyond) {
  const Area area(kBytes);
  const auto whole = findShareable(area.data(), kBytes);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->offset, 0U);
  EXPECT_GE(whole->areaBytes, kBytes);
  const auto inner = findShareable(area.data() + 777, 1000);
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->offset, 777U);
  EXPECT_EQ(inner->area, whole->area);
  EXPECT_TRUE(findShareable(area.data() + kBytes, 0));
  EXPECT_FALSE(findShareable(area.data() + kBytes, 1));
  EXPECT_FALSE(findShareable(area.data(), kBytes + 1));
  EXPECT_FALSE(findShareable(area.data() - 1, 1));
}

TEST(ShareableMemory, OfAFewBytes_IsPrivate) {
  const Area area(100);
  EXPECT_FALSE(findShareable(area.data(), 100));
}

TEST(ShareableMemory, FreedOnce_IsGone) {
  Area area(kBytes);
  char* const where = area.data();
  EXPECT_FALSE(freeShareable(where + 1));
  area.free();
  EXPECT_FALSE(findShareable(where, 1));
  EXPECT_FALSE(freeShareable(where));
}

TEST(ShareableMemory, MoreThanThereIs_IsAnErrorThatNamesTheSize) {
  const auto memory = allocateShareable(std::size_t{1} << 62);
  ASSERT_FALSE(memory.ok());
  EXPECT_NE(memory.error().text.find(std::to_string(std::size_t{1} << 62)), std::string::npos);
}

TEST(ShareableMemory, AreaOfAFreedOne_HasAnotherNumber) {
  Area first(kBytes);
  const auto before = findShareable(first.data(), 1);
  first.free();
  const Area second(kBytes);
  const auto after = findShareable(second.data(), 1);
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->area, after->area);
}

TEST(ShareableMemory, OneThreadSeesWhatOthersAllocateAndFree) {
  std::atomic<bool> stop{false};
  std::thread other([&stop] {
    while (!stop.load()) {
      const Area area(kBytes);
      EXPECT_TRUE(findShareable(area.data(), kBytes));
    }
  });
  const Area mine(kBytes);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(findShareable(mine.data() + i, 100));
  stop.store(true);
  other.join();
}

/// This process as its own peer: the way by /proc is the same.
std::shared_ptr<PeerMemory> self(const SharedPlace& sample) {
  return PeerMemory::of(42, ::getpid(), sample.descriptor, sample.descriptor);
}

TEST(PeerMemory, ShowsWhatTheOwnerWrites) {
  const Area area(kBytes);
  const auto place = findShareable(area.data() + 5000, 6);
  ASSERT_TRUE(place);
  const auto peer = self(*place);
  ASSERT_NE(peer, nullptr);
  const auto seen = peer->area(*place);
  ASSERT_TRUE(seen.ok()) << seen.error().text;
  std::memcpy(area.data() + 5000, "words", 6);
  EXPECT_STREQ(reinterpret_cast<const char*>(seen->data() + place->offset), "words");
  EXPECT_EQ(peer->area(*place)->data(), seen->data());  // mapped once
  std::memcpy(seen->data() + place->offset, "reply", 6);
  EXPECT_STREQ(reinterpret_cast<const char*>(area.data() + 5000), "reply");
}

TEST(PeerMemory, PagesOfAFreedAreaAreGivenBackThoughItIsStillMapped) {
  Area area(kBytes);
  std::memset(area.data(), 1, kBytes);
  const auto place = findShareable(area.data(), kBytes);
  ASSERT_TRUE(place);
  const auto peer = self(*place);
  ASSERT_NE(peer, nullptr);
  const auto seen = peer->area(*place);
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(static_cast<int>((*seen)[1000]), 1);
  area.free();
  EXPECT_EQ(static_cast<int>((*seen)[1000]), 0);
}

TEST(PeerMemory, ADescriptorThatIsAnotherFile_IsNotBelieved) {
  const Area one(kBytes);
  const Area two(kBytes);
  const auto first = findShareable(one.data(), 1);
  const auto second = findShareable(two.data(), 1);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(PeerMemory::of(43, ::getpid(), first->descriptor, second->descriptor), nullptr);
  EXPECT_EQ(PeerMemory::of(43, ::getpid(), 1'000'000, second->descriptor), nullptr);
}

TEST(PeerMemory, AnAreaThatIsNotThere_IsAnError) {
  const Area area(kBytes);
  const auto place = findShareable(area.data(), 1);
  ASSERT_TRUE(place);
  const auto peer = self(*place);
  ASSERT_NE(peer, nullptr);
  SharedPlace gone = *place;
  gone.area += 1000;
  gone.descriptor = 1'000'000;
  EXPECT_FALSE(peer->area(gone).ok());
  SharedPlace larger = *place;
  larger.area += 2000;
  larger.areaBytes *= 2;
  EXPECT_FALSE(peer->area(larger).ok());
}

}  // namespace
}  // namespace atl
