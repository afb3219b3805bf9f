// SPDX-License-Identifier: Apache-2.0
#include "src/plan/algorithms/binary_tree.h"

#include "src/plan/algorithms/arithmetic.h"

namespace atl::plan {

namespace {

/// The in-order tree of places 1 … m: a place's height is the number of its trailing zeros. Where the tree is not full,
/// a right child may hang several levels below its parent.
Rank parentPlace(Rank place, Rank m) {
  const Rank bit = lowestBit(place);
  const Rank above = (place ^ bit) | (bit << 1);
  return above <= m ? above : place ^ bit;
}

/// 0 for none.
Rank leftPlace(Rank place) {
  const Rank bit = lowestBit(place);
  return bit > 1 ? place - bit / 2 : 0;
}

Rank rightPlace(Rank place, Rank m) {
  for (Rank step = lowestBit(place) / 2; step > 0; step /= 2) {
    if (place + step <= m) return place + step;
  }
  return 0;
}

/// The tree under `top` where the others stand at the places that `placeOf` gives their distance from the top (1 …
/// n−1), and `distanceOf` is its inverse.
template <class PlaceOf, class DistanceOf>
TreePlace treeUnder(Rank me, Rank n, Rank top, const PlaceOf& placeOf, const DistanceOf& distanceOf) {
  const Rank m = n - 1;
  const auto rankAt = [&](Rank place) { return onCircle(top + distanceOf(place), n); };
  const Rank crown = powerOfTwoAtMost(m);
  TreePlace tree;
  if (me == top) {
    tree.after.push_back(rankAt(crown));
    return tree;
  }
  const Rank place = placeOf(onCircle(me - top, n));
  tree.parent = place == crown ? top : rankAt(parentPlace(place, m));
  if (const Rank left = leftPlace(place); left > 0) tree.before.push_back(rankAt(left));
  if (const Rank right = rightPlace(place, m); right > 0) tree.after.push_back(rankAt(right));
  return tree;
}

}  // namespace

std::vector<Rank> TreePlace::children() const {
  std::vector<Rank> all = before;
  all.insert(all.end(), after.begin(), after.end());
  return all;
}

TreePlace inOrderTree(Rank me, Rank n, Rank top) {
  const auto same = [](Rank x) { return x; };
  return treeUnder(me, n, top, same, same);
}

TreePlace complementTree(Rank me, Rank n, Rank top) {
  const Rank m = n - 1;
  if (m % 2 == 0) {
    const auto mirrored = [m](Rank x) { return m + 1 - x; };
    return treeUnder(me, n, top, mirrored, mirrored);
  }
  return treeUnder(
      me, n, top, [m](Rank distance) { return distance % m + 1; }, [m](Rank place) { return (place + m - 2) % m + 1; });
}

}  // namespace atl::plan
