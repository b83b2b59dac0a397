#include "api/project_drift.h"

#include "plan/tree.h"

namespace berth::api {
namespace {

constexpr std::int64_t kOld = 60'000;   // milliseconds
constexpr std::int64_t kAgain = 5'000;  // between two looks, whatever moved
constexpr std::size_t kMostKept = 2000;

std::string_view list_of(plan::Deed deed) {
  using enum plan::Deed;
  if (deed == recreate || deed == change || deed == restart) return "changed";
  if (deed == create) return "missing";
  return deed == remove ? "extra" : "";
}

}  // namespace

compose::UpOptions drift_options() {
  return {.remove_orphans = true, .rolling = false};
}

Json drift_of(const compose::Planned& planned) {
  Json lists = Json::object({{"changed", Json::array()}, {"missing", Json::array()}, {"extra", Json::array()}});
  std::int64_t count = 0;
  for (const auto& branch : plan::tree_of(planned.plan, planned.observed))
    for (const auto& leaf : branch.leaves) {
      const auto list = list_of(leaf.deed);
      if (list.empty()) continue;
      ++count;
      lists.slot(list).push(
          Json::object({{"service", branch.service}, {"object", leaf.object}, {"cause", leaf.cause}}));
    }
  lists.set("count", count);
  return lists;
}

Json DriftBook::shown(const Found& found) {
  if (found.at == 0 || found.drift.is_null()) return {};
  Json out = found.drift;
  out.set("at", found.at);
  return out;
}

bool DriftBook::old(const Found& found, std::string_view print) const {
  const auto age = options_.now() - found.tried;
  if (found.tried == 0 || age >= kOld) return true;
  return found.print != print && age >= kAgain;
}

void DriftBook::want(const std::string& name, Found& found, std::string_view print) {
  if (!old(found, print)) return;
  found.print = print;
  if (std::exchange(found.wanted, true)) return;
  wanted_.push_back(name);
  asked_.set();
}

Json DriftBook::of(const std::string& name, std::string_view print) {
  if (found_.size() >= kMostKept && !found_.contains(name)) return {};
  Found& found = found_[name];
  want(name, found, print);
  return shown(found);
}

io::Task<Json> DriftBook::settled(std::string name, std::string print) {
  if (const auto at = found_.find(name); at != found_.end() && at->second.at != 0) co_return of(name, print);
  if (found_.size() >= kMostKept) co_return Json();
  found_[name].print = std::move(print);
  static_cast<void>(co_await look(name));  // who asked is told
  co_return shown(found_[name]);
}

void DriftBook::touch(const std::string& name) {
  if (const auto at = found_.find(name); at != found_.end()) at->second.tried = 0;
}

io::Task<bool> DriftBook::look(std::string name) {
  found_[name].tried = options_.now();
  auto drift = co_await options_.look(name);
  if (!drift) co_return false;
  Found& found = found_[name];
  const bool other = found.drift != *drift;
  found.drift = std::move(*drift);
  found.at = options_.now();
  co_return other;
}

io::Task<void> DriftBook::run() {
  while (co_await asked_.wait()) {
    if (wanted_.empty()) {
      asked_.reset();
      continue;
    }
    const auto name = std::move(wanted_.front());
    wanted_.pop_front();
    found_[name].wanted = false;
    if (co_await look(name) && options_.changed) options_.changed(name);
  }
}

}  // namespace berth::api
