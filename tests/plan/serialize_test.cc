// SPDX-License-Identifier: Apache-2.0
// The outside forms: JSON there and back, strictness, text, drawing.
#include "src/plan/serialize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "src/plan/algorithm.h"
#include "src/plan/verify.h"
#include "tests/plan/handmade.h"

namespace atl::plan {
namespace {

using namespace handmade;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// All that a document can hold; the hash is the document's own.
std::vector<Plan> withoutHash(std::vector<Plan> family) {
  for (Plan& plan : family) plan.familyHash = 0;
  return family;
}

std::vector<std::vector<Plan>> handmadeFamilies() {
  return {ringAllReduce(5),   oneShotAllReduce(3),     chainReduce(4),    pairwiseAllToAll(4),
          directAllGather(3), disseminationBarrier(6), twoLaneBroadcast()};
}

void expectRoundTrip(const std::vector<Plan>& family) {
  const std::string text = toJson(family);
  const auto read = fromJson(text);
  ASSERT_TRUE(read.ok()) << read.error().text;
  EXPECT_EQ(withoutHash(*read), withoutHash(family));
  EXPECT_EQ(toJson(*read), text);
}

TEST(PlanJson, HandmadeFamilies_ComeBackAsTheyWere) {
  for (const auto& family : handmadeFamilies()) expectRoundTrip(family);
}

TEST(PlanJson, EveryGeneratedFamily_ComesBackAsItWas) {
  for (const Algorithm& algorithm : catalogue()) {
    for (int c = 0; c < kCollectives; ++c) {
      const auto collective = static_cast<Collective>(c);
      for (const Rank n : {1, 2, 5, 8}) {
        if (collective == Collective::pointToPoint || !algorithm.serves(collective, n, false)) continue;
        std::vector<Plan> family;
        const Rank root = isRooted(collective) ? n / 2 : kNoRank;
        for (Rank r = 0; r < n; ++r) family.push_back(algorithm.generate({collective, n, r, root, 2}));
        expectRoundTrip(family);
      }
    }
  }
}

TEST(PlanJson, EveryField_Survives) {
  std::vector<Plan> family{header(Collective::scatter, "every field <&>", 2, 0, 1),
                           header(Collective::scatter, "every field <&>", 2, 1, 1)};
  for (Plan& plan : family) {
    plan.shares = 3;
    plan.ordered = true;
    plan.tileable = true;
    plan.scratchParts = 4;
    plan.scratchSlots = plan.rank + 5;
    Chunk chunk = scratch(3, 1, 4);
    chunk.span = 2;
    chunk.stride = -7;
    chunk.slotStride = -2;
    Step step = combine(chunk, {from(1, -1), from(0), local(by(in(1, 6), 2))}, true);
    Round last = round({step, send(by(out(1, 2), 1), {{1, 3}, {0, 0}})});
    last.after = 1;
    plan.lanes = {lane({loop(7, {round({}), last})}, 2), lane({})};
  }
  expectRoundTrip(family);
}

TEST(PlanJson, FamilyHash_IsOfTheContent) {
  const std::string text = toJson(ringAllReduce(4));
  const auto first = fromJson(text);
  auto other = ringAllReduce(4);
  other[3].lanes[0].loops[0].rounds[0].steps[0].chunk.index ^= 1;
  const auto second = fromJson(toJson(other));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->front().familyHash, second->front().familyHash);
  EXPECT_EQ(first->front().familyHash, first->back().familyHash);

