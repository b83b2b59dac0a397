#include "edge/cache_claims.h"

#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace berth::edge {

struct CacheClaims::Table {
  std::mutex mutex;
  std::unordered_map<std::string, std::vector<Waker>> waiting;
};

CacheClaims::CacheClaims() : table_(std::make_shared<Table>()) {}

CacheClaims::Claim CacheClaims::take(const std::string& name, Waker waker) {
  const std::scoped_lock lock(table_->mutex);
  const auto [place, is_new] = table_->waiting.try_emplace(name);
  if (is_new) return {table_, name};
  if (waker) place->second.push_back(std::move(waker));
  return {};
}

void CacheClaims::Claim::drop() {
  const std::shared_ptr<Table> table = std::exchange(table_, nullptr);
  if (!table) return;
  std::vector<Waker> waiting;
  {
    const std::scoped_lock lock(table->mutex);
    const auto place = table->waiting.find(name_);
    waiting.swap(place->second);
    table->waiting.erase(place);
  }
  for (const Waker& wake : waiting) wake();
}

}  // namespace berth::edge
