// What the routes of the fake engine share: their arguments, replies, filters, texts. Not for tests.
#pragma once

#include "testing/fake_state.h"

namespace berth::testing {

using FakeFilters = std::map<std::string, std::vector<std::string>>;

/// One call, taken apart.
struct FakeArgs {
  const FakeRequest& request;
  std::vector<std::string> names{};  ///< what stood for the {}s of the route
  std::vector<std::pair<std::string, std::string>> query{};
  Json body{};
  engine::ApiVersion version{};
  std::vector<std::string> entries{};  ///< names in the tar that was sent

  std::string_view name() const { return names.front(); }
  std::string_view value(std::string_view key) const;
  std::vector<std::string> values(std::string_view key) const;
  /// As the engine reads booleans: anything but "", "0", "no", "false", "none".
  bool flag(std::string_view key) const;
  bool has(std::string_view key) const;
  std::string_view header(std::string_view name) const;
  bool at_least(int minor) const { return version >= engine::ApiVersion{1, minor}; }
};

using FakeHandler = FakeReply (*)(FakeState&, const FakeArgs&);
struct FakeRoute {
  std::string_view method;
  std::string_view pattern;  ///< "/containers/{}/json"; a last {} takes the rest, slashes too, where `rest` is set
  FakeHandler handler;
  bool rest = false;
};
const std::vector<FakeRoute>& container_routes();
const std::vector<FakeRoute>& create_routes();
const std::vector<FakeRoute>& lifecycle_routes();
const std::vector<FakeRoute>& output_routes();
const std::vector<FakeRoute>& archive_routes();
const std::vector<FakeRoute>& exec_routes();
const std::vector<FakeRoute>& image_routes();
const std::vector<FakeRoute>& pull_routes();
const std::vector<FakeRoute>& build_routes();
const std::vector<FakeRoute>& network_routes();
const std::vector<FakeRoute>& volume_routes();
const std::vector<FakeRoute>& system_routes();

/// Sets each member.
void put(Json& object, std::initializer_list<Json::Member> members);
Json with(Json object, std::initializer_list<Json::Member> members);

FakeReply answer(int status, const Json& body);
FakeReply answer(int status);
/// {"message": ...}.
FakeReply refuse(int status, std::string message);
FakeReply no_such_container(std::string_view name);

bool glob(std::string_view pattern, std::string_view text);
/// "2026-01-01T00:00:00.5Z".
std::string time_text(FakeTime time);
/// "5 seconds", "About a minute".
std::string span_text(FakeTime span);
/// Seconds with decimals, RFC 3339 or Go's duration before now; nullopt when none of them.
std::optional<FakeTime> parse_time(std::string_view text, FakeTime now);

/// The `filters` parameter; a refusal where it is no JSON or names one that is not `known`.
std::expected<FakeFilters, FakeReply> read_filters(const FakeArgs& args, std::vector<std::string_view> known);
/// Whether every "key" or "key=value" of `wanted` is in `labels`; "key!=value" of label! is not supported.
bool has_labels(const Json& labels, const FakeFilters& filters);
/// No such filter, or one of its values equals `text`.
bool passes(const FakeFilters& filters, std::string_view name, std::string_view text);

/// Takes out of the reply to a route what the version that was asked for shows no more.
void leave_out_gone(engine::ApiVersion asked, std::string_view pattern, FakeReply& reply);
/// As a line of the stream of events of that version.
std::string event_line(engine::ApiVersion asked, Json event);
/// Whether an event is one of those that a listener asked for.
bool event_passes(FakeState& state, const Json& event, const FakeFilters& filters);

// Shared between the routes' files.
Json container_inspect(FakeState& state, const FakeContainer& container, bool size = false);
Json network_inspect(const FakeState& state, const FakeNetwork& network);
Json network_settings(FakeState& state, const FakeContainer& container);
Json endpoint_json(FakeState& state, const FakeContainer& container, const FakeEndpoint& endpoint);
/// What engines with containerd's image store say of an image.
Json manifest_descriptor(std::string_view id);
Json image_config_defaults();
/// `given` with what the engine adds: the shape of Config / HostConfig as inspect prints it.
Json complete_config(const Json& given);
Json complete_host(const FakeState& state, const Json& given);

/// "TERM", "SIGTERM", "15"; nullopt when there is no such signal.
std::optional<int> signal_number(std::string_view text);
std::optional<FakeReply> name_conflict(FakeState& state, std::string_view name);
std::optional<FakeReply> start_container(FakeState& state, FakeContainer& container);
/// Back to what it was before a start that failed, or after an exit: networks, ports and mounts are let go.
void release(FakeState& state, FakeContainer& container);
/// The end of its main process, by itself or not.
void end_process(FakeState& state, FakeContainer& container, int status);
void kill_process(FakeState& state, FakeContainer& container, std::string_view signal);
/// `container` is gone afterwards.
void remove_container(FakeState& state, FakeContainer& container, bool volumes);
void set_health(FakeState& state, FakeContainer& container, std::string_view status);
void write_output(FakeState& state, FakeContainer& container, std::string_view text, bool err);
/// `restarts`: who follows its logs goes on following.
void end_output(FakeContainer& container, bool restarts);
/// One stdcopy frame.
std::string frame(bool err, std::string_view text);
FakeReply hijack(const FakeState& state, const FakeArgs& args, bool tty, std::shared_ptr<FakeFeed> feed);

/// A line of progress, `after` the one before it.
struct FakeStep {
  io::Duration after{};
  Json message{};
};
/// Tells the steps and does `finish` with the last one, unless the client left before.
FakeReply tell_steps(FakeState& state, std::vector<FakeStep> steps, std::function<void()> finish);
/// {"errorDetail": ..., "error": ...}; without a code where it is 0.
Json error_step(std::string_view message, int code = 0);
FakeStoredImage& store_image(FakeState& state, std::string_view reference, FakeImage image);
void untag(FakeState& state, std::string_view tag);
/// "debian" -> "debian:latest", "docker.io/library/debian:1" -> "debian:1"; the engine's message when it is none.
std::expected<std::string, std::string> full_reference(std::string_view text);
std::string short_image(std::string_view id);

/// Up: takes an address and what else a running container has there. A refusal when it cannot.
std::optional<FakeReply> join_network(FakeState& state, FakeContainer& container, FakeEndpoint& endpoint);
void leave_network(FakeState& state, FakeContainer& container, FakeEndpoint& endpoint);
std::optional<FakeReply> bind_ports(FakeState& state, FakeContainer& container);
void add_predefined_networks(FakeState& state);
FakeVolume& ensure_volume(FakeState& state, std::string_view name, const Json& body, bool anonymous);
std::optional<FakeReply> plan_mounts(FakeState& state, const Json& body, FakeContainer& container);

/// Fetches an image from the registry: null when it is not there (or `auth` is not what it wants).
const FakeRemote* find_remote(const FakeState& state, std::string_view reference, std::string_view auth);
std::string pull_denied(std::string_view reference);

struct FakeEntry {
  std::string name{};
  std::string content{};
  bool folder = false;
};
/// The entries of a tar, compressed or not; nullopt when it is none.
std::optional<std::vector<FakeEntry>> read_tar(std::string_view bytes);
std::string write_tar(const std::vector<FakeEntry>& entries);

}  // namespace berth::testing