  std::string spaced = text;
  for (std::size_t i = 0; (i = spaced.find(',', i)) != std::string::npos; i += 3) spaced.replace(i, 1, " , ");
  const auto third = fromJson(spaced);
  ASSERT_TRUE(third.ok()) << third.error().text;
  EXPECT_EQ(third->front().familyHash, first->front().familyHash) << "white space is no content";
}

TEST(PlanJson, ReadFamily_IsProvedLikeTheWritten) {
  const auto family = fromJson(toJson(ringAllReduce(6)));
  ASSERT_TRUE(family.ok());
  EXPECT_TRUE(verify(*family).ok());
}

struct BadEdit {
  const char* name;
  const char* what;  ///< in the document of a two-rank all-gather
  const char* with;
  const char* reason;
};

class PlanJsonStrictness : public ::testing::TestWithParam<BadEdit> {};

TEST_P(PlanJsonStrictness, NamesWhereItIsWrong) {
  std::string text = toJson(directAllGather(2));
  const std::size_t at = text.find(GetParam().what);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string_view(GetParam().what).size(), GetParam().with);
  const auto read = fromJson(text);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::invalidArgument);
  EXPECT_THAT(read.error().text, HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Edits, PlanJsonStrictness,
    ::testing::Values(
        BadEdit{"NotJson", "{", "[", "document: not JSON"},
        BadEdit{"OtherFormat", "\"atoll-plan\"", "\"xml\"", "format: \"xml\" is not \"atoll-plan\""},
        BadEdit{"OtherVersion", "\"version\": 1", "\"version\": 2", "version: this library reads version 1, not 2"},
        BadEdit{"UnknownCollective", "allgather", "allgrather", "collective: \"allgrather\" is no collective"},
        BadEdit{"NoAlgorithm", "\"algorithm\": \"direct\",", "", "document: lacks the key \"algorithm\""},
        BadEdit{"EmptyAlgorithm", "\"direct\"", "\"\"", "algorithm: not 1 to 64 printable ASCII characters"},
        BadEdit{"NoRanks", "\"ranks\": 2", "\"ranks\": 0", "ranks: 0 is out of range"},
        BadEdit{"TooManyRanks", "\"ranks\": 2", "\"ranks\": 3", "plans: 2 plans for 3 ranks"},
        BadEdit{"RootWithoutNeed", "\"ranks\": 2", "\"ranks\": 2, \"root\": 0", "document: unknown key \"root\""},
        BadEdit{"FlagAsNumber", "\"tileable\": false", "\"tileable\": 0", "tileable: not true or false but number"},
        BadEdit{"KeyTwice", "\"ranks\": 2", "\"ranks\": 2, \"ranks\": 2", "has the key \"ranks\" twice"},
        BadEdit{"RanksOutOfOrder", "\"rank\": 1", "\"rank\": 0",
                "plans[1].rank: 0 is out of range, 1 to 1 are possible"},
        BadEdit{"UnknownKeyInStep", "\"to\":[1]", "\"to\":[1],\"via\":2",
                "plans[0].lanes[0].loops[0].rounds[0].steps[1]: unknown key \"via\""},
        BadEdit{"StepOfNoKind", "\"send\"", "\"sent\"",
                "plans[0].lanes[0].loops[0].rounds[0].steps[1]: lacks the key \"combine\""},
        BadEdit{"PeerAsText", "\"to\":[1]", "\"to\":[\"1\"]", "steps[1].to[0]: not a whole number but string"},
        BadEdit{"PeerAsFraction", "\"to\":[1]", "\"to\":[1.5]", "steps[1].to[0]: not a whole number but number"},
        BadEdit{"NegativePeer", "\"to\":[1]", "\"to\":[-1]", "steps[1].to[0]: -1 is out of range"},
        BadEdit{"HugePeer", "\"to\":[1]", "\"to\":[18446744073709551615]",
                "steps[1].to[0]: 18446744073709551615 is out of range"},
        BadEdit{"StrideWithoutRank", "\"to\":[1]", "\"to\":[{\"stride\":1}]", "steps[1].to[0]: lacks the key \"rank\""},
        BadEdit{"UnknownBuffer", "\"buffer\":\"input\"", "\"buffer\":\"imput\"",
                "buffer: \"imput\" is not input, output or scratch"},
        BadEdit{"IndexBeyondParts", "\"index\":0,\"parts\":2", "\"index\":2,\"parts\":2",
                "index: 2 is out of range, 0 to 1 are possible"},
        BadEdit{"SlotOutsideScratch", "\"index\":0,\"parts\":2", "\"index\":0,\"parts\":2,\"slot\":0",
                "unknown key \"slot\""},
        BadEdit{"RepeatZero", "\"repeat\": 1", "\"repeat\": 0", "plans[0].lanes[0].loops[0].repeat: 0 is out of range"},
        BadEdit{"LoopsAsObject", "\"loops\": [", "\"loops\": {}, \"rounds\": [",
                "plans[0].lanes[0].loops: not an array but object"},
        BadEdit{"OperandOfNoKind", "{\"local\":", "{\"remote\":", "operands[0]: lacks the key \"local\""}),
    [](const auto& edit) { return edit.param.name; });

