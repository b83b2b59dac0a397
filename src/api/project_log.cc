#include "api/project_log.h"

#include <algorithm>
#include <deque>
#include <map>

#include "api/log_desk.h"
#include "api/log_send.h"

namespace berth::api {
namespace {

constexpr std::size_t kMostTail = 8u << 20;     // bytes of lines of which the last ones are wanted
constexpr std::size_t kMostWaiting = 1u << 20;  // bytes of lines that came and are not sent yet
constexpr std::size_t kPiece = 32u << 10;
constexpr auto kTogether = std::chrono::milliseconds(100);  // lines of one moment come within it
constexpr auto kLook = std::chrono::seconds(2);             // between two looks for containers that came
constexpr auto kSilence = std::chrono::seconds(15);
constexpr auto kMostLife = std::chrono::minutes(15);

struct Line {
  LogLine line{};       ///< views of what `owner` holds
  std::int64_t at = 0;  ///< nanoseconds since 1970; a part of a long line has that of the one before
  const ContainerItem* from = nullptr;
  std::shared_ptr<const void> owner{};
};

// One container's log, and how far it was read.
struct Source {
  ContainerItem item{};
  bool runs = false;
  bool past = false;      ///< what it wrote before was read
  bool busy = false;      ///< it is read now
  bool tty = false;       ///< while `live`
  std::int64_t last = 0;  ///< nanoseconds of its newest line
  std::optional<LogReader> live{};
  std::optional<LogJoin> join{};

  Line take(const LogLine& line, std::shared_ptr<const void> owner) {
    last = std::max(last, line.at);
    return {.line = line, .at = line.at == 0 ? last : line.at, .from = &item, .owner = std::move(owner)};
  }
  void leave() {
    join.reset();
    live.reset();
  }
};

bool is_wanted(const ProjectLogWish& wish, const ContainerItem& item) {
  return item.project == wish.project && (wish.services.empty() || wish.services.contains(item.service));
}

bool is_running(const ContainerItem& item) {
  return item.state == "running" || item.state == "restarting" || item.state == "paused";
}

// Names the service on each line.
void append(std::string& out, LogForm form, const Line& line) {
  if (form == LogForm::events) {
    const std::string id = std::to_string(line.at);
    const std::string data = Json::object({{"stream", line.line.err ? "err" : "out"},
                                           {"at", line.at / 1'000'000},
                                           {"service", line.from->service},
                                           {"container", line.from->name},
                                           {"text", line.line.text}})
                                 .dump();
    return http::append_event(out, {.id = id, .data = data});
  }
  out.append(line.from->service).append(" | ");
  append_line(out, form, line.line);
}

// What one container wrote before, one line after the other, up to where it comes live.
class Reading {
 public:
  Reading(Source& source, engine::OutputStream output) : source_(source), output_(std::move(output)) {}
  bool done() const { return done_ && held_.empty(); }
  std::deque<Line>& held() { return held_; }

  /// At least one more line, or the end.
  io::Task<Result<void>> fill() {
    const LogLines::Take take = [this](const LogLine& line) { keep(line); };
    while (held_.empty() && !done_) {
      const auto piece = CO_TRY(co_await output_.next());
      if (piece)
        lines_.feed(*piece, take);
      else
        lines_.finish(take);
      done_ = !piece || live_;
    }
    co_return Result<void>{};
  }

 private:
  void keep(LogLine line) {
    live_ = live_ || (source_.join && !source_.join->sends(line));
    if (live_) return;
    const auto owner = std::make_shared<const std::string>(std::string(line.stamp).append(line.text));
    line.text = std::string_view(*owner).substr(line.stamp.size());
    line.stamp = std::string_view(*owner).substr(0, line.stamp.size());
    held_.push_back(source_.take(line, owner));
  }

  Source& source_;
  engine::OutputStream output_;
  LogLines lines_;
  std::deque<Line> held_;
  bool done_ = false, live_ = false;
};

class ProjectLog {
 public:
  ProjectLog(EngineWorld& world, const ProjectLogWish& wish, LogOutlet& outlet)
      : world_(world), wish_(wish), outlet_(outlet) {}

