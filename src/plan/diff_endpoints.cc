#include "plan/diff_fields.h"

namespace berth::plan::detail {
namespace {

bool ends_with(std::string_view text, std::string_view end) {
  return text.ends_with(end);
}

// The aliases that someone asked for, without those that tools and engines add.
Json aliases_of(const Shape& shape, const Json& endpoint) {
  Json aliases = Json::array();
  for (const Json& item : endpoint["Aliases"].items()) {
    const std::string alias(item.text());
    const bool shown_id = shape.inspected && shape.id.substr(0, 12) == alias;
    const bool hostname = shape.inspected && shape.config["Hostname"].text() == alias;
    if (!shown_id && !hostname && !shape.own.contains(alias) && shape.config["Hostname"].text() != alias)
      aliases.push(alias);
  }
  return sorted_texts(aliases);
}

// "proj_db_1:dbl" -> "dbl"; each tool adds its own forms of the container's name, which are its ends.
Json links_of(const Json& endpoint) {
  Json links = Json::array();
  for (const Json& item : endpoint["Links"].items()) {
    const std::string_view text = item.text();
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || ends_with(text.substr(0, colon), text.substr(colon + 1))) continue;
    links.push(text.substr(colon + 1));
  }
  return sorted_texts(links);
}

void add_endpoint(const Shape& shape, const std::string& name, const Json& endpoint, Fields& fields) {
  const std::string at = "Networks." + name;
  fields[at] = true;
  const Json& addresses = endpoint["IPAMConfig"];
  for (const std::string_view key : {"IPv4Address", "IPv6Address", "LinkLocalIPs"})
    put(fields, at + '.' + std::string(key), addresses[key]);
  put(fields, at + ".Aliases", aliases_of(shape, endpoint));
  put(fields, at + ".Links", links_of(endpoint));
  for (const auto& [key, value] : endpoint["DriverOpts"].members()) put(fields, at + ".DriverOpts." + key, value);
  // A running container always has an address; only an asked-for one counts.
  if (!shape.inspected) put(fields, at + ".MacAddress", endpoint["MacAddress"]);
}

}  // namespace

std::string special_mode(std::string_view mode) {
  if (mode.empty() || mode == "default" || mode == "bridge") return "bridge";
  if (mode == "host" || mode == "none") return std::string(mode);
  if (mode.starts_with("container:") || mode.starts_with("service:")) return std::string(mode);
  return {};
}

void add_attachments(const Shape& shape, Fields& fields) {
  if (!special_mode(shape.host["NetworkMode"].text()).empty()) return;
  for (const auto& member : shape.endpoints.members()) fields["Networks." + member.first] = true;
}

void add_endpoints(const Shape& shape, Fields& fields) {
  if (!special_mode(shape.host["NetworkMode"].text()).empty()) {
    // The default bridge has no aliases; host, none and container have no endpoints of their own.
    return;
  }
  for (const auto& [name, endpoint] : shape.endpoints.members()) add_endpoint(shape, name, endpoint, fields);
}

}  // namespace berth::plan::detail
