#include "app/holds.h"

#include <algorithm>

#include "base/json.h"
#include "base/units.h"

namespace berth::app {

std::string encode_holds(const Holds& holds) {
  Json json = Json::object();
  for (const auto& [service, hold] : holds) {
    json.set(service, Json::object({{"message", hold.message},
                                    {"most_ms", std::int64_t{hold.most.count()}},
                                    {"count", std::int64_t{hold.count}}}));
  }
  return json.dump(1) + "\n";
}

Result<Holds> decode_holds(std::string_view text) {
  const Json json = TRY(parse_json(text));
  if (!json.is_object()) return fail(Code::invalid, "what is held is not an object");
  Holds holds;
  for (const auto& [service, hold] : json.members()) {
    const auto most = std::max<std::int64_t>(hold["most_ms"].integer(), 0);
    const auto count = std::clamp<std::int64_t>(hold["count"].integer(), 0, 1'000'000);
    holds[service] = {.message = std::string(hold["message"].text()),
                      .most = std::chrono::milliseconds(most),
                      .count = static_cast<std::uint32_t>(count)};
  }
  return holds;
}

void apply_holds(const Holds& holds, std::vector<edge::Service>& services) {
  for (edge::Service& service : services) {
    const auto found = holds.find(service.name);
    if (found != holds.end()) service.hold = found->second;
  }
}

std::string text_of(const edge::Hold& hold) {
  if (!hold.message.empty()) return "stopped: " + hold.message;
  return "paused, requests wait up to " + format_duration(hold.most);
}

}  // namespace berth::app
