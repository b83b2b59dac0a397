#include "edge/view_command.h"

#include <algorithm>

#include "base/json.h"

namespace berth::edge {
namespace {

constexpr std::string_view kBegin = R"({"command":"view",)";
constexpr std::array<std::string_view, 3> kWhats{"metrics", "requests", "follow"};

}  // namespace

std::string encode_command(const ViewCommand& command) {
  return Json::object({{"command", "view"},
                       {"id", static_cast<std::int64_t>(command.id)},
                       {"what", kWhats[static_cast<std::size_t>(command.what)]}})
      .dump();
}

bool is_view_command(std::string_view payload) {
  return payload.starts_with(kBegin);
}

Result<ViewCommand> decode_view_command(std::string_view payload) {
  const Json json = TRY(parse_json(payload));
  const auto found = std::ranges::find(kWhats, json["what"].text());
  if (found == kWhats.end()) return fail(Code::invalid, "the edge does not know what to show");
  return ViewCommand{.id = static_cast<std::uint64_t>(json["id"].integer()),
                     .what = static_cast<ViewCommand::What>(found - kWhats.begin())};
}

}  // namespace berth::edge