TEST(PlanJson, DeepNesting_IsRefused) {
  const auto read = fromJson(std::string(100'000, '['));
  ASSERT_FALSE(read.ok());
  const auto closed = fromJson(std::string(100'000, '[') + std::string(100'000, ']'));
  ASSERT_FALSE(closed.ok());
  EXPECT_THAT(closed.error().text, HasSubstr("nested too deeply"));
}

TEST(PlanJson, NotUtf8_IsRefused) {
  std::string text = toJson(directAllGather(2));
  text.replace(text.find("direct"), 6, "dir\xff\xfe!");
  EXPECT_FALSE(fromJson(text).ok());
}

TEST(PlanFormatDocument, ItsExample_IsASoundFamily) {
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  std::ifstream stream(root / "docs" / "plan-format.md");
  ASSERT_TRUE(stream) << "docs/plan-format.md";
  const std::string page{std::istreambuf_iterator<char>(stream), {}};
  const std::string_view open = "```json\n";
  const std::size_t begin = page.find(open);
  ASSERT_NE(begin, std::string::npos);
  const std::size_t end = page.find("```", begin + open.size());
  const auto family = fromJson(page.substr(begin + open.size(), end - begin - open.size()));
  ASSERT_TRUE(family.ok()) << family.error().text;
  const auto proof = verify(*family);
  ASSERT_TRUE(proof.ok()) << proof.error().text;
  EXPECT_EQ(family->front().collective, Collective::reduceScatter);
}

TEST(PlanText, NamesStepsByWhatTheyDo) {
  const std::string text = toText(ringAllReduce(4)[1]);
  EXPECT_THAT(text, HasSubstr("allreduce by ring: rank 1 of 4"));
  EXPECT_THAT(text, HasSubstr("round 0   send         input[1/4] → rank 2\n"));
  EXPECT_THAT(text, HasSubstr("recv-reduce  output[0/4] ← input[0/4] + rank 0\n"));
  EXPECT_THAT(text, HasSubstr("output[2/4] ← input[2/4] + rank 0, finish\n"));
  EXPECT_THAT(text, HasSubstr("3 times, k = 0..2"));
  EXPECT_THAT(text, HasSubstr("recv         output[(1-k)/4] ← rank 0\n"));
}

TEST(PlanText, ShowsScratchPeersThatAdvanceAndWaits) {
  EXPECT_THAT(toText(chainReduce(3)[1]),
              AllOf(HasSubstr("1 scratch slot of 1/1 of the data"), HasSubstr("scratch#0[0/1]")));
  EXPECT_THAT(toText(pairwiseAllToAll(4)[0]), AllOf(HasSubstr("copy         output[0/4] ← input[0/4]"),
                                                    HasSubstr("→ rank (1+k)"), HasSubstr("← rank (3-k)")));
  EXPECT_THAT(toText(twoLaneBroadcast()[1]), HasSubstr("round 0   after lane 0 has ended\n              send"));
}

std::size_t occurrences(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t i = text.find(what); i != std::string::npos; i = text.find(what, i + 1)) ++count;
  return count;
}

TEST(PlanSvg, DrawsAnArrowPerMessageAndABoxPerCombine) {
  const std::string svg = toSvg(ringAllReduce(4));
  EXPECT_THAT(svg, AllOf(HasSubstr("allreduce · ring · 4 ranks"), HasSubstr("</svg>")));
  EXPECT_EQ(occurrences(svg, "marker-end"), 24U);
  EXPECT_EQ(occurrences(svg, "<g><title>"), 24U);
  EXPECT_EQ(occurrences(svg, ", finishes</title>"), 4U);
}

TEST(PlanSvg, LargeFamilies_AreCutAndSaySo) {
  const std::string svg = toSvg(ringAllReduce(60), 4);
  EXPECT_THAT(svg, AllOf(HasSubstr("Only ranks 0 to 3 are drawn."), HasSubstr("Only the first 40 columns are drawn.")));
  EXPECT_EQ(occurrences(svg, ">rank 3<"), 1U);
  EXPECT_EQ(occurrences(svg, ">rank 4<"), 0U);
}

TEST(PlanSvg, NamesFromOutside_AreEscaped) {
  std::vector<Plan> family = directAllGather(2);
  for (Plan& plan : family) plan.algorithm = "</svg><script>";
  EXPECT_THAT(toSvg(family), AllOf(HasSubstr("&lt;/svg&gt;&lt;script&gt;"), Not(HasSubstr("<script>"))));
}

TEST(PlanSvg, PlansThatDeadlock_AreDrawnAllTheSame) {
  std::vector<Plan> family = ringAllReduce(3);
  for (Plan& plan : family) {
    auto& steps = plan.lanes[0].loops[0].rounds[0].steps;
    plan.lanes[0].loops[0].rounds = {round({steps[1]}), round({steps[0]})};
  }
  EXPECT_FALSE(verify(family).ok());
  EXPECT_THAT(toSvg(family), HasSubstr("</svg>"));
}

}  // namespace
}  // namespace atl::plan
