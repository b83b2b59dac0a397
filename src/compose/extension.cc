#include "compose/extension.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/text.h"
#include "base/units.h"

namespace berth::compose {
namespace {

Result<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0)
    return fail(Code::invalid, fmt::format("\"{}\" is not a port", text));
  return port;
}

std::string scalar_text(const Json& value) {
  return value.is_text() ? std::string(value.text()) : value.canonical();
}

Result<void> read_tcp(const Json& value, Readiness& ready) {
  ready.kind = Readiness::Kind::tcp;
  ready.port = TRY(port_of(scalar_text(value)));
  return {};
}

// "8080", "8080/health", ":8080/health"
Result<void> read_http(const Json& value, Readiness& ready) {
  ready.kind = Readiness::Kind::http;
  const std::string given = scalar_text(value);
  const std::string_view text = given.starts_with(':') ? std::string_view(given).substr(1) : std::string_view(given);
  const Cut parts = cut(text, '/');
  ready.port = TRY(port_of(parts.before));
  ready.path = fmt::format("/{}", parts.after);
  for (const char byte : ready.path)
    if (byte <= ' ' || byte == '#' || byte == 0x7f)
      return fail(Code::invalid,
                  fmt::format("\"{}\" is not a path: it holds white space, \"#\" or control characters", ready.path));
  return {};
}

Result<void> read_exec(const Json& value, Readiness& ready) {
  ready.kind = Readiness::Kind::exec;
  if (value.is_text()) ready.command = TRY(split_words(value.text()));
  for (const Json& word : value.items()) ready.command.push_back(scalar_text(word));
  if (ready.command.empty()) return fail(Code::invalid, "there is no command");
  return {};
}

Result<std::chrono::nanoseconds> time_of(const Json& value) {
  const auto time = TRY(parse_duration(scalar_text(value)));
  if (time.count() <= 0) return fail(Code::invalid, "a duration above 0 is needed, such as 2s");
  return time;
}

Result<void> read_retries(const Json& value, Readiness& ready) {
  const std::string text = scalar_text(value);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ready.retries);
  if (error != std::errc() || end != text.data() + text.size() || ready.retries < 0)
    return fail(Code::invalid, fmt::format("\"{}\" is not a number of tries", text));
  return {};
}

Result<void> read_member(std::string_view key, const Json& value, Readiness& ready) {
  if (key == "tcp") return read_tcp(value, ready);
  if (key == "http") return read_http(value, ready);
  if (key == "exec") return read_exec(value, ready);
  if (key == "retries") return read_retries(value, ready);
  (key == "interval" ? ready.interval : key == "timeout" ? ready.timeout : ready.start_period) = TRY(time_of(value));
  return {};
}

}  // namespace

Result<std::optional<Readiness>> readiness_of(const Project& project, std::string_view service) {
  static constexpr std::array<std::string_view, 7> kKeys = {"tcp",     "http",         "exec",   "interval",
                                                            "timeout", "start_period", "retries"};
  const Json& given = project.extensions["services"][service][kReadyKey];
  if (given.is_null()) return std::nullopt;
  Readiness ready;
  int probes = 0;
  for (const auto& [key, value] : given.members()) {
    if (std::ranges::find(kKeys, key) == kKeys.end())
      return fail(Code::invalid, fmt::format("{}: unknown key \"{}\"{}", kReadyKey, key, suggestion(key, kKeys)));
    if (key == "tcp" || key == "http" || key == "exec") ++probes;
    if (const auto read = read_member(key, value, ready); !read)
      return fail(Code::invalid, fmt::format("{}.{}: {}", kReadyKey, key, read.error().message));
  }
  if (probes != 1)
    return fail(Code::invalid, fmt::format("{}: give one of tcp: PORT, http: PORT/PATH or exec: [COMMAND]", kReadyKey));
  return ready;
}

bool is_build_only(const Service& service) {
  const std::string_view value = service.config["labels"][kBuildOnlyLabel].text();
  return value == "true" || value == "1";
}

}  // namespace berth::compose
