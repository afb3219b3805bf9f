// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/handshake.h"

#include <sodium.h>

namespace atl {
namespace {

constexpr std::uint64_t kMagic = 0x6f6c6c65486c6f41;  // "AolHello"
constexpr std::uint16_t kByteOrder = 0x0102;

using Label = std::array<char, 8>;
constexpr Label kAcceptorLabel = {'a', 'c', 'c', 'e', 'p', 't', 'o', 'r'};
constexpr Label kConnectorLabel = {'c', 'o', 'n', 'n', 'e', 'c', 't', 'r'};

Proof prove(const Secret& secret, const Label& label, std::initializer_list<std::span<const std::byte>> parts) {
  crypto_generichash_state state;
  Proof proof{};
  crypto_generichash_init(&state, secret.data(), secret.size(), proof.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(label.data()), label.size());
  for (const auto part : parts) {
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
  }
  crypto_generichash_final(&state, proof.data(), proof.size());
  return proof;
}

bool equal(const Proof& a, const Proof& b) {
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// The challenge without its proof: what the proofs are over.
Bytes openPart(const Challenge& challenge) {
  Challenge open = challenge;
  open.proof = {};
  return encode(open);
}

Bytes openPart(const Answer& answer) {
  Answer open = answer;
  open.proof = {};
  return encode(open);
}

template <std::size_t N>
void take(WireReader& reader, std::array<std::uint8_t, N>& into) {
  const auto from = reader.raw(N);
  if (from.size() == N) std::memcpy(into.data(), from.data(), N);
}

}  // namespace

bool cryptoReady() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

void fillRandom(std::span<std::uint8_t> bytes) {
  randombytes_buf(bytes.data(), bytes.size());
}

std::uint64_t randomNumber() {
  std::uint64_t number = 0;
  while (number == 0) randombytes_buf(&number, sizeof number);  // 0 means "none" in several places
  return number;
}

Secret deriveSecret(std::span<const std::uint8_t> from, std::string_view label) {
  Secret result{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, result.size());
  const std::uint64_t size = label.size();  // the label's length first: no two (label, text) pairs read alike
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(&size), sizeof size);
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(label.data()), label.size());
  crypto_generichash_update(&state, from.data(), from.size());
  crypto_generichash_final(&state, result.data(), result.size());
  return result;
}

std::uint64_t groupOf(const Secret& secret) {
  const Secret derived = deriveSecret(secret, "atoll group number");
  std::uint64_t number = 0;
  std::memcpy(&number, derived.data(), sizeof number);
  return number;
}

Bytes seal(std::span<const std::uint8_t> plain, const Secret& secret) {
  static_assert(sizeof(Secret) == crypto_secretbox_KEYBYTES);
  Bytes sealed(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain.size());
  auto* const out = reinterpret_cast<unsigned char*>(sealed.data());
  randombytes_buf(out, crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(out + crypto_secretbox_NONCEBYTES, plain.data(), plain.size(), out, secret.data());
  return sealed;
}

std::optional<Bytes> unseal(std::span<const std::byte> sealed, const Secret& secret) {
  constexpr std::size_t kOverhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  if (sealed.size() < kOverhead) return std::nullopt;
  Bytes plain(sealed.size() - kOverhead);
  const auto* const in = reinterpret_cast<const unsigned char*>(sealed.data());
  const int opened =
      crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(plain.data()), in + crypto_secretbox_NONCEBYTES,
                                 sealed.size() - crypto_secretbox_NONCEBYTES, in, secret.data());
  return opened == 0 ? std::optional(std::move(plain)) : std::nullopt;
}

Bytes encode(const Hello& hello) {
  WireWriter writer;
  writer.put(kMagic);
  writer.put(kByteOrder);
  writer.put(hello.version);
  writer.put(hello.purpose);
  writer.put(std::uint8_t{0});
  writer.put(std::uint16_t{0});
  writer.put(hello.group);
  writer.raw(hello.nonce.data(), hello.nonce.size());
  writer.put(std::uint64_t{0});
  return writer.take();
}

