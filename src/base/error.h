// Result and Error: how every function of berth fails. Ours throw nothing.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

/// The kind of a failure; each program boundary (exit status, HTTP status) maps it in one table.
enum class Code {
  invalid,      ///< the input is wrong; the same call fails again
  not_found,    ///< the named thing does not exist
  conflict,     ///< it exists already, or is in a state that forbids the call
  denied,       ///< permission or authentication is missing
  unavailable,  ///< the peer does not answer; later it may
  timeout,      ///< the deadline passed first
  cancelled,    ///< the caller gave up (Ctrl-C, shutdown)
  busy,         ///< someone else holds the lock
  moved,        ///< the world changed since the plan was made
  internal,     ///< a fault of berth or of the system below
};

std::string_view to_text(Code code);

/// A failure as data: `message` is one line in lower case that names the subject, the reason and what to do next;
/// `detail` may hold further lines (the source line with a caret, the end of a build log). Never a secret.
struct Error {
  Code code = Code::internal;
  std::string message;
  std::string detail{};

  /// The same error with "`what`: " before its message.
  Error within(std::string_view what) &&;
  /// Message, then detail below it where there is one.
  std::string text() const;
};

/// A value or an Error; an ignored one does not compile.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

/// `return fail(Code::invalid, "...")` in any function that returns a Result.
inline std::unexpected<Error> fail(Code code, std::string message, std::string detail = {}) {
  return std::unexpected<Error>(Error{code, std::move(message), std::move(detail)});
}
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

}  // namespace berth

#define BERTH_CONCAT2(a, b) a##b
#define BERTH_CONCAT(a, b) BERTH_CONCAT2(a, b)
#define BERTH_TRY(name, how, ...)                 \
  __extension__({                                 \
    auto name = (__VA_ARGS__);                    \
    if (!name) [[unlikely]]                       \
      how ::berth::fail(std::move(name).error()); \
    *std::move(name);                             \
  })
/// The value of a Result, or return its error from this function.
#define TRY(...) BERTH_TRY(BERTH_CONCAT(try_, __COUNTER__), return, __VA_ARGS__)
/// The same in a coroutine: `auto x = CO_TRY(co_await f());`
#define CO_TRY(...) BERTH_TRY(BERTH_CONCAT(try_, __COUNTER__), co_return, __VA_ARGS__)
