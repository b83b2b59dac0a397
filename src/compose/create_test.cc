#include "compose/create.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "compose/project_world_test.h"
#include "plan/diff.h"
#include "testing/golden.h"

namespace berth::compose {
namespace {

using berth::testing::GoldenCase;

Json json_of(std::string_view text) {
  auto json = parse_json(text);
  EXPECT_TRUE(json) << text;
  return json ? *std::move(json) : Json();
}

// What depends on nothing but the number and the hash algorithm is left out: the other cases would all repeat it.
void leave_out_constants(Json& body) {
  Json& labels = body.slot("Labels");
  for (const char* name : {"version", "project.working_dir", "project.config_files", "oneoff", "project"})
    labels.erase("com.docker.compose." + std::string(name));
  EXPECT_EQ(labels[plan::label::kConfigHash].text().size(), 64u);
  labels.erase(plan::label::kConfigHash);
  labels.erase(plan::label::kBodyHash);
  labels.erase(plan::label::kSchema);
  for (const char* name : {"AttachStdin", "AttachStdout", "AttachStderr"}) body.erase(name);
}

std::string text_of(const CreateRequest& request) {
  std::string text = request.name + (request.platform.empty() ? "" : " on " + request.platform) + '\n';
  Json body = request.body;
  leave_out_constants(body);
  text += body.dump(2) + '\n';
  for (const Connection& one : request.connections) text += "connect " + one.network + ' ' + one.endpoint.dump() + '\n';
  for (const plan::CopiedFile& one : request.files)
    text += "copy " + one.target + " mode " + std::to_string(one.mode) + " owner " + one.uid + ':' + one.gid + '\n';
  for (const Reference& one : request.references)
    text += "fill " + join(one.path, "/") + " with " + one.prefix + one.service + one.suffix + '\n';
  for (const std::string& one : request.warnings) text += "! " + one + '\n';
  return text;
}

// A case: "=== project" with one or more services; the one called "a" is created. "=== api" is the version, else 1.41.
class CreateGolden : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(CreateGolden, MatchesItsText) {
  auto parts = berth::testing::golden_files(GetParam().input);
  const Project project = testing::project_of(json_of(parts["project"]));
  const std::string_view api = trim(parts["api"]);
  const auto request = create_request({.project = project,
                                       .service = *project.find("a"),
                                       .version = *engine::parse_api_version(api.empty() ? "1.41" : api)});
  berth::testing::expect_golden(
      GetParam(), request ? text_of(*request)
                          : "error " + std::string(to_text(request.error().code)) + ": " + request.error().message);
}

INSTANTIATE_TEST_SUITE_P(Cases, CreateGolden, ::testing::ValuesIn(berth::testing::golden_cases(TESTDATA "/create")),
                         berth::testing::golden_name);

Project shop(const char* document) {
  return testing::project_of(json_of(document));
}

TEST(Create, NamesThingsAsDockerComposeDoes) {
  const Project project = shop(R"({"services":{"a":{"image":"x"},"b":{"container_name":"bee","build":{}}},
    "networks":{"n":{},"m":{"name":"given"}},"volumes":{"v":{},"w":{"name":"vol"}}})");
  EXPECT_EQ(container_name(project, *project.find("a"), 2), "shop-a-2");
  EXPECT_EQ(container_name(project, *project.find("b"), 1), "bee");
  EXPECT_EQ(image_name(project, *project.find("a")), "x");
  EXPECT_EQ(image_name(project, *project.find("b")), "shop-b");
  EXPECT_EQ(network_name(project, "n"), "shop_n");
  EXPECT_EQ(network_name(project, "m"), "given");
  EXPECT_EQ(volume_name(project, "v"), "shop_v");
  EXPECT_EQ(volume_name(project, "w"), "vol");
}

TEST(Create, LabelsAsDockerComposeDoes) {
  Project project = shop(R"({"services":{"a":{"image":"x","labels":{"mine":"1"},"depends_on":{
    "b":{"condition":"service_healthy","restart":true},"c":{"condition":"service_started"}}}}})");
  project.env_files = {"/srv/shop/.env"};
  auto labels = [&] {
    return create_request({.project = project, .service = project.services[0], .image_id = "sha256:1"})->body["Labels"];
  };
  const Json first = labels();
  EXPECT_EQ(first["com.docker.compose.project"].text(), "shop");
  EXPECT_EQ(first["com.docker.compose.service"].text(), "a");
  EXPECT_EQ(first["com.docker.compose.container-number"].text(), "1");
  EXPECT_EQ(first["com.docker.compose.oneoff"].text(), "False");
  EXPECT_EQ(first["com.docker.compose.image"].text(), "sha256:1");
  EXPECT_EQ(first["com.docker.compose.depends_on"].text(), "b:service_healthy:true,c:service_started:false");
  EXPECT_EQ(first["com.docker.compose.project.working_dir"].text(), "/srv/shop");
  EXPECT_EQ(first["com.docker.compose.project.config_files"].text(), "/srv/shop/compose.yaml");
  EXPECT_FALSE(first.contains("com.docker.compose.project.environment_file")) << "the default .env is not named";
  EXPECT_EQ(first["mine"].text(), "1");
  project.env_files = {"/a.env", "/b.env"};
  EXPECT_EQ(labels()["com.docker.compose.project.environment_file"].text(), "/a.env,/b.env");
}

