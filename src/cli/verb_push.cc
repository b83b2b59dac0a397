// push: the images of services that are built here, with their further tags.
#include "cli/registry.h"
#include "cli/steps.h"
#include "cli/verbs.h"
#include "engine/image.h"

namespace berth::cli {
namespace {

// Code::not_found and a hint where `push` would have nothing to name.
Result<Texts> references(const Session& session, const compose::Project& project) {
  Texts out;
  for (const auto& service : project.services) {
    const auto& build = service.config["build"];
    const bool asked = session.options.arguments.empty() || session.options.push.include_deps ||
                       contains(session.options.arguments, service.name);
    if (!asked || !build.is_object()) continue;
    const auto image = service.config["image"].text();
    if (image.empty())
      session.console.note("service " + service.name + "  skipped: it has no image name to push to");
    else if (!contains(out, image))
      out.emplace_back(image);
    for (const auto& tag : build["tags"].items())
      if (!contains(out, tag.text())) out.emplace_back(tag.text());
  }
  return out;
}

io::Task<Result<void>> push(Session& session, std::string reference) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto auth = CO_TRY(co_await auth_of(session, reference));
  note_step(session, "image", reference, "pushing", plan::Phase::started);
  auto pushed = co_await engine::push_image(client, reference, auth);
  if (!pushed) co_return fail(std::move(pushed).error().within("image " + reference + " cannot be pushed"));
  note_step(session, "image", reference, "pushed");
  co_return Result<void>{};
}

}  // namespace

io::Task<Result<int>> verb_push(Session& session) {
  const auto& flags = session.options.push;
  const auto project =
      CO_TRY(session.load({.targets = session.options.arguments, .with_dependencies = flags.include_deps}));
  const auto list = CO_TRY(references(session, project));
  if (list.empty()) session.console.note("nothing to push: no service has both an image name and a build section");
  for (const auto& reference : list) {
    if (session.options.global.dry_run) {
      session.console.print("push " + reference + "\n");
      continue;
    }
    auto pushed = co_await push(session, reference);
    if (pushed) continue;
    if (!flags.ignore_failures || pushed.error().code == Code::cancelled) co_return fail(std::move(pushed).error());
    session.console.warning(pushed.error().text());
  }
  co_return kDone;
}

}  // namespace berth::cli
