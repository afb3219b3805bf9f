// SPDX-License-Identifier: Apache-2.0
// Text in pictures.
#pragma once

#include <string>
#include <string_view>

namespace atl {

/// Text as it stands in the content or in an attribute of XML, whose control characters, which may not, become blanks.
std::string escapedForXml(std::string_view text);

}  // namespace atl
