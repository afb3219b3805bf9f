// SPDX-License-Identifier: Apache-2.0
// Failures are values: a Result<T> holds a T or an Error, and an Error gathers context on its way up.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace atl {

/// Why a call failed. src/api maps these to atollResult_t in one place.
enum class ErrorCode : std::uint8_t {
  invalidArgument,  ///< an argument's value is wrong: the text names argument, value and call
  invalidUsage,     ///< right values, wrong moment or wrong use of the library
  unsupported,      ///< a valid request that this build or machine cannot serve
  systemError,      ///< the operating system refused: the text carries errno's meaning
  internalError,    ///< a broken invariant of Atoll's own
  remoteError,      ///< a peer died, left, or the network to it failed
  timeout,          ///< the time limit passed
  aborted,          ///< the communicator was aborted
  mismatch,         ///< ranks disagree on a call, or on the protocol
  deviceError,      ///< the device's runtime refused: the text carries its call and its reason
};
inline constexpr ErrorCode kLastErrorCode = ErrorCode::deviceError;

/// Name of the code, for logs: "invalid argument", "timeout", …
std::string_view nameOf(ErrorCode code);

/// A code and a sentence. Texts are lower-case clauses without a final stop, so that context can be put before them.
struct Error {
  ErrorCode code = ErrorCode::internalError;
  std::string text;

  /// The same error with where it happened put in front: "allreduce #12: <text>".
  Error within(std::string_view context) && {
    text.insert(0, fmt::format("{}: ", context));
    return std::move(*this);
  }
};

/// makeError(ErrorCode::timeout, "rank {} did not come within {} s", rank, seconds)
template <class... Args>
Error makeError(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...)};
}

/// A systemError with the meaning of an errno value: "cannot bind 10.0.0.1: Address already in use".
Error systemError(int errnoValue, std::string_view what);

/// Success of an operation that returns nothing.
struct Unit {};

/// A value or an Error. Reading the absent one is a programming error (it throws, the program stops). Hot paths return
/// these, so the error is kept apart: success costs no more than the value and a null pointer.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}                               // NOLINT(google-explicit-constructor)
  Result(Error error) : error_(std::make_unique<Error>(std::move(error))) {}  // NOLINT(google-explicit-constructor)
  Result(const Result& other)
      : value_(other.value_), error_(other.error_ ? std::make_unique<Error>(*other.error_) : nullptr) {}
  Result(Result&&) noexcept = default;
  Result& operator=(const Result& other) {
    Result copy(other);
    return *this = std::move(copy);
  }
  Result& operator=(Result&&) noexcept = default;
  ~Result() = default;

  [[nodiscard]] bool ok() const { return error_ == nullptr; }
  explicit operator bool() const { return ok(); }

  T& value() & { return value_.value(); }
  const T& value() const& { return value_.value(); }
  T&& value() && { return std::move(value_).value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return present(error_.get()); }
  const Error& error() const& { return present(error_.get()); }
  Error&& error() && { return std::move(present(error_.get())); }

 private:
  template <class E>
  static E& present(E* error) {
    if (error == nullptr) throw std::logic_error("a success was asked for its error");
    return *error;
  }

  std::optional<T> value_;
  std::unique_ptr<Error> error_;
};

/// Success or an Error.
using Status = Result<Unit>;
inline Status success() {
  return Unit{};
}

/// Leaves the enclosing function with the error, if there is one.
#define ATOLL_TRY(expression)                               \
  do {                                                      \
    if (auto atollTried = (expression); !atollTried.ok()) { \
      return std::move(atollTried).error();                 \
    }                                                       \
  } while (false)

/// ATOLL_ASSIGN(auto fd, openSomething()); — declares `fd` from the value, or leaves with the error.
#define ATOLL_ASSIGN(declaration, expression) \
  ATOLL_ASSIGN_IMPL(declaration, expression, ATOLL_JOIN(atollResult, __LINE__))
#define ATOLL_JOIN(a, b) ATOLL_JOIN_IMPL(a, b)
#define ATOLL_JOIN_IMPL(a, b) a##b
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration and a name cannot stand in parentheses.
#define ATOLL_ASSIGN_IMPL(declaration, expression, name) \
  auto name = (expression);                              \
  if (!name.ok()) return std::move(name).error();        \
  declaration = std::move(name).value()
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace atl
