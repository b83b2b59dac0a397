#include "api/history.h"

#include <charconv>

#include "api/container_view.h"
#include "base/text.h"
#include "engine/usage.h"

namespace berth::api {
namespace {

constexpr std::uint64_t kTick = 10'000'000;  // nanoseconds: what Linux tells programs is in hundredths

std::vector<std::uint64_t> numbers_of(std::string_view line) {
  std::vector<std::uint64_t> out;
  for (const std::string_view word : split(line, ' ')) {
    std::uint64_t value = 0;
    if (std::from_chars(word.data(), word.data() + word.size(), value).ec == std::errc()) out.push_back(value);
  }
  return out;
}

// user nice system idle iowait irq softirq steal ...; guests are in user.
std::uint64_t busy_of(std::string_view stat) {
  const auto all = numbers_of(cut(stat, '\n').before);
  std::uint64_t busy = 0;
  for (std::size_t i = 0; i < all.size() && i < 8; ++i)
    if (i != 3 && i != 4) busy += all[i];
  return busy * kTick;
}

std::uint64_t kibibytes(std::string_view meminfo, std::string_view name) {
  for (const std::string_view line : split(meminfo, '\n'))
    if (line.starts_with(name))
      if (const auto found = numbers_of(line.substr(name.size())); !found.empty()) return found[0] * 1024;
  return 0;
}

}  // namespace

Counters counters_of(const Json& sample) {
  const engine::Usage usage = engine::usage_of(sample);
  return {.at = nanoseconds_of(sample["read"].text()),
          .cpu_time = usage.cpu_time,
          .memory = usage.memory,
          .received = usage.received,
          .sent = usage.sent};
}

Counters host_counters(std::string_view stat, std::string_view meminfo, std::string_view net, std::int64_t at) {
  const std::uint64_t all = kibibytes(meminfo, "MemTotal:"), free = kibibytes(meminfo, "MemAvailable:");
  Counters out{.at = at, .cpu_time = busy_of(stat), .memory = all > free ? all - free : 0};
  for (const std::string_view line : split(net, '\n')) {
    const Cut parts = cut(line, ':');
    const auto values = parts.found ? numbers_of(parts.after) : std::vector<std::uint64_t>();
    if (values.size() < 9 || trim(parts.before) == "lo") continue;
    out.received += values[0];
    out.sent += values[8];
  }
  return out;
}

std::optional<Figures> figures_between(const Counters& before, const Counters& now) {
  if (now.at <= before.at || now.cpu_time < before.cpu_time) return {};
  if (now.received < before.received || now.sent < before.sent) return {};
  const double nanoseconds = static_cast<double>(now.at - before.at), seconds = nanoseconds / 1e9;
  return Figures{.cpu = static_cast<double>(now.cpu_time - before.cpu_time) / nanoseconds * 100,
                 .memory = static_cast<double>(now.memory),
                 .received = static_cast<double>(now.received - before.received) / seconds,
                 .sent = static_cast<double>(now.sent - before.sent) / seconds};
}

Json history_json(const std::vector<Figures>& figures, std::int64_t step) {
  Json at = Json::array(), cpu = Json::array(), memory = Json::array(), rx = Json::array(), tx = Json::array();
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const Figures& each = figures[i];
    for (std::int64_t gap = i == 0 ? each.at : figures[i - 1].at + step; gap < each.at; gap += step) {
      at.push(gap);
      for (Json* column : {&cpu, &memory, &rx, &tx}) column->push(nullptr);
    }
    at.push(each.at);
    cpu.push(each.cpu);
    memory.push(each.memory);
    rx.push(each.received);
    tx.push(each.sent);
  }
  return Json::object({{"step", step},
                       {"at", std::move(at)},
                       {"cpu", std::move(cpu)},
                       {"memory", std::move(memory)},
                       {"rx", std::move(rx)},
                       {"tx", std::move(tx)}});
}

}  // namespace berth::api
