// Requests that two parsers could read in two ways: a file each with the bytes that a client sends, and what comes of
// them: each request as it is logged (or the frames of HTTP/2), and the bytes that the upstream gets.
#include <charconv>

#include "base/text.h"
#include "edge/server_fixture.h"
#include "testing/golden.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;

// The files: text as in C with \r \n \t \0 \\ \xHH; the ends of lines are for readers and mean nothing.

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\n') continue;
    if (text[at] != '\\' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    const char next = text[++at];
    static constexpr std::string_view kNames = "rnt0\\", kBytes("\r\n\t\0\\", 5);
    int byte = 0;
    if (next == 'x') {
      std::from_chars(text.data() + at + 1, text.data() + at + 3, byte, 16);
      at += 2;
    } else {
      byte = kBytes.at(kNames.find(next));
    }
    out += static_cast<char>(byte);
  }
  return out;
}

std::string escape(std::string_view bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const char c = bytes[at];
    if (c == '\r')
      out += "\\r";
    else if (c == '\n')
      out += "\\n\n";
    else if (c == '\\')
      out += "\\\\";
    else if (c >= ' ' && c <= '~')
      out += c;
    else
      out += "\\?";
  }
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out;
}

/// A service that notes each byte and answers each request that is whole.
struct Recorder {
  std::string seen;
  io::Address address;

  io::Task<void> serve(std::unique_ptr<io::Stream> stream) {
    std::string waiting;
    char buffer[4096];
    while (true) {
      const auto count = co_await io::read_some(*stream, buffer);
      if (!count || *count == 0) co_return;
      seen.append(buffer, *count);
      waiting.append(buffer, *count);
      if (!is_whole(waiting)) continue;
      waiting.clear();
      const auto sent = co_await io::write_all(*stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      if (!sent) co_return;
    }
  }
  static bool is_whole(std::string_view bytes) {
    http::RequestHead head;
    const http::Parsed parsed = http::parse_request(bytes, head);
    if (parsed.state != http::Parsed::State::complete) return false;
    http::BodyDecoder decoder(http::body_of(head));
    bytes.remove_prefix(parsed.consumed);
    http::BodyDecoder::Step step;
    do step = decoder.next(bytes);
    while (step.what == http::BodyDecoder::Next::data);
    EXPECT_NE(step.what, http::BodyDecoder::Next::refused) << step.reason;
    return step.what == http::BodyDecoder::Next::end;
  }
  io::Task<void> run(io::Loop& loop) {
    auto listener = io::Listener::open(loop, io::Address::parse("127.0.0.1:0").value());
    address = (*listener)->address();
    io::Scope scope(co_await io::here());
    while (auto stream = co_await (*listener)->accept()) scope.spawn(serve(std::move(*stream)));
    scope.cancel();
    co_await scope.join();
  }
};

// HTTP/2: a line "name=value" for each field, "----" before the trailers, "body=..." in its place.

std::string frame(int type, int flags, int stream, std::string_view payload) {
  const auto size = static_cast<unsigned>(payload.size());
  return std::string{static_cast<char>(size >> 16),
                     static_cast<char>(size >> 8),
                     static_cast<char>(size),
                     static_cast<char>(type),
                     static_cast<char>(flags),
                     0,
                     0,
                     0,
                     static_cast<char>(stream)} +
         std::string(payload);
}

/// Never in a table, never compressed (RFC 7541 6.2.2).
std::string literal(std::string_view name, std::string_view value) {
  EXPECT_LT(std::max(name.size(), value.size()), 127u);
  return std::string(1, '\0') + static_cast<char>(name.size()) + std::string(name) + static_cast<char>(value.size()) +
         std::string(value);
}

std::string h2_bytes(std::string_view input) {
  enum { kData = 0, kHeaders = 1, kSettings = 4, kEndStream = 1, kEndHeaders = 4 };
  std::vector<std::string> frames;  // without END_STREAM
  std::string block;
  const auto end_block = [&] {
    if (!block.empty()) frames.push_back(frame(kHeaders, kEndHeaders, 1, std::exchange(block, {})));
  };
  for (const std::string_view line : split(input, '\n')) {
    if (line.empty()) continue;
    const Cut parts = cut(line, '=');
    if (line == "----") {
      end_block();
    } else if (parts.before == "body") {
      end_block();
      frames.push_back(frame(kData, 0, 1, unescape(parts.after)));
    } else {
      block += literal(unescape(parts.before), unescape(parts.after));
    }
  }
  end_block();
  frames.back()[4] = static_cast<char>(frames.back()[4] | kEndStream);
  std::string out = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, "");
  for (const std::string& each : frames) out += each;
  return out;
}

