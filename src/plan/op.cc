#include "plan/op.h"

namespace berth::plan {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

std::string text(const Json& value) {
  return std::string(value.text());
}

std::string_view goal(Until until) {
  switch (until) {
    case Until::ready:
      return "ready";
    case Until::healthy:
      return "healthy";
    case Until::completed:
      return "completed";
  }
  return "";
}

}  // namespace

std::string to_text(const Probe& probe) {
  if (probe.kind == Probe::Kind::exec) return "exec " + (probe.command.empty() ? "" : probe.command.front());
  if (probe.kind == Probe::Kind::tcp) return "tcp " + std::to_string(probe.port);
  return "http " + std::to_string(probe.port) + probe.path;
}

std::string_view name_of(const Op& op) {
  static constexpr std::string_view kNames[] = {"CreateNetwork",
                                                "RemoveNetwork",
                                                "CreateVolume",
                                                "RemoveVolume",
                                                "PullImage",
                                                "BuildImage",
                                                "RemoveImage",
                                                "CreateContainer",
                                                "ConnectNetwork",
                                                "DisconnectNetwork",
                                                "CopyIn",
                                                "StartContainer",
                                                "StopContainer",
                                                "RemoveContainer",
                                                "RenameContainer",
                                                "WaitContainer",
                                                "RestartContainer",
                                                "KillContainer",
                                                "UnpauseContainer",
                                                "RouteContainer",
                                                "DrainContainer",
                                                "ExecHook",
                                                "Pause"};
  static_assert(std::size(kNames) == std::variant_size_v<Op>);
  return kNames[op.index()];
}

const ContainerRef* container_of(const Op& op) {
  return std::visit(
      [](const auto& one) -> const ContainerRef* {
        if constexpr (requires { one.container; })
          return &one.container;
        else
          return nullptr;
      },
      op);
}

bool is_wait(const Op& op) {
  return std::holds_alternative<WaitContainer>(op) || std::holds_alternative<RouteContainer>(op) ||
         std::holds_alternative<DrainContainer>(op) || std::holds_alternative<Pause>(op);
}

std::string object_of(const Op& op) {
  return std::visit(
      Overloaded{
          [](const CreateNetwork& one) { return text(one.body["Name"]); },
          [](const RemoveNetwork& one) { return one.name; },
          [](const CreateVolume& one) { return text(one.body["Name"]); },
          [](const RemoveVolume& one) { return one.name; },
          [](const PullImage& one) { return one.reference; },
          [](const BuildImage& one) { return one.tag; },
          [](const RemoveImage& one) { return one.reference; },
          [](const CreateContainer& one) { return one.name; },
          [](const ConnectNetwork& one) { return one.container.name + " to " + one.network; },
          [](const DisconnectNetwork& one) { return one.container.name + " from " + one.network; },
          [](const CopyIn& one) {
            std::string out = one.container.name;
            for (const CopiedFile& file : one.files) out += ' ' + file.target;
            return out;
          },
          [](const RenameContainer& one) { return one.container.name + " to " + one.name; },
          [](const WaitContainer& one) { return one.container.name + ' ' + std::string(goal(one.until)); },
          [](const ExecHook& one) { return one.container.name + ' ' + one.hook; },
          [](const Pause& one) { return one.what; },
          [](const KillContainer& one) {
            return one.container.name + (one.signal.empty() ? "" : " with " + one.signal);
          },
          [](const auto& one) { return one.container.name; },
      },
      op);
}

std::string describe(const Op& op) {
  // "CreateContainer" -> "create container"
  std::string words;
  for (const char c : name_of(op)) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !words.empty()) words += ' ';
    words += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return words + ' ' + object_of(op);
}

}  // namespace berth::plan
