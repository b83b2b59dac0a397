#include "compose/extension.h"

#include <gtest/gtest.h>

#include "compose/config.h"
#include "compose/load.h"

namespace berth::compose {
namespace {

using namespace std::chrono_literals;

Result<Project> load_service(const std::string& lines) {
  LoadOptions options;
  options.working_dir = "/p";
  return load(options, memory_files({{"/p/compose.yaml", "services:\n  web:\n    image: web\n" + lines}}));
}

Readiness ready(const std::string& value) {
  const auto project = load_service("    x-berth.ready: " + value + "\n");
  EXPECT_TRUE(project) << project.error().message;
  const auto found = readiness_of(*project, "web");
  EXPECT_TRUE(found && *found);
  return **found;
}

std::string refused(const std::string& lines) {
  const auto project = load_service(lines);
  EXPECT_FALSE(project);
  return project ? "" : project.error().message;
}

TEST(Extension, ReadsProbes) {
  EXPECT_EQ(ready("{tcp: 5432}").port, 5432);
  const Readiness http = ready("{http: 8080/health?x=1, interval: 500ms, timeout: 3s}");
  EXPECT_EQ(http.kind, Readiness::Kind::http);
  EXPECT_EQ(http.port, 8080);
  EXPECT_EQ(http.path, "/health?x=1");
  EXPECT_EQ(http.interval, 500ms);
  EXPECT_EQ(http.timeout, 3s);
  EXPECT_EQ(ready("{http: ':80'}").path, "/");
  EXPECT_EQ(ready("{exec: pg_isready -q}").command, (std::vector<std::string>{"pg_isready", "-q"}));
  EXPECT_EQ(ready("{exec: [a, 1]}").command, (std::vector<std::string>{"a", "1"}));
}

TEST(Extension, AVariableMayGiveThePort) {
  EXPECT_EQ(ready("{tcp: '${PORT:-99}'}").port, 99);
}

TEST(Extension, IsAbsentWhereNothingIsSaid) {
  const auto project = load_service("");
  EXPECT_EQ(*readiness_of(*project, "web"), std::nullopt);
  EXPECT_FALSE(is_build_only(project->services[0]));
}

TEST(Extension, RefusesWithThePlace) {
  EXPECT_EQ(refused("    x-berth.ready: {tcp: 70000}\n"),
            "compose.yaml:4:5: service \"web\": x-berth.ready.tcp: \"70000\" is not a port");
  EXPECT_EQ(refused("    x-berth.ready: {htp: 80}\n"),
            "compose.yaml:4:5: service \"web\": x-berth.ready: unknown key \"htp\" (did you mean \"http\"?)");
  const std::string one_of =
      "compose.yaml:4:5: service \"web\": x-berth.ready: give one of tcp: PORT, http: "
      "PORT/PATH or exec: [COMMAND]";
  EXPECT_EQ(refused("    x-berth.ready: {tcp: 80, http: 80}\n"), one_of);
  EXPECT_EQ(refused("    x-berth.ready: 80\n"), one_of);
  EXPECT_NE(refused("    x-berth.ready: {http: 80/a b}\n").find("is not a path"), std::string::npos);
  EXPECT_NE(refused("    x-berth.ready: {exec: []}\n").find("there is no command"), std::string::npos);
  EXPECT_NE(refused("    x-berth.ready: {tcp: 1, interval: 0s}\n").find("a duration above 0"), std::string::npos);
  EXPECT_EQ(refused("    labels: {berth.build-only: maybe}\n"),
            "compose.yaml:4:14: service \"web\": the label berth.build-only is true or false, not \"maybe\"");
}

TEST(Extension, BuildOnlyIsALabel) {
  EXPECT_TRUE(is_build_only(load_service("    labels: {berth.build-only: true}\n")->services[0]));
  EXPECT_TRUE(is_build_only(load_service("    labels: [berth.build-only=1]\n")->services[0]));
  EXPECT_FALSE(is_build_only(load_service("    labels: {berth.build-only: 'false'}\n")->services[0]));
}

TEST(Extension, AreKeptInTheShapeOfTheFile) {
  const auto project = load_service(
      "    x-note: [1]\n    volumes: [{type: tmpfs, target: /t, x-v: 1}]\n    build: {context: ., x-b: {y: z}}\n");
  ASSERT_TRUE(project) << project.error().message;
  EXPECT_EQ(project->extensions.canonical(),
            R"({"services":{"web":{"build":{"x-b":{"y":"z"}},"volumes":{"0":{"x-v":1}},"x-note":[1]}}})");
}

TEST(Extension, AreNotWhatBeginsWithXByName) {
  const auto project = load_service(
      "    networks: [x-net]\n  x-web: {image: x, x-note: 1, profiles: [off]}\n"
      "networks: {x-net: {driver: bridge, x-note: 2}}\n");
  ASSERT_TRUE(project) << project.error().message;
  EXPECT_EQ(
      project->extensions.canonical(),
      R"({"networks":{"x-net":{"x-note":2}},"services":{"web":{"networks":{"x-net":null}},"x-web":{"x-note":1}}})")
      << "an attachment that is called so is no extension either, and stands in the model already";
}

TEST(Extension, StandInYamlWhereTheFileHasThem) {
  const auto project = load_service(
      "    x-note: {a: [1, b]}\n    volumes: [./d:/d, {type: bind, source: /s, target: /t, "
      "x-v: 1, bind: {selinux: z, x-b: 2}}]\nx-top: 3\n");
  ASSERT_TRUE(project) << project.error().message;
  EXPECT_EQ(config_yaml(*project),
            R"(name: p
services:
  web:
    command: null
    entrypoint: null
    image: web
    networks:
      default: null
    volumes:
      - type: bind
        source: /p/d
        target: /d
        bind: {}
      - type: bind
        source: /s
        target: /t
        bind:
          selinux: z
          x-b: 2
        x-v: 1
    x-note:
      a:
        - 1
        - b
networks:
  default:
    name: p_default
    ipam: {}
x-top: 3
)");
}

}  // namespace
}  // namespace berth::compose
