// The reader of WebSocket frames: what it reads does not depend on how the bytes come, nothing follows the end, and no
// message is larger than its limit.
#include <cstdlib>
#include <vector>

#include "http/websocket.h"

namespace {

using namespace berth::http;

constexpr std::size_t kMost = 300;

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<WebSocketMessage> read(std::string_view text, std::size_t step) {
  WebSocketReader reader(kMost);
  std::vector<WebSocketMessage> out;
  for (std::size_t at = 0; at < text.size(); at += step) {
    reader.feed(text.substr(at, step));
    while (auto message = reader.next()) out.push_back(std::move(*message));
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto whole = read(text, text.size());
  require(whole == read(text, bytes[0] % 16 + 1u));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    require(whole[i].payload.size() <= kMost);
    const bool ends = whole[i].kind == WebSocketMessage::Kind::close || whole[i].kind == WebSocketMessage::Kind::broken;
    require(!ends || i + 1 == whole.size());
  }
  return 0;
}
