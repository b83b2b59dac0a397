#include "api/engine_desk.h"

#include <algorithm>

#include "engine/container.h"
#include "engine/image.h"
#include "engine/network.h"
#include "engine/system.h"

namespace berth::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kOld = seconds(10);  // "Up 3 minutes" of a list is not newer
constexpr auto kAsk = seconds(5);   // between two questions whether the engine answers
constexpr auto kLongestPause = milliseconds(5000);

io::Task<Result<Json>> fetch(engine::Client& client, Kind kind) {
  switch (kind) {
    case Kind::container:
      return engine::list_containers(client);
    case Kind::image:
      return engine::list_images(client);
    case Kind::network:
      return engine::list_networks(client);
    case Kind::volume:
      return engine::list_volumes(client);
  }
  return engine::list_containers(client);
}

// What health checks and looking around cause all the time.
bool is_noise(std::string_view action) {
  for (const std::string_view start : {"exec_", "top", "archive-path", "resize", "attach", "detach", "export"})
    if (action.starts_with(start)) return true;
  return false;
}

bool is_passing_container(const Json& labels) {
  return labels["berth.backup.deed"].text() == "browse" && labels["berth.owner"].text() == "backup";
}

}  // namespace

EngineDesk::EngineDesk(Options options) : options_(std::move(options)) {}

io::Task<void> EngineDesk::run() {
  const io::Context context = co_await io::here();
  auto pause = milliseconds(100);
  while (!context.cancel->requested()) {
    if (auto made = co_await connect(); made) break;
    if (!co_await io::sleep_for(pause)) co_return;
    pause = std::min(pause * 2, kLongestPause);
  }
  if (context.cancel->requested()) co_return;
  io::Scope scope(context);
  scope.spawn(follow());
  scope.spawn(watch());
  co_await scope.join();
}

io::Task<Result<void>> EngineDesk::connect() {
  auto address = engine::parse_address(options_.address);
  if (!address) {
    down(address.error());
    co_return fail(std::move(address).error());
  }
  auto made = co_await engine::Client::connect(*address, options_.dialer ? options_.dialer() : nullptr);
  if (!made) {
    down(made.error());
    co_return fail(std::move(made).error());
  }
  client_ = std::move(*made);
  up();
  co_return Result<void>{};
}

io::Task<void> EngineDesk::follow() {
  engine::EventStream events(*client_, {});
  while (true) {
    const auto item = co_await events.next();
    if (!item) co_return;
    if (item->gap) {
      for (Kept& kept : kept_) kept.dirty = true;
    } else {
      take(item->event);
    }
  }
}

// What a look into a volume makes for a moment, and the empty image that it is made of.
bool EngineDesk::is_passing(const engine::EngineEvent& event) {
  const bool of_empty = event.type == "image" && event.attributes["name"].text() == "berth/empty:latest";
  if (of_empty) empty_image_ = event.id;
  return of_empty || (event.type == "image" && event.id == empty_image_) || is_passing_container(event.attributes);
}

void EngineDesk::take(const engine::EngineEvent& event) {
  if (is_noise(event.action) || is_passing(event)) return;
  if (event.type == "container") {
    changed(Kind::container);
    if (event.action == "create" || event.action == "destroy") changed(Kind::volume);
  }
  if (event.type == "image") changed(Kind::image);
  if (event.type == "volume") changed(Kind::volume);
  if (event.type == "network") {
    changed(Kind::network);
    changed(Kind::container);
  }
  options_.happened(event);
}

io::Task<void> EngineDesk::watch() {
  while (true) {
    const auto answered = co_await engine::ping(*client_);
    if ((co_await io::here()).cancel->requested()) co_return;
    if (answered) {
      up();
    } else {
      down(answered.error());
    }
    if (!co_await io::sleep_for(up_ ? io::Duration(kAsk) : io::Duration(seconds(1)))) co_return;
  }
}

void EngineDesk::down(const Error& error) {
  why_ = error.message;
  if (!std::exchange(up_, false) && since_ != 0) return;
  since_ = options_.now ? options_.now() : 1;
  options_.state_changed();
}

void EngineDesk::up() {
  if (std::exchange(up_, true)) return;
  since_ = 0;
  for (Kept& kept : kept_) kept.dirty = true;
  options_.state_changed();
}

Json EngineDesk::stale() const {
  return up_ ? Json() : Json::object({{"since", since_}, {"why", why_}});
}

Result<std::shared_ptr<engine::Client>> EngineDesk::client() const {
  if (!up_ || !client_) return fail(Code::unavailable, "the engine does not answer: " + why_);
  return client_;
}

bool EngineDesk::fits(const Kept& kept, io::Time now) const {
  if (!kept.list) return false;
  return !up_ || (!kept.dirty && now - kept.at < kOld);
}

// Asks for the list where the one that is kept may not be true; fails only without any.
io::Task<Result<void>> EngineDesk::settle(Kind kind) {
  Kept& kept = kept_[index(kind)];
  io::Loop& loop = *(co_await io::here()).loop;
  if (fits(kept, loop.now())) co_return Result<void>{};
  CO_TRY(co_await kept.one.acquire());
  auto done = fits(kept, loop.now()) ? Result<void>{} : co_await refresh(kind);
  kept.one.release();
  if (!done && kept.list) co_return Result<void>{};
  co_return done;
}

io::Task<Result<void>> EngineDesk::refresh(Kind kind) {
  Kept& kept = kept_[index(kind)];
  const auto client = CO_TRY(this->client());
  kept.dirty = false;  // what happens while the engine answers makes it so again
  auto listed = co_await fetch(*client, kind);
  if (!listed) {
    kept.dirty = true;
    if (listed.error().code == Code::unavailable || listed.error().code == Code::timeout) down(listed.error());
    co_return fail(std::move(listed).error());
  }
  kept.at = (co_await io::here()).loop->now();
  if (kind == Kind::container) {
    std::erase_if(listed->items_mut(), [](const Json& each) { return is_passing_container(each["Labels"]); });
    auto items = std::make_shared<std::vector<ContainerItem>>();
    for (const Json& summary : listed->items()) items->push_back(container_item(summary));
    std::ranges::sort(*items, {}, [](const ContainerItem& item) { return std::tie(item.name, item.id); });
    kept.containers = std::move(items);
  }
  kept.list = std::make_shared<const Json>(std::move(*listed));
  co_return Result<void>{};
}

io::Task<Result<EngineDesk::Containers>> EngineDesk::containers() {
  CO_TRY(co_await settle(Kind::container));
  co_return kept_[index(Kind::container)].containers;
}

io::Task<Result<EngineDesk::List>> EngineDesk::list(Kind kind) {
  CO_TRY(co_await settle(kind));
  co_return kept_[index(kind)].list;
}

}  // namespace berth::api
