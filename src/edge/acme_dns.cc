#include "edge/acme_dns.h"

#include <algorithm>

#include "base/text.h"
#include "io/process.h"

namespace berth::edge {
namespace {

constexpr auto kMost = std::chrono::minutes(2);
constexpr std::size_t kMostShown = 400;

bool is_word(std::string_view text) {
  const auto fits = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7f && c != ';' && c != '"' && c != '\\';
  };
  return !text.empty() && std::ranges::all_of(text, fits);
}

std::string_view end_of(std::string_view text) {
  text = trim(text);
  return text.size() > kMostShown ? text.substr(text.size() - kMostShown) : text;
}

io::Task<Result<void>> run(std::vector<std::string> argv, std::string input) {
  const std::string program = argv.front();
  const auto ended =
      CO_TRY(co_await io::run_command({.argv = std::move(argv), .errors = io::Command::Pipe::pipe}, std::move(input)));
  if (ended.status == 0) co_return Result<void>{};
  co_return fail(Code::internal, program + " ended with status " + std::to_string(ended.status) + ": " +
                                     printable(end_of(ended.err.empty() ? ended.out : ended.err)));
}

}  // namespace

std::string record_name(const AcmeAnswer& answer) {
  return "_acme-challenge." + answer.host + ".";
}

Result<std::string> update_script(const DnsSettings& settings, const AcmeAnswer& answer, RecordChange change) {
  for (const auto& [what, text] :
       {std::pair("nameserver", settings.nameserver), std::pair("zone", settings.zone),
        std::pair("TSIG key", settings.key_name), std::pair("TSIG algorithm", settings.key_algorithm),
        std::pair("TSIG secret", settings.key_secret)}) {
    if (!text.empty() && !is_word(text))
      return fail(Code::invalid, "rfc2136: the " + std::string(what) + " holds characters that it cannot have");
  }
  const Cut port = cut_last(settings.nameserver, ':');
  const bool has_port = port.found && !port.after.empty() &&
                        std::ranges::all_of(port.after, [](char c) { return c >= '0' && c <= '9'; }) &&
                        !port.before.contains(':');
  std::string script = "server " + std::string(has_port ? port.before : settings.nameserver) +
                       (has_port ? " " + std::string(port.after) : "") + "\n";
  if (!settings.zone.empty()) script += "zone " + settings.zone + "\n";
  if (!settings.key_name.empty())
    script += "key " + settings.key_algorithm + ":" + settings.key_name + " " + settings.key_secret + "\n";
  const std::string record = record_name(answer) + (change == RecordChange::present ? " 60 TXT \"" : " TXT \"");
  script += change == RecordChange::present ? "update add " : "update delete ";
  return script + record + dns_value(answer) + "\"\nsend\n";
}

io::Task<Result<void>> change_record(const DnsSettings& settings, const AcmeAnswer& answer, RecordChange change) {
  const std::string verb = change == RecordChange::present ? "present" : "cleanup";
  if (!settings.hook.empty())
    co_return co_await io::within(kMost, run({settings.hook, verb, record_name(answer), dns_value(answer)}, ""));
  // The key goes by standard input, where no other user sees it.
  const std::string script = CO_TRY(update_script(settings, answer, change));
  auto done = co_await io::within(kMost, run({"nsupdate", "-t", "30"}, script));
  if (!done && done.error().code == Code::not_found)
    co_return fail(Code::not_found, "there is no program nsupdate for rfc2136; install bind9-dnsutils");
  co_return done;
}

}  // namespace berth::edge
