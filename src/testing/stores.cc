#include "testing/stores.h"

#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "io/file.h"
#include "io/ident.h"
#include "io/process.h"

namespace berth::testing {
namespace {

constexpr const char* kUser = "postgres";  // made by the package; a server refuses to run as root

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "tests: no PostgreSQL: %s (tools/setup test installs it)\n", why.c_str());
  std::exit(1);
}

io::TemporaryFolder make_folder() {
  auto made = io::TemporaryFolder::make(::testing::TempDir(), "store");
  if (!made) give_up(made.error().text());
  return std::move(*made);
}

std::string programs() {
  const std::string root = "/usr/lib/postgresql";
  const auto versions = io::list_folder(root);
  if (!versions || versions->empty()) give_up("nothing in " + root);
  return root + "/" + versions->back() + "/bin/";
}

class Server {
 public:
  Server() {
    as_user_ = ::geteuid() == 0;
    if (as_user_) chown_folder();
    must({programs() + "initdb", "-D", data(), "-U", kUser, "-A", "trust", "--no-sync", "-E", "UTF8",
          "--locale=C.UTF-8"});
    auto started =
        io::Process::start(loop_, {.argv = as_user({programs() + "postgres", "-D", data(), "-k", folder_.path(), "-c",
                                                    "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB",
                                                    "-c", "autovacuum=off", "-c", "logging_collector=on"}),
                                   .directory = folder_.path(),
                                   .output = io::Command::Pipe::none,
                                   .errors = io::Command::Pipe::none});
    if (!started) give_up(started.error().text());
    process_ = std::move(*started);
    for (int tries = 0; !answers(); ++tries) {
      if (tries == 1200) give_up("it did not answer within a minute");
      (void)loop_.run(io::sleep_for(std::chrono::milliseconds(50)));
    }
  }
  ~Server() {
    process_->kill(SIGQUIT);
    (void)loop_.run(process_->wait());
  }

  std::string create() {
    const std::string name = io::new_id("test");
    must({programs() + "createdb", "-h", folder_.path(), "-U", kUser, "-T", "template0", name});
    return "postgresql:///" + name + "?user=" + kUser + "&host=" + folder_.path();
  }

 private:
  std::string data() const { return folder_.path() + "/data"; }
  std::vector<std::string> as_user(std::vector<std::string> argv) const {
    std::vector<std::string> all{"setpriv", "--pdeathsig", "QUIT"};
    if (as_user_)
      all.insert(all.end(), {std::string("--reuid=") + kUser, std::string("--regid=") + kUser, "--clear-groups"});
    all.insert(all.end(), argv.begin(), argv.end());
    return all;
  }
  void chown_folder() {
    const passwd* user = ::getpwnam(kUser);
    if (!user || ::chown(folder_.path().c_str(), user->pw_uid, user->pw_gid) != 0) give_up("there is no user postgres");
  }
  io::Output run(std::vector<std::string> argv) {
    auto done = loop_.run(io::run_command(
        {.argv = as_user(std::move(argv)), .directory = folder_.path(), .errors = io::Command::Pipe::pipe}, ""));
    if (!done) give_up(done.error().text());
    return std::move(*done);
  }
  void must(std::vector<std::string> argv) {
    if (const auto done = run(std::move(argv)); done.status != 0) give_up(done.err);
  }
  bool answers() { return run({programs() + "pg_isready", "-h", folder_.path()}).status == 0; }

  io::Loop loop_;
  io::TemporaryFolder folder_ = make_folder();
  std::unique_ptr<io::Process> process_;
  bool as_user_ = false;
};

Server& server() {
  static Server running;
  return running;
}

}  // namespace

EmptyStore::EmptyStore(const std::string& kind) : folder_(make_folder()) {
  where_ = kind == "postgres" ? server().create() : folder_.path() + "/berth.db";
}

EmptyStore::~EmptyStore() = default;

}  // namespace berth::testing
