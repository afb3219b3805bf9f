// SPDX-License-Identifier: Apache-2.0
// What the cost model knows of where the ranks are: what links cost, level by level.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/plan/hierarchy.h"
#include "src/plan/link_model.h"
#include "src/plan/traffic.h"

namespace atl::plan {

/// One level of a hierarchy.
struct LevelModel {
  std::string name;  ///< for people: "host", "network"
  LinkModel link;    ///< of the slowest links between ranks that the level joins
  /// What the uplink of each member of the level carries, bytes per second each way, numbered through the whole level;
  /// one number where all carry as much; empty: not known, and then only the links limit.
  std::vector<double> uplinks;
};

/// An immutable value, cheap to copy.
class SiteModel {
 public:
  /// Ranks that are all joined alike.
  SiteModel(const LinkModel& link) : link_(link) {}  // NOLINT(google-explicit-constructor): one price is a site

  /// `levels` are those of the hierarchy; `worst` is the link between the ranks that are worst joined.
  SiteModel(const LinkModel& worst, Hierarchy hierarchy, std::vector<LevelModel> levels)
      : link_(worst), tree_(std::make_shared<Tree>(std::move(hierarchy), std::move(levels))) {}

  /// The price where levels do not matter.
  [[nodiscard]] const LinkModel& link() const { return link_; }

  /// Whether some ranks are nearer to each other than others. Only then there are the following.
  [[nodiscard]] bool hasLevels() const { return tree_ != nullptr && tree_->hierarchy.levels() > 1; }
  [[nodiscard]] const Hierarchy& hierarchy() const { return tree_->hierarchy; }
  [[nodiscard]] const std::vector<LevelModel>& levels() const { return tree_->levels; }
  [[nodiscard]] Footprints& footprints() const { return tree_->footprints; }

 private:
  struct Tree {
    Tree(Hierarchy h, std::vector<LevelModel> l) : hierarchy(std::move(h)), levels(std::move(l)) {}
    Hierarchy hierarchy;
    std::vector<LevelModel> levels;
    Footprints footprints{hierarchy};
  };

  LinkModel link_;
  std::shared_ptr<Tree> tree_;
};

}  // namespace atl::plan
