// What a real dockerd 20.10 answered to whole conversations, told to the fake engine: it must answer the same.
// fake_engine_record.py, which recorded them, says what the lines mean.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "testing/fake_engine.h"
#include "testing/fake_feed.h"
#include "testing/fake_route.h"
#include "testing/simulation.h"

namespace berth::testing {
namespace {

using namespace std::chrono_literals;

bool is_hex(std::string_view word) {
  return word.find_first_not_of("0123456789abcdef") == word.npos;
}

std::string normal_word(std::string_view word) {
  if (word.size() == 64 && is_hex(word)) return "<id>";
  if (word.size() == 12 && is_hex(word) && word.find_first_of("0123456789") != word.npos) return "<short>";
  return std::string(word);
}

// The length of the time that `text` begins with, 0 when it begins with none.
std::size_t time_length(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text.starts_with("0001")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789:.", 11);
  if (end == text.npos) return 0;
  return text[end] == 'Z' ? end + 1 : text[end] == '+' ? end + 6 : 0;
}

// "1767225600.000000000" and the like.
bool is_moment(std::string_view text) {
  return text.size() >= 20 && text[10] == '.' && text.substr(0, 10).find_first_not_of("0123456789") == text.npos &&
         text.substr(11, 9).find_first_not_of("0123456789") == text.npos;
}

std::string replace_words(std::string_view text) {
  constexpr std::string_view kWord = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  std::string out;
  while (!text.empty()) {
    if (const std::size_t time = time_length(text)) {
      out += "<time>";
      text.remove_prefix(time);
      continue;
    }
    if (is_moment(text)) {
      out += "<seconds>";
      text.remove_prefix(20);
      continue;
    }
    const std::size_t word = std::min(text.find_first_not_of(kWord), text.size());
    out += word > 0 ? normal_word(text.substr(0, word)) : std::string(text.substr(0, 1));
    text.remove_prefix(std::max<std::size_t>(word, 1));
  }
  return out;
}

// "Up 3 seconds (healthy)" -> "Up <while> (healthy)".
std::string replace_span(std::string text) {
  const bool exited = text.starts_with("Exited (");
  if (!text.starts_with("Up ") && !exited) return text;
  const std::size_t begin = exited ? text.find(')') + 2 : 3;
  std::size_t end = text.find("second");
  if (end == text.npos) end = text.find("minute");
  if (end == text.npos) return text;
  end += 6;
  if (end < text.size() && text[end] == 's') ++end;
  if (std::string_view(text).substr(end).starts_with(" ago")) end += 4;
  return text.substr(0, begin) + "<while>" + text.substr(end);
}

std::string normal_text(std::string_view given) {
  std::string text = replace_span(replace_words(given));
  if (const std::size_t at = text.find("/volumes/"); text.starts_with('/') && at != text.npos)
    text = "<root>" + text.substr(at);
  if (text.starts_with("172.")) {
    const int second = std::atoi(text.c_str() + 4);
    if (second >= 18 && second <= 31) text = "172.x" + text.substr(text.find('.', 4));
  }
  if (text.starts_with("02:42:ac:1") && text[10] != '1' && text[10] != '0') text.replace(9, 2, "xx");
  return text;
}

Json normal(const Json& value, std::string_view key);

Json normal_list(const Json& value, bool sorted) {
  Json list = Json::array();
  for (const Json& item : value.items()) list.push(normal(item, ""));
  if (sorted) std::ranges::sort(list.items_mut(), {}, &Json::canonical);
  return list;
}

Json normal(const Json& value, std::string_view key) {
  constexpr std::string_view kPlain[] = {
      "Pid",     "SandboxID",     "SandboxKey", "EndpointID", "ResolvConfPath", "HostnamePath", "HostsPath", "LogPath",
      "Created", "VirtualSize",   "Mountpoint", "time",       "timeNano",       "LowerDir",     "MergedDir", "UpperDir",
      "WorkDir", "DockerVersion", "CreatedAt",  "SizeRootFs", "Start",          "End",          "Size"};
  const bool says = !value.is_empty() && value != Json(-1);
  if (says && std::ranges::find(kPlain, key) != std::end(kPlain)) return "<" + std::string(key) + ">";
  if (value.is_text()) return normal_text(value.text());
  // The engine walks over maps of these.
  if (value.is_array()) return normal_list(value, key == "Mounts" || key.ends_with("Deleted"));
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (const auto& [name, item] : value.members()) object.set(normal_text(name), normal(item, name));
  return object;
}

Json members_of(const Json& value, const std::vector<std::string>& paths) {
  if (paths.empty()) return value;
  Json chosen = Json::object();
  for (const std::string& path : paths) chosen.set(path, value.at(path));
  return chosen;
}

std::string normal_body(const FakeReply& reply, const std::string& body, const std::vector<std::string>& paths) {
  std::string_view kind;
  for (const auto& [name, value] : reply.headers)
    if (name == "Content-Type") kind = value;
  if (body.empty()) return "";
  if (kind == "application/x-tar") {
    Json names = Json::array();
    for (const FakeEntry& entry : read_tar(body).value_or(std::vector<FakeEntry>{}))
      names.push(std::string_view(entry.name).substr(0, entry.name.size() - entry.folder));
    return Json::object({{"entries", names}}).canonical();
  }
  if (kind != "application/json") return Json(normal_text(body)).canonical();
  Json lines = Json::array();
  for (const std::string_view line : split(body, '\n'))
    if (!trim(line).empty()) lines.push(normal(parse_json(line).value_or(Json("no JSON: " + std::string(line))), ""));
  if (lines.size() != 1) return Json::object({{"lines", lines}}).canonical();
  Json value = lines.items().front();
  if (value.is_array()) std::ranges::sort(value.items_mut(), {}, &Json::canonical);
  return members_of(value, paths).canonical();
}

// A recorded body in the order that normal_body writes.
std::string recorded_body(std::string_view text) {
  if (text.empty()) return "";
  Json value = normal(parse_json(text).value_or(Json("unreadable")), "");
  if (value.is_array()) std::ranges::sort(value.items_mut(), {}, &Json::canonical);
  return value.canonical();
}

// Where two texts part.
std::string difference(const std::string& actual, const std::string& expected) {
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(actual, expected).in1 - actual.begin());
  const std::size_t begin = at < 80 ? 0 : at - 80;
  return "is:     ..." + actual.substr(begin, 240) + "\nwanted: ..." + expected.substr(begin, 240);
}

void set_up(FakeEngine& engine) {
  const FakeProcess runs{.output = {{.text = "out line\n"}, {.text = "err line\n", .err = true, .after = 100ms}},
                         .health = {{.after = 1s}}};
  engine.add_image("fe:1", {.config = *parse_json(R"({"Cmd":["/init"],"ExposedPorts":{"80/tcp":{}},"Env":["A=1"],
                                                      "Labels":{"x":"y"}})"),
                            .process = runs,
                            .files = {{"/init", "program"}, {"/etc/motd", "hi\n"}}});
  engine.behave("shop-web-1", {.health = {{.after = 1s}}});
  engine.behave("ends", {.exits_after = 1ms, .exit_code = 3});
  engine.behave("auto", {.exits_after = 1ms});
  engine.behave("missing", {.start_error = "failed to create shim task: OCI runtime create failed: runc create failed: "
                                           "unable to start container process: exec: \"/nope\": stat /nope: no such "
                                           "file or directory: unknown"});
  engine.on_exec({.command = "/init", .takes = 1h});
  engine.on_exec({.command = "/init exit 4", .out = "bye\n", .exit_code = 4, .takes = 1ms});
}

