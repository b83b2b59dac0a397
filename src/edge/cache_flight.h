// Replies on their way into the cache: who fetches what, and who waits for it. One table per loop.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "edge/cache_store.h"
#include "edge/reply_tap.h"
#include "edge/shared.h"

namespace berth::edge {

/// One request to a service that others wait for. Owned by all who have to do with it.
struct CacheFlight {
  enum class State {
    asking,     ///< no head yet
    arriving,   ///< `object` is there, its body grows
    done,       ///< `object` is complete
    passed,     ///< the reply is for its own client only: ask for yourselves, at once
    failed,     ///< no reply, or it broke off; `status` and `message` say what to answer
    abandoned,  ///< its client went away before a reply came: one of you takes over
  };
  State state = State::asking;
  std::string name;  ///< in the table: the key, and what Vary selects by as far as that is known
  std::string key;
  std::uint64_t hash = 0;
  CacheStore::Ticket ticket;
  CacheClaims::Claim claim{};  ///< while other loops wait for it
  std::shared_ptr<CacheObject> object{};
  std::size_t most = 0;  ///< bytes of a body that is kept
  int status = 502;
  std::string_view message{};
  bool windowed = false;                        ///< not kept any more: only what readers have not seen is in memory
  std::vector<const std::uint64_t*> readers{};  ///< positions in the body
  io::Event changed{}, progress{};              ///< for those who wait for it, and for the one who fills it

  void tell() {
    changed.set();
    changed.reset();
  }
};
using Flight = std::shared_ptr<CacheFlight>;

/// Thread: its loop's.
class CacheFlights {
 public:
  Flight find(const std::string& name) const;
  void add(const Flight& flight) { table_[flight->name] = flight; }
  /// If it is still the one in the table. Other loops need not wait for it any more.
  void remove(CacheFlight& flight);
  std::size_t size() const { return table_.size(); }

 private:
  std::unordered_map<std::string, Flight> table_;
};

/// Reads the rest of a reply into `flight->object` and keeps it; ends every wait for it. Over `most` bytes it goes on
/// for those who read already. `live` owns what `rest` views.
io::Task<void> fill_flight(Shared& shared, Flight flight, ReplyRest rest, std::shared_ptr<const Live> live);

/// A complete reply: into the store, out of the table.
void finish_flight(Shared& shared, CacheFlight& flight);
void fail_flight(Shared& shared, CacheFlight& flight, CacheFlight::State state);

}  // namespace berth::edge
