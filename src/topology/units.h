// SPDX-License-Identifier: Apache-2.0
// Rates and times as people write them.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace atl {

/// "450 GB/s", "400 Gbit/s", "1.5 TB/s": bytes per second, with decimal prefixes. Positive and finite. Errors name the
/// text and say what is allowed.
Result<double> parseRate(std::string_view text);

/// "0.93 us", "930 ns", "2.5 µs", "10 ms", "10 s": seconds. Not negative and finite.
Result<double> parseDuration(std::string_view text);

/// "450 GB/s", "12.5 MB/s", with four digits at most; "?" for 0, which stands for a rate that is not known.
std::string rateText(double bytesPerSecond);

/// "930 ns", "2.5 µs", with four digits at most; "?" for 0.
std::string durationText(double seconds);

}  // namespace atl
