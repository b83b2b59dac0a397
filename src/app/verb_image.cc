// `berth image prune`: unused images of projects go, by the API of the berth serve on this machine.
#include <unistd.h>

#include <cstdio>

#include "app/api_client.h"
#include "app/arguments.h"
#include "app/verbs.h"
#include "cli/console.h"
#include "cli/exit_status.h"
#include "cli/usage.h"
#include "io/process.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth image prune [--dry-run] [-y] [FLAGS]\n\n"
    "Removes images that no container has, running or not, and that a project built, berth made or that have no name.\n"
    "Named images of others stay, and so do those that a rollback needs. They are listed first, and only what was\n"
    "listed goes: an image that is used since then stays.\n\n"
    "Flags:\n"
    "  --dry-run        only list them\n"
    "  -y, --yes        do not ask\n"
    "  --format FORMAT  table or json (default table)\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n";

constexpr std::size_t kShortId = 19;   // "sha256:" and twelve digits
constexpr std::size_t kAtOnce = 1000;  // images of one order

struct Flags {
  std::vector<std::string> words{};
  std::string data = "/var/lib/berth", format = "table";
  bool dry = false, yes = false, help = false;
};

Result<Flags> parse(const std::vector<std::string>& all) {
  Flags flags;
  Arguments arguments(all);
  while (arguments.next()) {
    const std::string& word = arguments.word();
    if (word == "-h" || word == "--help")
      flags.help = true;
    else if (word == "-y" || word == "--yes")
      flags.yes = true;
    else if (word == "--dry-run")
      flags.dry = true;
    else if (auto data = arguments.value("--data"))
      flags.data = std::move(*data);
    else if (auto format = arguments.value("--format"))
      flags.format = std::move(*format);
    else if (word.starts_with('-'))
      return fail(Code::invalid, "\"" + word + "\" is not known here; berth image --help shows what is");
    else
      flags.words.push_back(word);
  }
  if (flags.format == "table" || flags.format == "json") return flags;
  return fail(Code::invalid, "--format: \"" + flags.format + "\" is neither table nor json");
}

std::string text(const Json& value) {
  return cli::printable(std::string(value.text()));
}

std::string size_of(const Json& bytes) {
  return cli::decimal_size(static_cast<std::uint64_t>(bytes.integer()));
}

std::string name_of(const Json& image) {
  const auto& tags = image["tags"].items();
  return tags.empty() ? text(image["id"]).substr(0, kShortId) : text(tags.front());
}

void print(const Json& found) {
  std::vector<std::vector<std::string>> rows = {{"IMAGE", "OF", "SIZE"}};
  for (const Json& each : found["images"].items())
    rows.push_back({name_of(each), each["owner"].is_null() ? "-" : text(each["owner"]), size_of(each["size"])});
  std::fputs(cli::table(rows).c_str(), stdout);
}

Result<void> agree(const Flags& flags, const Json& found) {
  if (flags.yes) return {};
  if (!io::is_terminal(STDIN_FILENO))
    return fail(Code::denied, "nothing was removed: nobody can be asked; say --yes, or --dry-run to only list them");
  std::fflush(stdout);
  if (agreed("Remove these images (" + size_of(found["bytes"]) + ", less what they share)? [y/N] ")) return {};
  return fail(Code::cancelled, "nothing was removed");
}

void tell(const Json& line) {
  std::fprintf(stderr, "%s\n", text(line["text"]).c_str());
}

Result<void> remove(const Flags& flags, const std::vector<Json>& images) {
  for (std::size_t first = 0; first < images.size(); first += kAtOnce) {
    Json ids = Json::array();
    for (std::size_t i = first; i < std::min(first + kAtOnce, images.size()); ++i) ids.push(images[i]["id"]);
    const Json order = TRY(ask_api({.data = flags.data,
                                    .method = "POST",
                                    .path = "/images/prune",
                                    .body = Json::object({{"images", std::move(ids)}})}));
    const Json job = TRY(follow_job(flags.data, std::string(order["job"].text()), tell));
    if (job["state"].text() != "succeeded")
      return fail(Code::conflict,
                  text(job["error"]).empty() ? "the job was " + text(job["state"]) : text(job["error"]));
  }
  return {};
}

Result<void> prune(const Flags& flags) {
  const Json found = TRY(ask_api({.data = flags.data, .path = "/images/prune"}));
  const auto& images = found["images"].items();
  if (flags.format == "json")
    std::printf("%s\n", found.dump(2).c_str());
  else if (!images.empty())
    print(found);
  if (images.empty()) std::fputs("there is no such image\n", stderr);
  if (images.empty() || flags.dry) return {};
  TRY(agree(flags, found));
  return remove(flags, {images.begin(), images.end()});
}

int complain(const Error& error) {
  std::fprintf(stderr, "berth image: %s\n", error.text().c_str());
  switch (error.code) {
    case Code::invalid:
      return cli::kBadUsage;
    case Code::moved:
      return cli::kMoved;
    case Code::cancelled:
      return cli::kInterrupted;
    default:
      return cli::kFailed;
  }
}

}  // namespace

int run_image(const std::vector<std::string>& arguments, const Environment&) {
  const auto flags = parse(arguments);
  if (!flags) return complain(flags.error());
  if (flags->help) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  if (flags->words != std::vector<std::string>{"prune"})
    return complain({Code::invalid, "say berth image prune; --help tells more"});
  const auto done = prune(*flags);
  return done ? cli::kDone : complain(done.error());
}

}  // namespace berth::app
