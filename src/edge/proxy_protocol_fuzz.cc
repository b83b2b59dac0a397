// Any bytes: a header is the same however it arrives, is bounded, and what it says can be written and read again.
#include <cstddef>
#include <cstdint>

#include "edge/proxy_protocol.h"

namespace {

using namespace berth::edge;
using State = ProxyParsed::State;

void require(bool held) {
  if (!held) __builtin_trap();
}

void try_again(const ProxyHeader& header, const std::string& text) {
  ProxyHeader again;
  const ProxyParsed parsed = parse_proxy_header(text, again);
  require(parsed.state == State::complete && parsed.consumed == text.size());
  const bool same_family = header.source.ip.is_v4() == header.destination.ip.is_v4();
  require(same_family ? again == header : !again.known);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ProxyHeader header;
  const ProxyParsed whole = parse_proxy_header(bytes, header);
  if (whole.state == State::need_more) require(size < kMostProxyHeader);
  if (whole.state == State::refused) require(!whole.reason.empty() && !header.known);
  if (whole.state != State::complete) return 0;
  require(whole.consumed > 0 && whole.consumed <= size && whole.consumed <= kMostProxyHeader);
  for (std::size_t part = 0; part < whole.consumed; ++part) {
    ProxyHeader early;
    require(parse_proxy_header(bytes.substr(0, part), early).state == State::need_more);
  }
  ProxyHeader alone;
  require(parse_proxy_header(bytes.substr(0, whole.consumed), alone).consumed == whole.consumed && alone == header);
  try_again(header, encode_proxy_v1(header));
  try_again(header, encode_proxy_v2(header));
  return 0;
}
