#include <string>

#include "plan/diff.h"
#include "plan/redact.h"

namespace berth::plan {
namespace {

void compare(std::string path, const Json& before, const Json& after, std::vector<Difference>& out) {
  if (before == after || (before.is_empty() && after.is_empty())) return;
  const std::string_view name = std::string_view(path).substr(path.rfind('.') + 1);
  out.push_back(
      {.path = path, .before = before, .after = after, .secret = is_secret(name, before) || is_secret(name, after)});
}

void compare_asked(const std::string& path, const Json& before, const Json& after, std::vector<Difference>& out) {
  for (const auto& [key, value] : after.members()) compare(path + '.' + key, before[key], value, out);
}

void compare_labels(const Json& before, const Json& after, std::vector<Difference>& out) {
  for (const auto& [key, value] : after.members())
    if (!key.starts_with("com.docker.compose.") && !key.starts_with("berth."))
      compare("Labels." + key, before[key], value, out);
}

const Json& config_of_subnet(const Json& configs, const Json& subnet) {
  static const Json none;
  for (const Json& config : configs.items())
    if (config["Subnet"] == subnet) return config;
  return none;
}

void compare_ipam(const Json& before, const Json& after, std::vector<Difference>& out) {
  const Json& driver = after["Driver"];
  if (!driver.is_empty() && driver.text() != "default") compare("IPAM.Driver", before["Driver"], driver, out);
  compare_asked("IPAM.Options", before["Options"], after["Options"], out);
  for (const Json& config : after["Config"].items()) {
    const Json& found = config_of_subnet(before["Config"], config["Subnet"]);
    const std::string at = "IPAM.Config." + std::string(config["Subnet"].text("any"));
    if (found.is_null() && !config["Subnet"].is_empty())
      out.push_back({.path = at, .before = before["Config"], .after = config});
    else if (!found.is_null())
      compare_asked(at, found, config, out);
  }
}

}  // namespace

std::vector<Difference> diff_network(const Json& body, const Network& network) {
  std::vector<Difference> out;
  const Json& is = network.inspect;
  if (!body["Driver"].is_empty() && body["Driver"].text() != "default")
    compare("Driver", is["Driver"], body["Driver"], out);
  compare("Internal", is["Internal"], body["Internal"], out);
  // An engine may switch these on by itself, so only what was asked for counts.
  for (const std::string_view flag : {"EnableIPv6", "Attachable"})
    if (body[flag].boolean()) compare(std::string(flag), is[flag], body[flag], out);
  compare_asked("Options", is["Options"], body["Options"], out);
  compare_ipam(is["IPAM"], body["IPAM"], out);
  compare_labels(is["Labels"], body["Labels"], out);
  return out;
}

std::vector<Difference> diff_volume(const Json& body, const Volume& volume) {
  std::vector<Difference> out;
  const Json& is = volume.inspect;
  compare("Driver", is["Driver"], Json(body["Driver"].is_empty() ? "local" : body["Driver"].text()), out);
  compare_asked("DriverOpts", is["Options"], body["DriverOpts"], out);
  for (const auto& [key, value] : is["Options"].members())
    if (!body["DriverOpts"].contains(key)) compare("DriverOpts." + key, value, Json(), out);
  compare_labels(is["Labels"], body["Labels"], out);
  return out;
}

}  // namespace berth::plan
