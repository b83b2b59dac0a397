#include "job/journal.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/utf8.h"

namespace berth::job {
namespace {

using store::Row;
using store::Transaction;

constexpr std::size_t kMostText = 1000, kMostDifference = 64u << 10;
constexpr std::size_t kMostListed = 1000, kPage = 500;

constexpr std::string_view kColumns =
    "number, time, actor, name, origin, verb, subject, project, decision, difference, hash, begun";

constexpr std::string_view kOpen =
    "decision = 'begun' AND NOT EXISTS (SELECT 1 FROM audit AS outcome WHERE outcome.begun = audit.number)";

constexpr std::array<std::pair<Decision, std::string_view>, 5> kDecisions{{{Decision::allowed, "allowed"},
                                                                           {Decision::denied, "denied"},
                                                                           {Decision::failed, "failed"},
                                                                           {Decision::begun, "begun"},
                                                                           {Decision::interrupted, "interrupted"}}};

std::string keepable(std::string_view text) {
  std::string out = clean_utf8(text);
  std::ranges::replace(out, '\0', ' ');
  if (out.size() <= kMostText) return out;
  std::size_t end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;  // not within a character
  return out.substr(0, end);
}

// Through its text, so that what is hashed is what is read back.
Json keepable_json(const Json& difference) {
  const std::string text = difference.canonical();
  if (text.size() > kMostDifference) return Json::object({{"omitted", "bytes"}, {"bytes", text.size()}});
  auto read = parse_json(text);
  return read ? std::move(*read) : Json::object({{"omitted", "not readable"}});
}

std::string link(std::string_view before, const Entry& entry) {
  Json json = to_json(entry);
  json.erase("hash");
  return sha256_hex(std::string(before) + "\n" + json.canonical());
}

/// Nothing for a row that append() did not write.
std::optional<Entry> read_entry(const Row& row) {
  const auto decision = parse_decision(row.text(8));
  const std::string text = row.text(9);
  auto difference = parse_json(text);
  if (!decision || !difference || difference->canonical() != text) return {};
  return Entry{.number = row.integer(0),
               .time = row.integer(1),
               .actor = row.text(2),
               .name = row.text(3),
               .from = row.text(4),
               .verb = row.text(5),
               .subject = row.text(6),
               .project = row.text(7),
               .decision = *decision,
               .difference = std::move(*difference),
               .begun = row.integer(11),
               .hash = row.text(10)};
}

Result<std::vector<Entry>> read_entries(const store::Rows& rows) {
  std::vector<Entry> out;
  for (const Row& row : rows) {
    auto entry = read_entry(row);
    if (!entry)
      return fail(Code::internal, "audit: entry " + std::to_string(row.integer(0)) +
                                      " was changed from outside: `berth audit verify` says more");
    out.push_back(std::move(*entry));
  }
  return out;
}

Result<store::Rows> rows_after(Transaction& transaction, std::int64_t after, std::size_t limit) {
  return transaction.query("SELECT " + std::string(kColumns) + " FROM audit WHERE number > ? ORDER BY number LIMIT ?",
                           {after, static_cast<std::int64_t>(limit)});
}

/// The conditions of a filter and what they compare with.
struct Where {
  std::string sql = "number < ?";
  store::Values values;
  void equal(std::string_view column, const std::string& wanted) {
    if (wanted.empty()) return;
    sql += " AND " + std::string(column) + " = ?";
    values.emplace_back(wanted);
  }
};

Where where(const EntryFilter& filter) {
  Where out;
  out.values = {filter.before > 0 ? filter.before : INT64_MAX};
  out.sql += " AND (decision <> 'begun' OR " + std::string(kOpen) + ")";
  out.equal("actor", filter.actor);
  out.equal("subject", filter.subject);
  out.equal("project", filter.project);
  if (filter.decision) out.equal("decision", std::string(to_text(*filter.decision)));
  if (!filter.verb.ends_with('.')) {
    out.equal("verb", filter.verb);
    return out;
  }
  out.sql += " AND verb >= ? AND verb < ?";  // "container." up to "container/"
  out.values.emplace_back(filter.verb);
  out.values.emplace_back(filter.verb.substr(0, filter.verb.size() - 1) + '/');
  return out;
}

struct Chain {
  Verified state;
  bool broke(std::int64_t number, std::string why) {
    state.broken = number;
    state.why = std::move(why);
    return false;
  }
  bool take(const Row& row) {
    const std::int64_t expected = state.entries + 1;
    const auto entry = read_entry(row);
    if (row.integer(0) != expected) return broke(expected, "entry " + std::to_string(expected) + " is missing");
    if (!entry || link(state.head, *entry) != entry->hash)
      return broke(expected, "entry " + std::to_string(expected) + " or the one before it is not what was written");
    state.entries = expected;
    state.head = entry->hash;
    return true;
  }
};

}  // namespace

std::optional<Decision> parse_decision(std::string_view text) {
  const auto found = std::ranges::find(kDecisions, text, [](const auto& each) { return each.second; });
  return found == kDecisions.end() ? std::nullopt : std::optional(found->first);
}

std::string_view to_text(Decision decision) {
  return std::ranges::find(kDecisions, decision, [](const auto& each) { return each.first; })->second;
}

Json to_json(const Entry& entry) {
  Json json = Json::object({{"number", entry.number},
                            {"time", entry.time},
                            {"actor", entry.actor},
                            {"name", entry.name},
                            {"from", entry.from},
                            {"verb", entry.verb},
                            {"subject", entry.subject},
                            {"project", entry.project},
                            {"decision", to_text(entry.decision)},
                            {"difference", entry.difference},
                            {"hash", entry.hash}});
  if (entry.begun > 0) json.set("begun", entry.begun);  // older chains have entries without it
  return json;
}

Result<std::int64_t> append(Transaction& transaction, Entry entry) {
  const auto head =
      TRY(transaction.first("UPDATE audit_head SET number = number + 1 WHERE id = 1 RETURNING number, hash", {}));
  if (!head) return fail(Code::internal, "audit: the head of the chain is gone: restore a backup");
  for (std::string* text : {&entry.actor, &entry.name, &entry.from, &entry.verb, &entry.subject, &entry.project})
    *text = keepable(*text);
  entry.number = head->integer(0);
  entry.difference = keepable_json(entry.difference);
  entry.hash = link(head->text(1), entry);
  (void)TRY(transaction.run(
      "INSERT INTO audit (" + std::string(kColumns) + ", core) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {entry.number, entry.time, entry.actor, entry.name, entry.from, entry.verb, entry.subject, entry.project,
       std::string(to_text(entry.decision)), entry.difference.canonical(), entry.hash, entry.begun, entry.core}));
  (void)TRY(transaction.run("UPDATE audit_head SET hash = ? WHERE id = 1", {entry.hash}));
  return entry.number;
}

