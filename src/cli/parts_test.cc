// The pure parts behind the verbs.
#include <gtest/gtest.h>

#include "cli/checks.h"
#include "cli/containers.h"
#include "cli/log_output.h"
#include "cli/memory.h"
#include "cli/oneoff.h"
#include "cli/port_holder.h"
#include "cli/variables.h"

namespace berth::cli {
namespace {

using std::chrono::seconds;

TEST(Ports, ListeningSocketsOfProc) {
  const auto list = parse_listening(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 x 100\n"
      "   1: 00000000:0016 00000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 17 1 x 100\n"
      "   2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 99 1 x\n");
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].address, "127.0.0.1");
  EXPECT_EQ(list[0].port, 8080);
  EXPECT_EQ(list[0].inode, 4242u);
  EXPECT_EQ(list[1].address, "::");
  EXPECT_EQ(list[1].port, 80);
}

TEST(Ports, MessagesThatNameATakenOne) {
  EXPECT_EQ(taken_port("driver failed: Bind for 0.0.0.0:8080 failed: port is already allocated"), 8080);
  EXPECT_EQ(taken_port("Error starting userland proxy: listen tcp4 127.0.0.1:53: bind: address already in use"), 53);
  EXPECT_EQ(taken_port("no such image"), std::nullopt);
}

TEST(Ports, OverlapOfAddresses) {
  EXPECT_TRUE(overlap("0.0.0.0", "127.0.0.1"));
  EXPECT_TRUE(overlap("127.0.0.1", ""));
  EXPECT_FALSE(overlap("127.0.0.1", "192.0.2.1"));
}

TEST(Ages, AsDockerSaysThem) {
  EXPECT_EQ(age_text(seconds(0)), "Less than a second");
  EXPECT_EQ(age_text(seconds(59)), "59 seconds");
  EXPECT_EQ(age_text(seconds(90)), "About a minute");
  EXPECT_EQ(age_text(seconds(3600)), "About an hour");
  EXPECT_EQ(age_text(seconds(3 * 24 * 3600)), "3 days");
}

