#include "edge/snapshot_graft.h"

#include <algorithm>

#include "edge/keys.h"
#include "edge/snapshot_json.h"

namespace berth::edge {
namespace {

template <class T, class Member>
void replace(std::vector<T>& list, const std::vector<T>& with, Member member) {
  std::erase_if(list, [&](const T& old) { return std::ranges::find(with, old.*member, member) != with.end(); });
  list.insert(list.end(), with.begin(), with.end());
}

}  // namespace

Snapshot grafted(Snapshot base, const SnapshotGraft& graft) {
  replace(base.routes, graft.routes, &Route::name);
  replace(base.services, graft.services, &Service::name);
  replace(base.certificates, graft.certificates, &Certificate::hosts);
  base.version = graft.version;
  return base;
}

std::string encode_graft(const SnapshotGraft& graft) {
  return Json::object({{"format", kGraftFormat},
                       {"version", static_cast<std::int64_t>(graft.version)},
                       {"routes", encode_all(graft.routes)},
                       {"services", encode_all(graft.services)},
                       {"certificates", encode_all(graft.certificates)}})
      .dump();
}

Result<SnapshotGraft> decode_graft(const Json& json) {
  const std::int64_t version = json["version"].integer();
  if (version < 1) return fail(Code::invalid, "snapshot: what is added lacks its version");
  return SnapshotGraft{.version = static_cast<std::uint64_t>(version),
                       .routes = TRY(decode_all<Route>(json["routes"])),
                       .services = TRY(decode_all<Service>(json["services"])),
                       .certificates = TRY(decode_all<Certificate>(json["certificates"]))};
}

}  // namespace berth::edge
