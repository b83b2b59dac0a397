// Files inside containers, read only. Who may open a terminal there may read them.
#include "api/engine_world.h"
#include "api/files.h"

namespace berth::api {
namespace {

FilePlace place_in(const ContainerItem& item) {
  return {.container = item.id, .shown = "container " + item.name};
}

io::Task<Result<Reply>> list(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::exec));
  auto path = CO_TRY(path_parts(call.option("path")));
  const auto client = CO_TRY(world.desk.client());
  co_return Reply{.body = CO_TRY(co_await list_folder(*client, place_in(item), std::move(path)))};
}

io::Task<Result<void>> content(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::exec));
  auto path = CO_TRY(path_parts(call.option("path")));
  const auto client = CO_TRY(world.desk.client());
  co_return co_await send_content(call, *client, place_in(item), std::move(path));
}

}  // namespace

Routes file_routes(EngineWorld& world) {
  return {{"GET",
           "/api/v1/containers/{id}/files",
           Permission::exec,
           Where::loaded,
           "What a folder in it holds",
           at_engine(world, list),
           {kEngine, kPath}},
          {"GET",
           "/api/v1/containers/{id}/files/content",
           Permission::exec,
           Where::loaded,
           "A file in it, or a folder as tar, to be saved",
           at_engine(world, content),
           {kEngine, kPath}}};
}

}  // namespace berth::api
