#include "edge/channel.h"

#include <array>

namespace berth::edge {
namespace {

constexpr std::array<std::string_view, 11> kKinds{"accepted",        "refused", "listening", "certificate_wanted",
                                                  "upstream_failed", "stopped", "leaving",   "left",
                                                  "answered",        "request", "crowded"};

}  // namespace

std::string encode_frame(std::string_view payload) {
  std::string frame;
  frame.reserve(payload.size() + 4);
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(payload.size() >> shift & 0xff);
  return frame.append(payload);
}

void FrameReader::feed(std::string_view bytes) {
  buffer_.append(bytes);
}

Result<std::optional<std::string>> FrameReader::next() {
  if (buffer_.size() < 4) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(buffer_[i]);
  if (size > max_frame) {
    return fail(Code::invalid, "a frame of " + std::to_string(size) + " bytes is longer than the limit");
  }
  if (buffer_.size() < size + 4) return std::nullopt;
  std::string payload = buffer_.substr(4, size);
  buffer_.erase(0, size + 4);
  return payload;
}

std::string encode_event(const EdgeEvent& event) {
  Json json = Json::object();
  json.set("event", kKinds[static_cast<std::size_t>(event.kind)]);
  if (event.version != 0) json.set("version", static_cast<std::int64_t>(event.version));
  if (!event.subject.empty()) json.set("subject", event.subject);
  if (!event.detail.empty()) json.set("detail", event.detail);
  return json.dump();
}

Result<EdgeEvent> decode_event(std::string_view payload) {
  const Json json = TRY(parse_json(payload, {.bytes = max_frame, .depth = 4}));
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (json["event"].text() != kKinds[i]) continue;
    return EdgeEvent{.kind = static_cast<EdgeEvent::Kind>(i),
                     .version = static_cast<std::uint64_t>(json["version"].integer()),
                     .subject = std::string(json["subject"].text()),
                     .detail = std::string(json["detail"].text())};
  }
  return fail(Code::invalid, "an event of the edge has no known kind");
}

}  // namespace berth::edge
