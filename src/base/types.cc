// SPDX-License-Identifier: Apache-2.0
#include "src/base/types.h"

#include <array>
#include <string>
#include <utility>

namespace atl {
namespace {

constexpr std::array<std::string_view, kDataTypes> kTypeNames = {
    "int8", "uint8", "int32", "uint32", "int64", "uint64", "half", "float", "double", "bfloat16", "f8e4m3", "f8e5m2"};
constexpr std::array<std::string_view, kReduceOps> kOpNames = {"sum", "prod", "max", "min", "avg"};
constexpr std::array<std::string_view, kCollectives> kCollectiveNames = {
    "allreduce", "reduce", "broadcast", "allgather", "reducescatter",
    "alltoall",  "gather", "scatter",   "barrier",   "sendrecv"};

constexpr std::pair<std::string_view, DataType> kTypeSynonyms[] = {
    {"char", DataType::int8},           {"int", DataType::int32},
    {"float16", DataType::float16},     {"fp16", DataType::float16},
    {"f16", DataType::float16},         {"float32", DataType::float32},
    {"fp32", DataType::float32},        {"f32", DataType::float32},
    {"float64", DataType::float64},     {"fp64", DataType::float64},
    {"f64", DataType::float64},         {"bf16", DataType::bfloat16},
    {"fp8_e4m3", DataType::float8e4m3}, {"float8e4m3", DataType::float8e4m3},
    {"fp8_e5m2", DataType::float8e5m2}, {"float8e5m2", DataType::float8e5m2}};

template <class Enum, std::size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view nameOf(DataType type) {
  return kTypeNames.at(static_cast<std::size_t>(type));
}
std::string_view nameOf(ReduceOp op) {
  return kOpNames.at(static_cast<std::size_t>(op));
}
std::string_view nameOf(Collective collective) {
  return kCollectiveNames.at(static_cast<std::size_t>(collective));
}

std::optional<DataType> dataTypeNamed(std::string_view name) {
  for (const auto& [synonym, type] : kTypeSynonyms) {
    if (synonym == name) return type;
  }
  return find<DataType>(kTypeNames, name);
}

std::optional<ReduceOp> reduceOpNamed(std::string_view name) {
  return find<ReduceOp>(kOpNames, name);
}

std::optional<Collective> collectiveNamed(std::string_view name) {
  std::string plain;  // "all_reduce" and "all-reduce" are "allreduce"
  for (const char c : name) {
    if (c != '_' && c != '-') plain += c;
  }
  return find<Collective>(kCollectiveNames, plain);
}

}  // namespace atl
