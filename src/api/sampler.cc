#include "api/sampler.h"

#include <algorithm>

#include "io/file.h"

namespace berth::api {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kFine = 10'000, kCoarse = 300'000, kHour = 3'600'000, kDay = 24 * kHour, kWrite = 60'000;
constexpr std::size_t kMostContainers = 200, kLanes = 8, kMostPending = 20'000;
constexpr auto kMostRound = std::chrono::seconds(6);
constexpr std::size_t kMostProc = 1u << 20;

// Adds up each five minutes that are over.
constexpr std::string_view kRollUp =
    "INSERT INTO figure (subject, step, at, cpu, memory, rx, tx) SELECT subject, 300000, at / 300000 * 300000, "
    "AVG(cpu), AVG(memory), AVG(rx), AVG(tx) FROM figure WHERE step = 10000 AND at >= ? AND at < ? "
    "GROUP BY subject, at / 300000 ON CONFLICT (subject, step, at) DO NOTHING";

Result<bool> forget_old(store::Transaction& transaction, std::int64_t now) {
  const std::int64_t over = now / kCoarse * kCoarse;
  static_cast<void>(TRY(transaction.run(kRollUp, {over - 2 * kCoarse, over})));
  static_cast<void>(
      TRY(transaction.run("DELETE FROM figure WHERE (step = 10000 AND at < ?) OR at < ?", {now - kHour, now - kDay})));
  return true;
}

Result<std::vector<Figures>> select(store::Transaction& transaction, const std::string& subject, std::int64_t step,
                                    std::int64_t since) {
  std::vector<Figures> out;
  const auto rows = TRY(transaction.query(
      "SELECT at, cpu, memory, rx, tx FROM figure WHERE subject = ? AND step = ? AND at >= ? ORDER BY at",
      {subject, step, since}));
  for (const store::Row& row : rows)
    out.push_back({.at = row.integer(0),
                   .cpu = row.number(1),
                   .memory = row.number(2),
                   .received = row.number(3),
                   .sent = row.number(4)});
  return out;
}

}  // namespace

io::Task<void> Sampler::run() {
  kept_ = options_.now();
  while (true) {
    // A little after the step's begin: two clocks tell the time.
    const auto pause = milliseconds(kFine - options_.now() % kFine + 20);
    if (!co_await io::sleep_for(pause)) break;
    co_await sample();
    if (options_.now() - kept_ < kWrite) continue;
    // What a store that is away refuses is kept for the next time.
    static_cast<void>(co_await keep());
  }
  static_cast<void>(co_await io::shielded(keep()));
}

void Sampler::sample_host() {
  const auto stat = io::read_front("/proc/stat", kMostProc), memory = io::read_front("/proc/meminfo", kMostProc),
             net = io::read_front("/proc/net/dev", kMostProc);
  if (stat && memory && net) take(std::string(kHost), host_counters(*stat, *memory, *net, options_.now() * 1'000'000));
}

io::Task<void> Sampler::sample() {
  sample_host();
  auto client = options_.desk.client();
  if (std::exchange(slow_, false) || !client) co_return;
  const auto containers = co_await options_.desk.containers();
  if (!containers) co_return;
  Round round{.client = std::move(*client)};
  for (const ContainerItem& item : **containers)
    if (item.state == "running" && round.ids.size() < kMostContainers) round.ids.push_back(item.id);
  co_await io::within(kMostRound, ask_all(round));
  slow_ = round.asked < round.ids.size();
  std::erase_if(last_, [&round](const auto& each) {
    return each.first != kHost && std::ranges::find(round.ids, each.first) == round.ids.end();
  });
}

io::Task<void> Sampler::ask_all(Round& round) {
  io::Scope scope(co_await io::here());
  for (std::size_t i = 0; i < std::min(kLanes, round.ids.size()); ++i) scope.spawn(lane(round));
  co_await scope.join();
}

io::Task<void> Sampler::lane(Round& round) {
  while (round.next < round.ids.size()) {
    const std::string& id = round.ids[round.next++];
    // One sample, without the second that the engine would wait for another one.
    const auto sample = co_await round.client->call(
        {.path = "/containers/" + id + "/stats", .query = {{"stream", "0"}, {"one-shot", "1"}}});
    if ((co_await io::here()).cancel->requested()) co_return;
    ++round.asked;
    if (sample) take(id, counters_of(*sample));
  }
}

void Sampler::take(const std::string& subject, const Counters& counters) {
  const auto [at, fresh] = last_.try_emplace(subject, counters);
  if (fresh) return;
  auto figures = figures_between(at->second, counters);
  at->second = counters;
  if (!figures) return;
  figures->at = options_.now() / kFine * kFine;
  if (pending_.size() >= kMostPending) pending_.erase(pending_.begin(), pending_.begin() + kMostPending / 2);
  pending_.push_back({.subject = subject, .figures = *figures});
}

io::Task<Result<void>> Sampler::keep() {
  const auto all = std::make_shared<const std::vector<Pending>>(pending_);
  const std::int64_t now = options_.now();
  const auto done = co_await options_.database.write<bool>([all, now](store::Transaction& transaction) -> Result<bool> {
    for (const auto& [subject, each] : *all)
      static_cast<void>(
          TRY(transaction.run("INSERT INTO figure (subject, step, at, cpu, memory, rx, tx) VALUES "
                              "(?, 10000, ?, ?, ?, ?, ?) ON CONFLICT (subject, step, at) DO NOTHING",
                              {subject, each.at, each.cpu, each.memory, each.received, each.sent})));
    return forget_old(transaction, now);
  });
  if (!done) co_return fail(done.error());
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(all->size()));
  kept_ = now;
  co_return Result<void>{};
}

io::Task<Result<Json>> Sampler::history(std::string subject, bool day) {
  const std::int64_t step = day ? kCoarse : kFine, since = options_.now() - (day ? kDay : kHour);
  auto figures = CO_TRY(co_await options_.database.read<std::vector<Figures>>(
      [&subject, step, since](store::Transaction& transaction) { return select(transaction, subject, step, since); }));
  for (const auto& [of, each] : pending_)
    if (!day && of == subject && (figures.empty() || figures.back().at < each.at)) figures.push_back(each);
  co_return history_json(figures, step);
}

}  // namespace berth::api