  /// What was written, merged: of each log only the next lines are held, and of the whole what `tail` wants.
  io::Task<Result<void>> send_past() {
    CO_TRY(co_await look());
    // All are followed before the first is read, so that none loses what comes meanwhile.
    for (auto& [id, source] : sources_)
      if (wish_.follow && source.runs) static_cast<void>(co_await hold(source));  // it is tried again while it runs
    std::vector<std::unique_ptr<Reading>> readings;
    engine::ReadLogs which = wish_.past;
    if (which.tail == "0") which.tail = "1";  // which is not sent, but says from when on lines are new
    for (auto& [id, source] : sources_) {
      source.past = true;
      if (auto output = co_await open_past(source, which))
        readings.push_back(std::make_unique<Reading>(source, std::move(*output)));
    }
    while (Reading* next = CO_TRY(co_await next_of(readings))) {
      CO_TRY(co_await pass(std::move(next->held().front())));
      next->held().pop_front();
    }
    for (const Line& line : std::exchange(tail_, {})) CO_TRY(co_await send(line));
    co_return co_await flush();
  }

  io::Task<Result<void>> send_live() {
    const io::Context context = co_await io::here();
    io::Scope scope(context);
    auto done = co_await follow(*context.loop, scope);
    scope.cancel();
    co_await scope.join();
    co_return done;
  }

 private:
  // Containers of the project, those among them that came since the last look too.
  io::Task<Result<void>> look() {
    const auto containers = CO_TRY(co_await world_.desk.containers());
    for (auto& [id, source] : sources_) source.runs = false;
    for (const ContainerItem& item : *containers)
      if (is_wanted(wish_, item))
        sources_.try_emplace(item.id, Source{.item = item}).first->second.runs = is_running(item);
    co_return Result<void>{};
  }

  // What comes from now on is kept for us.
  io::Task<Result<void>> hold(Source& source) {
    auto followed = CO_TRY(co_await world_.logs.follow(CO_TRY(world_.desk.client()), source.item.id));
    source.tty = followed.tty;
    source.live.emplace(std::move(followed.feed));
    source.join.emplace(*source.live);
    co_return Result<void>{};
  }

  io::Task<Result<engine::OutputStream>> open_past(Source& source, engine::ReadLogs which) {
    const auto client = CO_TRY(world_.desk.client());
    const std::string& id = source.item.id;
    if (!source.live) source.tty = CO_TRY(co_await engine::inspect_container(*client, id)).at("Config.Tty").boolean();
    co_return co_await engine::container_logs(*client, id, source.tty, std::move(which));
  }

  static io::Task<Result<Reading*>> next_of(std::vector<std::unique_ptr<Reading>>& readings) {
    Reading* first = nullptr;
    for (auto& reading : readings) {
      CO_TRY(co_await reading->fill());
      if (reading->done()) continue;
      if (!first || reading->held().front().at < first->held().front().at) first = reading.get();
    }
    co_return first;
  }

  io::Task<Result<void>> pass(Line line) {
    if (wish_.past.tail.empty()) co_return co_await send(line);
    tail_bytes_ += line.line.text.size();
    tail_.push_back(std::move(line));
    while (tail_.size() > wish_.most || tail_bytes_ > kMostTail) {
      tail_bytes_ -= tail_.front().line.text.size();
      tail_.pop_front();
    }
    co_return Result<void>{};
  }
  io::Task<Result<void>> send(const Line& line) {
    append(out_, outlet_.form(), line);
    if (out_.size() < kPiece) co_return Result<void>{};
    co_return co_await flush();
  }
  io::Task<Result<void>> flush() {
    if (out_.empty()) co_return Result<void>{};
    const std::string out = std::exchange(out_, {});
    co_return co_await outlet_.send(out);
  }

