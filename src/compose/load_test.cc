#include "compose/load.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "compose/config.h"
#include "compose/interpolate.h"
#include "testing/golden.h"

namespace berth::compose {
namespace {

using berth::testing::GoldenCase;

// The lines above the first file of a case: "-f x", "-p x", "--profile x", "--no-consistency", "target x", "KEY=value".
LoadOptions options_of(std::string_view header) {
  LoadOptions options;
  options.working_dir = "/project";
  options.environment["HOME"] = "/home/user";
  for (const std::string_view line : split(header, '\n')) {
    const Cut words = cut(line, ' ');
    const std::string value(words.after);
    if (words.before == "-f") options.files.push_back(value);
    if (words.before == "-p") options.project_name = value;
    if (words.before == "cd") options.working_dir = value;
    if (words.before == "--profile") options.profiles.push_back(value);
    if (words.before == "--env-file") options.env_files.push_back(value);
    if (words.before == "--project-directory") options.project_directory = value;
    if (words.before == "--no-consistency") options.check_consistency = false;
    if (words.before == "--no-interpolate") options.interpolate = false;
    if (words.before == "--no-env-resolution") options.resolve_environment = false;
    if (words.before == "target") options.targets.push_back(value);
    const Cut variable = cut(line, '=');
    if (variable.found) options.environment[std::string(variable.before)] = variable.after;
  }
  return options;
}

// "remote URL PATH": what was fetched.
Remotes remotes_of(std::string_view header) {
  Remotes out;
  for (const std::string_view line : split(header, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() == 3 && words[0] == "remote")
      out[std::string(words[1])] = {.path = std::string(words[2]), .repository = "/cache/repository"};
  }
  return out;
}

Result<Project> load_case(std::string_view input) {
  std::map<std::string, std::string> texts;
  std::string header;
  for (const auto& [name, text] : berth::testing::golden_files(input))
    (name.empty() ? header : texts[name.starts_with('/') ? name : "/project/" + name]) = text;
  return load(options_of(header), memory_files(std::move(texts), remotes_of(header)));
}

std::string shown(const Result<Project>& project) {
  if (!project) return fmt::format("{}: {}", to_text(project.error().code), project.error().text());
  std::string out = config_json(*project);
  for (const std::string& warning : project->warnings) out += "warning: " + warning + "\n";
  return out;
}

class LoadGolden : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(LoadGolden, Case) {
  berth::testing::expect_golden(GetParam(), shown(load_case(GetParam().input)));
}

INSTANTIATE_TEST_SUITE_P(Load, LoadGolden, ::testing::ValuesIn(berth::testing::golden_cases(TESTDATA "/load")),
                         berth::testing::golden_name);

TEST(Load, ProjectCarriesDependenciesScaleAndOrigins) {
  const auto project = load_case(R"(
=== compose.yaml
services:
  web:
    image: web
    depends_on:
      db:
        condition: service_healthy
        restart: true
    links: [cache]
    deploy: {replicas: 3}
    environment:
      - MODE=fast
  db:
    image: db
  cache: {image: cache, profiles: []}
  tool: {image: tool, profiles: [tools]}
)");
  ASSERT_TRUE(project) << project.error().text();
  const Service* web = project->find("web");
  ASSERT_NE(web, nullptr);
  ASSERT_EQ(web->dependencies.size(), 2u);
  EXPECT_EQ(web->dependencies[0].service, "cache");
  EXPECT_TRUE(web->dependencies[0].restart);
  EXPECT_EQ(web->dependencies[1].condition, Condition::healthy);
  EXPECT_EQ(web->scale, 3);
  EXPECT_EQ(project->find("tool"), nullptr);
  ASSERT_EQ(project->disabled.size(), 1u);
  EXPECT_EQ(project->disabled[0].name, "tool");
  EXPECT_EQ(project->origin("services.web.image").text(), "compose.yaml:3:5");
  EXPECT_EQ(project->origin("services.web.environment.MODE").text(), "compose.yaml:11:9");
  EXPECT_EQ(project->origin("services.web.networks.default").text(), "compose.yaml:2:3");
  EXPECT_EQ(project->origin("nothing.at.all").text(), "");
  EXPECT_EQ(project->working_dir, "/project");
  EXPECT_EQ(project->files, std::vector<std::string>{"/project/compose.yaml"});
}

TEST(Load, ScaleOfTheCommandLineWins) {
  auto options = options_of("");
  const auto files = memory_files({{"/project/compose.yaml", "services: {a: {image: a, scale: 2}}\n"}});
  options.scale["a"] = 5;
  auto project = load(options, files);
  ASSERT_TRUE(project);
  EXPECT_EQ(project->find("a")->scale, 5);
  options.scale["b"] = 1;
  project = load(options, files);
  ASSERT_FALSE(project);
  EXPECT_EQ(project.error().code, Code::not_found);
}

TEST(Load, ContentsFromTheEnvironmentAreNotInTheDocument) {
  const auto project = load_case(R"(TOKEN=s3cret
=== compose.yaml
services: {a: {image: a, secrets: [token], configs: [motd]}}
secrets: {token: {environment: TOKEN}}
configs: {motd: {environment: TOKEN}}
)");
  ASSERT_TRUE(project) << project.error().text();
  EXPECT_EQ(project->contents.at("secrets.token"), "s3cret");
  EXPECT_EQ(project->contents.at("configs.motd"), "s3cret");
  EXPECT_EQ(config_json(*project).find("s3cret"), std::string::npos);
}

TEST(Load, LoadingItsOwnOutputGivesTheSame) {
  const auto first = load_case(R"(
=== compose.yaml
services:
  a:
    image: a
    command: echo $$HOME "two words"
    environment: {PATTERN: "^(a|b)$$", BYTES: "\x07\x7F\x9B\uFFFE\xC4 \L \P\uFEFF"}
    ports: ["127.0.0.1:8080:80/udp"]
    volumes: [data:/data, ./src:/src:ro]
    healthcheck: {test: exit 0, interval: 90s}
volumes: {data: }
)");
  ASSERT_TRUE(first) << first.error().text();
  for (const std::string& text : {config_json(*first), config_yaml(*first)}) {
    const auto second = load(options_of("-p project"), memory_files({{"/project/compose.yaml", text}}));
    ASSERT_TRUE(second) << second.error().text() << text;
    EXPECT_EQ(second->document, first->document) << text;
  }
}

// Each level names the one before it ten times.
std::string alias_bomb(int levels) {
  std::string text = "x-0: &a0 [lol, lol]\n";
  for (int i = 1; i <= levels; ++i) {
    text += fmt::format("x-{}: &a{} [", i, i);
    for (int n = 0; n < 10; ++n) text += fmt::format("*a{}{}", i - 1, n < 9 ? ", " : "]\n");
  }
  return text + "services: {a: {image: a}}\n";
}

TEST(Load, BombsEndInAnError) {
  std::string deep = "x: ";
  for (int i = 0; i < 100'000; ++i) deep += "[";
  std::string growing = "services:\n";
  for (int i = 0; i < 200; ++i) {
    growing += fmt::format("  s{}:\n    image: a\n    ports: ['1-9999:1-9999']\n", i);
    if (i > 0) growing += fmt::format("    extends: s{}\n", i - 1);
  }
  std::string include = "include: [a.yaml, a.yaml, a.yaml]\n";
  std::map<std::string, std::string> tree{{"/project/compose.yaml", include}};
  for (char c = 'a'; c < 'z'; ++c)
    tree[fmt::format("/project/{}.yaml", c)] =
        fmt::format("include: [{0}.yaml, {0}.yaml, {0}.yaml]\n", static_cast<char>(c + 1));
  tree["/project/z.yaml"] = "services: {z: {image: z}}\n";
  for (const std::string& text : {alias_bomb(9), deep, growing}) {
    const auto project = load(options_of(""), memory_files({{"/project/compose.yaml", text}}));
    ASSERT_FALSE(project) << text.substr(0, 100);
    EXPECT_EQ(project.error().code, Code::invalid);
  }
  const auto project = load(options_of(""), memory_files(tree));
  ASSERT_FALSE(project);
  EXPECT_EQ(project.error().code, Code::invalid);
  Environment big{{"A", std::string(1 << 20, 'x')}};
  std::string uses = "services: {a: {image: a, labels: {";
  for (int i = 0; i < 200; ++i) uses += fmt::format("l{}: $A, ", i);
  auto options = options_of("");
  options.environment.merge(big);
  EXPECT_FALSE(load(options, memory_files({{"/project/compose.yaml", uses + "}}}\n"}})));
}

TEST(Load, ProjectNamesAreNormalized) {
  EXPECT_EQ(normalize_project_name("My Project.v2"), "myprojectv2");
  EXPECT_EQ(normalize_project_name("_-a_B-"), "a_b-");
  EXPECT_EQ(normalize_project_name("..."), "");
}

TEST(Load, KnowsTheRepositoryOfARemoteProject) {
  const std::string url = "https://h/x.git", path = "/cache/repository/1/x/compose.yaml";
  const auto files = memory_files({{path, "services: {a: {image: a}}\n"}}, {{url, {path, "/cache/repository"}}});
  const auto project = load(options_of("-f " + url), files);
  ASSERT_TRUE(project) << project.error().text();
  EXPECT_EQ(project->name, "x");
  EXPECT_EQ(project->working_dir, "/cache/repository/1/x");
  EXPECT_EQ(project->repository, "/cache/repository");
  const auto elsewhere = load(options_of("--project-directory /srv/x\n-f " + url), files);
  ASSERT_TRUE(elsewhere) << elsewhere.error().text();
  EXPECT_EQ(elsewhere->repository, "");
}

TEST(Load, ReadsSettingsBelowTheEnvironment) {
  const auto files = memory_files({{"/project/.env", "COMPOSE_ANSI=never\nCOMPOSE_MENU=1\nCOMPOSE_COMPATIBILITY=Yes\n"},
                                   {"/project/compose.yaml", "services: {a: {image: a}}\n"}});
  const auto read = environment_of(options_of("COMPOSE_MENU=0"), files);
  EXPECT_EQ(read.at("COMPOSE_ANSI"), "never");
  EXPECT_EQ(read.at("COMPOSE_MENU"), "0");
  const auto project = load(options_of(""), files);
  ASSERT_TRUE(project);
  EXPECT_EQ(project->separator, '_');
  EXPECT_EQ(load(options_of("COMPOSE_COMPATIBILITY=0"), files)->separator, '-');
  // Also where there is no project.
  EXPECT_EQ(
      environment_of(options_of(""), memory_files({{"/project/.env", "COMPOSE_ANSI=never\n"}})).at("COMPOSE_ANSI"),
      "never");
}

}  // namespace
}  // namespace berth::compose
