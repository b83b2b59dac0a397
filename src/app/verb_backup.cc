// `berth backup run|list|verify|remove` and `berth restore`: volumes as files in a folder, by hand.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "app/arguments.h"
#include "app/verbs.h"
#include "backup/volume.h"
#include "cli/exit_status.h"
#include "cli/usage.h"
#include "engine/dialer.h"
#include "io/file.h"
#include "io/process.h"
#include "io/scope.h"
#include "plan/lock.h"

namespace berth::app {
namespace {

constexpr std::string_view kBackupHelp =
    "Usage: berth backup run VOLUME --to FOLDER [FLAGS]\n"
    "       berth backup list FOLDER [--format table|json]\n"
    "       berth backup verify FILE\n"
    "       berth backup remove FILE... [-y]\n\n"
    "run copies a volume of the engine into FOLDER as VOLUME-TIME.tar.zst, with a description beside it that holds "
    "its\n"
    "SHA-256. No image is needed and no program runs in a container. verify reads a copy whole and compares its sum.\n"
    "berth restore puts one back. remove says what is lost, asks, and removes whole copies, nothing else.\n\n"
    "Flags:\n"
    "  --to FOLDER      where the copy goes; it must exist\n"
    "  --keep N         once the copy is made, older ones of the same volume in FOLDER go until N are there with it\n"
    "  --pause          running containers that use the volume stand still meanwhile\n"
    "  --stop           they are stopped meanwhile, and started again: what databases want\n"
    "  -y, --yes        remove: do not ask\n"
    "  --host ADDRESS   engine (default: as docker finds its own: DOCKER_HOST, contexts)\n"
    "  --format FORMAT  table or json (default table)\n";

constexpr std::string_view kRestoreHelp =
    "Usage: berth restore FILE [--to VOLUME] [FLAGS]\n\n"
    "Makes a new volume of a copy that berth backup wrote. The whole copy is read first; one that is damaged changes\n"
    "nothing. A volume that exists is never written to. Under its old name the volume gets its labels back, so that\n"
    "its project takes it up again.\n\n"
    "Flags:\n"
    "  --to VOLUME      name of the new volume (default: the one that it had)\n"
    "  --host ADDRESS   engine (default: as docker finds its own: DOCKER_HOST, contexts)\n"
    "  --format FORMAT  table or json (default table)\n";

struct Flags {
  std::vector<std::string> words{};
  std::string to{}, host{};
  backup::Meanwhile meanwhile = backup::Meanwhile::run;
  std::size_t keep = 0;
  bool json = false, help = false, yes = false;
};

Result<std::size_t> keep_of(const std::string& text) {
  std::size_t keep = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), keep);
  if (error == std::errc() && end == text.data() + text.size() && keep > 0) return keep;
  return fail(Code::invalid, "--keep: \"" + text + "\" is not a number of copies from 1 on");
}

Result<Flags> parse(const std::vector<std::string>& words, std::string_view verb) {
  Flags flags;
  Arguments arguments(words);
  while (arguments.next()) {
    const std::string& word = arguments.word();
    if (word == "-h" || word == "--help") {
      flags.help = true;
    } else if (word == "--pause" || word == "--stop") {
      flags.meanwhile = word == "--stop" ? backup::Meanwhile::stop : backup::Meanwhile::pause;
    } else if (word == "-y" || word == "--yes") {
      flags.yes = true;
    } else if (const auto keep = arguments.value("--keep")) {
      flags.keep = TRY(keep_of(*keep));
    } else if (auto to = arguments.value("--to")) {
      flags.to = std::move(*to);
    } else if (auto host = arguments.value("--host")) {
      flags.host = std::move(*host);
    } else if (const auto format = arguments.value("--format"); format && (*format == "json" || *format == "table")) {
      flags.json = *format == "json";
    } else if (!word.starts_with('-')) {
      flags.words.push_back(word);
    } else {
      return fail(Code::invalid,
                  "\"" + word + "\" is not known here; berth " + std::string(verb) + " --help shows what is");
    }
  }
  return flags;
}

