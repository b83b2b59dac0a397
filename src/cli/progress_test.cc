#include "cli/progress.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "testing/simulation.h"

namespace berth::cli {
namespace {

using plan::Phase;
using std::chrono::milliseconds;

io::Time at(int ms) {
  return io::Time{} + milliseconds(1000 + ms);
}

plan::Plan small_plan() {
  plan::PlanBuilder builder("shop");
  const int net = builder.add({.op = plan::CreateNetwork{Json::object({{"Name", "shop_default"}})},
                               .subject = "network:default",
                               .cause = "absent"});
  const int image = builder.add(
      {.op = plan::PullImage{"nginx:1", ""}, .subject = "image:nginx:1", .cause = "absent", .group = "web"});
  const int create = builder.add({.op = plan::CreateContainer{.name = "shop-web-1"},
                                  .after = {net, image},
                                  .subject = "service:web:1",
                                  .cause = "absent",
                                  .group = "web"});
  builder.add({.op = plan::StartContainer{{.name = "shop-web-1", .created_by = create}},
               .after = {create},
               .subject = "service:web:1",
               .cause = "absent",
               .group = "web"});
  return *builder.take();
}

plan::Progress event(const plan::Plan& plan, int node, Phase phase, std::string detail = {}, Json message = {}) {
  return {plan.find(node), phase, std::move(detail), std::move(message)};
}

TEST(Board, DrawsATreeOfServices) {
  const auto plan = small_plan();
  Board board(plan);
  board.take(event(plan, 1, Phase::started), at(0));
  board.take(event(plan, 1, Phase::done), at(100));
  board.take(event(plan, 2, Phase::started), at(0));
  board.take(
      event(plan, 2, Phase::progress, "",
            *parse_json(R"({"status":"Downloading","id":"a","progressDetail":{"current":3000000,"total":12000000}})")),
      at(500));
  const auto lines = board.draw({.columns = 60, .rows = 24}, at(1200), 1);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0], "[+] 1/3  1.2s");
  EXPECT_EQ(lines[1], " ✔ network shop_default         created                0.1s");
  EXPECT_EQ(lines[2], " web");
  EXPECT_EQ(lines[3], "   ⠙ image nginx:1                pulling 25% of 12 MB 1.2s");
  EXPECT_EQ(lines[4], "   · container shop-web-1         waiting");
}

TEST(Board, FitsEveryWidthAndHeight) {
  const auto plan = small_plan();
  Board board(plan);
  board.take(event(plan, 3, Phase::started), at(0));
  board.take(event(plan, 3, Phase::failed, std::string(200, 'x')), at(9));
  for (std::size_t columns = 10; columns < 120; ++columns)
    for (const auto& line : board.draw({.columns = columns, .rows = 24, .color = true}, at(10), 0))
      EXPECT_LT(display_width(line), columns) << line;
  for (std::size_t rows = 4; rows < 12; ++rows)
    EXPECT_LT(board.draw({.columns = 80, .rows = rows}, at(10), 0).size(), rows);
}

TEST(Board, AFailureStays) {
  const auto plan = small_plan();
  Board board(plan);
  board.take(event(plan, 3, Phase::started), at(0));
  const Item* task = board.take(event(plan, 3, Phase::failed, "no such image"), at(9));
  ASSERT_TRUE(task);
  EXPECT_EQ(plain_line(*task), "container shop-web-1  failed: no such image");
  EXPECT_EQ(board.take(event(plan, 4, Phase::skipped), at(9)), nullptr);
  EXPECT_EQ(
      json_line(*task),
      R"({"id":"container shop-web-1","parent_id":"web","status":"Error","text":"failed","details":"no such image"})");
}

TEST(Board, TextOfTheEngineCannotSteerTheTerminal) {
  const auto plan = small_plan();
  Board board(plan);
  const Item* task =
      board.take(event(plan, 2, Phase::progress, "", Json::object({{"stream", "\x1b[2Jevil\x07\nnext"}})), at(0));
  ASSERT_TRUE(task);
  EXPECT_EQ(plain_line(*task), "image nginx:1  pulling: [2Jevil");
}

struct Screen {
  std::string text;
  std::size_t writes = 0;
  Console console;
  Screen() {
    console.err.write = [this](std::string_view bytes) {
      text += bytes;
      ++writes;
    };
    console.out.write = [](std::string_view) {};
  }
};

io::Task<void> noisy(Reporter& reporter, const plan::Plan& plan) {
  const auto sink = reporter.sink();
  for (int i = 0; i < 1000; ++i) {
    sink(event(plan, 2, Phase::progress, "step " + std::to_string(i)));
    (void)co_await io::sleep_for(milliseconds(1));
  }
  sink(event(plan, 2, Phase::done));
  reporter.finish();
}

TEST(Reporter, RedrawsAtMostTenTimesASecond) {
  const auto plan = small_plan();
  Screen screen;
  auto loop = testing::simulated_loop();
  Reporter reporter(screen.console, ProgressKind::tty, *loop, plan);
  loop->run(noisy(reporter, plan));
  EXPECT_GE(screen.writes, 9u);
  EXPECT_LE(screen.writes, 13u);
  EXPECT_NE(screen.text.find("pulled"), std::string::npos);
}

TEST(Reporter, PrintsALineForEachChangeOffATerminal) {
  const auto plan = small_plan();
  Screen screen;
  auto loop = testing::simulated_loop();
  Reporter reporter(screen.console, ProgressKind::plain, *loop, plan);
  const auto sink = reporter.sink();
  sink(event(plan, 1, Phase::started));
  sink(event(plan, 1, Phase::started));
  sink(event(plan, 1, Phase::done));
  EXPECT_EQ(screen.text, "network shop_default  creating\nnetwork shop_default  created\n");
}

TEST(Console, FitKeepsEscapesWhole) {
  EXPECT_EQ(fit("abcdef", 6), "abcdef");
  EXPECT_EQ(fit("abcdef", 4), "abc…");
  EXPECT_EQ(fit("\x1b[31mabcdef\x1b[0m", 4), "\x1b[31mabc…\x1b[0m");
  EXPECT_EQ(display_width("⠋ é\x1b[1mx\x1b[0m"), 4u);
}

TEST(Console, TableAlignsByWhatIsSeen) {
  EXPECT_EQ(table({{"NAME", "STATE"}, {"é", "up"}, {"longer", ""}}), "NAME     STATE\né        up\nlonger\n");
}

}  // namespace
}  // namespace berth::cli
