// What containers write: logs and attached connections.
#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

bool is_tty(const FakeContainer& container) {
  return container.config["Tty"].boolean();
}

std::string piece(const FakeContainer& container, const FakeLine& line, bool timestamps) {
  const std::string text = timestamps ? time_text(line.time) + " " + line.text : line.text;
  return is_tty(container) ? text : frame(line.err, text);
}

bool wanted(const FakeReader& reader, const FakeLine& line) {
  return line.err ? reader.err : reader.out;
}

void deliver(const FakeContainer& container, std::vector<FakeReader>& readers, const FakeLine& line) {
  std::erase_if(readers, [](const FakeReader& reader) { return reader.feed.expired(); });
  for (const FakeReader& reader : readers)
    if (wanted(reader, line)) reader.feed.lock()->push(piece(container, line, reader.timestamps));
}

void end(std::vector<FakeReader>& readers) {
  for (const FakeReader& reader : readers)
    if (const auto feed = reader.feed.lock()) feed->end();
  readers.clear();
}

std::string content_type(const FakeArgs& args, bool tty) {
  if (!args.at_least(42)) return "application/vnd.docker.raw-stream";
  return tty ? "application/vnd.docker.raw-stream" : "application/vnd.docker.multiplexed-stream";
}

// The lines that a reader gets at once.
std::string past(const FakeState& state, const FakeArgs& args, const FakeContainer& container,
                 const FakeReader& reader) {
  const FakeTime since = parse_time(args.value("since"), state.now()).value_or(0);
  const FakeTime until = parse_time(args.value("until"), state.now()).value_or(0);
  std::vector<const FakeLine*> lines;
  for (const FakeLine& line : container.lines)
    if (wanted(reader, line) && line.time >= since && (until == 0 || line.time <= until)) lines.push_back(&line);
  const std::string tail(args.value("tail"));
  std::size_t count = lines.size();
  if (!tail.empty() && tail != "all") count = std::min(count, static_cast<std::size_t>(std::atoi(tail.c_str())));
  std::string text;
  for (std::size_t i = lines.size() - count; i < lines.size(); ++i)
    text += piece(container, *lines[i], reader.timestamps);
  return text;
}

FakeReply logs(FakeState& state, const FakeArgs& args) {
  FakeContainer* container = state.find_container(args.name());
  if (!container) return no_such_container(args.name());
  FakeReader reader{.out = args.flag("stdout"), .err = args.flag("stderr"), .timestamps = args.flag("timestamps")};
  if (!reader.out && !reader.err) return refuse(400, "Bad parameters: you must choose at least one stream");
  const std::string_view driver = container->host["LogConfig"]["Type"].text();
  if (driver != "json-file" && driver != "local" && driver != "journald")
    return refuse(501, "configured logging driver does not support reading");
  FakeReply reply{.headers = {{"Content-Type", content_type(args, is_tty(*container))}},
                  .body = past(state, args, *container, reader)};
  if (!args.flag("follow") || (!container->up() && container->status != FakeStatus::restarting)) return reply;
  reply.feed = std::make_shared<FakeFeed>();
  reader.feed = reply.feed;
  container->followers.push_back(reader);
  return reply;
}

// What a client sends to a container whose process echoes.
void read_input(FakeState& state, const FakeContainer& container, FakeFeed& feed) {
  if (!container.config["OpenStdin"].boolean() || !container.process.echoes) return;
  feed.on_input([&state, id = container.id](std::string_view bytes) {
    FakeContainer* now = state.container_by_id(id);
    if (!now || !now->up()) return;
    if (bytes.empty()) return end_process(state, *now, now->process.exit_code);
    write_output(state, *now, bytes, false);
  });
}

FakeReply attach(FakeState& state, const FakeArgs& args) {
  FakeContainer* container = state.find_container(args.name());
  if (!container) return no_such_container(args.name());
  if (container->status == FakeStatus::paused)
    return refuse(409, "Container " + container->id + " is paused. Unpause the container before attach");
  FakeReader reader{.out = args.flag("stdout"), .err = args.flag("stderr")};
  const auto feed = std::make_shared<FakeFeed>();
  if (args.flag("logs")) feed->push(past(state, args, *container, reader));
  if (args.flag("stream")) {
    reader.feed = feed;
    container->attached.push_back(reader);
    if (args.flag("stdin")) read_input(state, *container, *feed);
  } else {
    feed->end();
  }
  return hijack(state, args, is_tty(*container), feed);
}

}  // namespace

std::string frame(bool err, std::string_view text) {
  std::string out(8, '\0');
  out[0] = err ? 2 : 1;
  for (int i = 0; i < 4; ++i) out[4 + static_cast<std::size_t>(i)] = static_cast<char>(text.size() >> (24 - 8 * i));
  return out.append(text);
}

FakeReply hijack(const FakeState&, const FakeArgs& args, bool tty, std::shared_ptr<FakeFeed> feed) {
  return {.status = args.header("Upgrade").empty() ? 200 : 101,
          .headers = {{"Content-Type", content_type(args, tty)}},
          .feed = std::move(feed),
          .hijacked = true};
}

void write_output(FakeState& state, FakeContainer& container, std::string_view text, bool err) {
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    const FakeLine line{state.tick(), err && !is_tty(container), std::string(text.substr(0, size))};
    container.lines.push_back(line);
    deliver(container, container.followers, line);
    deliver(container, container.attached, line);
    text.remove_prefix(size);
  }
}

void end_output(FakeContainer& container, bool restarts) {
  if (!restarts) end(container.followers);
  end(container.attached);
}

const std::vector<FakeRoute>& output_routes() {
  static const std::vector<FakeRoute> routes{
      {"GET", "/containers/{}/logs", logs},
      {"POST", "/containers/{}/attach", attach},
  };
  return routes;
}

}  // namespace berth::testing
