// `berth audit list|verify|export`: who did what, and whether the log is still the one that was written.
#include <charconv>
#include <cstdio>
#include <ctime>

#include "app/store_verb.h"
#include "app/verbs.h"
#include "cli/exit_status.h"
#include "job/journal.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth audit list [FLAGS]\n"
    "       berth audit verify [--head HASH] [FLAGS]\n"
    "       berth audit export [--after NUMBER] [FLAGS]\n\n"
    "The audit log has every change and every denied attempt. list shows the newest entries first. verify walks the "
    "whole\n"
    "chain of hashes: status 1 when an entry was changed or is missing. It prints the newest entry's hash; kept "
    "elsewhere\n"
    "and given back as --head, it also proves that nothing was cut off the end. export prints all entries, the oldest\n"
    "first, one JSON object a line: sha256 of the hash before, a newline and the object without \"hash\" (members "
    "sorted,\n"
    "no white space) is its hash.\n\n"
    "Flags:\n"
    "  --actor ID       of this user or token alone\n"
    "  --verb VERB      \"container.stop\"; \"container.\" means all that begin so\n"
    "  --subject TEXT   \"container:web-1\"\n"
    "  --project NAME   of this project alone\n"
    "  --decision WORD  allowed, denied, failed, begun (no outcome yet) or interrupted (core ended over it)\n"
    "  --limit N        list: how many entries (default 100, at most 1000)\n"
    "  --before NUMBER  list: entries before this number\n"
    "  --after NUMBER   export: entries after this number\n"
    "  --head HASH      verify: an entry with this hash must be there\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --store URL      the store itself (default: BERTH_STORE, else what berth serve used last in DIR)\n"
    "  --format FORMAT  table or json (default table); export is always JSON Lines\n";

struct Flags : StoreFlags {
  job::EntryFilter filter{};
  std::int64_t after = 0;
  std::string head{};
};

Result<std::int64_t> number_of(std::string_view flag, std::string_view text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number < 0)
    return fail(Code::invalid, std::string(flag) + ": \"" + std::string(text) + "\" is not a number");
  return number;
}

Result<job::Decision> decision_of(std::string_view text) {
  if (const auto decision = job::parse_decision(text)) return *decision;
  return fail(Code::invalid,
              "--decision: \"" + std::string(text) + "\" is none; write allowed, denied, failed, begun or interrupted");
}

/// Whether the word was one of the texts to look for.
bool take_text(Arguments& arguments, Flags& flags) {
  const std::pair<std::string_view, std::string*> texts[] = {{"--actor", &flags.filter.actor},
                                                             {"--verb", &flags.filter.verb},
                                                             {"--subject", &flags.filter.subject},
                                                             {"--project", &flags.filter.project},
                                                             {"--head", &flags.head}};
  for (const auto& [name, text] : texts) {
    auto value = arguments.value(name);
    if (!value) continue;
    *text = std::move(*value);
    return true;
  }
  return false;
}

Result<void> take(Arguments& arguments, Flags& flags) {
  if (take_text(arguments, flags)) return {};
  if (const auto limit = arguments.value("--limit")) {
    flags.filter.limit = static_cast<std::size_t>(TRY(number_of("--limit", *limit)));
  } else if (const auto before = arguments.value("--before")) {
    flags.filter.before = TRY(number_of("--before", *before));
  } else if (const auto after = arguments.value("--after")) {
    flags.after = TRY(number_of("--after", *after));
  } else if (const auto decision = arguments.value("--decision")) {
    flags.filter.decision = TRY(decision_of(*decision));
  } else {
    return take_store_flag(arguments, flags, "audit");
  }
  return {};
}

Result<Flags> parse(const std::vector<std::string>& words) {
  Flags flags;
  Arguments arguments(words);
  while (arguments.next()) TRY(take(arguments, flags));
  return flags;
}

std::string time_text(std::int64_t microseconds) {
  const std::time_t seconds = microseconds / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &parts);
  return text;
}

