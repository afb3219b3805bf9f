// SPDX-License-Identifier: Apache-2.0
#include "src/topology/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

namespace atl {
namespace {

struct Unit {
  std::string_view name;
  double value;
};

constexpr double kBit = 0.125;
constexpr std::array kRates = {
    Unit{"B/s", 1},
    Unit{"kB/s", 1e3},
    Unit{"MB/s", 1e6},
    Unit{"GB/s", 1e9},
    Unit{"TB/s", 1e12},
    Unit{"PB/s", 1e15},
    Unit{"bit/s", kBit},
    Unit{"kbit/s", kBit * 1e3},
    Unit{"Mbit/s", kBit * 1e6},
    Unit{"Gbit/s", kBit * 1e9},
    Unit{"Tbit/s", kBit * 1e12},
};
constexpr std::array kTimes = {
    Unit{"ns", 1e-9}, Unit{"us", 1e-6}, Unit{"µs", 1e-6}, Unit{"ms", 1e-3}, Unit{"s", 1},
};
constexpr std::string_view kRateHelp = "a rate such as 450 GB/s, 400 Gbit/s or 12.5 MB/s";
constexpr std::string_view kTimeHelp = "a time such as 930 ns, 2.5 us or 10 ms";

/// A number, blanks or none, and a unit.
Result<double> parse(std::string_view text, std::span<const Unit> units, std::string_view help) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, ec] = std::from_chars(text.data(), end, number);
  std::string_view name(rest, static_cast<std::size_t>(end - rest));
  name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
  const auto unit = std::ranges::find(units, name, &Unit::name);
  if (ec != std::errc() || unit == units.end() || !std::isfinite(number * unit->value) || number < 0) {
    return makeError(ErrorCode::invalidArgument, "'{}' is not {}", text.substr(0, 60), help);
  }
  return number * unit->value;
}

/// The largest of the named units of which there is at least one; the smallest for less.
std::string inUnits(double value, std::span<const Unit> units) {
  if (value == 0) return "?";
  const Unit* best = units.data();
  for (const Unit& unit : units) {
    if (value >= unit.value * 0.99995) best = &unit;  // what prints as 1 of it
  }
  return fmt::format("{:.4g} {}", value / best->value, best->name);
}

}  // namespace

Result<double> parseRate(std::string_view text) {
  ATOLL_ASSIGN(const double rate, parse(text, kRates, kRateHelp));
  if (rate == 0) return makeError(ErrorCode::invalidArgument, "'{}' is not {}", text, kRateHelp);
  return rate;
}

Result<double> parseDuration(std::string_view text) {
  return parse(text, kTimes, kTimeHelp);
}

std::string rateText(double bytesPerSecond) {
  return inUnits(bytesPerSecond, std::span(kRates).first(6));
}

std::string durationText(double seconds) {
  constexpr std::array kShown = {kTimes[0], kTimes[2], kTimes[3], kTimes[4]};
  return inUnits(seconds, kShown);
}

}  // namespace atl
