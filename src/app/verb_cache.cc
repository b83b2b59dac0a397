#include <cstdio>

#include "app/arguments.h"
#include "app/verbs.h"
#include "base/text.h"
#include "cli/exit_status.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth cache purge URL [FLAGS]\n"
    "       berth cache purge --prefix URL | --tag TAG | --all [FLAGS]\n"
    "       berth cache stats [FLAGS]\n\n"
    "Takes stored replies out of the edge's cache, or shows what is in it. A URL without https:// or http:// is meant\n"
    "for both.\n\n"
    "Flags:\n"
    "  --prefix URL     everything below this URL\n"
    "  --tag TAG        every reply that came with this tag (label berth.cache.tags-header; Cache-Tag)\n"
    "  --all            everything\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --format FORMAT  table or json (default table)\n";

struct CacheFlags {
  std::string verb{};
  plan::ControlRequest request{.what = plan::ControlRequest::What::cache};
  std::string data = "/var/lib/berth";
  bool help = false, json = false;
};

Result<void> set_purge(CacheFlags& flags, std::string by, std::string text) {
  if (!flags.request.by.empty()) return fail(Code::invalid, "one purge at a time: a URL, --prefix, --tag or --all");
  flags.request.by = std::move(by);
  flags.request.text = std::move(text);
  return {};
}

Result<void> take(Arguments& arguments, CacheFlags& flags) {
  for (const std::string_view by : {"prefix", "tag"}) {
    if (auto value = arguments.value("--" + std::string(by))) return set_purge(flags, std::string(by), *value);
  }
  if (arguments.word() == "--all") return set_purge(flags, "all", "");
  if (arguments.word() == "-h" || arguments.word() == "--help") {
    flags.help = true;
  } else if (auto data = arguments.value("--data")) {
    flags.data = *data;
  } else if (const auto format = arguments.value("--format"); format && (*format == "json" || *format == "table")) {
    flags.json = *format == "json";
  } else if (arguments.word().starts_with('-')) {
    return fail(Code::invalid, "\"" + arguments.word() + "\" is not known here; berth cache --help shows what is");
  } else if (flags.verb.empty()) {
    flags.verb = arguments.word();
  } else {
    return set_purge(flags, "url", arguments.word());
  }
  return {};
}

Result<CacheFlags> parse(const std::vector<std::string>& words) {
  CacheFlags flags;
  Arguments arguments(words);
  while (arguments.next()) TRY(take(arguments, flags));
  if (flags.help) return flags;
  if (flags.verb != "purge" && flags.verb != "stats")
    return fail(Code::invalid, "say what: berth cache purge or berth cache stats");
  if (flags.verb == "purge" && flags.request.by.empty())
    return fail(Code::invalid, "berth cache purge needs a URL, --prefix, --tag or --all");
  if (flags.verb == "stats" && !flags.request.by.empty())
    return fail(Code::invalid, "berth cache stats takes no URL and no purge flag");
  return flags;
}

void print_table(const Json& reply) {
  for (const auto& [name, value] : reply.members())
    std::printf("%-12s %ld\n", name.c_str(), static_cast<long>(value.integer()));
}

int complain(const Error& error, int status) {
  std::fprintf(stderr, "berth cache: %s\n", error.text().c_str());
  return status;
}

}  // namespace

int run_cache(const std::vector<std::string>& arguments, const Environment& environment) {
  const auto flags = parse(arguments);
  if (!flags) return complain(flags.error(), cli::kBadUsage);
  if (flags->help) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  const auto reply = ask_serve(flags->request, flags->data, environment, std::chrono::seconds(20));
  if (!reply) return complain(reply.error(), cli::kFailed);
  if (flags->json)
    std::printf("%s\n", reply->dump(2).c_str());
  else
    print_table(*reply);
  return cli::kDone;
}

}  // namespace berth::app
