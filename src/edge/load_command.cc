#include "edge/load_command.h"

#include "base/json.h"

namespace berth::edge {
namespace {

constexpr std::string_view kBegin = R"({"command":"load")";

Json list(const std::vector<std::string>& texts) {
  Json json = Json::array();
  for (const std::string& text : texts) json.push(text);
  return json;
}

std::vector<std::string> list(const Json& json) {
  std::vector<std::string> texts;
  for (const Json& item : json.items()) texts.emplace_back(item.text());
  return texts;
}

}  // namespace

Load& Load::operator+=(const Load& other) {
  running += other.running;
  lasting += other.lasting;
  held += other.held;
  return *this;
}

std::string encode_load(const Load& load) {
  return Json::object({{"running", static_cast<std::int64_t>(load.running)},
                       {"lasting", static_cast<std::int64_t>(load.lasting)},
                       {"held", static_cast<std::int64_t>(load.held)}})
      .dump();
}

Load decode_load(std::string_view text) {
  const auto json = parse_json(text);
  if (!json) return {};
  const auto number = [&](std::string_view name) {
    return static_cast<std::size_t>(std::max<std::int64_t>(json->at(name).integer(), 0));
  };
  return {.running = number("running"), .lasting = number("lasting"), .held = number("held")};
}

std::string encode_command(const LoadCommand& command) {
  return Json::object({{"command", "load"},
                       {"id", static_cast<std::int64_t>(command.id)},
                       {"upstreams", list(command.upstreams)},
                       {"services", list(command.services)},
                       {"cut", command.cut}})
      .dump();
}

bool is_load_command(std::string_view payload) {
  return payload.starts_with(kBegin);
}

Result<LoadCommand> decode_load_command(std::string_view payload) {
  const Json json = TRY(parse_json(payload, {.bytes = 1u << 20, .depth = 4}));
  return LoadCommand{.id = static_cast<std::uint64_t>(json["id"].integer()),
                     .upstreams = list(json["upstreams"]),
                     .services = list(json["services"]),
                     .cut = json["cut"].boolean()};
}

}  // namespace berth::edge
