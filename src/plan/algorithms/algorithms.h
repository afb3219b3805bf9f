// SPDX-License-Identifier: Apache-2.0
// The algorithms, each defined in the file of its name. catalogue.cc lists them.
#pragma once

#include "src/plan/algorithm.h"

namespace atl::plan {

extern const Algorithm kOneShot;
extern const Algorithm kTwoShot;
extern const Algorithm kRecursiveDoubling;
extern const Algorithm kCirculant;
extern const Algorithm kDoubleBinaryTree;
extern const Algorithm kPat;
extern const Algorithm kRing;
extern const Algorithm kBinomial;
extern const Algorithm kChain;
extern const Algorithm kDirect;
extern const Algorithm kBruck;
extern const Algorithm kPairwise;
extern const Algorithm kDissemination;
extern const Algorithm kHierarchical;
extern const Algorithm kHierarchicalPipelined;
extern const Algorithm kHierarchicalLeader;

}  // namespace atl::plan
