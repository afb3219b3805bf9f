// SPDX-License-Identifier: Apache-2.0
#include "src/api/operators.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace atl::api {
namespace {

constexpr atollRedOp_t kFirstHandle = 1000;

atollRedOp_t newHandle() {
  static std::atomic<atollRedOp_t> next{kFirstHandle};
  return next.fetch_add(1, std::memory_order_relaxed);
}

void callBack(const void* in, void* inout, std::size_t count, DataType type, void* context) {
  const auto* custom = static_cast<const CustomOperator*>(context);
  custom->function(in, inout, count, static_cast<atollDataType_t>(type), custom->context);
}

}  // namespace

CustomOperator& OperatorTable::add(Operator::Kind kind) {
  auto custom = std::make_shared<CustomOperator>();
  custom->handle = newHandle();
  custom->op.kind = kind;
  operators_.push_back(custom);
  return *custom;
}

atollRedOp_t OperatorTable::addPreMulSum(DataType type, const void* scalar) {
  CustomOperator& custom = add(Operator::Kind::preMulSum);
  custom.type = type;
  std::memcpy(custom.op.scalar.data(), scalar, sizeOf(type));
  return custom.handle;
}

atollRedOp_t OperatorTable::addPreMulSumThere(DataType type, const void* scalar) {
  CustomOperator& custom = add(Operator::Kind::preMulSum);
  custom.type = type;
  custom.op.scalarThere = scalar;
  return custom.handle;
}

atollRedOp_t OperatorTable::addUser(atollReduceFunction_t function, void* context, bool commutative) {
  CustomOperator& custom = add(Operator::Kind::user);
  custom.function = function;
  custom.context = context;
  custom.user = UserReduction{callBack, &custom, commutative};
  custom.op.user = &custom.user;
  return custom.handle;
}

std::shared_ptr<const CustomOperator> OperatorTable::find(atollRedOp_t handle) const {
  const auto found = std::ranges::find(operators_, handle, [](const auto& custom) { return custom->handle; });
  return found == operators_.end() ? nullptr : *found;
}

bool OperatorTable::remove(atollRedOp_t handle) {
  return std::erase_if(operators_, [&](const auto& custom) { return custom->handle == handle; }) != 0;
}

}  // namespace atl::api
