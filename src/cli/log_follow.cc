#include "cli/log_follow.h"

#include <algorithm>
#include <charconv>
#include <deque>

#include "base/text.h"
#include "engine/container.h"
#include "engine/event.h"
#include "engine/output.h"

namespace berth::cli {
namespace {

bool wanted(const LogWish& wish, const Listed& one) {
  return (wish.services.empty() || contains(wish.services, one.service)) && !contains(wish.without, one.service) &&
         (wish.number == 0 || one.number == wish.number) && !one.oneoff;
}

io::Task<Result<std::vector<Listed>>> list_wanted(Session& session, const LogWish& wish) {
  auto list = CO_TRY(co_await list_project(session, wish.project, {.services = wish.services}));
  std::erase_if(list, [&](const Listed& one) { return !wanted(wish, one); });
  co_return list;
}

struct Line {
  bool error = false;
  std::string time{};
  std::string text{};
};

// The past of one container, line by line.
class Past {
 public:
  Past(Listed container, engine::OutputStream stream) : container_(std::move(container)), stream_(std::move(stream)) {}
  const Listed& container() const { return container_; }
  const Line& front() const { return lines_.front(); }
  void pop() { lines_.pop_front(); }

  // Reads until there is a line; false at the end.
  io::Task<Result<bool>> fill() {
    while (lines_.empty() && !ended_) {
      const auto piece = CO_TRY(co_await stream_.next());
      take(piece);
    }
    co_return !lines_.empty();
  }

 private:
  void take(const std::optional<engine::OutputPiece>& piece) {
    const auto add = [this](bool error) {
      return [this, error](std::string_view text) {
        const auto line = cut_time(text);
        lines_.push_back({error, std::string(line.time), std::string(line.text)});
      };
    };
    if (!piece) {
      ended_ = true;
      out_.finish(add(false));
      err_.finish(add(true));
      return;
    }
    const bool error = piece->channel == engine::Channel::err;
    (error ? err_ : out_).add(piece->bytes, add(error));
  }

