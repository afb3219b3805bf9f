// SPDX-License-Identifier: Apache-2.0
// A checked call that runs later: in a group, or on a stream. Owns what the caller may take back meanwhile.
#pragma once

#include <cstddef>
#include <memory>
#include <variant>
#include <vector>

#include "src/api/operators.h"
#include "src/exec/call.h"

namespace atl::api {

class QueuedCall {
 public:
  /// Copies the arrays of a v-form, `ranks` long each.
  QueuedCall(const Call& call, Rank ranks, std::shared_ptr<const CustomOperator> custom);
  explicit QueuedCall(const PointToPoint& operation) : what_(operation) {}

  /// Null for a send or receive.
  [[nodiscard]] const Call* collective() const { return std::get_if<Call>(&what_); }
  /// Null for a collective.
  [[nodiscard]] const PointToPoint* pointToPoint() const { return std::get_if<PointToPoint>(&what_); }

 private:
  std::variant<Call, PointToPoint> what_;
  std::vector<std::size_t> arrays_;  ///< the v-form's, one after the other; moving the vector keeps their place
  std::shared_ptr<const CustomOperator> custom_;
};

}  // namespace atl::api
