// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/rendezvous_offer.h"

#include <algorithm>
#include <span>

namespace atl {
namespace {

constexpr char kIdMark = 'i';
constexpr char kErrorMark = 'e';
constexpr std::size_t kMaxErrorBytes = (kMaxOfferBytes - 4) / 2;

std::string hexOf(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

int digitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Fills `bytes` from exactly twice as many digits.
bool parseHex(std::string_view text, std::span<std::uint8_t> bytes) {
  if (text.size() != bytes.size() * 2) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digitOf(text[2 * i]);
    const int low = digitOf(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

}  // namespace

std::string toHex(const UniqueId& id) {
  return hexOf(id.bytes);
}

Result<UniqueId> uniqueIdFromHex(std::string_view text) {
  UniqueId id;
  if (text.size() != id.bytes.size() * 2) {
    return makeError(ErrorCode::invalidArgument, "an id has {} hexadecimal digits, and this text has {} characters",
                     id.bytes.size() * 2, text.size());
  }
  if (!parseHex(text, id.bytes)) {
    return makeError(ErrorCode::invalidArgument, "an id is made of hexadecimal digits only");
  }
  return id;
}

std::string encodeOffer(const Result<UniqueId>& offer) {
  if (offer.ok()) return kIdMark + toHex(*offer);
  const std::string_view text = std::string_view(offer.error().text).substr(0, kMaxErrorBytes);
  const std::array<std::uint8_t, 1> code = {static_cast<std::uint8_t>(offer.error().code)};
  return kErrorMark + hexOf(code) + hexOf({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

Result<UniqueId> decodeOffer(std::string_view text) {
  if (text.starts_with(kIdMark)) return uniqueIdFromHex(text.substr(1));
  if (text.starts_with(kErrorMark) && text.size() >= 3 && text.size() % 2 == 1 && text.size() <= kMaxOfferBytes) {
    std::string bytes(text.size() / 2, '\0');
    if (parseHex(text.substr(1), {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()})) {
      const auto code = static_cast<std::uint8_t>(bytes[0]);
      return Error{
          code <= static_cast<std::uint8_t>(kLastErrorCode) ? static_cast<ErrorCode>(code) : ErrorCode::remoteError,
          fmt::format("process 0 could not open the rendezvous: {}", std::string_view(bytes).substr(1))};
    }
  }
  return makeError(ErrorCode::remoteError,
                   "what process 0 said of the rendezvous ({} characters) is not an offer of one", text.size());
}

}  // namespace atl