  Listed container_;
  engine::OutputStream stream_;
  LineSplitter out_, err_;
  std::deque<Line> lines_;
  bool ended_ = false;
};

io::Task<Result<engine::OutputStream>> open_logs(Session& session, std::string id, engine::ReadLogs which) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto inspect = CO_TRY(co_await engine::inspect_container(client, id));
  which.timestamps = true;
  co_return co_await engine::container_logs(client, id, inspect.at("Config.Tty").boolean(), which);
}

using Seen = std::map<std::string, std::string>;  // container id -> time of its last line

// Merges by the times of the lines; keeps the order of each container.
io::Task<Result<Seen>> print_past(Session& session, LogPrinter& printer, const LogWish& wish) {
  const auto list = CO_TRY(co_await list_wanted(session, wish));
  std::vector<std::unique_ptr<Past>> pasts;
  for (const auto& one : list) {
    printer.expect(one.short_name(), one.service);
    auto stream = co_await open_logs(session, one.id, {.since = wish.since, .until = wish.until, .tail = wish.tail});
    if (!stream && stream.error().code == Code::cancelled) co_return fail(std::move(stream).error());
    if (!stream) session.console.warning(one.name + ": " + stream.error().message);
    if (stream) pasts.push_back(std::make_unique<Past>(one, std::move(*stream)));
  }
  Seen seen;
  for (;;) {
    Past* next = nullptr;
    for (auto& past : pasts)
      if (CO_TRY(co_await past->fill()) && (!next || past->front().time < next->front().time)) next = past.get();
    if (!next) co_return seen;
    const auto& line = next->front();
    printer.print(next->container().short_name(), next->container().service, line.error, {line.time, line.text});
    if (!line.time.empty()) seen[next->container().id] = line.time;
    next->pop();
  }
}

// As the engine writes times, so that texts compare as times do.
std::string engine_time(std::chrono::system_clock::time_point now) {
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  auto text = time_text(nanos / 1'000'000'000);  // "2026-01-02 15:04:05 +0000 UTC"
  text.resize(19);
  text[10] = 'T';
  auto fraction = std::to_string(1'000'000'000 + nanos % 1'000'000'000);
  fraction[0] = '.';
  return text + fraction + "Z";
}

// RFC 3339 as seconds with nine decimals.
std::string since_of(const std::string& time) {
  const auto text = time_parameter(time, {});
  return text ? *text : std::string();
}

// Follows every container of the project, each in a task of its own.
class Follower {
 public:
  Follower(Session& session, FollowWish& wish, LogPrinter& printer, Seen seen, io::Context context)
      : session_(session), wish_(wish), printer_(printer), seen_(std::move(seen)), scope_(context) {}

  io::Task<Result<void>> run(const std::vector<Listed>& list) {
    for (const auto& one : list) {
      known_.insert(one.id);
      if (wanted(wish_.logs, one) && (plan::is_up(one.state) || !wish_.past)) follow(one);
    }
    scope_.spawn(watch(*this));
    scope_.spawn(end_when_quiet(*this));
    co_await scope_.join();
    co_return failure_ ? Result<void>(fail(*failure_)) : Result<void>{};
  }

 private:
  void follow(const Listed& one) {
    if (!following_.insert(one.id).second) {
      again_.insert(one.id);  // started anew before we saw the end of its log
      return;
    }
    printer_.expect(one.short_name(), one.service);
    quiet_.reset();
    scope_.spawn(print(*this, one));
  }

  static io::Task<void> print(Follower& self, Listed one) {
    auto read = co_await self.read(one);
    self.following_.erase(one.id);
    if (self.again_.erase(one.id) > 0 && read) self.follow(one);
    if (self.following_.empty()) self.quiet_.set();
    if (self.last_ == one.id) self.scope_.cancel();
    const bool broken = !read && read.error().code != Code::cancelled && read.error().code != Code::not_found;
    if (broken) self.session_.console.warning(one.name + ": " + read.error().message);
  }

  io::Task<Result<void>> read(const Listed& one) {
    std::string last = seen_[one.id];
    const auto since = last.empty() ? wish_.logs.since : since_of(last);
    auto stream = CO_TRY(co_await open_logs(session_, one.id, {.follow = true, .since = since}));
    LineSplitter out, err;
    for (;;) {
      const auto piece = CO_TRY(co_await stream.next());
      if (!piece) break;
      const bool error = piece->channel == engine::Channel::err;
      (error ? err : out).add(piece->bytes, [&](std::string_view text) { show(one, error, cut_time(text), last); });
    }
    out.finish([&](std::string_view text) { show(one, false, cut_time(text), last); });
    err.finish([&](std::string_view text) { show(one, true, cut_time(text), last); });
    co_return Result<void>{};
  }

  // The engine's `since` includes the line that was seen last.
  void show(const Listed& one, bool error, TimedLine line, const std::string& before) {
    if (!before.empty() && line.time <= before) return;
    printer_.print(one.short_name(), one.service, error, line);
    if (!line.time.empty()) seen_[one.id] = line.time;
  }

  static io::Task<void> watch(Follower& self) {
    auto client = co_await self.session_.engine();
    if (!client) co_return;
    const auto label = "com.docker.compose.project=" + self.wish_.logs.project;
    // An attached `up` asks for the past too: a container may have ended before the stream stands, and an engine lists
    // it as running for a while after it told of its end.
    engine::EventStream events(**client, {.filters = {{"type", "container"}, {"label", label}},
                                          .since = self.wish_.past ? "" : self.wish_.logs.since});
    for (;;) {
      auto item = co_await events.next();
      if (!item) {
        if (item.error().code != Code::cancelled) self.failure_ = item.error();
        co_return self.scope_.cancel();
      }
      if (item->gap)
        co_await self.look();
      else
        self.take(item->event);
    }
  }

  // After an interruption: what runs now.
  io::Task<void> look() {
    const auto list = co_await list_wanted(session_, wish_.logs);
    if (!list) co_return;
    for (const auto& one : *list) {
      if (plan::is_up(one.state) && !following_.contains(one.id)) follow(one);
    }
  }

  void take(const engine::EngineEvent& event) {
    const auto text = [&](std::string_view key) { return std::string(event.attributes[key].text()); };
    Listed one{.id = event.id,
               .name = text("name"),
               .project = text(plan::label::kProject),
               .service = text(plan::label::kService)};
    const auto number = text(plan::label::kNumber);
    std::from_chars(number.data(), number.data() + number.size(), one.number);
    one.oneoff = equal_fold(text(plan::label::kOneoff), "true");
    if (event.action == "start") known_.insert(one.id);
    if (event.action == "start" && wanted(wish_.logs, one)) follow(one);
    // Ends of containers that `up` has replaced are among the past events.
    if (event.action != "die" || !wish_.on_end || one.oneoff || !known_.contains(one.id)) return;
    const auto code = text("exitCode");
    int status = 0;
    std::from_chars(code.data(), code.data() + code.size(), status);
    end(one, status);
  }

  void end(const Listed& one, int status) {
    if (!wish_.on_end || !wish_.on_end({one.id, one.name, one.service, status})) return;
    last_ = one.id;
    if (following_.contains(one.id))
      scope_.spawn(cancel_soon(*this));  // its last lines are under way
    else
      scope_.cancel();
  }

  static io::Task<void> cancel_soon(Follower& self) {
    const auto slept = co_await io::sleep_for(std::chrono::seconds(1));
    if (slept) self.scope_.cancel();
  }

  static io::Task<void> end_when_quiet(Follower& self) {
    if (self.following_.empty()) self.quiet_.set();
    for (;;) {
      if (!co_await self.quiet_.wait()) co_return;
      if (!co_await io::sleep_for(self.wish_.linger)) co_return;
      if (self.quiet_.is_set()) co_return self.scope_.cancel();
    }
  }

  Session& session_;
  FollowWish& wish_;
  LogPrinter& printer_;
  Seen seen_;
  io::Scope scope_;
  std::set<std::string> following_;
  std::set<std::string> again_;
  std::set<std::string> known_;  // containers that are or came, not those that were replaced
  std::string last_;             // the container whose end ends all
  io::Event quiet_;              // nothing runs
  std::optional<Error> failure_;
};

}  // namespace

io::Task<Result<void>> print_logs(Session& session, LogWish wish) {
  LogPrinter printer(session.console, wish.style);
  CO_TRY(co_await print_past(session, printer, wish));
  co_return Result<void>{};
}

io::Task<Result<void>> follow_logs(Session& session, FollowWish wish) {
  LogPrinter printer(session.console, wish.logs.style);
  Seen seen;
  const auto now = engine_time(session.world.now());
  if (wish.past) seen = CO_TRY(co_await print_past(session, printer, wish.logs));
  const auto list = CO_TRY(co_await list_project(session, wish.logs.project));
  // What --tail left out is not to come back.
  if (wish.past)
    for (const auto& one : list) seen.try_emplace(one.id, now);
  const io::Context context = co_await io::here();
  Follower follower(session, wish, printer, std::move(seen), context);
  auto done = co_await follower.run(list);
  if (done && context.cancel->requested()) co_return fail(Code::cancelled, "interrupted");
  co_return done;
}

}  // namespace berth::cli
