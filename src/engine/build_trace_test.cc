#include "engine/build_trace.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace berth::engine {
namespace {

// What an engine sends, written by hand.
std::string number(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  return out += static_cast<char>(value);
}
std::string field(std::uint32_t at, std::string_view bytes) {
  return number(at << 3 | 2) + number(bytes.size()) + std::string(bytes);
}
std::string field(std::uint32_t at, std::uint64_t value) {
  return number(at << 3) + number(value);
}
std::string time_at(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  return field(1, 1'700'000'000 + whole) + field(2, static_cast<std::uint64_t>((seconds - double(whole)) * 1e9));
}
std::string vertex(std::string_view digest, std::string_view name, const std::string& rest = {}) {
  return field(1, field(1, digest) + field(2, "input") + field(3, name) + rest);
}
std::string log_of(std::string_view digest, double when, std::string_view text) {
  return field(3, field(1, digest) + field(2, time_at(when)) + field(3, 1) + field(4, text));
}

class Traces : public testing::Test {
 protected:
  std::string add(const std::string& bytes) {
    const auto trace = parse_trace(bytes);
    return trace ? join(text_.add(*trace), "\n") : "!" + trace.error().message;
  }
  TraceText text_;
};

TEST_F(Traces, TellAStepFromItsBeginToItsEnd) {
  EXPECT_EQ(add(vertex("a", "[1/2] FROM x")), "") << "not begun";
  EXPECT_EQ(add(vertex("a", "[1/2] FROM x", field(4, 1) + field(5, time_at(1)) + field(6, time_at(1)))),
            "#1 [1/2] FROM x\n#1 CACHED");
  EXPECT_EQ(add(vertex("b", "[2/2] RUN make", field(5, time_at(2)))), "#2 [2/2] RUN make");
  EXPECT_EQ(add(log_of("b", 2.25, "one\ntw")), "#2 0.250 one");
  EXPECT_EQ(add(log_of("b", 2.5, "o\n")), "#2 0.250 two");
  const std::string end = vertex("b", "[2/2] RUN make", field(5, time_at(2)) + field(6, time_at(3.31)));
  EXPECT_EQ(add(log_of("b", 3, "no line end") + end), "#2 1.000 no line end\n#2 DONE 1.3s");
  EXPECT_EQ(add(end), "") << "told once";
  EXPECT_EQ(text_.failed(), "");
}

TEST_F(Traces, RememberWhatFailed) {
  add(vertex("a", "[1/2] RUN a", field(5, time_at(0))) + vertex("b", "[2/2] RUN b", field(5, time_at(0))));
  add(log_of("b", 0.5, "why\n"));
  const auto ended = [](std::string_view error) {
    return field(5, time_at(0)) + field(6, time_at(1)) + field(7, error);
  };
  EXPECT_EQ(add(vertex("b", "[2/2] RUN b", ended("exit code: 1"))), "#2 ERROR: exit code: 1");
  EXPECT_EQ(add(vertex("a", "[1/2] RUN a", ended("context canceled"))), "#1 CANCELED");
  EXPECT_EQ(text_.failed(), "[2/2] RUN b");
  EXPECT_EQ(text_.failed_output(), "0.500 why");
}

TEST_F(Traces, TellTransfersAndWarnings) {
  add(vertex("a", "load", field(5, time_at(0))));
  const auto status = [](std::int64_t current, bool done) {
    return field(2, field(1, "transferring context:") + field(2, "a") + field(4, static_cast<std::uint64_t>(current)) +
                        (done ? field(8, time_at(1)) : ""));
  };
  EXPECT_EQ(add(status(10, false)), "");
  EXPECT_EQ(add(status(1'234'567, true)), "#1 transferring context: 1.23MB done");
  EXPECT_EQ(add(field(4, field(1, "a") + field(3, "old syntax"))), "#1 WARN: old syntax");
}

TEST_F(Traces, PassOverWhatTheyDoNotKnow) {
  EXPECT_EQ(add(field(77, "x") + field(78, 5) + number(79 << 3 | 1) + std::string(8, 'x') + number(80 << 3 | 5) +
                "1234" + vertex("a", "x", field(8, "group") + field(5, time_at(0)))),
            "#1 x");
}

TEST_F(Traces, RefuseWhatIsNoMessage) {
  for (const std::string& bad : {std::string("\x0a"), field(1, "a").substr(0, 2), std::string("\x0a\x7f"), number(3),
                                 number(1 << 3 | 3), std::string(11, '\xff'), field(1, "\x0a"), number(1 << 3)})
    EXPECT_TRUE(add(bad).starts_with("!")) << testing::PrintToString(bad);
}

TEST_F(Traces, SurviveTimesThatCannotBe) {
  const std::string never = field(1, ~std::uint64_t{0}) + field(2, ~std::uint64_t{0});
  EXPECT_EQ(add(vertex("a", "x", field(5, never) + field(6, never))), "#1 x\n#1 DONE 0.0s");
}

}  // namespace
}  // namespace berth::engine