TEST(Create, HashesTheServiceAndNotItsNumber) {
  const Project project = shop(R"({"services":{"a":{"image":"x"},"b":{"image":"x","user":"u"}}})");
  const auto hash = [&](const char* service, int number) {
    return std::string(create_request({.project = project, .service = *project.find(service), .number = number})
                           ->body["Labels"][plan::label::kBodyHash]
                           .text());
  };
  EXPECT_EQ(hash("a", 1), hash("a", 2));
  EXPECT_NE(hash("a", 1), hash("b", 1));
}

TEST(Create, MakesOneOffContainersOfAService) {
  const Project project = shop(R"({"services":{"a":{"image":"x"}}})");
  const auto request = create_request({.project = project, .service = project.services[0], .slug = "1a2b"});
  EXPECT_EQ(request->name, "shop-a-run-1a2b");
  EXPECT_EQ(request->body["Labels"]["com.docker.compose.oneoff"].text(), "True");
  EXPECT_EQ(request->body["NetworkingConfig"]["EndpointsConfig"]["shop_default"]["Aliases"],
            Json::array({"shop-a-run-1a2b"}));
}

TEST(Create, ResolvesServicesWhoseContainersAreKnown) {
  const Project project =
      shop(R"({"services":{"a":{"image":"x","network_mode":"service:b","ipc":"service:c","volumes_from":["b:ro"]},
    "b":{"image":"x"},"c":{"image":"x"}}})");
  const auto request =
      create_request({.project = project, .service = *project.find("a"), .containers = {{"b", "idofb"}}});
  EXPECT_EQ(request->body["HostConfig"]["NetworkMode"].text(), "container:idofb");
  EXPECT_EQ(request->body["HostConfig"]["VolumesFrom"], Json::array({"idofb:ro"}));
  ASSERT_EQ(request->references.size(), 1u);
  EXPECT_EQ(request->references[0].service, "c");
  EXPECT_EQ(request->body["HostConfig"]["IpcMode"].text(), "service:c");
}

TEST(Create, InheritsAnonymousVolumes) {
  const std::string name(64, 'a'), other(64, 'b'), image(64, 'c');
  plan::Container old;
  old.mounts = {{.type = "volume", .name = name, .target = "/anon"},
                {.type = "volume", .name = other, .target = "/bound"},
                {.type = "volume", .name = image, .target = "/of-the-image"},
                {.type = "volume", .name = "shop_data", .target = "/data"},
                {.type = "bind", .source = "/x", .target = "/y"}};
  Json body = json_of(R"({"HostConfig":{"Binds":["/host:/bound:rw"],"Mounts":[{"Type":"volume","Target":"/anon"},
    {"Type":"volume","Source":"shop_data","Target":"/data"}]}})");
  inherit_volumes(body, old);
  EXPECT_EQ(body["HostConfig"]["Mounts"].dump(),
            R"([{"Type":"volume","Source":")" + name + R"(","Target":"/anon"},{"Type":"volume","Source":")" + image +
                R"(","Target":"/of-the-image"},{"Type":"volume","Source":"shop_data","Target":"/data"}])");
}

TEST(Create, WritesNetworks) {
  const Project project =
      shop(R"({"services":{},"networks":{"n":{"name":"shop_n","driver":"bridge","driver_opts":{"mtu":"9000"},
    "internal":true,"attachable":true,"enable_ipv6":true,"labels":{"x":"y"},
    "ipam":{"driver":"default","config":[{"subnet":"10.0.0.0/24","gateway":"10.0.0.1","ip_range":"10.0.0.128/25","aux_addresses":{"h":"10.0.0.2"}}]}}}})");
  EXPECT_EQ(
      network_body(project, "n", {1, 41})->dump(),
      R"({"Name":"shop_n","Driver":"bridge","Options":{"mtu":"9000"},"IPAM":{"Driver":"default","Config":[{"Subnet":"10.0.0.0/24",)"
      R"("Gateway":"10.0.0.1","IPRange":"10.0.0.128/25","AuxiliaryAddresses":{"h":"10.0.0.2"}}]},"Internal":true,"Attachable":true,)"
      R"("EnableIPv6":true,"Labels":{"x":"y","com.docker.compose.project":"shop","com.docker.compose.version":"2.26.1+berth",)"
      R"("com.docker.compose.network":"n"}})");
}

TEST(Create, RefusesANetworkThatTheEngineCannotMake) {
  const Project project = shop(R"({"services":{},"networks":{"n":{"enable_ipv4":false}}})");
  const auto body = network_body(project, "n", {1, 41});
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().message, "compose.yaml:3:5: network \"n\": this engine has no network without IPv4");
  EXPECT_TRUE(network_body(project, "n", {1, 48}));
}

TEST(Create, WritesVolumes) {
  const Project project =
      shop(R"({"services":{},"volumes":{"v":{"driver":"local","driver_opts":{"type":"nfs"},"labels":{"x":"y"}}}})");
  EXPECT_EQ(
      volume_body(project, "v").dump(),
      R"({"Name":"shop_v","Driver":"local","DriverOpts":{"type":"nfs"},"Labels":{"x":"y","com.docker.compose.project":"shop",)"
      R"("com.docker.compose.version":"2.26.1+berth","com.docker.compose.volume":"v"}})");
}

}  // namespace
}  // namespace berth::compose