std::string lookup(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

void note(const std::string& line) {
  std::fprintf(stderr, "%s\n", line.c_str());
}

std::string sizes(const backup::Stream& stream) {
  return cli::decimal_size(stream.bytes) + ", " + cli::decimal_size(stream.stored) + " compressed";
}

/// Ctrl-C ends the work; what it began is undone.
io::Task<void> until_signal(io::Signals& signals, io::Scope& scope) {
  if (co_await signals.next()) scope.cancel();
}

using Work = std::function<io::Task<Result<Json>>(engine::Client& client)>;

io::Task<Result<std::unique_ptr<engine::Client>>> connect(engine::Endpoint endpoint) {
  auto dialer = CO_TRY(engine::make_dialer(endpoint.address, endpoint.access));
  co_return co_await engine::Client::connect(std::move(endpoint.address), std::move(dialer));
}

io::Task<void> work_on(engine::Endpoint endpoint, const Work& work, io::Scope& scope, Result<Json>& result) {
  auto client = co_await connect(std::move(endpoint));
  result = client ? co_await work(**client) : Result<Json>(fail(client.error()));
  scope.cancel();
}

io::Task<Result<Json>> with_signals(engine::Endpoint endpoint, const Work& work, io::Signals& signals) {
  io::Scope scope(co_await io::here());
  Result<Json> result;
  scope.spawn(until_signal(signals, scope));
  scope.spawn(work_on(std::move(endpoint), work, scope, result));
  co_await scope.join();
  co_return result;
}

Result<Json> on_engine(const Flags& flags, const Environment& environment, const Work& work) {
  const auto endpoint = TRY(endpoint_of(flags.host, environment));
  io::Loop loop;
  const auto signals = TRY(io::Signals::open(loop, {SIGINT, SIGTERM}));
  return loop.run(with_signals(endpoint, work, *signals));
}

io::Task<Result<Json>> run_backup_on(engine::Client& client, backup::BackUpVolume what) {
  const auto made = CO_TRY(co_await backup::back_up(client, std::move(what), note));
  note("backed up " + made.volume + " (" + sizes(made.stream) + ")");
  Json gone = Json::array();
  for (const std::string& older : made.gone) {
    note("removed " + older);
    gone.push(older);
  }
  CO_TRY(backup::give_copy(made.file, kUsualAccount));
  co_return Json::object({{"file", made.file},
                          {"volume", made.volume},
                          {"bytes", made.stream.bytes},
                          {"stored", made.stream.stored},
                          {"sha256", made.stream.sha256},
                          {"removed", std::move(gone)}});
}

io::Task<Result<Json>> run_restore_on(engine::Client& client, backup::RestoreVolume what) {
  const auto made = CO_TRY(co_await backup::restore(client, std::move(what), note));
  note("restored " + made.volume + " (" + sizes(made.stream) + ")");
  co_return Json::object({{"volume", made.volume}, {"bytes", made.stream.bytes}, {"sha256", made.stream.sha256}});
}

Result<Json> run_copy(const Flags& flags, const Environment& environment) {
  TRY(io::list_folder(flags.to));
  backup::BackUpVolume what{.volume = flags.words[1],
                            .folder = flags.to,
                            .runtime = plan::runtime_folder(lookup(environment, "XDG_RUNTIME_DIR")),
                            .time = backup::time_text(std::time(nullptr)),
                            .meanwhile = flags.meanwhile,
                            .keep = flags.keep};
  return on_engine(flags, environment, [&](engine::Client& client) { return run_backup_on(client, what); });
}

Result<Json> list_copies(const Flags& flags) {
  backup::Copies copies = TRY(backup::list_copies(flags.words[1]));
  for (const std::string& why : copies.broken) note(why);
  Json out = Json::array();
  for (Json& row : copies.whole) out.push(std::move(row));
  return out;
}

Result<Json> verify_copy(const Flags& flags) {
  const auto stream = TRY(backup::verify(flags.words[1]));
  return Json::object({{"file", flags.words[1]}, {"bytes", stream.bytes}, {"sha256", stream.sha256}, {"whole", true}});
}

Result<void> agree(const std::vector<Json>& copies) {
  if (!io::is_terminal(STDIN_FILENO)) return fail(Code::denied, "nothing was removed: nobody can be asked; say --yes");
  for (const Json& copy : copies)
    note("volume " + std::string(copy["volume"].text()) + " as of " + std::string(copy["time"].text()) + " (" +
         cli::decimal_size(static_cast<std::uint64_t>(copy["bytes"].integer())) + ")");
  if (agreed(copies.size() == 1 ? "Remove this copy? [y/N] " : "Remove these copies? [y/N] ")) return {};
  return fail(Code::cancelled, "nothing was removed");
}

// All of them are looked at before the first goes.
Result<Json> remove_copies(const Flags& flags) {
  std::vector<Json> copies;
  for (std::size_t i = 1; i < flags.words.size(); ++i) copies.push_back(TRY(backup::load_copy(flags.words[i])));
  if (!flags.yes) TRY(agree(copies));
  Json gone = Json::array();
  for (std::size_t i = 1; i < flags.words.size(); ++i) {
    TRY(backup::remove_copy(flags.words[i]));
    note("removed " + flags.words[i]);
    gone.push(flags.words[i]);
  }
  return Json::object({{"removed", std::move(gone)}});
}

void print_copies(const Json& rows) {
  std::printf("%-28s %-17s %10s %10s  %s\n", "VOLUME", "TIME", "SIZE", "STORED", "FILE");
  for (const Json& row : rows.items())
    std::printf("%-28s %-17s %10s %10s  %s\n", std::string(row["volume"].text()).c_str(),
                std::string(row["time"].text()).c_str(),
                cli::decimal_size(static_cast<std::uint64_t>(row["bytes"].integer())).c_str(),
                cli::decimal_size(static_cast<std::uint64_t>(row["stored"].integer())).c_str(),
                std::string(row["file"].text()).c_str());
}

void print(const Json& result, bool json) {
  if (json) {
    std::printf("%s\n", result.dump(2).c_str());
  } else if (result.is_array()) {
    print_copies(result);
  } else if (result["removed"].is_array() && !result.contains("file")) {
    return;  // each was told of
  } else if (result["whole"].boolean()) {
    std::printf("%s is whole\n", std::string(result["file"].text()).c_str());
  } else {
    std::printf("%s\n", std::string(result[result.contains("file") ? "file" : "volume"].text()).c_str());
  }
}

int finish(std::string_view verb, const Flags& flags, const Result<Json>& result) {
  if (result) {
    print(*result, flags.json);
    return cli::kDone;
  }
  std::fprintf(stderr, "berth %s: %s\n", std::string(verb).c_str(), result.error().text().c_str());
  switch (result.error().code) {
    case Code::cancelled:
      return cli::kInterrupted;
    case Code::busy:
      return cli::kBusy;
    default:
      return cli::kFailed;
  }
}

int show(std::string_view text) {
  return std::fputs(std::string(text).c_str(), stdout) < 0;
}

int misused(std::string_view verb, const std::string& why) {
  std::fprintf(stderr, "berth %s: %s\n", std::string(verb).c_str(), why.c_str());
  return cli::kBadUsage;
}

}  // namespace

