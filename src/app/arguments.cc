#include "app/arguments.h"

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

}  // namespace

std::optional<std::string> Arguments::value(std::string_view flag) {
  if (word().starts_with(std::string(flag) + "=")) return word().substr(flag.size() + 1);
  if (word() == flag && at_ + 1 < all_.size()) return all_[++at_];
  return std::nullopt;
}

Result<Json> ask_serve(const plan::ControlRequest& request, const std::string& data, const Environment& environment,
                       std::chrono::seconds most) {
  const auto runtime = environment.find("XDG_RUNTIME_DIR");
  const std::string folder = plan::runtime_folder(runtime == environment.end() ? std::string() : runtime->second);
  io::Loop loop;
  return loop.run(ask({request, data, folder, most}));
}

}  // namespace berth::app
