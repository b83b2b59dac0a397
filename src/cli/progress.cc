#include "cli/progress.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/op.h"

namespace berth::cli {
namespace {

using plan::Phase;

constexpr std::string_view kSpinner[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

struct Words {
  std::string_view doing, done;
};
// By the order of plan::Op.
constexpr Words kWords[] = {
    {"creating", "created"},            // CreateNetwork
    {"removing", "removed"},            // RemoveNetwork
    {"creating", "created"},            // CreateVolume
    {"removing", "removed"},            // RemoveVolume
    {"pulling", "pulled"},              // PullImage
    {"building", "built"},              // BuildImage
    {"removing", "removed"},            // RemoveImage
    {"creating", "created"},            // CreateContainer
    {"connecting", "connected"},        // ConnectNetwork
    {"disconnecting", "disconnected"},  // DisconnectNetwork
    {"copying files", "files copied"},  // CopyIn
    {"starting", "started"},            // StartContainer
    {"stopping", "stopped"},            // StopContainer
    {"removing", "removed"},            // RemoveContainer
    {"renaming", "renamed"},            // RenameContainer
    {"waiting", "ready"},               // WaitContainer
    {"restarting", "restarted"},        // RestartContainer
    {"killing", "killed"},              // KillContainer
    {"unpausing", "unpaused"},          // UnpauseContainer
    {"routing", "routed"},              // RouteContainer
    {"draining", "drained"},            // DrainContainer
    {"running hook", "hook done"},      // ExecHook
    {"pausing", "paused"},              // Pause
};
static_assert(std::size(kWords) == std::variant_size_v<plan::Op>);

std::string_view kind_of(const plan::Op& op) {
  if (std::holds_alternative<plan::CreateNetwork>(op) || std::holds_alternative<plan::RemoveNetwork>(op))
    return "network";
  if (std::holds_alternative<plan::CreateVolume>(op) || std::holds_alternative<plan::RemoveVolume>(op)) return "volume";
  if (std::holds_alternative<plan::PullImage>(op) || std::holds_alternative<plan::BuildImage>(op) ||
      std::holds_alternative<plan::RemoveImage>(op))
    return "image";
  return std::holds_alternative<plan::Pause>(op) ? "service" : "container";
}

std::string name_of_object(const plan::Op& op) {
  if (const auto* container = plan::container_of(op)) return container->name;
  return plan::object_of(op);
}

// Nothing of its own, so nothing to show.
bool is_joint(const plan::Op& op) {
  const auto* pause = std::get_if<plan::Pause>(&op);
  return pause && pause->time.count() == 0;
}

bool is_over(Phase phase) {
  return phase != Phase::started && phase != Phase::progress;
}

std::string seconds_text(io::Duration duration) {
  return fmt::format("{:.1f}s", std::chrono::duration<double>(duration).count());
}

std::string size_text(std::int64_t bytes) {
  if (bytes >= 1'000'000'000) return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
  if (bytes >= 1'000'000) return fmt::format("{:.0f} MB", static_cast<double>(bytes) / 1e6);
  return fmt::format("{} kB", bytes / 1000);
}

// What a message of a pull or build says in few words; "" for nothing new.
std::string step_text(Item& task, const Json& message, std::string_view doing) {
  if (const auto stream = trim(message["stream"].text()); !stream.empty()) {
    task.detail = printable(cut(stream, '\n').before);
    return std::string(doing);
  }
  const auto& detail = message["progressDetail"];
  if (detail["total"].integer() <= 0 || message["status"].text() != "Downloading") return std::string(doing);
  task.layers[std::string(message["id"].text())] = {detail["current"].integer(), detail["total"].integer()};
  std::int64_t now = 0, all = 0;
  for (const auto& [id, bytes] : task.layers) {
    now += bytes.first;
    all += bytes.second;
  }
  return fmt::format("{} {}% of {}", doing, now * 100 / all, size_text(all));
}

Color color_of(const Item& task) {
  if (task.phase == Phase::failed) return Color::red;
  if (task.phase == Phase::skipped || task.phase == Phase::cancelled) return Color::yellow;
  return task.active ? Color::cyan : Color::green;
}

std::string_view mark_of(const Item& task, std::size_t spin) {
  if (task.phase == Phase::failed) return "✘";
  if (task.phase == Phase::skipped || task.phase == Phase::cancelled) return "!";
  if (task.active) return kSpinner[spin % std::size(kSpinner)];
  return task.finished == task.total ? "✔" : "·";
}

// "mark name   text   time", the time at the right edge where there is room.
std::string line_of(std::string_view lead, std::string_view what, const Item& task, const View& view,
                    std::string_view time) {
  const std::size_t width = view.columns > 1 ? view.columns - 1 : 1;  // the last column would wrap on some terminals
  std::string left = fmt::format("{} {:<28} ", lead, what);
  if (display_width(what) > 28) left = fmt::format("{} {} ", lead, what);
  const auto text = task.detail.empty() || is_over(task.phase) ? task.text : task.text + ": " + task.detail;
  const std::size_t used = display_width(left) + time.size() + 1;
  const std::size_t room = width > used ? width - used : 0;
  if (room < 6) return fit(std::string(lead) + " " + std::string(what) + " " + task.text, width);
  const auto shown = fit(text, room);
  auto out = left + (view.color ? colored(color_of(task), shown) : shown);
  if (time.empty()) return out;
  return out.append(room - display_width(shown) + 1, ' ').append(time);
}

}  // namespace

std::string phase_text(const plan::Op& op, Phase phase) {
  const Words words = kWords[op.index()];
  switch (phase) {
    case Phase::started:
    case Phase::progress:
      return std::string(words.doing);
    case Phase::done:
      if (const auto* wait = std::get_if<plan::WaitContainer>(&op)) {
        if (wait->until == plan::Until::healthy) return "healthy";
        if (wait->until == plan::Until::completed) return "completed";
      }
      return std::string(words.done);
    case Phase::failed:
      return "failed";
    case Phase::skipped:
      return "skipped";
    case Phase::cancelled:
      return "interrupted";
    case Phase::passed:
      break;
  }
  return {};
}

Board::Board(const plan::Plan& plan) {
  groups_.emplace_back();
  std::set<std::string_view> seen{""};
  for (const auto& node : plan.nodes) {
    if (is_joint(node.op)) continue;
    ++task_of(node).total;
    if (seen.insert(node.group).second) groups_.push_back(node.group);
  }
}

Item& Board::task_of(const plan::Node& node) {
  const auto [found, is_new] = places_.try_emplace(std::pair(kind_of(node.op), name_of_object(node.op)), tasks_.size());
  if (is_new)
    tasks_.push_back({.group = node.group, .kind = std::string(kind_of(node.op)), .name = found->first.second});
  return tasks_[found->second];
}

const Item* Board::take(const plan::Progress& event, io::Time now) {
  if (!event.node || is_joint(event.node->op)) return nullptr;
  if (begun_ == io::Time{}) begun_ = now;
  Item& task = task_of(*event.node);
  if (event.phase == Phase::passed) {
    ++task.finished;
    return nullptr;
  }
  const auto before = task.text + '\n' + task.detail;
  if (task.begun == io::Time{}) task.begun = now;
  task.ended = now;
  task.active = !is_over(event.phase);
  if (is_over(event.phase)) ++task.finished;
  if (task.phase == Phase::failed || task.phase == Phase::cancelled) return nullptr;
  // A later op of an object that failed is skipped; what failed is what counts.
  task.phase = event.phase;
  task.text = phase_text(event.node->op, event.phase);
  if (!event.message.is_null()) {
    task.text = step_text(task, event.message, task.text);
  } else {
    task.detail = event.phase == Phase::done ? "" : printable(event.detail);
  }
  return before == task.text + '\n' + task.detail ? nullptr : &task;
}

std::size_t Board::finished() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(tasks_, [](const Item& task) { return task.finished == task.total; }));
}

void Board::draw_group(const std::string& group, std::vector<std::string>& lines, const View& view, io::Time now,
                       std::size_t spin) const {
  const bool inner = !group.empty();
  if (inner) lines.push_back(fit(" " + (view.color ? colored(Color::bold, group) : group), view.columns - 1));
  for (const auto& task : tasks_) {
    if (task.group != group) continue;
    const auto mark = std::string(mark_of(task, spin));
    const auto lead = (inner ? "   " : " ") + (view.color ? colored(color_of(task), mark) : mark);
    const auto time =
        task.begun == io::Time{} ? std::string() : seconds_text((task.active ? now : task.ended) - task.begun);
    auto shown = task;
    if (task.text.empty()) shown.text = "waiting";
    lines.push_back(line_of(lead, task.kind + " " + task.name, shown, view, time));
  }
}

std::vector<std::string> Board::draw(const View& view, io::Time now, std::size_t spin) const {
  std::vector<std::string> lines;
  for (const auto& group : groups_) draw_group(group, lines, view, now, spin);
  const auto head = fit(fmt::format("[+] {}/{}  {}", finished(), total(),
                                    seconds_text(begun_ == io::Time{} ? io::Duration{} : now - begun_)),
                        view.columns - 1);
  // What does not fit on the screen cannot be redrawn in place: keep the end, where the work is.
  const std::size_t most = view.rows > 3 ? view.rows - 3 : 1;
  if (lines.size() > most) {
    const std::size_t hidden = lines.size() - most;
    lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(hidden));
    lines.insert(lines.begin(), fit(fmt::format(" … {} more lines", hidden), view.columns - 1));
  }
  lines.insert(lines.begin(), head);
  return lines;
}

