#include "engine/stdcopy.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

std::string frame(int channel, const std::string& bytes) {
  std::string text(8, '\0');
  text[0] = static_cast<char>(channel);
  for (int i = 0; i < 4; ++i) text[4 + static_cast<std::size_t>(i)] = static_cast<char>(bytes.size() >> (24 - 8 * i));
  return text + bytes;
}

struct Read {
  std::string out, err, error;
  bool whole = false;
};
Read read_in_pieces(std::string_view input, std::size_t piece) {
  StdcopyReader reader;
  Read read;
  for (std::size_t at = 0; at < input.size() && read.error.empty(); at += piece) {
    std::string_view part = input.substr(at, piece);
    while (true) {
      const auto next = reader.next(part);
      if (!next) read.error = next.error().message;
      if (!next || !*next) break;
      ((*next)->channel == Channel::out ? read.out : read.err) += (*next)->bytes;
    }
  }
  read.whole = reader.at_boundary();
  return read;
}

TEST(Stdcopy, SplitsAtEveryByte) {
  const std::string text = frame(1, "hello ") + frame(2, "oops") + frame(1, "") + frame(1, std::string(300, 'x'));
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const Read read = read_in_pieces(text, piece);
    ASSERT_EQ(read.out, "hello " + std::string(300, 'x')) << piece;
    ASSERT_EQ(read.err, "oops");
    ASSERT_TRUE(read.whole);
  }
}

TEST(Stdcopy, KnowsWhereItMayEnd) {
  const std::string text = frame(1, "ab");
  for (std::size_t size = 0; size <= text.size(); ++size)
    EXPECT_EQ(read_in_pieces(text.substr(0, size), 99).whole, size == 0 || size == text.size()) << size;
}

TEST(Stdcopy, RefusesWhatIsNoFrame) {
  EXPECT_NE(read_in_pieces("hello world\n", 99).error, "");
  EXPECT_NE(read_in_pieces(frame(4, "a"), 1).error, "");
}

TEST(Stdcopy, TellsTheEnginesOwnError) {
  EXPECT_EQ(read_in_pieces(frame(3, "disk full"), 99).error, "the engine reports: disk full");
}

}  // namespace
}  // namespace berth::engine
