#include "plan/diff.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "plan/diff_fields.h"
#include "plan/redact.h"

namespace berth::plan {
namespace detail {

void put(Fields& fields, std::string path, Json value) {
  if (!value.is_empty()) fields.insert_or_assign(std::move(path), std::move(value));
}

Json sorted_texts(const Json& list) {
  std::set<std::string> texts;
  for (const Json& item : list.items()) texts.emplace(item.text());
  Json out = Json::array();
  for (const std::string& text : texts) out.push(text);
  return out;
}

// With `hashed` only what an equal hash does not settle: names of other containers, which change without a change of
// the hash, and what it is attached to: networks are connected after the creation, and disconnected by hand.
Fields fields_of(const Shape& shape, bool hashed) {
  Fields fields;
  if (hashed) {
    add_references(shape, fields);
    add_attachments(shape, fields);
    return fields;
  }
  add_config(shape, fields);
  add_host(shape, fields);
  add_mounts(shape, fields);
  add_endpoints(shape, fields);
  return fields;
}

}  // namespace detail

namespace {

// The names under which Compose of any version makes a container known besides what was asked for.
std::set<std::string> own_names(const Json& labels) {
  const auto text = [&](std::string_view name) { return std::string(labels[name].text()); };
  const std::string project = text(label::kProject), service = text(label::kService), number = text(label::kNumber);
  return {service, project + '-' + service + '-' + number, project + '_' + service + '_' + number};
}

Fields body_fields(const Json& body, const Json& image, std::set<std::string> own, bool hashed = false) {
  return detail::fields_of({.config = body,
                            .host = body["HostConfig"],
                            .endpoints = body["NetworkingConfig"]["EndpointsConfig"],
                            .image = image,
                            .own = std::move(own)},
                           hashed);
}

Fields inspect_fields(const Container& container, const Json& image, std::set<std::string> own, bool hashed = false) {
  return detail::fields_of({.config = container.inspect["Config"],
                            .host = container.inspect["HostConfig"],
                            .endpoints = container.inspect["NetworkSettings"]["Networks"],
                            .image = image,
                            .inspected = true,
                            .id = container.id,
                            .own = std::move(own)},
                           hashed);
}

// "nginx", "docker.io/library/nginx:latest" -> "nginx:latest"
std::string familiar(std::string_view reference) {
  for (const std::string_view prefix : {"docker.io/", "index.docker.io/", "library/"})
    if (reference.starts_with(prefix)) reference.remove_prefix(prefix.size());
  const std::size_t slash = reference.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? reference : reference.substr(slash + 1);
  return std::string(reference) + (last.find_first_of(":@") == std::string_view::npos ? ":latest" : "");
}

void compare_image(const DiffInput& input, std::vector<Difference>& out) {
  const std::string_view wanted = input.body["Image"].text();
  const bool by_id = input.container.image.starts_with("sha256:") || wanted.starts_with("sha256:");
  if (!by_id && familiar(wanted) != familiar(input.container.image))
    out.push_back({.path = "Image", .before = input.container.image, .after = wanted});
  else if (input.image && input.image->id != input.container.image_id)
    out.push_back({.path = "Image", .before = input.container.image_id, .after = input.image->id});
}

bool starts_with_any(std::string_view path, std::span<const std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view one) { return path.starts_with(one); });
}

// What an engine's own configuration fills in where nothing was asked for.
constexpr std::array<std::string_view, 5> kEngineFills = {
    "HostConfig.LogConfig.", "HostConfig.Runtime", "HostConfig.IpcMode", "HostConfig.CgroupnsMode", "HostConfig.Init"};
// The same, but rarely: it counts where berth made the container and so knows that it was asked for.
constexpr std::array<std::string_view, 2> kEngineMayFill = {"HostConfig.ShmSize", "HostConfig.Ulimits."};
// Asked for, but left out by engines whose kernel lacks it.
constexpr std::array<std::string_view, 4> kEngineDrops = {"HostConfig.Blkio", "HostConfig.MemorySwappiness",
                                                          "HostConfig.OomKillDisable", "HostConfig.CpuRealtime"};
// A value that is there although nobody asks for it: whether that is nobody's fault.
bool is_given(const DiffInput& input, std::string_view path, const Fields& was, const Fields& wanted) {
  const bool ours = input.container.label(label::kSchema) == kSchema;
  const bool driver_asked = wanted.contains("HostConfig.LogConfig.Type");
  if (ours && path.starts_with("HostConfig.LogConfig.")) return !driver_asked && path == "HostConfig.LogConfig.Type";
  if (starts_with_any(path, kEngineFills)) return true;
  if (!ours && starts_with_any(path, kEngineMayFill)) return true;
  // Unlimited is what remains where the kernel does not account for swap.
  if (path == "HostConfig.MemorySwap") return was.at(std::string(path)).integer() == -1;
  if (path == "Hostname") return wanted.contains("HostConfig.NetworkMode");
  // Someone else's network, such as a proxy's; the project's own must be asked for.
  if (path.starts_with("Networks.")) return !path.substr(9).starts_with(input.container.project + '_');
  return false;
}

