#include "engine/build_archive.h"

#include "engine/build_progress.h"
#include "engine/build_request.h"
#include "engine/progress.h"

namespace berth::engine {

io::Task<Result<BuiltImage>> build_archive(Client& client, BuildArchive archive, ProgressSink progress) {
  const std::string name = archive.build.dockerfile.empty() ? "Dockerfile" : archive.build.dockerfile;
  const Dockerfile file = scan_dockerfile(archive.text);
  BuilderChoice choice = CO_TRY(choose_builder(archive.build, file, client.version(), name));
  BuildProgress seen(std::move(progress));
  const ProgressSink watch = [&](const Json& message) { seen.add(message); };
  const http::Consumer follow = [&](http::Exchange& exchange) { return follow_progress(exchange, watch); };
  Call call{.method = "POST", .path = "/build", .query = build_query(archive.build, name, choice.buildkit)};
  auto outcome = co_await client.upload(std::move(call), archive.tar, follow);
  if (!outcome && seen.failed()) co_return fail(seen.explain(outcome.error(), file, name));
  CO_TRY(std::move(outcome));
  if (seen.image().empty()) co_return fail(Code::internal, "the engine built an image without saying its id");
  co_return BuiltImage{.id = seen.image(), .notes = std::move(choice.notes)};
}

}  // namespace berth::engine
