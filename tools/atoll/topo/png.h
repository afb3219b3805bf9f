// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "src/base/result.h"

namespace atl::tools {

/// Turns an SVG document into a PNG file at twice its size, by the program rsvg-convert. An error says so where that is
/// not installed, and else passes on what the program complains of.
Status writePng(const std::string& path, const std::string& svg, const std::string& converter = "rsvg-convert");

}  // namespace atl::tools
