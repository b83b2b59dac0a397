#include "edge/snapshot_patch.h"

#include "edge/keys.h"
#include "edge/snapshot_json.h"
#include "edge/tcp_snapshot.h"

namespace berth::edge {
namespace {

constexpr int kPatchFormat = 2;

std::string_view name_of(const Route& route) {
  return route.name;
}
std::string_view name_of(const Service& service) {
  return service.name;
}
std::string_view name_of(const Certificate& certificate) {
  return certificate.chain;
}
std::string_view name_of(const TlsOptions& options) {
  return options.name;
}
std::string_view name_of(const HttpChallenge& challenge) {
  return challenge.token;
}

/// Calls `visit(name, member of Snapshot, member of SnapshotPatch)` for each list: one table for all directions.
template <class Visit>
void for_each_list(Visit visit) {
  visit("routes", &Snapshot::routes, &SnapshotPatch::routes);
  visit("services", &Snapshot::services, &SnapshotPatch::services);
  visit("certificates", &Snapshot::certificates, &SnapshotPatch::certificates);
  visit("tls_options", &Snapshot::tls_options, &SnapshotPatch::tls_options);
  visit("http_challenges", &Snapshot::http_challenges, &SnapshotPatch::http_challenges);
  visit("tls_challenges", &Snapshot::tls_challenges, &SnapshotPatch::tls_challenges);
}

template <class T>
Json encode_splices(const Splices<T>& splices) {
  Json json = Json::array();
  for (const Splice<T>& each : splices)
    json.push(Json::object({{"at", static_cast<std::int64_t>(each.at)},
                            {"drop", static_cast<std::int64_t>(each.drop)},
                            {"put", encode_all(each.put)}}));
  return json;
}

template <class T>
Result<void> decode_splices(const Json& json, Splices<T>& out) {
  for (const Json& each : json.items()) {
    const std::int64_t at = each["at"].integer(-1), drop = each["drop"].integer(-1);
    if (at < 0 || drop < 0) return fail(Code::invalid, "snapshot: a change lacks its place");
    out.push_back({static_cast<std::size_t>(at), static_cast<std::size_t>(drop), TRY(decode_all<T>(each["put"]))});
  }
  return {};
}

Result<SnapshotPatch> decode_patch(const Json& json) {
  const std::int64_t base = json["base"].integer(), version = json["version"].integer();
  if (base < 1 || version < 1) return fail(Code::invalid, "snapshot: a change lacks its base or version");
  SnapshotPatch patch{.base = static_cast<std::uint64_t>(base), .version = static_cast<std::uint64_t>(version)};
  if (json.contains("settings")) patch.settings = TRY(decode_item<Settings>(json["settings"]));
  if (json.contains("tcp")) patch.tcp = TRY(decode_tcp(json["tcp"]));
  if (json.contains("transports")) patch.transports = TRY(decode_transports<Transport>(json["transports"]));
  Result<void> result;
  for_each_list([&](std::string_view name, auto, auto member) {
    if (result) result = decode_splices(json[name], patch.*member);
  });
  TRY(std::move(result));
  return patch;
}

}  // namespace

bool SnapshotPatch::is_empty() const {
  return *this == SnapshotPatch{.base = base, .version = version};
}

SnapshotPatch patch_between(const Snapshot& base, const Snapshot& next) {
  SnapshotPatch patch{.base = base.version, .version = next.version};
  if (next.settings != base.settings) patch.settings = next.settings;
  if (next.tcp != base.tcp) patch.tcp = next.tcp;
  if (next.transports != base.transports) patch.transports = next.transports;
  for_each_list([&](std::string_view, auto list, auto splices) {
    patch.*splices = splices_between(base.*list, next.*list, [](const auto& item) { return name_of(item); });
  });
  return patch;
}

Result<Snapshot> patched(Snapshot base, SnapshotPatch patch) {
  if (patch.base != base.version)
    return fail(Code::conflict, "snapshot: a change of version " + std::to_string(patch.base) + " came, and " +
                                    std::to_string(base.version) + " is in use");
  Result<void> result;
  for_each_list([&](std::string_view, auto list, auto splices) {
    if (!result) return;
    auto made = spliced(std::move(base.*list), std::move(patch.*splices),
                        [](auto item) -> Result<decltype(item)> { return item; });
    if (made)
      base.*list = std::move(*made);
    else
      result = fail(std::move(made.error()));
  });
  TRY(std::move(result));
  if (patch.settings) base.settings = std::move(*patch.settings);
  if (patch.tcp) base.tcp = std::move(*patch.tcp);
  if (patch.transports) base.transports = std::move(*patch.transports);
  base.version = patch.version;
  return base;
}

std::string encode_patch(const SnapshotPatch& patch) {
  Json json = Json::object({{"format", kPatchFormat},
                            {"version", static_cast<std::int64_t>(patch.version)},
                            {"base", static_cast<std::int64_t>(patch.base)}});
  if (patch.settings) json.set("settings", encode_item(*patch.settings));
  for_each_list([&](std::string_view name, auto, auto splices) {
    if (!(patch.*splices).empty()) json.set(name, encode_splices(patch.*splices));
  });
  if (patch.tcp) json.set("tcp", encode_tcp(*patch.tcp));
  if (patch.transports) json.set("transports", encode_transports(*patch.transports));
  return json.dump();
}

Result<SnapshotUpdate> decode_update(std::string_view bytes) {
  const Json json = TRY(parse_json(bytes));
  if (json["format"].integer() == kPatchFormat) return TRY(decode_patch(json));
  if (json["format"].integer() == kGraftFormat) return TRY(decode_graft(json));
  return TRY(read_snapshot(json));
}

}  // namespace berth::edge