Result<std::int64_t> close_begun(Transaction& transaction, std::int64_t time, const std::string& core) {
  const std::string of = core.empty() ? "core >= ?" : "core = ?";
  const auto open = TRY(read_entries(TRY(transaction.query(
      "SELECT " + std::string(kColumns) + " FROM audit WHERE " + std::string(kOpen) + " AND " + of + " ORDER BY number",
      {core}))));
  for (Entry entry : open) {
    entry.begun = entry.number;
    entry.time = time;
    entry.decision = Decision::interrupted;
    entry.difference = Json::object({{"why", "core ended before the outcome was known"}});
    (void)TRY(append(transaction, std::move(entry)));
  }
  return static_cast<std::int64_t>(open.size());
}

Result<std::vector<Entry>> list(Transaction& transaction, const EntryFilter& filter) {
  Where conditions = where(filter);
  conditions.values.emplace_back(static_cast<std::int64_t>(std::min(filter.limit, kMostListed)));
  return read_entries(TRY(transaction.query(
      "SELECT " + std::string(kColumns) + " FROM audit WHERE " + conditions.sql + " ORDER BY number DESC LIMIT ?",
      conditions.values)));
}

Result<std::vector<Entry>> page(Transaction& transaction, std::int64_t after, std::size_t limit) {
  return read_entries(TRY(rows_after(transaction, after, std::min(limit, kMostListed))));
}

Result<Verified> verify(Transaction& transaction) {
  Chain chain;
  for (bool more = true; more;) {
    const auto rows = TRY(rows_after(transaction, chain.state.entries, kPage));
    more = rows.size() == kPage;
    for (const Row& row : rows)
      if (!chain.take(row)) return std::move(chain.state);
  }
  const auto head = TRY(transaction.first("SELECT number, hash FROM audit_head WHERE id = 1", {}));
  if (!head || head->integer(0) != chain.state.entries || head->text(1) != chain.state.head)
    (void)chain.broke(chain.state.entries + 1,
                      "entries were cut off after number " + std::to_string(chain.state.entries));
  return std::move(chain.state);
}

}  // namespace berth::job
