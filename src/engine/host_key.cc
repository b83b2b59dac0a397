#include "engine/host_key.h"

#include <array>
#include <chrono>

#include "base/base64.h"
#include "base/hash.h"
#include "base/text.h"
#include "io/process.h"

namespace berth::engine {
namespace {

constexpr std::array<std::string_view, 5> kTypes = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                                    "ecdsa-sha2-nistp521", "ssh-rsa"};
constexpr auto kScan = std::chrono::seconds(15);

}  // namespace

std::string fingerprint_of(const HostKey& key) {
  std::string text = encode_base64(sha256(decode_base64(key.key).value_or(std::string())));
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

Result<HostKey> parse_host_keys(std::string_view scan) {
  std::array<std::string, kTypes.size()> found;
  while (!scan.empty()) {
    const Cut line = cut(scan, '\n');
    scan = line.after;
    if (line.before.starts_with('#')) continue;
    const Cut host = cut(trim(line.before), ' ');
    const Cut key = cut(host.after, ' ');
    for (std::size_t at = 0; at < kTypes.size(); ++at)
      if (key.before == kTypes[at] && decode_base64(trim(key.after))) found[at] = trim(key.after);
  }
  for (std::size_t at = 0; at < kTypes.size(); ++at)
    if (!found[at].empty()) return HostKey{.type = std::string(kTypes[at]), .key = found[at]};
  return fail(Code::unavailable, "the host shows no key that is known here");
}

io::Task<Result<HostKey>> scan_host_key(Address address, std::string program) {
  const std::string name = address.text();
  io::Command command{.argv = {std::move(program), "-T", "10", "-t", "ed25519,ecdsa,rsa", "-p",
                               std::to_string(address.port), "--", address.host}};
  const auto output = co_await io::within(kScan, io::run_command(std::move(command), {}));
  if (!output && output.error().code == Code::timeout) co_return fail(Code::timeout, name + ": the host shows no key");
  if (!output) co_return fail(Error(output.error()).within(name));
  auto key = parse_host_keys(output->out);
  if (key) co_return key;
  const std::string_view said = trim(cut(output->err, '\n').before);
  co_return fail(Code::unavailable, name + ": " + (said.empty() ? key.error().message : std::string(said)));
}

}  // namespace berth::engine
