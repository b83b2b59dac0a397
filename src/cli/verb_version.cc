// version, and what docker asks a plugin.
#include "cli/verbs.h"
#include "cli/version.h"
#include "compose/vectors.h"

namespace berth::cli {

io::Task<Result<int>> verb_version(Session& session) {
  const auto& flags = session.options.show;
  if (flags.brief)
    session.console.print(std::string(kVersion) + "\n");
  else if (flags.format == "json")
    session.console.print(Json::object({{"version", kVersion}}).dump() + "\n");
  else
    session.console.print("berth version " + std::string(kVersion) + "\n");
  co_return kDone;
}

io::Task<Result<int>> verb_plugin_metadata(Session& session) {
  session.console.print(Json::object({{"SchemaVersion", "0.1.0"},
                                      {"Vendor", "berth"},
                                      {"Version", kVersion},
                                      {"ShortDescription", "Compose projects with berth"}})
                            .dump() +
                        "\n");
  co_return kDone;
}

io::Task<Result<int>> verb_compose_vectors(Session& session) {
  const auto request = CO_TRY(parse_json(CO_TRY(session.world.files.read("-"))));
  session.console.print(compose::vectors(request).dump() + "\n");
  co_return kDone;
}

}  // namespace berth::cli