std::string plain_line(const Item& task) {
  return task.kind + " " + task.name + "  " + task.text + (task.detail.empty() ? "" : ": " + task.detail);
}

std::string json_line(const Item& task) {
  auto out = Json::object({{"id", task.kind + " " + task.name}});
  if (!task.group.empty()) out.set("parent_id", task.group);
  out.set("status", !is_over(task.phase)          ? "Working"
                    : task.phase == Phase::done   ? "Done"
                    : task.phase == Phase::failed ? "Error"
                                                  : "Warning");
  out.set("text", task.text);
  if (!task.detail.empty()) out.set("details", task.detail);
  std::int64_t current = 0, total = 0;
  for (const auto& [id, bytes] : task.layers) {
    current += bytes.first;
    total += bytes.second;
  }
  if (total > 0) {
    out.set("current", current);
    out.set("total", total);
    out.set("percent", current * 100 / total);
  }
  return out.dump();
}

class Reporter::Ticker final : public io::Timer {
 public:
  Ticker(io::Loop& loop, Reporter& reporter) : Timer(loop), reporter_(reporter) {}

 private:
  void fire() override { reporter_.redraw(); }
  Reporter& reporter_;
};

Reporter::Reporter(const Console& console, ProgressKind kind, io::Loop& loop, const plan::Plan& plan)
    : console_(console), kind_(kind), loop_(loop), board_(plan), ticker_(std::make_unique<Ticker>(loop, *this)) {}

