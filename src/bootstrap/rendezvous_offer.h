// SPDX-License-Identifier: Apache-2.0
// The text in which process 0 tells the others of a job where the rendezvous is, or why there is none. Every way of
// telling carries the same text: a launcher's channel, a file, MPI's broadcast, PMI's key-value space.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/bootstrap/session.h"

namespace atl {

/// An id as 256 hexadecimal digits.
std::string toHex(const UniqueId& id);

/// The inverse; the error says what is wrong with the text but does not repeat it, because an id holds a secret.
Result<UniqueId> uniqueIdFromHex(std::string_view text);

/// Upper bound of an offer's text: it fits a value of PMI-1 and a line of every channel.
inline constexpr std::size_t kMaxOfferBytes = 512;

/// One word without spaces or line ends, at most kMaxOfferBytes long; a long error is cut.
std::string encodeOffer(const Result<UniqueId>& offer);

/// What process 0 offered: its id, or its error, or an error of this process's own when the text is none of them.
Result<UniqueId> decodeOffer(std::string_view text);

}  // namespace atl
