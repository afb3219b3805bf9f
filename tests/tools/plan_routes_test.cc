// SPDX-License-Identifier: Apache-2.0
// Rings and trees of plans on pictures of topologies.
#include "tools/atoll/topo/plan_routes.h"

#include <gmock/gmock.h>

#include "tests/support/told_topology.h"

namespace atl::tools {
namespace {

using test::topologyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTwoHosts = "{name: host, kind: switch, members: 2}, {name: net, kind: switch, members: 2}";

RoutesWanted wanted(const std::string& text, Rank ranks) {
  auto made = routesWanted(text, ranks);
  EXPECT_TRUE(made.ok()) << made.error().text;
  return std::move(made).value();
}

std::string whyNot(const std::string& text) {
  const auto made = routesWanted(text, 4);
  return made.ok() ? "" : made.error().text;
}

TEST(RoutesWanted, NamesWhatIsWrong) {
  EXPECT_THAT(whyNot("ring"), HasSubstr("'ring' is not of the form"));
  EXPECT_THAT(whyNot("allmix:ring"), HasSubstr("'allmix' is no collective"));
  EXPECT_THAT(whyNot("allreduce:bruck"), HasSubstr("'bruck' has no plan of allreduce for 4 ranks; these have: "));
  EXPECT_THAT(whyNot("allreduce:ring:0"), HasSubstr("'0' is no number of shares from 1 to 16"));
  EXPECT_THAT(whyNot("allreduce:ring:2x"), HasSubstr("'2x' is no number of shares"));
}

TEST(Routes, OfARing_AreItsLinksOneWayAndTheOther) {
  const Topology topology = topologyOf(kTwoHosts, ", placement: by-island");
  EXPECT_THAT(routesOf(wanted("allreduce:ring:2", 4), topology.hierarchy(), {0, 1, 2, 3}),
              ElementsAre(Routes{{0, 2}, {2, 1}, {1, 3}, {3, 0}}, Routes{{2, 0}, {1, 2}, {3, 1}, {0, 3}}));
}

TEST(Routes, AreThoseAtTheRanksAskedFor) {
  const Topology topology = topologyOf(kTwoHosts);
  EXPECT_THAT(routesOf(wanted("broadcast:chain", 4), topology.hierarchy(), {1}), ElementsAre(Routes{{0, 1}, {1, 2}}));
}

std::string drawn(const Topology& topology, const std::string& plan) {
  DrawingOptions options;
  drawRoutes(options, wanted(plan, topology.hierarchy().ranks()), topology);
  return drawTopology(topology, options);
}

TEST(DrawnRoutes, EachShareHasAKeyThatCountsItsLinksByLevel) {
  const std::string svg = drawn(topologyOf(kTwoHosts), "allreduce:ring:2");
  EXPECT_THAT(svg, HasSubstr("id=\"share-0\""));
  EXPECT_THAT(svg, HasSubstr("allreduce by ring, share 1 of 2: 2 links over host, 2 over net"));
  EXPECT_THAT(svg, HasSubstr("id=\"share-1\""));
  EXPECT_THAT(svg, Not(HasSubstr("stroke-dasharray=\"4 3\"")));
}

TEST(DrawnRoutes, LinksBothWays_AreDrawnAndCountedOnce) {
  EXPECT_THAT(drawn(topologyOf(kTwoHosts), "allreduce:binomial"), HasSubstr("binomial: 2 links over host, 1 over net"));
}

TEST(DrawnRoutes, LinksToRanksThatAreNotShown_EndInTheOpen) {
  const std::string svg = drawn(topologyOf("{name: host, kind: switch, members: 8}, {name: pod, kind: switch, members: "
                                           "128}, {name: all, kind: switch, members: 100}"),
                                "allreduce:ring");
  EXPECT_THAT(svg, HasSubstr("stroke-dasharray=\"4 3\""));
  EXPECT_THAT(svg, HasSubstr("7 links over host, 1 over pod, 1 over all"));
}

}  // namespace
}  // namespace atl::tools