Reporter::~Reporter() = default;

plan::ProgressFn Reporter::sink() {
  return [this](const plan::Progress& event) { take(event); };
}

void Reporter::take(const plan::Progress& event) {
  const Item* changed = board_.take(event, loop_.now());
  if (kind_ == ProgressKind::tty) {
    if (!ticker_->armed())
      ticker_->arm(loop_.now() + (drawn_ == 0 ? std::chrono::milliseconds(0) : std::chrono::milliseconds(100)));
    return;
  }
  if (!changed) return;
  if (kind_ == ProgressKind::plain) console_.status().write(plain_line(*changed) + "\n");
  if (kind_ == ProgressKind::json) console_.status().write(json_line(*changed) + "\n");
}

void Reporter::redraw() {
  const View view{.columns = static_cast<std::size_t>(std::max(console_.columns(), 10)),
                  .rows = static_cast<std::size_t>(std::max(console_.rows(), 4)),
                  .color = console_.status().color};
  const auto lines = board_.draw(view, loop_.now(), spin_++);
  std::string text = drawn_ > 0 ? fmt::format("\x1b[{}A\r", drawn_) : std::string();
  for (const auto& line : lines) text += line + "\x1b[K\n";
  text += "\x1b[J";
  drawn_ = lines.size();
  console_.status().write(text);
  ticker_->arm(loop_.now() + std::chrono::milliseconds(100));
}

void Reporter::finish() {
  if (kind_ == ProgressKind::tty && drawn_ > 0) redraw();
  ticker_->disarm();
}

}  // namespace berth::cli
