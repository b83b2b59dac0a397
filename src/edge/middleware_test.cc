// Each middleware between a real client and a real origin: a case says labels and requests, and what clients get.
#include "base/text.h"
#include "edge/keys.h"
#include "edge/label_middleware.h"
#include "edge/server_fixture.h"
#include "testing/golden.h"

namespace berth::edge {
namespace {

struct Ask {
  std::string line;  ///< "GET /path"
  std::string fields{}, body{};
};
/// Lines "NAME.KIND.KEY=VALUE" (used in this order, or as "use NAME" says), then "> METHOD PATH" with fields and "|
/// BODY" below.
struct Script {
  std::vector<std::string> order;
  Named labels;
  std::vector<Ask> asks;
  bool trusted = false;
};

Script read_script(const std::string& text) {
  Script script;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    if (line == "trusted") {
      script.trusted = true;
    } else if (line.starts_with("use ")) {
      script.order = {std::string(line.substr(4))};
    } else if (line.starts_with("> ")) {
      script.asks.push_back({.line = std::string(line.substr(2))});
    } else if (line.starts_with("| ")) {
      script.asks.back().body = line.substr(2);
    } else if (!script.asks.empty()) {
      script.asks.back().fields += std::string(line) + "\r\n";
    } else {
      const Cut pair = cut(line, '='), name = cut(pair.before, '.');
      if (!script.labels.contains(name.before)) script.order.emplace_back(name.before);
      script.labels[std::string(name.before)][lower(name.after)] = pair.after;
    }
  }
  return script;
}

std::vector<Middleware> middlewares_of(const Script& script) {
  Trees trees;
  for (const auto& [name, fields] : script.labels) trees[name] = tree_of(fields);
  auto chain = chain_of(script.order, trees);
  EXPECT_TRUE(chain.has_value()) << chain.error().text();
  for (Middleware& each : *chain) {
    if (auto* asks = std::get_if<ForwardAuth>(&each.action)) asks->service = "origin";
  }
  return chain.value_or(std::vector<Middleware>{});
}

const Script* running = nullptr;
std::string said;

std::string show(const Answer& answer) {
  std::string out = std::to_string(answer.status) + (answer.complete ? "" : " cut") + "\n";
  for (const auto& [name, value] : answer.headers) {
    if (!http::same_name(name, "date") && !http::same_name(name, "content-length")) {
      out.append(name).append(": ").append(value).append("\n");
    }
  }
  const bool encoded = !answer.field("content-encoding").empty();
  out += encoded                     ? "(encoded)"
         : answer.body.size() > 1000 ? std::to_string(answer.body.size()) + " bytes"
                                     : answer.body;
  return out.ends_with('\n') ? out : out + "\n";
}

io::Task<void> ask_all(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.routes[0].middlewares = middlewares_of(*running);
  if (running->trusted) snapshot.settings.trusted_proxies = {"127.0.0.0/8"};
  // What the snapshot's text says is what counts: that is what reaches an edge.
  world.use(decode_snapshot(encode_snapshot(snapshot)).value());
  for (const Ask& ask : running->asks) {
    auto browser = co_await world.browse();
    const bool chunked = ask.fields.contains("chunked");
    const std::string size = std::to_string(ask.body.size());  // below ten it is the same in hex
    const std::string length = ask.body.empty() || chunked ? "" : "Content-Length: " + size + "\r\n";
    const std::string body = chunked ? size + "\r\n" + ask.body + "\r\n0\r\n\r\n" : ask.body;
    const Answer answer =
        co_await browser->ask(ask.line + " HTTP/1.1\r\nHost: app.test\r\n" + ask.fields + length + "\r\n" + body);
    said += "> " + ask.line + "\n" + show(answer) + "\n";
  }
}

class MiddlewareCase : public ::testing::TestWithParam<berth::testing::GoldenCase> {};

TEST_P(MiddlewareCase, Answers) {
  const Script script = read_script(GetParam().input);
  running = &script;
  said.clear();
  World world;
  world.run(ask_all);
  while (said.ends_with("\n\n")) said.pop_back();
  berth::testing::expect_golden(GetParam(), said);
}

INSTANTIATE_TEST_SUITE_P(Golden, MiddlewareCase,
                         ::testing::ValuesIn(berth::testing::golden_cases(TESTDATA "/middleware")),
                         berth::testing::golden_name);

}  // namespace
}  // namespace berth::edge
