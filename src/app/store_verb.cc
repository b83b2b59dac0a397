#include "app/store_verb.h"

#include <cstdio>

#include "cli/exit_status.h"

namespace berth::app {

Result<void> take_store_flag(Arguments& arguments, StoreFlags& flags, std::string_view verb) {
  const std::string word = arguments.word();
  if (word == "-h" || word == "--help") {
    flags.help = true;
  } else if (word == "-y" || word == "--yes") {
    flags.yes = true;
  } else if (auto data = arguments.value("--data")) {
    flags.data = std::move(*data);
  } else if (auto store = arguments.value("--store")) {
    flags.store = std::move(*store);
  } else if (const auto format = arguments.value("--format"); format && (*format == "json" || *format == "table")) {
    flags.json = *format == "json";
  } else if (!word.starts_with('-')) {
    flags.words.push_back(word);
  } else {
    return fail(Code::invalid,
                "\"" + word + "\" is not known here; berth " + std::string(verb) + " --help shows what is");
  }
  return {};
}

Result<std::string> store_of(const StoreFlags& flags, const Environment& environment) {
  std::string named = flags.store;
  const auto found = environment.find("BERTH_STORE");
  if (named.empty() && found != environment.end()) named = found->second;
  if (named == "sqlite") return flags.data + "/berth.db";
  return named.empty() ? store_of(flags.data) : Result<std::string>(named);
}

io::Task<Result<std::unique_ptr<store::Database>>> open_store(std::string where, bool migrate) {
  const auto steps = all_migrations();
  co_return co_await store::Database::open(std::move(where), {.migrations = steps, .readers = 1, .migrate = migrate});
}

int complain(std::string_view verb, const Error& error) {
  std::fprintf(stderr, "berth %s: %s\n", std::string(verb).c_str(), error.text().c_str());
  switch (error.code) {
    case Code::busy:
      return cli::kBusy;
    case Code::not_found:
      return cli::kNoFile;
    case Code::cancelled:
      return cli::kInterrupted;
    default:
      return cli::kFailed;
  }
}

}  // namespace berth::app