std::optional<Hello> decodeHello(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  Hello hello;
  if (reader.get<std::uint64_t>() != kMagic || reader.get<std::uint16_t>() != kByteOrder) return std::nullopt;
  hello.version = reader.get<std::uint16_t>();
  const auto purpose = reader.get<std::uint8_t>();
  if (purpose != static_cast<std::uint8_t>(Purpose::rendezvous) &&
      purpose != static_cast<std::uint8_t>(Purpose::stream))
    return std::nullopt;
  hello.purpose = static_cast<Purpose>(purpose);
  reader.raw(3);
  hello.group = reader.get<std::uint64_t>();
  take(reader, hello.nonce);
  reader.raw(8);
  return reader.finish("hello").ok() ? std::optional(hello) : std::nullopt;
}

Bytes encode(const Challenge& challenge) {
  WireWriter writer;
  writer.put(kByteOrder);
  writer.put(challenge.version);
  writer.put(challenge.verdict);
  writer.put(std::uint8_t{0});
  writer.put(std::uint16_t{0});
  writer.raw(challenge.nonce.data(), challenge.nonce.size());
  writer.raw(challenge.proof.data(), challenge.proof.size());
  return writer.take();
}

std::optional<Challenge> decodeChallenge(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  Challenge challenge;
  if (reader.get<std::uint16_t>() != kByteOrder) return std::nullopt;
  challenge.version = reader.get<std::uint16_t>();
  const auto verdict = reader.get<std::uint8_t>();
  if (verdict != static_cast<std::uint8_t>(Challenge::Verdict::known) &&
      verdict != static_cast<std::uint8_t>(Challenge::Verdict::unknownGroup)) {
    return std::nullopt;
  }
  challenge.verdict = static_cast<Challenge::Verdict>(verdict);
  reader.raw(3);
  take(reader, challenge.nonce);
  take(reader, challenge.proof);
  return reader.finish("challenge").ok() ? std::optional(challenge) : std::nullopt;
}

Bytes encode(const Answer& answer) {
  WireWriter writer;
  writer.put(answer.key.communicator);
  writer.put(answer.key.lower);
  writer.put(answer.key.higher);
  writer.put(answer.key.lane);
  writer.put(answer.key.index);
  writer.put(std::uint32_t{0});
  writer.raw(answer.proof.data(), answer.proof.size());
  return writer.take();
}

std::optional<Answer> decodeAnswer(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  Answer answer;
  answer.key.communicator = reader.get<std::uint64_t>();
  answer.key.lower = reader.get<Rank>();
  answer.key.higher = reader.get<Rank>();
  answer.key.lane = reader.get<std::uint16_t>();
  answer.key.index = reader.get<std::uint16_t>();
  reader.raw(4);
  take(reader, answer.proof);
  return reader.finish("answer").ok() ? std::optional(answer) : std::nullopt;
}

Challenge challengeFor(const Hello& hello, const Secret& secret) {
  Challenge challenge;
  fillRandom(challenge.nonce);
  challenge.proof = prove(secret, kAcceptorLabel, {encode(hello), openPart(challenge)});
  return challenge;
}

bool proves(const Challenge& challenge, const Hello& hello, const Secret& secret) {
  return equal(challenge.proof, prove(secret, kAcceptorLabel, {encode(hello), openPart(challenge)}));
}

Answer answerFor(const Challenge& challenge, const Hello& hello, const StreamKey& key, const Secret& secret) {
  Answer answer;
  answer.key = key;
  answer.proof = prove(secret, kConnectorLabel, {encode(hello), openPart(challenge), openPart(answer)});
  return answer;
}

bool proves(const Answer& answer, const Challenge& challenge, const Hello& hello, const Secret& secret) {
  return equal(answer.proof, prove(secret, kConnectorLabel, {encode(hello), openPart(challenge), openPart(answer)}));
}

}  // namespace atl
