// alpha viz: the services as a graph for Graphviz, in the shape of docker compose.
#include "base/text.h"
#include "cli/verbs.h"
#include "compose/create.h"

namespace berth::cli {
namespace {

// Text inside of <...>, which Graphviz reads as HTML.
std::string html(std::string_view text) {
  return replace_all(replace_all(replace_all(text, "&", "&amp;"), "<", "&lt;"), ">", "&gt;");
}

std::string section(std::string_view title, const Texts& lines) {
  if (lines.empty()) return {};
  std::string out = "<font point-size=\"10\"><br/><br/><b>" + std::string(title) + ":</b>";
  for (const auto& line : lines) out += "<br/>" + html(line);
  return out + "</font>";
}

Texts ports_of(const compose::Service& service) {
  Texts out;
  for (const auto& port : service.config["ports"].items()) {
    std::string line(port["host_ip"].text());
    if (!line.empty()) line += ":";
    line.append(port["published"].text()).append(":").append(std::to_string(port["target"].integer()));
    line.append(" (").append(port["protocol"].text()).append(", ").append(port["mode"].text()).append(")");
    out.push_back(std::move(line));
  }
  return out;
}

std::string label_of(const compose::Project& project, const compose::Service& service, const VizFlags& flags) {
  std::string out = "<font point-size=\"15\">" + html(service.name) + "</font>";
  Texts networks;
  for (const auto& [name, settings] : service.config["networks"].members()) networks.push_back(name);
  if (flags.networks) out += section("Networks", networks);
  if (flags.ports) out += section("Ports", ports_of(service));
  if (flags.image) out += section("Image", {compose::image_name(project, service)});
  return out;
}

}  // namespace

io::Task<Result<int>> verb_viz(Session& session) {
  if (session.options.arguments.front() != "viz") co_return session.usage("of alpha there is viz only");
  const auto& flags = session.options.viz;
  if (flags.indentation < 0 || flags.indentation > 100) co_return session.usage("--indentation-size: from 0 to 100");
  const auto project = CO_TRY(co_await session.load());
  const std::string indent(static_cast<std::size_t>(flags.indentation), flags.spaces ? ' ' : '\t');
  std::string out = "digraph " + quote_json(project.name) + " {\n" + indent + "layout=dot;\n";
  for (const auto& service : project.services)
    out +=
        indent + quote_json(service.name) + " [style=\"filled\" label=<" + label_of(project, service, flags) + ">];\n";
  out += "\n";
  for (const auto& service : project.services)
    for (const auto& dependency : service.dependencies)
      out += indent + quote_json(service.name) + " -> " + quote_json(dependency.service) + ";\n";
  session.console.print(out + "}\n");
  co_return kDone;
}

}  // namespace berth::cli