class Talk : public ::testing::TestWithParam<std::string> {
 protected:
  void run(const std::string& path);
  void tell(std::string_view line);
  FakeReply call();
  std::string fill(std::string text) const;

  std::unique_ptr<io::Loop> loop_ = simulated_loop();
  FakeEngineOptions options_{.missing_paths = {"/nope"}};
  FakeEngine engine_{*loop_, options_};
  std::int64_t passed_ = 0;  // nanoseconds
  std::int64_t since_ = 0;
  std::string last_;
  FakeRequest request_;
  std::vector<FakeEntry> entries_;
  std::vector<std::string> paths_;
  int compared_ = 0;
};

std::string Talk::fill(std::string text) const {
  const auto seconds = [&](std::int64_t time) {
    std::string digits = std::to_string(options_.epoch * 1'000'000'000 + time);
    return digits.insert(10, ".");
  };
  text = replace_all(text, "{since}", seconds(since_));
  return replace_all(replace_all(text, "{now}", seconds(passed_)), "{last}", last_);
}

FakeReply Talk::call() {
  engine_.advance(1ms);
  passed_ += 1'000'000;
  request_.target = fill(request_.target);
  if (!entries_.empty()) request_.body = write_tar(entries_);
  FakeReply reply = engine_.handle(request_);
  if (reply.feed) {
    engine_.advance(1ms);
    passed_ += 1'000'000;
    reply.body += reply.feed->take();
  }
  if (const Json body = reply.json(); body.is_object() && !body["Id"].text().empty() && request_.method == "POST")
    last_ = body["Id"].text();
  return reply;
}

void Talk::tell(std::string_view line) {
  const std::string_view rest = line.substr(2);
  if (line.starts_with("| ")) request_.body = rest;
  if (line.starts_with("+ "))
    entries_.push_back({std::string(cut(rest, ' ').before), replace_all(cut(rest, ' ').after, "\\n", "\n")});
  if (line.starts_with("? "))
    for (const std::string_view path : split(rest, ' ')) paths_.emplace_back(path);
  if (line == "> since") {
    since_ = passed_;
  } else if (line.starts_with("> sleep ")) {
    const auto span =
        std::chrono::nanoseconds(static_cast<std::int64_t>(std::atof(std::string(rest.substr(6)).c_str()) * 1e9));
    engine_.advance(span);
    passed_ += span.count();
  } else if (line.starts_with("> ")) {
    request_ = {.method = std::string(cut(rest, ' ').before), .target = std::string(cut(rest, ' ').after)};
    entries_.clear();
    paths_.clear();
  }
  if (!line.starts_with("< ")) return;
  const std::string expected =
      std::string(cut(rest, ' ').before) + " " + recorded_body(fill(std::string(cut(rest, ' ').after)));
  const FakeReply reply = call();
  const std::string actual = std::to_string(reply.status) + " " + normal_body(reply, reply.body, paths_);
  EXPECT_TRUE(actual == expected) << request_.method << " " << request_.target << "\n"
                                  << (entries_.empty() ? request_.body : "a tar") << "\n"
                                  << difference(actual, expected);
  ++compared_;
}

TEST_P(Talk, IsAnsweredAsByARealEngine) {
  set_up(engine_);
  std::ifstream file(GetParam());
  for (std::string line; std::getline(file, line);) tell(line);
  EXPECT_GT(compared_, 3);
}

std::vector<std::string> talks() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(TESTDATA "/fake_engine"))
    if (entry.path().extension() == ".talk") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

INSTANTIATE_TEST_SUITE_P(Recorded, Talk, ::testing::ValuesIn(talks()),
                         [](const auto& info) { return std::filesystem::path(info.param).stem().string(); });

}  // namespace
}  // namespace berth::testing
