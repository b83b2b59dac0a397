#include "app/transport_files.h"

#include "edge/keys.h"
#include "io/file.h"

namespace berth::app {
namespace {

constexpr std::size_t kMostFile = 1u << 20;

/// A path that cannot be read stays: it is no PEM, so that the transport fails and trusts nobody else.
void read_pem(std::string& text, const std::string& transport, std::vector<std::string>& messages) {
  if (text.contains("-----BEGIN")) return;
  auto read = io::read_file(text, kMostFile);
  if (read)
    text = std::move(*read);
  else
    messages.push_back("serversTransports." + transport + ": " + read.error().message);
}

void read_pem_files(edge::Transport& transport, std::vector<std::string>& messages) {
  for (std::string& root : transport.roots) read_pem(root, transport.name, messages);
  for (edge::PemPair& own : transport.certificates) {
    read_pem(own.chain, transport.name, messages);
    read_pem(own.key, transport.name, messages);
  }
}

template <class T>
Result<void> read_all(const Json& tree, std::vector<T>& out) {
  for (const auto& [name, options] : tree.members()) {
    out.emplace_back().name = name;
    if (auto done = edge::read_transport(options, out.back()); !done)
      return fail(std::move(done.error()).within("serversTransports." + name));
  }
  return {};
}

}  // namespace

std::vector<std::string> read_pem_files(Transports& transports) {
  std::vector<std::string> messages;
  for (edge::Transport& each : transports.http) read_pem_files(each, messages);
  for (edge::TcpTransport& each : transports.tcp) read_pem_files(each, messages);
  return messages;
}

Result<Transports> read_transports(const Json& tree) {
  const Json lower = edge::lower_keys(tree);
  Transports out;
  TRY(read_all(lower["http"]["serverstransports"], out.http));
  TRY(read_all(lower["tcp"]["serverstransports"], out.tcp));
  const auto messages = read_pem_files(out);
  if (!messages.empty()) return fail(Code::invalid, messages.front());
  return out;
}

}  // namespace berth::app
