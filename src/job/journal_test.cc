#include "job/journal.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "testing/stores.h"

namespace berth::job {
namespace {

using store::Transaction;

Entry deed(int number) {
  return {.time = 1'700'000'000'000'000 + number,
          .actor = number % 3 == 0 ? "user_A" : "user_B",
          .name = "Ada",
          .from = "192.0.2.7",
          .verb = number % 2 == 0 ? "container.stop" : "project.apply",
          .subject = "container:web-" + std::to_string(number),
          .project = "shop",
          .decision = number % 5 == 0 ? Decision::denied : Decision::allowed,
          .difference = Json::object({{"old", number}, {"new", Json::array({1.5, "h\u00e4user", nullptr})}})};
}

struct Journals : berth::testing::StoreTest {
  std::unique_ptr<store::Database> database = std::move(*open(migrations()));

  Result<std::int64_t> add(int from, int to) {
    return write<std::int64_t>(*database, [=](Transaction& t) -> Result<std::int64_t> {
      std::int64_t last = 0;
      for (int number = from; number <= to; ++number) last = TRY(append(t, deed(number)));
      return last;
    });
  }
  Verified check() {
    auto verified = read<Verified>(*database, [](Transaction& t) { return verify(t); });
    EXPECT_TRUE(verified) << verified.error().text();
    return verified.value_or(Verified{});
  }
  std::vector<Entry> listed(const EntryFilter& filter) {
    auto entries = read<std::vector<Entry>>(*database, [=](Transaction& t) { return list(t, filter); });
    EXPECT_TRUE(entries) << entries.error().text();
    return entries.value_or(std::vector<Entry>{});
  }
};
INSTANTIATE_TEST_SUITE_P(Each, Journals, berth::testing::stores(), berth::testing::store_name);

TEST_P(Journals, KeepsAChainThatOthersCanCheckToo) {
  EXPECT_EQ(check().entries, 0);
  ASSERT_EQ(*add(1, 3), 3);
  const auto verified = check();
  EXPECT_EQ(verified.entries, 3);
  EXPECT_EQ(verified.broken, 0);
  auto entries = listed({});
  ASSERT_EQ(entries.size(), 3u);
  std::string before;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    Json json = to_json(*entry);
    json.erase("hash");
    EXPECT_EQ(sha256_hex(before + "\n" + json.canonical()), entry->hash);
    before = entry->hash;
  }
  EXPECT_EQ(before, verified.head);
  const Json wanted = deed(3).difference;
  EXPECT_EQ(entries[0].difference, wanted);
}

TEST_P(Journals, HasNoEntryOfAChangeThatWasRolledBack) {
  const auto undone = write<std::int64_t>(*database, [](Transaction& t) -> Result<std::int64_t> {
    (void)TRY(append(t, deed(1)));
    return fail(Code::conflict, "no");
  });
  EXPECT_FALSE(undone);
  EXPECT_EQ(*add(1, 1), 1);
  EXPECT_EQ(check().entries, 1);
}

TEST_P(Journals, FindsOneFlippedByteInAThousandEntries) {
  ASSERT_EQ(*add(1, 1000), 1000);
  EXPECT_EQ(check().broken, 0);
  // Every column, at entries of the first, a middle and the last page.
  struct Flip {
    int entry;
    std::string column, sql;
  };
  std::vector<Flip> flips{{1, "time", "time + 1"}, {999, "difference", "replace(difference, 'old', 'olc')"}};
  int entry = 1;
  for (const char* column : {"actor", "name", "origin", "verb", "subject", "project", "hash"})
    flips.push_back({entry += 142, column, "'X' || substr(" + std::string(column) + ", 2)"});
  flips.push_back({1000, "decision", "'failed'"});
  for (const Flip& flip : flips) {
    const std::string which = " WHERE number = " + std::to_string(flip.entry);
    const auto old = ask(*database, "SELECT " + flip.column + " FROM audit" + which);
    ASSERT_EQ(*change(*database, "UPDATE audit SET " + flip.column + " = " + flip.sql + which), 1);
    const auto found = check();
    EXPECT_EQ(found.broken, flip.entry) << flip.column;
    EXPECT_EQ(found.entries, flip.entry - 1) << flip.column;
    EXPECT_FALSE(found.why.empty());
    const store::Value back = flip.column == "time" ? store::Value(old->front().integer(0)) : old->front().text(0);
    ASSERT_EQ(*change(*database, "UPDATE audit SET " + flip.column + " = ?" + which, {back}), 1);
  }
  EXPECT_EQ(check().broken, 0);
}

TEST_P(Journals, FindsWhatIsMissing) {
  ASSERT_TRUE(add(1, 10));
  ASSERT_TRUE(change(*database, "DELETE FROM audit WHERE number = 10"));
  EXPECT_EQ(check().broken, 10);
  ASSERT_TRUE(change(*database, "DELETE FROM audit WHERE number = 4"));
  EXPECT_EQ(check().broken, 4);
  ASSERT_TRUE(change(*database, "DELETE FROM audit"));
  EXPECT_EQ(check().broken, 1);
}

TEST_P(Journals, ListsByWhatIsAsked) {
  ASSERT_TRUE(add(1, 30));
  EXPECT_EQ(listed({.limit = 7}).size(), 7u);
  EXPECT_EQ(listed({.before = 11, .limit = 1}).front().number, 10);
  EXPECT_EQ(listed({.actor = "user_A"}).size(), 10u);
  EXPECT_EQ(listed({.verb = "container.stop"}).size(), 15u);
  EXPECT_EQ(listed({.verb = "container."}).size(), 15u);
  EXPECT_EQ(listed({.verb = "contain."}).size(), 0u);
  EXPECT_EQ(listed({.subject = "container:web-9"}).size(), 1u);
  EXPECT_EQ(listed({.project = "other"}).size(), 0u);
  EXPECT_EQ(listed({.decision = Decision::denied}).size(), 6u);
  EXPECT_EQ(listed({.actor = "user_A", .verb = "container.", .decision = Decision::denied}).size(), 1u);
}

TEST_P(Journals, TakesWhatAnAttackerNames) {
  const auto done = write<std::int64_t>(*database, [](Transaction& t) -> Result<std::int64_t> {
    Entry entry = deed(1);
    entry.subject = std::string("a\0b\xff", 4) + std::string(5000, 'x');
    entry.name = std::string(999, 'y') + "\u20ac";
    entry.difference = Json::object({{"path", std::string("\xfe\0", 2)}, {"many", 1.0}});
    (void)TRY(append(t, entry));
    entry.difference = Json(std::string(100'000, 'z'));
    return append(t, entry);
  });
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(check().broken, 0);
  const auto entries = listed({});
  EXPECT_EQ(entries[0].difference["bytes"].integer(), 100'002);
  EXPECT_EQ(entries[0].subject.substr(0, 6), "a b\uFFFD");
  EXPECT_EQ(entries[0].subject.size(), 1000u);
  EXPECT_EQ(entries[0].name, std::string(999, 'y'));
  EXPECT_EQ(entries[1].difference["path"].text(), std::string_view("\uFFFD\0", 4));
}

io::Task<void> append_alone(store::Database& database, int count, int& kept) {
  for (int i = 0; i < count; ++i) {
    auto done = co_await database.write<std::int64_t>([i](Transaction& t) { return append(t, deed(i)); });
    kept += done ? 1 : 0;
  }
}
io::Task<void> append_from_both(store::Database& first, store::Database& second, int count, int& kept) {
  io::Scope scope(co_await io::here());
  scope.spawn(append_alone(first, count, kept));
  scope.spawn(append_alone(second, count, kept));
  co_await scope.join();
}

TEST_P(Journals, IsOneChainOfTwoCores) {
  auto other = open(migrations());
  ASSERT_TRUE(other) << other.error().text();
  int kept = 0;
  loop.run(append_from_both(*database, **other, 25, kept));
  EXPECT_EQ(kept, 50);
  const auto verified = check();
  EXPECT_EQ(verified.entries, 50);
  EXPECT_EQ(verified.broken, 0) << verified.why;
}

TEST_P(Journals, ClosesWhatOneCoreBegan) {
  for (const char* core : {"core_a", "core_b", "core_a"}) {
    Entry begun = deed(1);
    begun.decision = Decision::begun;
    begun.core = core;
    ASSERT_TRUE(write<std::int64_t>(*database, [&](Transaction& t) { return append(t, begun); }));
  }
  const auto close = [&](const std::string& core) {
    return write<std::int64_t>(*database, [&](Transaction& t) { return close_begun(t, 7, core); }).value_or(-1);
  };
  EXPECT_EQ(close("core_c"), 0);
  EXPECT_EQ(close("core_a"), 2);
  const auto left = listed({.decision = Decision::begun});
  ASSERT_EQ(left.size(), 1);
  EXPECT_EQ(left[0].number, 2);
  EXPECT_EQ(close(""), 1);
  EXPECT_EQ(check().broken, 0) << check().why;
}

TEST_P(Journals, ShowsWhatWasBegunUntilItHasAnOutcome) {
  Entry begun = deed(1), outcome = deed(1), other = deed(2);
  begun.decision = other.decision = Decision::begun;
  outcome.begun = 1;
  const auto keep = [&](const Entry& entry) {
    ASSERT_TRUE(write<std::int64_t>(*database, [&](Transaction& t) { return append(t, entry); }));
  };
  keep(begun);
  keep(other);
  const auto shown = [&](const EntryFilter& filter) {
    std::string out;
    for (const Entry& entry : listed(filter))
      out += std::to_string(entry.number) + std::string(to_text(entry.decision)) + " ";
    return out;
  };
  EXPECT_EQ(shown({}), "2begun 1begun ");
  keep(outcome);
  EXPECT_EQ(shown({}), "3allowed 2begun ");
  EXPECT_EQ(shown({.decision = Decision::begun}), "2begun ");
  EXPECT_EQ(listed({})[0].begun, 1);
  const auto close = [&] {
    return write<std::int64_t>(*database, [](Transaction& t) { return close_begun(t, 7); }).value_or(-1);
  };
  EXPECT_EQ(close(), 1);
  EXPECT_EQ(close(), 0) << "once";
  EXPECT_EQ(shown({}), "4interrupted 3allowed ");
  const Entry closed = listed({})[0];
  EXPECT_EQ(closed.begun, 2);
  EXPECT_EQ(closed.time, 7);
  EXPECT_EQ(closed.subject, other.subject);
  const auto verified = check();
  EXPECT_EQ(verified.entries, 4);
  EXPECT_EQ(verified.broken, 0);
}

}  // namespace
}  // namespace berth::job