int run_backup(const std::vector<std::string>& arguments, const Environment& environment) {
  const auto flags = parse(arguments, "backup");
  if (!flags) return misused("backup", flags.error().message);
  if (flags->help || flags->words.empty()) return show(kBackupHelp);
  const std::string& verb = flags->words.front();
  const bool one = flags->words.size() == 2;
  if (verb == "run") {
    if (!one || flags->to.empty())
      return misused("backup", "say which and where to: berth backup run VOLUME --to FOLDER");
    return finish("backup", *flags, run_copy(*flags, environment));
  }
  if (verb == "list")
    return one ? finish("backup", *flags, list_copies(*flags))
               : misused("backup", "say where: berth backup list FOLDER");
  if (verb == "verify")
    return one ? finish("backup", *flags, verify_copy(*flags))
               : misused("backup", "say which: berth backup verify FILE");
  if (verb == "remove")
    return flags->words.size() > 1 ? finish("backup", *flags, remove_copies(*flags))
                                   : misused("backup", "say which: berth backup remove FILE...");
  return misused("backup", "\"" + verb + "\" is not known here; berth backup --help shows what is");
}

int run_restore(const std::vector<std::string>& arguments, const Environment& environment) {
  const auto flags = parse(arguments, "restore");
  if (!flags) return misused("restore", flags.error().message);
  if (flags->help) return show(kRestoreHelp);
  if (flags->words.size() != 1) return misused("restore", "say which: berth restore FILE [--to VOLUME]");
  backup::RestoreVolume what{.file = flags->words.front(),
                             .volume = flags->to,
                             .runtime = plan::runtime_folder(lookup(environment, "XDG_RUNTIME_DIR"))};
  return finish("restore", *flags,
                on_engine(*flags, environment, [&](engine::Client& client) { return run_restore_on(client, what); }));
}

}  // namespace berth::app
