// Any bytes as a request: a method, a target and a body, divided by lines. What must hold: what is allowed is sent in a
// form that is decided the same way and stays as it is, and nothing of the host is in it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "broker/decide.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth;
  using namespace berth::broker;
  static const Policy policy = *named_policy("operate");
  constexpr Versions versions{};
  const Cut first = cut(std::string_view(reinterpret_cast<const char*>(data), size), '\n');
  const Cut second = cut(first.after, '\n');
  const auto judge = [&](std::string_view method, std::string_view target, std::string_view body) {
    Verdict verdict = decide_head(
        policy, versions,
        {.method = method, .target = target, .has_body = !body.empty(), .content_type = "application/json"});
    if (verdict.allowed() && !streams_body(*verdict.match.operation))
      verdict = decide_body(policy, std::move(verdict), body);
    return verdict;
  };
  const Verdict verdict = judge(first.before, second.before, second.after);
  if (!verdict.allowed()) return 0;
  const std::string target = verdict.target(versions);
  const std::string_view path = cut(target, '?').before;
  if (path.contains("//") || path.contains("/.") || path.contains('%') || target.contains('\n')) std::abort();
  const Verdict again = judge(verdict.match.operation->method, target, verdict.body);
  if (!again.allowed() || again.target(versions) != target || again.body != verdict.body) std::abort();
  if (verdict.body.contains("\"Privileged\":true")) std::abort();
  return 0;
}