TEST(Times, ForTheEngine) {
  const auto now = std::chrono::system_clock::from_time_t(1'767'225'600);
  EXPECT_EQ(*time_parameter("", now), "");
  EXPECT_EQ(*time_parameter("1700000000.5", now), "1700000000.5");
  EXPECT_EQ(*time_parameter("1m", now), "1767225540.000000000");
  EXPECT_EQ(*time_parameter("2026-01-01T00:00:00.25Z", now), "1767225600.25");
  EXPECT_EQ(*time_parameter("2026-01-01T02:00:00+02:00", now), "1767225600");
  EXPECT_EQ(*time_parameter("2026-01-01", now), "1767225600");
  EXPECT_FALSE(time_parameter("yesterday", now));
}

TEST(Lines, AreCutAcrossPieces) {
  LineSplitter lines;
  Texts out;
  const auto each = [&](std::string_view line) { out.emplace_back(line); };
  lines.add("one\ntw", each);
  lines.add("o\r\n\nla", each);
  lines.add("st", each);
  lines.finish(each);
  EXPECT_EQ(out, (Texts{"one", "two", "", "last"}));
}

TEST(Lines, TimesAreCutOff) {
  const auto line = cut_time("2026-01-02T15:04:05.000000001Z text with spaces");
  EXPECT_EQ(line.time, "2026-01-02T15:04:05.000000001Z");
  EXPECT_EQ(line.text, "text with spaces");
  EXPECT_EQ(cut_time("plain text").text, "plain text");
}

TEST(Memory, TreeAndPss) {
  const std::vector<ProcessEntry> all = {{1, 0, "init", "init"},
                                         {10, 1, "berth", "/usr/bin/berth serve --web 8080"},
                                         {12, 11, "berth", "berth edge"},
                                         {11, 10, "berth", "berth core"},
                                         {13, 1, "berth", "berth up"}};
  EXPECT_EQ(find_serve(all), 10);
  const auto tree = process_tree(all, 10);
  ASSERT_EQ(tree.size(), 3u);
  EXPECT_EQ(tree[2].pid, 12);
  EXPECT_EQ(parse_pss("Rss:  900 kB\nPss:                1024 kB\nPss_Anon: 3 kB\n"), 1048576);
  EXPECT_EQ(find_serve({{13, 1, "berth", "berth up serve"}}), 0);
}

TEST(Doctor, Judges) {
  EXPECT_EQ(judge_forwarding("-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n", "-N DOCKER\n").verdict, Verdict::ok);
  EXPECT_EQ(judge_forwarding("-P FORWARD DROP\n", "-N DOCKER\n").verdict, Verdict::fail);
  EXPECT_EQ(judge_forwarding("-P FORWARD ACCEPT\n", "-P INPUT ACCEPT\n").verdict, Verdict::fail);
  EXPECT_EQ(judge_disk("/", 100'000'000, 1'000'000'000'000).verdict, Verdict::fail);
  EXPECT_EQ(judge_disk("/", 40'000'000'000, 1'000'000'000'000).verdict, Verdict::warn);
  EXPECT_EQ(judge_disk("/", 400'000'000'000, 1'000'000'000'000).verdict, Verdict::ok);
  EXPECT_EQ(judge_clock(seconds(1)).verdict, Verdict::ok);
  EXPECT_EQ(judge_clock(seconds(-9)).verdict, Verdict::warn);
}

TEST(Doctor, TellsWhatTraefikWouldHaveShown) {
  const auto judge = [](std::string_view unexposed) {
    const Check check = judge_exposure(*parse_json("{\"unexposed\": " + std::string(unexposed) + "}"));
    return std::string(check.verdict == Verdict::ok ? "ok " : "warn ") + check.found;
  };
  EXPECT_EQ(judge("[]"), "ok berth serve routes all that Traefik would");
  EXPECT_EQ(judge(R"([{"container": "a", "labelled": false}, {"container": "b", "labelled": false}])"),
            "ok not routed, as Traefik would by default: a, b");
  EXPECT_EQ(judge(R"([{"container": "a", "labelled": false}, {"container": "b", "labelled": true}])"),
            "warn labelled but not routed: b; beside them 1 without labels, which Traefik would route");
  EXPECT_TRUE(judge_exposure(*parse_json(R"({"unexposed": [{"container": "b", "labelled": true}]})"))
                  .advice.contains("traefik.enable=true"));
  std::string many;
  for (int i = 0; i < 12; ++i) many += (i == 0 ? "" : ",") + std::string(R"({"container": "c", "labelled": false})");
  EXPECT_TRUE(judge("[" + many + "]").ends_with("c, c and 2 more"));
  EXPECT_TRUE(serve_checks("/none").empty());
}

TEST(Variables, OfEveryForm) {
  const auto found = variables_of(*parse_json(R"J({"a": ["$A ${B:-x${C}} $$D"], "b": {"c": "${E:?why} ${F:+y}"}})J"));
  EXPECT_EQ(found.size(), 5u);
  EXPECT_EQ(found.at("B").fallback, "x${C}");
  EXPECT_TRUE(found.at("E").required);
  EXPECT_EQ(found.at("F").alternative, "y");
  EXPECT_FALSE(found.contains("D"));
}

TEST(OneOff, FlagsOverTheService) {
  compose::Service service;
  service.name = "web";
  service.config = *parse_json(R"({"image":"x","ports":[{"target":80}],"environment":{"A":"1"},"restart":"always",
                                   "container_name":"fixed","command":["serve"]})");
  RunFlags flags{.environment = {"B=2"}, .publish = {"8080:80"}, .entrypoint = "sh -c"};
  auto out = oneoff_service(service, flags, {"echo"}, true);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->config["entrypoint"].dump(), R"(["sh","-c"])");
  EXPECT_EQ(out->config["command"].dump(), R"(["echo"])");
  EXPECT_EQ(out->config.at("environment.B").text(), "2");
  EXPECT_FALSE(out->config.contains("restart"));
  EXPECT_FALSE(out->config.contains("container_name"));
  ASSERT_EQ(out->config["ports"].size(), 1u);
  EXPECT_EQ(out->config["ports"].items()[0]["published"].text(), "8080");
  flags.publish = {"80:x"};
  EXPECT_FALSE(oneoff_service(service, flags, {}, false));
}

}  // namespace
}  // namespace berth::cli
