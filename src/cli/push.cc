#include "cli/push.h"

#include "cli/registry.h"
#include "cli/steps.h"
#include "engine/image.h"

namespace berth::cli {

Texts pushed_references(const Session& session, const compose::Project& project, const Texts& services) {
  Texts out;
  for (const auto& service : project.services) {
    const auto& build = service.config["build"];
    const bool asked = services.empty() || contains(services, service.name);
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

io::Task<Result<void>> push(Session& session, std::string reference, bool quiet) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto auth = CO_TRY(co_await auth_of(session, reference));
  if (!quiet) note_step(session, "image", reference, "pushing", plan::Phase::started);
  auto pushed = co_await engine::push_image(client, reference, auth);
  if (!pushed) co_return fail(std::move(pushed).error().within("image " + reference + " cannot be pushed"));
  if (!quiet) note_step(session, "image", reference, "pushed");
  co_return Result<void>{};
}

}  // namespace berth::cli