/// "RST_STREAM 1" and such of what the edge sent; whether the stream is over.
bool over(std::string_view frames, std::string& said) {
  said.clear();
  while (frames.size() >= 9) {
    const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(frames[at])); };
    const std::size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
    if (frames.size() < 9 + size) return false;
    if (byte(3) == 3) said = "RST_STREAM " + std::to_string(byte(12)) + "\n";
    if (byte(3) == 7) said = "GOAWAY " + std::to_string(byte(16)) + "\n";
    if (!said.empty() || (byte(3) <= 1 && (byte(4) & 1) != 0)) return true;
    frames.remove_prefix(9 + size);
  }
  return false;
}

/// Reads until the edge closes, or `done` says so.
io::Task<std::string> read(io::Stream& stream, std::function<bool(std::string_view)> done) {
  std::string all;
  char buffer[4096];
  while (!done(all)) {
    const auto count = co_await io::read_some(stream, buffer);
    if (!count || *count == 0) break;
    all.append(buffer, *count);
  }
  co_return all;
}

std::string golden_input, golden_output;  // a test is a plain function

io::Task<void> send_and_note(World& world) {
  io::Scope scope(co_await io::here());
  Recorder recorder;
  scope.spawn(recorder.run(world.loop));
  EXPECT_TRUE((co_await io::sleep_for(io::Duration::zero())).has_value());
  Snapshot snapshot = world.snapshot(2);
  snapshot.services[0].upstreams[0].port = recorder.address.port();
  world.use(std::move(snapshot));
  auto stream = std::move(*(co_await io::connect(world.web)));
  std::string frames;
  const bool h2 = golden_input.starts_with("HTTP/2\n");
  const std::string bytes = h2 ? h2_bytes(std::string_view(golden_input).substr(7)) : unescape(golden_input);
  EXPECT_TRUE((co_await io::write_all(*stream, bytes)).has_value());
  if (!h2) stream->shutdown_write();
  co_await read(*stream, [&](std::string_view all) { return h2 && over(all, frames); });
  stream->close();
  // All is on one loop: what the edge sent is there after a few turns.
  EXPECT_TRUE((co_await io::sleep_for(20ms)).has_value());
  golden_output.clear();
  for (const std::string& line : world.access) golden_output += std::string(trim(line)) + "\n";
  golden_output += frames + "-> upstream" + (recorder.seen.empty() ? ": nothing\n" : "\n" + escape(recorder.seen));
  scope.cancel();
  co_await scope.join();
}

class Smuggling : public ::testing::TestWithParam<berth::testing::GoldenCase> {};

TEST_P(Smuggling, BecomesWhatTheFileSays) {
  golden_input = GetParam().input;
  golden_output = "the test did not end";
  World world;
  world.run(send_and_note);
  berth::testing::expect_golden(GetParam(), golden_output);
}
INSTANTIATE_TEST_SUITE_P(Golden, Smuggling, ::testing::ValuesIn(berth::testing::golden_cases(TESTDATA "/smuggling")),
                         berth::testing::golden_name);

}  // namespace
}  // namespace berth::edge
