// Any bytes of a FastCGI application are refused or become an answer, which is the same however they arrive.
#include <cstddef>
#include <cstdint>

#include "edge/cgi_head.h"
#include "edge/fastcgi_record.h"

namespace {

using namespace berth::edge;

std::string told(std::string_view bytes, std::size_t step) {
  FastcgiDecoder decoder;
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    std::string_view input = bytes.substr(at, step);
    while (true) {
      const auto next = decoder.next(input);
      if (next.what == FastcgiDecoder::Step::need_more) break;
      if (next.what == FastcgiDecoder::Step::output) out.append(next.data);
      if (next.what == FastcgiDecoder::Step::end) return out + " end";
      if (next.what == FastcgiDecoder::Step::refused) return out + " refused";
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = told(bytes, size + 1);
  if (whole != told(bytes, 1) || whole.size() > size + 8) __builtin_trap();
  std::string text;
  berth::http::ResponseHead head;
  for (const std::string_view each : {bytes, std::string_view(whole)}) {
    const auto parsed = parse_cgi_head(each, text, head);
    if (parsed.state != berth::http::Parsed::State::complete) continue;
    const bool right = head.status >= 200 && head.status <= 599 && parsed.consumed <= each.size();
    if (!right || head.framing.chunked || head.fields.find("transfer-encoding")) __builtin_trap();
  }
  return 0;
}
