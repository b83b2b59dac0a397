#include "cli/pin_images.h"

#include "cli/registry.h"
#include "engine/capture.h"
#include "engine/reference.h"

namespace berth::cli {
namespace {

// "docker.io/library/web:1@sha256:...", as docker compose writes it.
std::string pinned(const engine::Reference& reference, const std::string& digest) {
  return reference.host + "/" + reference.path + (reference.tag.empty() ? "" : ":" + reference.tag) + "@" + digest;
}

}  // namespace

io::Task<Result<void>> pin_images(Session& session, compose::Project& project) {
  auto& client = *CO_TRY(co_await session.engine());
  auto locked = Json::object();
  for (const auto& service : project.services) {
    const std::string image(service.config["image"].text());
    if (image.empty()) continue;
    auto reference = CO_TRY(engine::parse_reference(image));
    if (reference.tag.empty()) reference.tag = "latest";
    auto digest = reference.digest;
    if (digest.empty()) {
      const auto auth = CO_TRY(co_await auth_of(session, image));
      digest = CO_TRY(co_await engine::registry_digest(client, image, auth));
    }
    const auto name = pinned(reference, digest);
    project.document.slot("services").slot(service.name).set("image", name);
    locked.set(service.name, Json::object({{"image", name}}));
  }
  if (session.options.config.lock_image_digests) project.document = Json::object({{"services", std::move(locked)}});
  co_return Result<void>{};
}

}  // namespace berth::cli