  io::Task<void> read(Source& source) {
    const auto done = co_await take_from(source);
    static_cast<void>(done);  // it is tried again while the container runs
    source.leave();
    source.busy = false;
  }
  io::Task<Result<void>> take_from(Source& source) {
    if (!source.live) CO_TRY(co_await catch_up(source));
    if (!source.live) co_return Result<void>{};  // it does not run: that was all
    while (true) {
      const auto batch = CO_TRY(co_await source.live->next());
      if (!batch.block) co_return Result<void>{};
      CO_TRY(co_await wait_for_room());
      lost_ += batch.lost;
      for (auto number = source.join->fresh_from(batch); number < batch.block->end(); ++number)
        push(source.take(batch.block->line(number), batch.block));
    }
  }
  // What it wrote since it was read last, or ever where it came later than us.
  io::Task<Result<void>> catch_up(Source& source) {
    engine::ReadLogs which{.timestamps = true, .since = wish_.past.since};
    if (source.last != 0) which.since = seconds_of(static_cast<std::uint64_t>(source.last) + 1);
    source.past = true;
    if (source.runs) CO_TRY(co_await hold(source));
    Reading reading(source, CO_TRY(co_await open_past(source, std::move(which))));
    while (true) {
      CO_TRY(co_await reading.fill());
      if (reading.done()) co_return Result<void>{};
      CO_TRY(co_await wait_for_room());
      for (Line& line : reading.held()) push(std::move(line));
      reading.held().clear();
    }
  }
  // A client that reads slowly falls behind what its logs keep, and is then told how much it missed.
  io::Task<Result<void>> wait_for_room() {
    while (pending_bytes_ > kMostWaiting) {
      room_.reset();
      CO_TRY(co_await room_.wait());
    }
    co_return Result<void>{};
  }
  void push(Line line) {
    pending_bytes_ += line.line.text.size() + sizeof(Line);
    pending_.push_back(std::move(line));
    came_.set();
  }

  io::Task<Result<void>> follow(io::Loop& loop, io::Scope& scope) {
    const io::Time end = loop.now() + kMostLife;
    io::Time said = loop.now(), looked = loop.now() - kLook;
    while (loop.now() < end) {
      if (loop.now() - looked >= kLook) {
        static_cast<void>(co_await look());  // the engine may be away: what is followed goes on when it is back
        read_all(scope);
        looked = loop.now();
      }
      const auto came = co_await io::within(kLook, wait());
      if (!came && (came.error().code != Code::timeout || (co_await io::here()).cancel->requested()))
        co_return fail(came.error());
      if (came) {
        CO_TRY(co_await io::sleep_for(kTogether));
        CO_TRY(co_await send_pending());
        said = loop.now();
      } else if (loop.now() - said >= kSilence) {
        CO_TRY(co_await outlet_.beat());
        said = loop.now();
      }
    }
    co_return Result<void>{};
  }
  void read_all(io::Scope& scope) {
    for (auto& [id, source] : sources_)
      if (!source.busy && (source.runs || source.live || !source.past)) {
        source.busy = true;
        scope.spawn(read(source));
      }
  }
  io::Task<Result<void>> wait() { co_return co_await came_.wait(); }

  io::Task<Result<void>> send_pending() {
    came_.reset();
    auto lines = std::exchange(pending_, {});
    pending_bytes_ = 0;
    room_.set();
    if (lost_ > 0) append_gap(out_, outlet_.form(), std::exchange(lost_, 0));
    std::ranges::stable_sort(lines, {}, &Line::at);
    for (const Line& line : lines) CO_TRY(co_await send(line));
    co_return co_await flush();
  }

  EngineWorld& world_;
  const ProjectLogWish& wish_;
  LogOutlet& outlet_;
  std::map<std::string, Source, std::less<>> sources_;  // by id; places stay
  std::deque<Line> tail_;
  std::size_t tail_bytes_ = 0, pending_bytes_ = 0;
  std::vector<Line> pending_;
  std::uint64_t lost_ = 0;
  std::string out_;
  io::Event came_, room_;
};

}  // namespace

io::Task<Result<void>> send_project_log(EngineWorld& world, const ProjectLogWish& wish, LogOutlet& outlet) {
  ProjectLog log(world, wish, outlet);
  CO_TRY(co_await log.send_past());
  if (wish.follow) CO_TRY(co_await log.send_live());
  co_return Result<void>{};
}

}  // namespace berth::api
