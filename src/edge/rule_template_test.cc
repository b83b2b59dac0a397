#include "edge/rule_template.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

Target target() {
  return {.id = {},
          .name = "shop-web_ui-1",
          .project = "my.shop",
          .service = "web_ui",
          .labels = {{"com.docker.compose.service", "Web_UI"}, {"domain", "example.com"}},
          .exposed = {},
          .networks = {},
          .network_mode = {},
          .published = {}};
}

std::string fill(std::string_view text) {
  const auto parsed = RuleTemplate::parse(text);
  return parsed ? parsed->fill(target()) : parsed.error().message;
}

TEST(RuleTemplate, FillsWhatDefaultRulesUse) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"Host(`a.test`)", "Host(`a.test`)"},
      {"Host(`{{ .Name }}.example`)", "Host(`web-ui-my-shop.example`)"},
      {"Host(`{{.Name}}`)", "Host(`web-ui-my-shop`)"},
      {"Host(`{{ normalize .Name }}.example`)", "Host(`web-ui-my-shop.example`)"},
      {"Host(`{{ .ContainerName }}.b`)", "Host(`shop-web_ui-1.b`)"},
      {"Host(`{{ normalize .ContainerName }}.b`)", "Host(`shop-web-ui-1.b`)"},
      {"Host(`{{ index .Labels \"com.docker.compose.service\" }}.{{ .Labels.domain }}`)", "Host(`Web_UI.example.com`)"},
      {"{{ index .Labels \"com.docker.compose.service\" | lower | normalize }}", "web-ui"},
      {"{{ lower (normalize (index .Labels `com.docker.compose.service`)) }}", "web-ui"},
      {"{{ index .Labels \"none\" }}.x", ".x"},
      {"a  {{- .Labels.domain -}}  b", "aexample.comb"},
      {"{{ .Name }}{{ .Name }}", "web-ui-my-shopweb-ui-my-shop"},
      {"", ""},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(fill(text), wanted) << text;
  Target alone = target();
  alone.project = alone.service = "";
  EXPECT_EQ(RuleTemplate::parse("{{ .Name }}")->fill(alone), "shop-web-ui-1");
}

TEST(RuleTemplate, SaysWhereItDoesNotFollow) {
  const std::string forms = "; use .Name, .ContainerName, index .Labels \"key\", and normalize or lower of them";
  const std::pair<std::string, std::string> cases[] = {
      {"Host(`{{ .Name`)", "1:15: is not known here" + forms},
      {"Host(`{{ .Name", "1:7: this \"{{\" is not closed"},
      {"{{ .Node }}", "1:4: is no field that is known here" + forms},
      {"{{ if .Name }}x{{ end }}", "1:4: is not known here" + forms},
      {"a\nb {{ trimPrefix \"x\" .Name }}", "2:6: is not known here" + forms},
      {"{{ .Name | upper }}", "1:12: is no function that is known here" + forms},
      {"{{ index .Label \"x\" }}", "1:10: is not .Labels" + forms},
      {"{{ index .Labels 'x' }}", "1:18: expected a label's name in double quotes"},
      {"{{ index .Labels \"x }}", "1:18: expected a label's name in double quotes"},
      {"{{ (normalize .Name }}", "1:4: this \"(\" is not closed"},
      {"{{ .Labels. }}", "1:4: is no field that is known here" + forms},
      {"{{ }}", "1:4: is not known here" + forms},
      {"{{", "1:3: is not known here" + forms},
      {"{{ " + std::string(40, '(') + ".Name", "1:21: is nested deeper than 16 levels"},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(fill(text), wanted) << text;
  EXPECT_EQ(RuleTemplate::parse("a\nb {{ x }}").error().detail, "b {{ x }}\n     ^");
  EXPECT_FALSE(RuleTemplate::parse(std::string(5000, 'x')).has_value());
}

TEST(RuleTemplate, NormalizesAsTraefikDoes) {
  EXPECT_EQ(normalize("my_app.1"), "my-app-1");
  EXPECT_EQ(normalize("__a..b-"), "a-b");
  EXPECT_EQ(normalize("Ünï"), "Ünï");
  EXPECT_EQ(normalize("._"), "");
}

}  // namespace
}  // namespace berth::edge
