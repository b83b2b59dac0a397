#include "plan/risk.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "base/text.h"
#include "plan/diff.h"

namespace berth::plan {
namespace {

// Programs that write a format of their own major version. "numbers": how many parts of the version decide.
struct Stateful {
  std::string_view name;      // last part of the repository
  std::string_view variable;  // of the image's environment
  int numbers = 1;
};
constexpr std::array<Stateful, 27> kStateful = {{
    {"postgres", "PG_MAJOR"},
    {"postgis", "PG_MAJOR"},
    {"timescaledb", "PG_MAJOR"},
    {"pgvector", "PG_MAJOR"},
    {"postgresql", "PG_MAJOR"},
    {"mysql", "MYSQL_MAJOR"},
    {"mysql-server", "MYSQL_MAJOR"},
    {"mariadb", "MARIADB_VERSION"},
    {"percona", "PS_VERSION"},
    {"mongo", "MONGO_MAJOR"},
    {"mongodb", "MONGO_MAJOR"},
    {"redis", "REDIS_VERSION"},
    {"valkey", "VALKEY_VERSION"},
    {"elasticsearch", "ES_VERSION"},
    {"opensearch", "OPENSEARCH_VERSION"},
    {"cassandra", ""},
    {"neo4j", "NEO4J_VERSION"},
    {"influxdb", "INFLUXDB_VERSION"},
    {"rabbitmq", "RABBITMQ_VERSION"},
    {"couchdb", "COUCHDB_VERSION"},
    {"clickhouse-server", "", 2},
    {"etcd", "ETCD_VERSION"},
    {"kafka", ""},
    {"zookeeper", ""},
    {"solr", "SOLR_VERSION"},
    {"meilisearch", "", 2},
    {"rethinkdb", "RETHINKDB_PACKAGE_VERSION"},
}};

// "registry:5000/library/postgres:16-alpine@sha256:..." -> "postgres", "16-alpine"
struct NameAndTag {
  std::string_view name;
  std::string_view tag;
};
NameAndTag name_and_tag(std::string_view reference) {
  const std::string_view tagged = cut(reference, '@').before;
  const std::size_t slash = tagged.rfind('/');
  const auto [name, tag, found] = cut(slash == std::string_view::npos ? tagged : tagged.substr(slash + 1), ':');
  return {name, tag};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "v8.4.1-oracle" with 2 numbers -> "8.4"; "" when it does not begin with a number.
std::string leading_numbers(std::string_view text, int numbers) {
  if (text.starts_with('v') || text.starts_with("pg")) text.remove_prefix(text.starts_with('v') ? 1 : 2);
  std::string out;
  for (int part = 0; part < numbers && !text.empty() && is_digit(text.front()); ++part) {
    std::size_t end = 0;
    while (end < text.size() && is_digit(text[end])) ++end;
    out += (out.empty() ? "" : ".") + std::string(text.substr(0, end));
    text.remove_prefix(end);
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  return out;
}

std::string version_in(const Stateful& program, std::string_view text) {
  const std::string first = leading_numbers(text, program.numbers);
  // PostgreSQL counted its majors in two numbers before 10.
  const bool two = program.variable == "PG_MAJOR" && first.size() == 1;
  return two ? leading_numbers(text, 2) : first;
}

std::string_view variable_of(const Json& config, std::string_view name) {
  if (name.empty()) return {};
  for (const Json& pair : config["Env"].items()) {
    const auto [key, value, found] = cut(pair.text(), '=');
    if (key == name) return value;
  }
  return {};
}

void mark(Node& node, Risk risk, const std::string& note) {
  if (risk > node.risk) node.risk = risk;
  node.risk_note += (node.risk_note.empty() ? "" : "; ") + note;
}

struct Target {
  std::string_view type;
  std::string_view source;
};
// What a create body mounts at each place.
std::map<std::string_view, Target> targets_of(const Json& body) {
  std::map<std::string_view, Target> out;
  const Json& host = body["HostConfig"];
  for (const Json& mount : host["Mounts"].items())
    out[mount["Target"].text()] = {mount["Type"].text(), mount["Source"].text()};
  for (const Json& bind : host["Binds"].items()) {
    const auto parts = split(bind.text(), ':');
    if (parts.size() > 1) out[parts[1]] = {parts[0].starts_with('/') ? "bind" : "volume", parts[0]};
  }
  for (const auto& member : host["Tmpfs"].members()) out[member.first] = {"tmpfs", {}};
  return out;
}

std::string shown(const Mount& mount) {
  return is_generated_name(mount.name) ? "its anonymous volume at " + mount.target
                                       : "volume " + mount.name + " at " + mount.target;
}

// One container that a new one replaces.
struct Swap {
  const Container& old;
  Node& made;     // its CreateContainer
  Node& removed;  // the old one's RemoveContainer
};

struct Marker {
  Plan& plan;
  const Observed& observed;
  const Claimed& claimed;
  bool renewed = false;

  std::map<std::string, Node*, std::less<>> new_volumes{};
  std::map<std::string_view, const Container*> by_id{};

  Node* creation_of(std::string_view volume) const {
    const auto found = new_volumes.find(volume);
    return found == new_volumes.end() ? nullptr : found->second;
  }

  // Where the new container has something else than the old one's volume.
  void mark_mounts(const Swap& swap) {
    const auto targets = targets_of(std::get<CreateContainer>(swap.made.op).body);
    for (const Mount& mount : swap.old.mounts) {
      if (mount.type != "volume") continue;
      const auto found = targets.find(mount.target);
      if (found != targets.end() && found->second.source == mount.name) continue;
      const bool fresh = found == targets.end() || found->second.source.empty();
      if (Node* created = fresh ? nullptr : creation_of(found->second.source))
        mark(*created, Risk::data, "it would be new and empty where " + swap.old.name + " has " + shown(mount));
      else if (is_generated_name(mount.name))
        mark(swap.removed, fresh && renewed ? Risk::notice : Risk::data,
             shown(mount) + (found == targets.end() && !renewed ? " is mounted no more" : " is left for another"));
    }
  }

  void mark_version(const Swap& swap) {
    const auto& create = std::get<CreateContainer>(swap.made.op);
    const std::string_view reference = create.body["Image"].text();
    const Image* before = observed.image(swap.old.image_id);
    const Image* after = observed.image(reference);
    const std::string was = data_version(swap.old.image, before ? before->config : Json());
    const std::string is = data_version(reference, after ? after->config : Json());
    const bool keeps = std::any_of(swap.old.mounts.begin(), swap.old.mounts.end(), [](const Mount& mount) {
      return mount.writable && (mount.type == "volume" || mount.type == "bind");
    });
    if (!keeps || was.empty() || is.empty() || was == is) return;
    mark(swap.made, Risk::data,
         std::string(name_and_tag(reference).name) + ' ' + was + " -> " + is +
             " over the same data: save a dump first; the old version may not read what the new one writes");
  }

  void index() {
    for (Node& node : plan.nodes)
      if (const auto* create = std::get_if<CreateVolume>(&node.op))
        new_volumes.emplace(create->body["Name"].text(), &node);
    for (const auto* list : {&observed.containers, &observed.foreign})
      for (const Container& container : *list) by_id.emplace(container.id, &container);
  }

  void mark_swaps() {
    std::map<std::string_view, Node*> made;
    for (Node& node : plan.nodes)
      if (std::holds_alternative<CreateContainer>(node.op) && node.replacing) made[node.subject] = &node;
    for (Node& node : plan.nodes) {
      const auto* removal = std::get_if<RemoveContainer>(&node.op);
      const auto known = removal ? by_id.find(removal->container.id) : by_id.end();
      if (known == by_id.end()) continue;
      const Container* old = known->second;
      if (removal->volumes) mark_loss(node, *old);
      const auto found = node.replacing ? made.find(node.subject) : made.end();
      if (found == made.end()) continue;
      const Swap swap{.old = *old, .made = *found->second, .removed = node};
      mark_mounts(swap);
      mark_version(swap);
    }
  }

  static void mark_loss(Node& node, const Container& old) {
    for (const Mount& mount : old.mounts)
      if (mount.type == "volume" && is_generated_name(mount.name)) mark(node, Risk::data, shown(mount) + " goes too");
  }

  // The project's own volumes that no service declares any more, against those that would be new.
  void mark_renamed_keys() {
    for (Node& node : plan.nodes) {
      const auto* create = std::get_if<CreateVolume>(&node.op);
      if (!create || node.risk == Risk::data) continue;
      const std::string_view key = create->body["Labels"][label::kVolume].text();
      for (const Volume& volume : observed.volumes) {
        const auto own = volume.labels.find(label::kProject);
        const auto its = volume.labels.find(label::kVolume);
        if (own == volume.labels.end() || own->second != plan.project || its == volume.labels.end()) continue;
        if (claimed.contains(volume.name) || !similar(key, its->second)) continue;
        mark(node, Risk::data, "it would be new and empty, and " + volume.name + " of this project is used no more");
      }
    }
  }

  static bool similar(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) return false;
    const auto longest = std::max(a.size(), b.size());
    return a.contains(b) || b.contains(a) || edit_distance(a, b) <= longest / 3;
  }
};

}  // namespace

std::string data_version(std::string_view reference, const Json& config) {
  const auto [name, tag] = name_and_tag(reference);
  const auto found = std::find_if(kStateful.begin(), kStateful.end(), [&](const Stateful& one) {
    // An image that is named by its id or under a name of its own tells by its environment.
    return one.name == name || (!one.variable.empty() && !variable_of(config, one.variable).empty());
  });
  if (found == kStateful.end()) return {};
  const std::string by_tag = found->name == name ? version_in(*found, tag) : std::string();
  return by_tag.empty() ? version_in(*found, variable_of(config, found->variable)) : by_tag;
}

void mark_risks(Plan& plan, const Observed& observed, const Claimed& claimed, bool renewed) {
  Marker marker{.plan = plan, .observed = observed, .claimed = claimed, .renewed = renewed};
  marker.index();
  marker.mark_swaps();
  marker.mark_renamed_keys();
}

bool makes_volumes(const Plan& plan) {
  return std::any_of(plan.nodes.begin(), plan.nodes.end(),
                     [](const Node& node) { return std::holds_alternative<CreateVolume>(node.op); });
}

namespace {

// What the volume of another project says about a volume that would be made under the same key.
void mark_neighbour(Node& node, const Volume& volume, const std::string& project,
                    const std::map<std::string, bool>& runs) {
  const std::string& other = volume.labels.find(label::kProject)->second;
  const auto near = runs.find(other);
  const std::string what = volume.name + " of project " + other;
  if (near != runs.end() && !near->second)
    mark(node, Risk::data, "it would be new and empty; " + what + ", made from the same folder, may hold the data");
  else if (near == runs.end() && Marker::similar(other, project))
    mark(node, Risk::notice, "a similar one exists: " + what);
}

bool is_of_other(const Volume& volume, std::string_view key, const std::string& project) {
  const auto its = volume.labels.find(label::kVolume);
  const auto whose = volume.labels.find(label::kProject);
  return its != volume.labels.end() && its->second == key && whose != volume.labels.end() && whose->second != project;
}

}  // namespace

void mark_neighbours(Plan& plan, const Neighbours& neighbours) {
  std::map<std::string, bool> runs;  // projects of the same folder -> whether one of their containers runs
  for (const Container& container : neighbours.containers)
    if (container.project != plan.project) runs[container.project] |= is_up(container.state);
  for (Node& node : plan.nodes) {
    const auto* create = std::get_if<CreateVolume>(&node.op);
    if (!create || node.risk == Risk::data) continue;
    const std::string_view key = create->body["Labels"][label::kVolume].text();
    for (const Volume& volume : neighbours.volumes)
      if (is_of_other(volume, key, plan.project)) mark_neighbour(node, volume, plan.project, runs);
  }
}

}  // namespace berth::plan
