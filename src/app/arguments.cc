#include "app/arguments.h"

#include <cstdio>

#include "base/text.h"
#include "io/file.h"
#include "io/scope.h"
#include "plan/lock.h"

namespace berth::app {
namespace {

struct Question {
  const plan::ControlRequest& request;
  std::string data, folder;
  std::chrono::seconds most;
};

io::Task<Result<Json>> ask(Question question) {
  Error last{Code::unavailable, "no berth serve with --data " + question.data + " answers; is it running?"};
  for (const std::string& path : plan::control_sockets(question.folder, question.data)) {
    auto reply = co_await io::within(question.most, plan::ask_control(path, question.request));
    if (reply || reply.error().code != Code::unavailable) co_return reply;
    last = std::move(reply.error());
  }
  co_return fail(std::move(last));
}

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

}  // namespace

std::optional<std::string> Arguments::value(std::string_view flag) {
  if (word().starts_with(std::string(flag) + "=")) return word().substr(flag.size() + 1);
  if (word() == flag && at_ + 1 < all_.size()) return all_[++at_];
  return std::nullopt;
}

bool agreed(const std::string& question) {
  std::fputs(question.c_str(), stderr);
  char answer[16] = "";
  if (!std::fgets(answer, sizeof answer, stdin)) return false;
  const std::string_view word = trim(answer);
  return word == "y" || word == "Y" || word == "yes";
}

Result<engine::Endpoint> endpoint_of(const std::string& host, const Environment& environment) {
  const std::string folder = variable(environment, "DOCKER_CONFIG");
  engine::EndpointChoice choice{.address = {.host_flag = host,
                                            .docker_host = variable(environment, "DOCKER_HOST"),
                                            .docker_context = variable(environment, "DOCKER_CONTEXT")},
                                .docker_folder = folder.empty() ? variable(environment, "HOME") + "/.docker" : folder,
                                .cert_path = variable(environment, "DOCKER_CERT_PATH"),
                                .tls_verify = !variable(environment, "DOCKER_TLS_VERIFY").empty()};
  const engine::ReadFile read = [](const std::string& path) { return io::read_file(path, 1u << 20); };
  choice.address.config = read(choice.docker_folder + "/config.json").value_or(std::string());
  auto out = TRY(engine::choose_endpoint(choice, read));
  out.access.ssh.control_folder = plan::runtime_folder(variable(environment, "XDG_RUNTIME_DIR")) + "/ssh";
  return out;
}

Result<Json> ask_serve(const plan::ControlRequest& request, const std::string& data, const Environment& environment,
                       std::chrono::seconds most) {
  const std::string folder = plan::runtime_folder(variable(environment, "XDG_RUNTIME_DIR"));
  io::Loop loop;
  return loop.run(ask({request, data, folder, most}));
}

}  // namespace berth::app
