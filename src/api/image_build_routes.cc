// Builds: the context is received onto the disk, looked into for its Dockerfile, and sent to the engine by a job.
#include "api/engine_world.h"
#include "engine/build_archive.h"
#include "engine/dockerfile.h"
#include "engine/image.h"
#include "engine/reference.h"
#include "engine/tar_reader.h"
#include "io/spool.h"

namespace berth::api {
namespace {

constexpr std::uint64_t kMostContext = 1u << 30;
constexpr std::size_t kMostDockerfile = 4u << 20;
constexpr std::size_t kPiece = 256u << 10;
constexpr int kMostContexts = 4;  // on the disk

// Counted as long as it takes room.
struct Held {
  Held(io::Spool its_spool, int& its_count) : spool(std::move(its_spool)), count(its_count) { ++count; }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { --count; }
  io::Spool spool;
  int& count;
};
using Context = std::shared_ptr<Held>;

// Runs blocking work on the pool.
template <class T>
io::Task<Result<T>> on_disk(std::function<Result<T>()> work) {
  std::optional<Result<T>> out;
  co_await io::on_pool([&] { out = work(); });
  co_return std::move(*out);
}

io::Task<Result<Context>> receive(EngineWorld& world, Call& call) {
  if (world.contexts >= kMostContexts)
    co_return fail(Code::busy, "four contexts wait to be built already; try again when one is");
  const auto context = std::make_shared<Held>(
      CO_TRY(co_await on_disk<io::Spool>([&] { return io::Spool::open(world.spool); })), world.contexts);
  while (true) {
    const std::string_view piece = CO_TRY(co_await call.request->next());
    if (piece.empty()) co_return context;
    if (context->spool.size() + piece.size() > kMostContext)
      co_return fail(Code::invalid, "body: a context has at most 1 GiB; leave out what the build does not need");
    CO_TRY(co_await on_disk<void>([&] { return context->spool.append(piece); }));
  }
}

std::string_view plain_path(std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  return path;
}

// Blocking.
Result<std::string> find_dockerfile(const io::Spool& context, std::string_view name) {
  using Step = engine::TarReader::Step;
  engine::TarReader reader;
  std::string text;
  bool here = false;
  for (std::uint64_t at = 0; at < context.size(); at += kPiece) {
    const std::string piece = TRY(context.read(at, kPiece));
    std::string_view bytes = piece;
    for (Step step = TRY(reader.next(bytes)); step != Step::more; step = TRY(reader.next(bytes))) {
      if (here && step != Step::content) return text;
      if (step == Step::end) return fail(Code::not_found, "body: the context has no file " + std::string(name));
      here = here || (step == Step::entry && plain_path(reader.entry().path) == name &&
                      reader.entry().kind == engine::TarFound::Kind::file);
      if (here && step == Step::content) text += reader.content();
      if (text.size() > kMostDockerfile) return fail(Code::invalid, "body: the Dockerfile is larger than 4 MiB");
    }
  }
  return fail(Code::invalid, "body: this is no whole tar; send it without compression");
}

Result<engine::BuildImage> build_of(const Call& call) {
  engine::BuildImage build{.dockerfile = std::string(plain_path(call.option("dockerfile"))),
                           .tags = {TRY(engine::parse_reference(call.option("tag"))).text()},
                           .target = std::string(call.option("target")),
                           .no_cache = call.flag("noCache"),
                           .pull = call.flag("pull")};
  const auto arguments =
      call.option("arguments").empty() ? Result<Json>(Json::object()) : parse_json(call.option("arguments"));
  if (!arguments || !arguments->is_object())
    return fail(Code::invalid, "query: \"arguments\" is not a JSON object of texts");
  for (const auto& [name, value] : arguments->members()) {
    if (!value.is_text()) return fail(Code::invalid, "query: the argument \"" + name + "\" is not a text");
    build.arguments[name] = value.text();
  }
  return build;
}

// A build has no login of its own: private images that it begins with are here before it starts.
io::Task<Result<void>> pull_bases(EngineWorld& world, engine::BuildImage& build, const std::string& text,
                                  TellLine tell) {
  if (!world.registry_auth) co_return Result<void>{};
  for (const std::string& base : engine::base_images(engine::scan_dockerfile(text), build.arguments)) {
    const auto auth = co_await world.registry_auth(base);
    if (!auth || auth->empty()) continue;
    CO_TRY(co_await pull_told(world, base, tell));
    build.pull = false;  // the builder would ask again, and without a login
  }
  co_return Result<void>{};
}

struct Source {
  Context context;
  std::uint64_t at = 0;
  std::string piece{};
};
io::Task<Result<std::string_view>> next_piece(Source& source) {
  source.piece = CO_TRY(co_await on_disk<std::string>([&] { return source.context->spool.read(source.at, kPiece); }));
  source.at += source.piece.size();
  co_return std::string_view(source.piece);
}

struct Wanted {
  engine::BuildImage build{};
  std::string text{};
  Context context{};
};

io::Task<Result<void>> build(EngineWorld& world, Wanted wanted, job::Log& log) {
  const auto client = CO_TRY(world.desk.client());
  const TellLine tell = [&log](std::string_view line, const Json& progress) {
    log.say(line, job::Level::info, progress);
  };
  CO_TRY(co_await pull_bases(world, wanted.build, wanted.text, tell));
  Source source{.context = wanted.context};
  const engine::ProgressSink sink = [&log](const Json& message) {
    std::string_view line = message["stream"].text();
    while (line.ends_with('\n')) line.remove_suffix(1);
    if (!line.empty()) log.say(line);
  };
  const auto built = co_await engine::build_archive(
      *client, {.build = wanted.build, .text = wanted.text, .tar = [&source] { return next_piece(source); }}, sink);
  world.desk.changed(Kind::image);
  if (!built) co_return fail(built.error());
  for (const std::string& note : built->notes) log.say(note, job::Level::warning);
  log.say("built " + built->id + " as " + wanted.build.tags.front());
  co_return Result<void>{};
}

io::Task<Result<Reply>> order_build(EngineWorld& world, Call& call) {
  Wanted wanted{.build = CO_TRY(build_of(call))};
  call.record.subject = "image:" + wanted.build.tags.front();
  wanted.context = CO_TRY(co_await receive(world, call));
  const std::string name = wanted.build.dockerfile.empty() ? "Dockerfile" : wanted.build.dockerfile;
  const io::Spool& spool = wanted.context->spool;
  wanted.text = CO_TRY(co_await on_disk<std::string>([&] { return find_dockerfile(spool, name); }));
  call.record.difference = Json::object({{"bytes", static_cast<std::int64_t>(spool.size())}});
  co_return co_await order(world, call, "image.build",
                           [&world, wanted](job::Log& log) { return build(world, wanted, log); });
}

}  // namespace

Routes image_build_routes(EngineWorld& world) {
  return {{.method = "POST",
           .path = "/api/v1/images/build",
           .needs = Permission::engine,
           .where = Where::whole,
           .summary = "Build an image from a context, a tar of at most 1 GiB in the body; a job",
           .handler = at_engine(world, order_build),
           .query = {kEngine,
                     {.name = "tag", .meaning = "the image's name", .required = true},
                     {.name = "dockerfile", .meaning = "path in the context (default Dockerfile)"},
                     {.name = "target", .meaning = "stage to end with"},
                     {.name = "arguments", .meaning = "JSON object of build arguments; no place for secrets"},
                     {.name = "noCache", .type = "boolean"},
                     {.name = "pull", .type = "boolean", .meaning = "look for newer base images"}},
           .verb = "image.build",
           .body = Body::raw,
           .deadline = std::chrono::minutes(30)}};
}

}  // namespace berth::api
