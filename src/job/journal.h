// The audit log: every change and every denied attempt, append-only, each entry bound to the one before by a hash.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "store/database.h"

namespace berth::job {

/// A change over the API has two entries: `begun` before it is made, and its outcome. One that a killed core began has
/// `interrupted` as its outcome, which says that nobody knows how far it came.
enum class Decision { allowed, denied, failed, begun, interrupted };
std::string_view to_text(Decision decision);
std::optional<Decision> parse_decision(std::string_view text);

/// One deed. No field ever holds a secret: whoever records it redacts first. What is no UTF-8 in a text becomes U+FFFD,
/// a text beyond 1,000 bytes is cut, and a difference beyond 64 KiB is replaced by its size.
struct Entry {
  std::int64_t number = 0;  ///< 1, 2, 3, ... without a gap; set by append()
  std::int64_t time = 0;    ///< microseconds since 1970
  std::string actor{};      ///< "user_01H...", "local", "system"
  std::string name{};       ///< of the actor, for people
  std::string from{};       ///< address, "unix:uid=0"
  std::string verb{};       ///< "container.stop", "project.apply", "session.create"
  std::string subject{};    ///< "container:web-1", "project:shop"
  std::string project{};    ///< or ""
  Decision decision = Decision::allowed;
  Json difference{};       ///< what changed, or why it was denied
  std::int64_t begun = 0;  ///< number of the entry whose outcome this is; 0: of none
  std::string core{};      ///< of what is begun: who makes it, for close_begun(); no part of the chain, and not read
  std::string hash{};  ///< set by append(): SHA-256, hex, of the hash before it, "\n", and to_json() without "hash" as
                       ///< canonical JSON (members sorted, no white space); the first entry has "" before it
};

/// The tables of this room.
std::span<const store::Migration> migrations();

/// Within the transaction of the change itself, so that there is no change without its entry. The entry's number.
/// Entries of a store are one chain, also of two cores: whoever appends waits for the others' commits.
Result<std::int64_t> append(store::Transaction& transaction, Entry entry);

/// Outcomes `interrupted` for what `core` began, or any with "", and has none: only where that core is dead. How many.
Result<std::int64_t> close_begun(store::Transaction& transaction, std::int64_t time, const std::string& core = {});

struct EntryFilter {
  std::string actor{}, verb{}, subject{}, project{};  ///< equal, "" for any; verb also as a prefix "container."
  std::optional<Decision> decision{};
  std::int64_t before = 0;  ///< entries with a smaller number; 0: from the newest
  std::size_t limit = 100;  ///< at most 1000
};
/// The newest first. Of what has an outcome, the outcome alone.
Result<std::vector<Entry>> list(store::Transaction& transaction, const EntryFilter& filter);

struct Verified {
  std::int64_t entries = 0;
  std::string head{};       ///< hash of the newest, hex: kept elsewhere, it proves that nothing was cut off the end
  std::int64_t broken = 0;  ///< number of the first entry that does not fit; 0: none
  std::string why{};
};
/// Walks the whole chain in pages. What was cut off the end shows as well, unless its traces were removed too.
Result<Verified> verify(store::Transaction& transaction);

/// Entries after number `after`, oldest first, at most `limit`: to walk all of them.
Result<std::vector<Entry>> page(store::Transaction& transaction, std::int64_t after, std::size_t limit);

Json to_json(const Entry& entry);

}  // namespace berth::job
