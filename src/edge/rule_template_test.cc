#include "edge/rule_template.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

Target target() {
  return {.id = {},
          .name = "shop-web_ui-1",
          .project = "my.shop",
          .service = "web_ui",
          .labels = {{"com.docker.compose.service", "Web_UI"}, {"domain", "example.com"}, {"hosts", "a.test, b.test"}},
          .exposed = {},
          .networks = {},
          .network_mode = {},
          .published = {}};
}

std::string fill(std::string_view text, const Target& of = target()) {
  const auto parsed = RuleTemplate::parse(text);
  if (!parsed) return "refused " + parsed.error().message;
  const auto filled = parsed->fill(of);
  return filled ? *filled : filled.error().message;
}

using Cases = std::vector<std::pair<std::string, std::string>>;

TEST(RuleTemplate, FillsWhatDefaultRulesUse) {
  const Cases cases = {
      {"Host(`a.test`)", "Host(`a.test`)"},
      {"Host(`{{ .Name }}.example`)", "Host(`web-ui-my-shop.example`)"},
      {"Host(`{{.Name}}`)", "Host(`web-ui-my-shop`)"},
      {"Host(`{{ normalize .Name }}.example`)", "Host(`web-ui-my-shop.example`)"},
      {"Host(`{{ .ContainerName }}.b`)", "Host(`shop-web_ui-1.b`)"},
      {"Host(`{{ normalize .ContainerName }}.b`)", "Host(`shop-web-ui-1.b`)"},
      {"Host(`{{ trimPrefix `/` .Name }}.docker.localhost`)", "Host(`web-ui-my-shop.docker.localhost`)"},
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
  EXPECT_EQ(fill("{{ .Name }}", alone), "shop-web-ui-1");
}

TEST(RuleTemplate, CallsFunctions) {
  const Cases cases = {
      {"{{ upper .Name }}", "WEB-UI-MY-SHOP"},
      {"{{ .ContainerName | trimSuffix \"-1\" | replace \"_\" \"-\" }}", "shop-web-ui"},
      {"{{ trimPrefix \"x\" .Labels.domain }} {{ trimSuffix \"x\" .Labels.domain }}", "example.com example.com"},
      {"{{ trim \" a \" }}|{{ trimAll \"/.\" \"/.a/b./\" }}|{{ trimAll \"a\" \"aa\" }}|{{ nospace \"a b\" }}",
       "a|a/b||ab"},
      {"{{ splitList \".\" .Labels.domain | first }}", "example"},
      {"{{ last (splitList \"-\" .ContainerName) }}", "1"},
      {"{{ index (splitList \"-\" .ContainerName) 1 }}", "web_ui"},
      {"{{ splitList \"-\" .ContainerName | rest | join \".\" }}", "web_ui.1"},
      {"{{ splitList \"-\" .ContainerName }}", "[shop web_ui 1]"},
      {"{{ default \"b.test\" .Labels.none }} {{ .Labels.domain | default \"b.test\" }}", "b.test example.com"},
      {"{{ coalesce .Labels.none \"\" .Labels.domain }}", "example.com"},
      {"{{ ternary \"a\" \"b\" (contains \"shop\" .Name) }}", "a"},
      {"{{ trunc 3 .Name }} {{ trunc -4 .Name }} {{ trunc 99 \"a\" }} {{ trunc -99 \"a\" }}", "web shop a a"},
      {"{{ printf \"%s.%d-%v%%\" .Labels.domain 7 true }} {{ print \"a\" 1 }}", "example.com.7-true% a1"},
      {"{{ eq .Labels.domain \"x\" \"example.com\" }} {{ ne 1 1 }}", "true false"},
      {"{{ hasPrefix \"web\" .Name }} {{ hasSuffix \"web\" .Name }}", "true false"},
      {"{{ and .Name .Labels.domain }} {{ or .Labels.none 0 }} {{ not .Labels.none }} {{ empty .Labels.none }}",
       "example.com 0 true true"},
      {"{{ \"a\\\"b\\\\\" }}", "a\"b\\"},
      {"{{ replace \"a\" \"\" \"banana\" }} {{ replace \"x\" \"y\" \"banana\" }}", "bnn banana"},
      {"{{ first (rest (splitList \".\" \"a\")) }}", ""},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(fill(text), wanted) << text;
}

TEST(RuleTemplate, Chooses) {
  const std::string by_service =
      "Host(`{{ if index .Labels \"com.docker.compose.service\" }}{{ index .Labels \"com.docker.compose.service\" }}"
      "{{ else }}{{ .ContainerName }}{{ end }}.localhost`)";
  EXPECT_EQ(fill(by_service), "Host(`Web_UI.localhost`)");
  Target bare = target();
  bare.labels.clear();
  EXPECT_EQ(fill(by_service, bare), "Host(`shop-web_ui-1.localhost`)");
  const std::string nested =
      "{{ if .Labels.none }}a{{ else if eq .Labels.domain \"x\" }}b{{ else if .Labels }}"
      "{{- if false }}c{{ end }} {{ if 1 }}d{{ end -}} {{ else }}e{{ end }}!";
  EXPECT_EQ(fill(nested), " d!");
  EXPECT_EQ(fill(nested, bare), "e!");
  EXPECT_EQ(fill("{{ if .Labels.none }}a{{ end }}"), "");
}

TEST(RuleTemplate, SaysWhereItIsNoTemplate) {
  const Cases cases = {
      {"Host(`{{ .Name`)", "1:15: is not expected here"},
      {"Host(`{{ .Name", "1:7: this \"{{\" is not closed"},
      {"{{ .Name }", "1:10: is not expected here"},
      {"{{ index .Labels 'x' }}", "1:18: expected a value"},
      {"{{ index .Labels \"x }}", "1:18: this text is not closed"},
      {"{{ index .Labels \"\\n\" }}", "1:18: of escapes only \\\" and \\\\ are known here"},
      {"{{ (normalize .Name }}", "1:4: this \"(\" is not closed"},
      {"{{ .Labels. }}", "1:4: a label's name is missing"},
      {"{{ }}", "1:4: expected a value"},
      {"{{", "1:3: expected a value"},
      {"{{ trunc 1x .Name }}", "1:10: is no whole number"},
      {"{{ .Name | 1 }}", "1:12: is no function"},
      {"{{ .Name .Name }}", "1:10: is not expected here"},
      {"{{ if .Name }}x", "1:1: this \"if\" has no \"end\""},
      {"{{ if .Name }}x{{ else }}y{{ else }}z{{ end }}", "1:30: a second \"else\""},
      {"x{{ end }}", "1:5: \"end\" without an \"if\""},
      {"{{ else }}", "1:4: \"else\" without an \"if\""},
      {"{{ " + std::string(40, '(') + ".Name", "1:21: is nested deeper than 16 levels"},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(fill(text), "refused " + wanted) << text;
  EXPECT_EQ(RuleTemplate::parse("a\nb {{ 1x }}").error().detail, "b {{ 1x }}\n     ^");
  EXPECT_FALSE(RuleTemplate::parse(std::string(5000, 'x')).has_value());
  std::string pipes = "{{ .Name";
  std::string ifs;
  for (int i = 0; i < 40; ++i) {
    pipes += " | lower";
    ifs += "{{ if 1 }}";
  }
  EXPECT_TRUE(fill(pipes + " }}").ends_with("is nested deeper than 16 levels"));
  EXPECT_TRUE(fill(ifs).ends_with("is nested deeper than 16 levels"));
}

TEST(RuleTemplate, NamesWhatItDoesNotKnow) {
  const std::string forms = "; doc/providers.md lists what is";
  const Cases cases = {
      {"{{ .Node }}", "1:4: \".Node\" is no field that is known here" + forms},
      {"a\nb {{ title .Name }}", "2:6: \"title\" is no function that is known here" + forms},
      {"{{ .Name | sha256sum }}", "1:12: \"sha256sum\" is no function that is known here" + forms},
      {"{{ range .Labels }}x{{ end }}", "1:4: \"range\" is no function that is known here" + forms},
      {"{{ $a := .Name }}{{ $a }}", "1:4: variables are not known here" + forms},
      {"{{/* a */}}", "1:3: comments are not known here" + forms},
      {"{{ if .Name }}{{ env \"HOME\" }}{{ end }}", "1:18: \"env\" is no function that is known here" + forms},
  };
  for (const auto& [text, wanted] : cases) {
    EXPECT_TRUE(RuleTemplate::parse(text).has_value()) << text;
    EXPECT_EQ(fill(text), wanted) << text;
  }
}

TEST(RuleTemplate, SaysWhichCallFails) {
  const Cases cases = {
      {"{{ lower }}", "1:4: lower takes 1 arguments, not 0"},
      {"{{ lower normalize .Name }}", "1:10: normalize takes 1 arguments, not 0"},
      {"{{ .Name | replace \"a\" }}", "1:12: replace takes 3 arguments, not 2"},
      {"{{ replace \"\" \"a\" .Name }}", "1:4: replace replaces an empty text"},
      {"{{ splitList \"\" .Name }}", "1:4: splitList splits by an empty text"},
      {"{{ first .Name }}", "1:4: first takes a list, as splitList gives one, not \"web-ui-my-shop\""},
      {"{{ index (splitList \"-\" .Name) 9 }}", "1:4: index has no item 9 of 4"},
      {"{{ trunc .Name 1 }}", "1:4: trunc takes a number, not \"web-ui-my-shop\""},
      {"{{ printf \"%q\" .Name }}", "1:4: printf takes a text with %s, %v, %d or %%, and a value for each"},
      {"{{ printf \"%s\" }}", "1:4: printf takes a text with %s, %v, %d or %%, and a value for each"},
      {"{{ printf \"a\" 1 }}", "1:4: printf has more values than its text has %s"},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(fill(text), wanted) << text;
}

TEST(RuleTemplate, DoesNotGrowWithoutEnd) {
  std::string text = "{{ \"aaaaaaaaaaaaaaaa\"";
  for (int i = 0; i < 12; ++i) text += " | replace \"a\" \"" + std::string(100, 'a') + "\"";
  EXPECT_TRUE(fill(text + " }}").ends_with("replace gives more than 64 KiB"));
  const std::string fifty = " | replace \"a\" \"" + std::string(50, 'a') + "\"";
  const std::string long_one = "{{ \"aaaaaaaaaaaaaaaa\"" + fifty + fifty + " }}";  // 40,000 bytes
  EXPECT_EQ(fill(long_one).size(), 40'000u);
  EXPECT_EQ(fill(long_one + long_one), "1:1: gives a rule of more than 64 KiB");
}

TEST(RuleTemplate, NormalizesAsTraefikDoes) {
  EXPECT_EQ(normalize("my_app.1"), "my-app-1");
  EXPECT_EQ(normalize("__a..b-"), "a-b");
  EXPECT_EQ(normalize("Ünï"), "Ünï");
  EXPECT_EQ(normalize("._"), "");
}

}  // namespace
}  // namespace berth::edge