bool is_incomparable(const DiffInput& input, std::string_view path, const Json& before) {
  const bool ours = input.container.label(label::kSchema) == kSchema;
  // Only berth says what was copied in.
  if (path.starts_with("Content.")) return !ours && input.container.label(label::kContent).empty();
  if (!before.is_null()) return false;
  return path.ends_with(".MacAddress") || (!ours && starts_with_any(path, kEngineDrops));
}

void compare(const DiffInput& input, const Fields& was, const Fields& wanted, std::vector<Difference>& out) {
  const auto add = [&](const std::string& path, const Json& before, const Json& after) {
    const std::string_view name = std::string_view(path).substr(path.find('.') + 1);
    out.push_back(
        {.path = path,
         .before = before,
         .after = after,
         .secret = path.starts_with("Content.") || (!path.starts_with("Mounts.") && !path.starts_with("Networks.") &&
                                                    (is_secret(name, before) || is_secret(name, after)))});
  };
  const Json none;
  for (const auto& [path, after] : wanted) {
    const auto found = was.find(path);
    const Json& before = found == was.end() ? none : found->second;
    if (!(before == after) && !is_incomparable(input, path, before)) add(path, before, after);
  }
  for (const auto& [path, before] : was)
    if (!wanted.contains(path) && !is_given(input, path, was, wanted) && !is_incomparable(input, path, Json()))
      add(path, before, Json());
}

std::string shortened(std::string text) {
  constexpr std::size_t kMost = 120;
  if (text.size() <= kMost) return text;
  return text.substr(0, kMost / 2) + "..." + text.substr(text.size() - kMost / 2);
}

// Ids as people know them: their first 12 digits.
std::string with_short_ids(std::string text) {
  constexpr std::size_t kLength = 64, kShown = 12;
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  std::size_t run = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && is_digit(text[i])) {
      ++run;
      continue;
    }
    if (run == kLength) {
      text.erase(i - kLength + kShown, kLength - kShown);
      i -= kLength - kShown;
    }
    run = 0;
  }
  return text;
}

std::string shown(const Json& value) {
  if (value.is_null()) return "absent";
  // An image's variable that was taken away, see add_environment.
  if (value.is_array() && value.size() == 0) return "removed";
  if (value.text().starts_with("sha256:")) return with_short_ids(std::string(value.text()));
  return shortened(with_short_ids(value.canonical()));
}

}  // namespace

Fields fields_of_body(const Json& body, const Json& image) {
  return body_fields(body, image, own_names(body["Labels"]));
}

Fields fields_of_inspect(const Container& container, const Json& image) {
  std::set<std::string> own = own_names(container.inspect["Config"]["Labels"]);
  own.insert(container.name);
  return inspect_fields(container, image, std::move(own));
}

std::string hash_of_body(const Json& body) {
  Json fields = Json::object();
  Fields all = fields_of_body(body, Json());
  for (auto& [path, value] : all) fields.members_mut().emplace_back(path, std::move(value));
  fields.set("Image", body["Image"]);
  return sha256_hex("berth " + std::string(kSchema) + '\n' + fields.canonical());
}

std::vector<Difference> diff_container(const DiffInput& input) {
  std::vector<Difference> out;
  compare_image(input, out);
  std::set<std::string> own = own_names(input.body["Labels"]);
  own.insert(input.container.name);
  own.insert(std::string(input.name));
  const Json none;
  const Image* base = input.image_of ? input.image_of : input.image;
  const Json& image = base ? base->config : none;
  const std::string_view hash = input.body["Labels"][label::kBodyHash].text();
  const bool hashed = !hash.empty() && hash == input.container.label(label::kBodyHash);
  const Fields wanted = body_fields(input.body, image, own, hashed);
  const Fields was = inspect_fields(input.container, image, std::move(own), hashed);
  compare(input, was, wanted, out);
  std::sort(out.begin(), out.end(), [](const Difference& a, const Difference& b) { return a.path < b.path; });
  return out;
}

std::string to_text(const Difference& difference) {
  // The values are digests of the content: their sizes say nothing.
  if (difference.path.starts_with("Content.")) return difference.path + ": changed";
  if (difference.secret) return difference.path + ": " + redacted_change(difference.before, difference.after);
  return difference.path + ": " + shown(difference.before) + " -> " + shown(difference.after);
}

}  // namespace berth::plan