/// What others wrote may hold what moves a terminal.
std::string shown(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

void print(const job::Entry& entry, bool json) {
  if (json) {
    std::printf("%s\n", job::to_json(entry).dump().c_str());
    return;
  }
  std::printf("%6lld  %s  %-11s %-20s %-28s %-24s %s\n", static_cast<long long>(entry.number),
              time_text(entry.time).c_str(), std::string(job::to_text(entry.decision)).c_str(),
              shown(entry.name.empty() ? entry.actor : entry.name).c_str(), shown(entry.verb).c_str(),
              shown(entry.subject).c_str(), shown(entry.from).c_str());
}

io::Task<Result<int>> list(store::Database& database, const Flags& flags) {
  const auto entries = CO_TRY(co_await database.read<std::vector<job::Entry>>(
      [&flags](store::Transaction& t) { return job::list(t, flags.filter); }));
  if (!flags.json)
    std::printf("%6s  %-20s  %-11s %-20s %-28s %-24s %s\n", "NUMBER", "TIME", "DECISION", "WHO", "VERB", "SUBJECT",
                "FROM");
  for (const auto& entry : entries) print(entry, flags.json);
  co_return cli::kDone;
}

io::Task<Result<int>> export_all(store::Database& database, const Flags& flags) {
  for (std::int64_t after = flags.after;;) {
    const auto entries = CO_TRY(co_await database.read<std::vector<job::Entry>>(
        [after](store::Transaction& t) { return job::page(t, after, 500); }));
    if (entries.empty()) break;
    for (const auto& entry : entries) print(entry, true);
    after = entries.back().number;
  }
  co_return cli::kDone;
}

Result<job::Verified> check(store::Transaction& transaction, const std::string& head) {
  auto verified = TRY(job::verify(transaction));
  if (verified.broken != 0 || head.empty()) return verified;
  const auto found = TRY(transaction.first("SELECT number FROM audit WHERE hash = ?", {head}));
  if (found) return verified;
  verified.broken = verified.entries + 1;
  verified.why = "no entry has the hash of --head: the log was cut off or is another one";
  return verified;
}

io::Task<Result<int>> verify(store::Database& database, const Flags& flags) {
  const auto verified =
      CO_TRY(co_await database.read<job::Verified>([&flags](store::Transaction& t) { return check(t, flags.head); }));
  const bool whole = verified.broken == 0;
  if (flags.json)
    std::printf("%s\n", Json::object({{"whole", whole},
                                      {"entries", verified.entries},
                                      {"head", verified.head},
                                      {"broken", whole ? Json() : Json(verified.broken)},
                                      {"why", whole ? Json() : Json(verified.why)}})
                            .dump(2)
                            .c_str());
  else if (whole)
    std::printf("%lld entries are whole; head %s\n", static_cast<long long>(verified.entries), verified.head.c_str());
  else
    std::fprintf(stderr, "berth audit: %s; the %lld before it are whole\n", verified.why.c_str(),
                 static_cast<long long>(verified.entries));
  co_return whole ? cli::kDone : cli::kFailed;
}

using Run = io::Task<Result<int>> (*)(store::Database&, const Flags&);

io::Task<Result<int>> run_on(std::string where, Run run, const Flags& flags) {
  const auto database = CO_TRY(co_await open_store(std::move(where), false));
  co_return co_await run(*database, flags);
}

Result<int> run_on_store(Run run, const Flags& flags, const Environment& environment) {
  const std::string where = TRY(store_of(flags, environment));
  io::Loop loop;
  return loop.run(run_on(where, run, flags));
}

int misused(const std::string& why) {
  std::fprintf(stderr, "berth audit: %s\n", why.c_str());
  return cli::kBadUsage;
}

}  // namespace

int run_audit(const std::vector<std::string>& arguments, const Environment& environment) {
  const auto flags = parse(arguments);
  if (!flags) return misused(flags.error().message);
  if (flags->help || flags->words.empty()) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  const std::string& verb = flags->words[0];
  const Run run = verb == "list" ? list : verb == "verify" ? verify : verb == "export" ? export_all : nullptr;
  if (!run || flags->words.size() != 1)
    return misused("\"" + flags->words.back() + "\" is not known here; berth audit --help shows what is");
  const auto done = run_on_store(run, *flags, environment);
  return done ? *done : complain("audit", done.error());
}

}  // namespace berth::app
