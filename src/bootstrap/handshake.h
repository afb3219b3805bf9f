// SPDX-License-Identifier: Apache-2.0
// The greeting that opens every stream: both ends prove that they know the group's secret before either reads anything
// else.
//
//   connector → acceptor   Hello      what for, which group, protocol version, a nonce                 64 bytes
//   acceptor → connector   Challenge  its version, its nonce, proof over both nonces                   72 bytes
//   connector → acceptor   Answer     which stream, proof over everything so far                       56 bytes
//   acceptor → connector   Welcome    once the acceptor has a use for the stream                        1 byte
//
// Proofs are keyed hashes (BLAKE2b) with the secret as key and a label for the direction, so that neither end can be
// made to produce the other's. What follows on the stream is neither encrypted nor signed: the greeting keeps strangers
// out, it does not hide traffic from those who own the network.
//
// This layout is the same in every version of the protocol, so that versions can tell each other apart after they have
// authenticated each other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "src/bootstrap/directory.h"
#include "src/bootstrap/switchboard.h"
#include "src/bootstrap/wire.h"

namespace atl {

inline constexpr std::uint16_t kProtocolVersion = 5;

/// Sets sodium up; true if that worked. Cheap after the first time.
bool cryptoReady();
void fillRandom(std::span<std::uint8_t> bytes);
std::uint64_t randomNumber();
/// Keyed hash of a label, for secrets and numbers that follow from a secret.
Secret deriveSecret(std::span<const std::uint8_t> from, std::string_view label);
/// The number by which streams of the group with this secret are told apart; says nothing about the secret.
std::uint64_t groupOf(const Secret& secret);

/// Encrypts and signs with a secret; unseal gives nothing for what was sealed with another or was changed.
Bytes seal(std::span<const std::uint8_t> plain, const Secret& secret);
std::optional<Bytes> unseal(std::span<const std::byte> sealed, const Secret& secret);

enum class Purpose : std::uint8_t {
  rendezvous = 1,  ///< to the process that made the id: a newcomer
  stream = 2,      ///< between two processes that know of each other
};

using Nonce = std::array<std::uint8_t, 32>;
using Proof = std::array<std::uint8_t, 32>;

struct Hello {
  std::uint16_t version = kProtocolVersion;
  Purpose purpose = Purpose::stream;
  std::uint64_t group = 0;
  Nonce nonce{};
};

struct Challenge {
  enum class Verdict : std::uint8_t {
    known = 1,         ///< the group is one of mine
    unknownGroup = 2,  ///< not (or no longer) one of mine; nonce and proof are zero
  };
  std::uint16_t version = kProtocolVersion;
  Verdict verdict = Verdict::known;
  Nonce nonce{};
  Proof proof{};
};

struct Answer {
  StreamKey key;
  Proof proof{};
};

inline constexpr std::size_t kHelloBytes = 64;
inline constexpr std::size_t kChallengeBytes = 72;
inline constexpr std::size_t kAnswerBytes = 56;
inline constexpr std::byte kWelcome{0x2a};

Bytes encode(const Hello& hello);
Bytes encode(const Challenge& challenge);
Bytes encode(const Answer& answer);
/// Nothing for bytes that are no greeting of Atoll's, or one of a machine of the other byte order.
std::optional<Hello> decodeHello(std::span<const std::byte> bytes);
std::optional<Challenge> decodeChallenge(std::span<const std::byte> bytes);
std::optional<Answer> decodeAnswer(std::span<const std::byte> bytes);

/// The acceptor's reply to `hello` for a group that it knows.
Challenge challengeFor(const Hello& hello, const Secret& secret);
bool proves(const Challenge& challenge, const Hello& hello, const Secret& secret);
/// The connector's reply.
Answer answerFor(const Challenge& challenge, const Hello& hello, const StreamKey& key, const Secret& secret);
bool proves(const Answer& answer, const Challenge& challenge, const Hello& hello, const Secret& secret);

}  // namespace atl
