#include <csignal>
#include <cstdio>

#include "app/serve.h"
#include "io/confine.h"
#include "io/file.h"
#include "io/ownership.h"
#include "io/socket_options.h"

namespace berth::app {
namespace {

constexpr const char* kProjects = "projects";

Result<std::string> account(const std::string& named, const std::string& usual, const char* flag) {
  if (!named.empty() && !io::has_account(named))
    return fail(Code::invalid,
                std::string(flag) + ": no account is called " + named + "; make it, or name another one");
  const std::string& wanted = named.empty() ? usual : named;
  return io::own_user() == 0 && io::has_account(wanted) ? wanted : std::string();
}

}  // namespace

Result<std::string> core_account(const ServeOptions& options) {
  return account(options.core_user, kUsualAccount, "--core-user");
}

Result<std::string> broker_account(const ServeOptions& options) {
  return account(options.broker_user, "berth-broker", "--broker-user");
}

Result<void> hand_over(const ServeOptions& options, const std::string& runtime, const std::string& account) {
  // The broker looks at what lies in projects' folders, for links that lead out of them.
  if (!TRY(broker_account(options)).empty()) TRY(io::let_pass(options.data));
  if (account.empty()) return {};
  const std::string projects = options.data + "/" + kProjects;
  TRY(io::make_folder(runtime, 0700));
  TRY(io::make_folder(projects, 0755));
  for (const std::string& folder : {runtime, options.data}) {
    (void)TRY(io::give_folder(folder, account));
    TRY(io::settle_folder(folder, {"edge", kProjects}));
    auto may = io::may_open_folder(folder, account);
    if (!may) {
      may.error().message += "; let others pass the folders above it (chmod o+x), or name another folder with --data";
      return may;
    }
  }
  if (TRY(io::give_folder(projects, account))) TRY(io::settle_folder(projects));
  return {};
}

Result<void> become_account(const CoreOptions& options) {
  if (options.account.empty()) {
    if (io::own_user() == 0 && options.supervisor >= 0)
      std::fputs("berth core: runs as root, since no account is called berth: berth doctor says what to do\n", stderr);
    return {};
  }
  if (!TRY(io::become_account(options.account, "")))
    return fail(Code::invalid, "no account is called " + options.account);
  io::end_with_parent(SIGTERM);
  return {};
}

}  // namespace berth::app
