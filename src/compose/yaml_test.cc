#include "compose/yaml.h"

#include <gtest/gtest.h>

#include "compose/yaml_text.h"

namespace berth::compose {
namespace {

Result<std::vector<Document>> parse(std::string text, Budget budget = {}) {
  Sources sources;
  const std::uint16_t file = sources.add("f.yaml", std::move(text));
  return parse_yaml(sources, file, budget);
}

std::string json_of(std::string text) {
  const auto documents = parse(std::move(text));
  if (!documents) return documents.error().text();
  std::string out;
  for (const Document& document : *documents) out += to_json(document.root).dump() + "\n";
  return out;
}

TEST(Yaml, ScalarsResolveAsGoYamlDoes) {
  EXPECT_EQ(json_of("[yes, on, True, FALSE, ~, '', \"1\", !!str 2]"),
            "[\"yes\",\"on\",true,false,null,\"\",\"1\",\"2\"]\n");
  EXPECT_EQ(json_of("[010, 0o10, 0x1f, 0b11, 1_000, -7, +7, 80:80]"), "[8,8,31,3,1000,-7,7,\"80:80\"]\n");
  EXPECT_EQ(json_of("[08, 1.50, .5, 1e3, 1.2.3, 1e, 0x, _1]"), "[8,1.5,0.5,1000,\"1.2.3\",\"1e\",\"0x\",\"_1\"]\n");
  EXPECT_EQ(json_of("[!!float 3, !!int '4', !custom 5]"), "[3,4,\"5\"]\n");
}

TEST(Yaml, RealsPrintAsGoPrintsThem) {
  EXPECT_EQ(real_text(1.5), "1.5");
  EXPECT_EQ(real_text(1e20), "100000000000000000000");
  EXPECT_EQ(real_text(1e21), "1e+21");
  EXPECT_EQ(real_text(0.00001), "1e-05");
}

TEST(Yaml, MergeKeysYieldToLocalKeysAndToEarlierMaps) {
  EXPECT_EQ(json_of("a: &a {k: 1, l: 1}\nb: &b {k: 2, m: 2}\nc: {<<: [*a, *b], l: 3}\n"),
            "{\"a\":{\"k\":1,\"l\":1},\"b\":{\"k\":2,\"m\":2},\"c\":{\"l\":3,\"k\":1,\"m\":2}}\n");
  EXPECT_EQ(json_of("a: {\"<<\": {k: 1}}\n"), "{\"a\":{\"<<\":{\"k\":1}}}\n");
}

TEST(Yaml, AnAliasMeansTheAnchorBeforeIt) {
  EXPECT_EQ(json_of("[&a 1, *a, &a 2, *a]"), "[1,1,2,2]\n");
  EXPECT_EQ(json_of("a: &a x\n*a : y\n"), "{\"a\":\"x\",\"x\":\"y\"}\n");
}

TEST(Yaml, EveryNodeKnowsItsPlace) {
  const auto documents = parse("a: 1\nb:\n  - x\n  -   y\n");
  ASSERT_TRUE(documents);
  const Node& list = *(*documents)[0].root.find("b");
  EXPECT_EQ(list.key_mark.line, 2u);
  EXPECT_EQ(list.items[1].mark.line, 4u);
  EXPECT_EQ(list.items[1].mark.column, 7u);
}

TEST(Yaml, TagsOfComposeAreCollectedByPath) {
  const auto documents = parse("x: &x {p: !reset [1]}\na: {b: !override {c: 1}, <<: *x}\n");
  ASSERT_TRUE(documents);
  EXPECT_EQ((*documents)[0].resets, (std::vector<NodePath>{{"x", "p"}, {"a", "b"}, {"a", "p"}}));
  EXPECT_EQ(to_json((*documents)[0].root).dump(), "{\"x\":{},\"a\":{\"b\":{\"c\":1}}}");
}

TEST(Yaml, DocumentsOfOneStream) {
  EXPECT_EQ(json_of("a: 1\n---\nb: 2\n...\n"), "{\"a\":1}\n{\"b\":2}\n");
  EXPECT_EQ(json_of("# nothing\n"), "");
  EXPECT_EQ(json_of("\xEF\xBB\xBF"
                    "a: 1\n"),
            "{\"a\":1}\n");
}

TEST(Yaml, TooManyDocumentsAreRefused) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "--- {}\n";
  EXPECT_TRUE(parse(text));
  EXPECT_EQ(parse(text + "--- {}\n").error().message, "f.yaml:101:5: there are more than 100 documents");
}

TEST(Yaml, ErrorsShowTheLine) {
  EXPECT_EQ(json_of("a: 1\nb: 2\na: 3\n"),
            "f.yaml:3:1: mapping key \"a\" already defined at line 1, column 1\na: 3\n^");
  EXPECT_EQ(json_of("a:\n  1: x\n"),
            "f.yaml:2:3: non-string key 1 in a: it is an integer; quote it to make it a text\n  1: x\n  ^");
  EXPECT_EQ(json_of("a: *b\n"), "f.yaml:1:4: unknown anchor \"b\"\na: *b\n   ^");
  EXPECT_EQ(json_of("a: &b [*b]\n"), "f.yaml:1:8: anchor \"b\" contains itself\na: &b [*b]\n       ^");
  EXPECT_EQ(json_of("a: {<<: 1}\n"),
            "f.yaml:1:9: map merge requires a mapping or a list of mappings after <<, this is an integer\na: {<<: 1}\n "
            "       ^");
  EXPECT_EQ(json_of("a: !!int x\n"), "f.yaml:1:4: this is no !!int\na: !!int x\n   ^");
  EXPECT_EQ(json_of("? [a]\n: 1\n").substr(0, 47), "f.yaml:1:3: a list or mapping cannot be a key\n?");
}

TEST(Yaml, WhatNoYamlHoldsIsRefusedAtItsPlace) {
  EXPECT_EQ(json_of("a: 1\nb: x\x9Ay\n"), "f.yaml:2:5: invalid YAML: this is not UTF-8\nb: x\xEF\xBF\xBDy\n    ^");
  EXPECT_EQ(json_of("\xC3\xA4: \x1B[31m\n"),
            "f.yaml:1:4: invalid YAML: control characters are not allowed\n\xC3\xA4: \xEF\xBF\xBD[31m\n   ^");
  for (const std::string_view c : {std::string_view("\0", 1), std::string_view("\x7F"), std::string_view("\xC2\x80"),
                                   std::string_view("\xEF\xBF\xBE")})
    EXPECT_EQ(parse("a: \"" + std::string(c) + "\"\n").error().message,
              "f.yaml:1:5: invalid YAML: control characters are not allowed");
  EXPECT_EQ(json_of("a: \"\\x7F\\x9B\t\xC2\xA0\xE2\x82\xAC\"\n"), "{\"a\":\"\x7F\xC2\x9B\\t\xC2\xA0\xE2\x82\xAC\"}\n");
}

TEST(Yaml, SyntaxErrorsSayWhatToDo) {
  for (const auto& [text, said] : std::vector<std::pair<std::string, std::string>>{
           {"a:\n\tb: 1\n",
            "2:1: invalid YAML: found character that cannot start any token; indent with spaces, not "
            "with tabs"},
           {"a: @b\n",
            "1:4: invalid YAML: found character that cannot start any token; quote a value that begins with "
            "such a character"},
           {"\xC3\xA4: b: c\n",
            "1:5: invalid YAML: mapping values are not allowed in this context; quote a value with "
            "\": \" in it"},
           {"a\n  b: c\n",
            "2:4: invalid YAML: mapping values are not allowed in this context; does the line above lack "
            "its colon?"},
           {"a: \"\\q\"\n",
            "1:5: invalid YAML: found unknown escape character while parsing a quoted scalar; write "
            "\\\\ for a backslash, or use single quotes, where it has no meaning"},
           {"a: {b: c,\n",
            "2:1: invalid YAML: did not find expected node content while parsing a flow node; the text "
            "ends here"},
           {"a: \"b\n\n", "1:4: invalid YAML: found unexpected end of stream while scanning a quoted scalar"},
           {"a: [b\nc: d\n",
            "2:2: invalid YAML: did not find expected ',' or ']' while parsing a flow sequence that "
            "begins in line 1"}})
    EXPECT_EQ(parse(text).error().message, "f.yaml:" + said);
}

TEST(Yaml, JsonIsMadeFitForIt) {
  const std::string text =
      "a \x7F \xC2\x9F\xC3\xA9 \xE2\x80\xA8 \xE2\x80\xA9  \xEF\xBB\xBF\xEF\xBF\xBE\xEF\xBF\xBF\xF0\x9F\x98\x80";
  const std::string json = fit_for_yaml("[" + quote_json(text) + "]");
  EXPECT_EQ(json, "[\"a \\u007f \\u009f\xC3\xA9 \\u2028 \\u2029  \\ufeff\\ufffe\\uffff\xF0\x9F\x98\x80\"]");
  EXPECT_EQ(json_of(json), Json::array({text}).dump() + "\n");
}

TEST(Yaml, DirectivesAreTakenAsGoYamlDoes) {
  EXPECT_EQ(json_of("%YAML 1.2 # now\n%TAG !e! tag:e,2000:\n---\na: 1\n"), "{\"a\":1}\n");
  EXPECT_EQ(json_of("include:\n%  - x.yaml\n"),
            "f.yaml:2:2: invalid YAML: could not find expected directive name while scanning a directive\n"
            "%  - x.yaml\n ^");
  EXPECT_EQ(json_of("%get w\xC3\xA4\n---\na: 1\n"),
            "f.yaml:1:5: invalid YAML: found unknown directive name while scanning a directive\n"
            "%get w\xC3\xA4\n    ^");
  EXPECT_EQ(json_of("%YAML 3.1\n---\na: 1\n"),
            "f.yaml:1:1: invalid YAML: found incompatible YAML document\n%YAML 3.1\n^");
  std::string many;
  for (int i = 0; i < 101; ++i) many += "%TAG !e" + std::to_string(i) + "! a\n";
  EXPECT_EQ(parse(many + "---\n").error().message, "f.yaml:101:1: invalid YAML: too many directives");
}

// Each was slow or endless, or freed memory twice, in another parser.
TEST(Yaml, HostileTextsEndSoon) {
  std::string tag = "!";
  for (int i = 0; i < 80'000; ++i) tag += "%61";
  EXPECT_TRUE(parse("a: " + tag + " b\n"));
  EXPECT_TRUE(parse("a: !<" + tag + "> b\n"));
  EXPECT_FALSE(parse("%" + std::string(1 << 20, 'a') + "\n---\na: b\n"));
  EXPECT_FALSE(parse("%get w\x9A\x9A!\x9A"));
  for (const std::string& open : {"[", "{", "- ", "? ", "[[a,", "{a: "}) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += open;
    EXPECT_FALSE(parse(deep)) << open;
  }
}

TEST(Yaml, TheCaretCountsCharacters) {
  EXPECT_EQ(json_of("\xC3\xA4\xC3\xB6: *b\n"), "f.yaml:1:5: unknown anchor \"b\"\n\xC3\xA4\xC3\xB6: *b\n    ^");
}

TEST(Yaml, ADuplicateKeyIsFoundInALargeMappingToo) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "k" + std::to_string(i) + ": 1\n";
  EXPECT_TRUE(parse(text));
  for (const int again : {3, 30}) {
    const auto documents = parse(text + "k" + std::to_string(again) + ": 2\n");
    ASSERT_FALSE(documents);
    EXPECT_EQ(documents.error().message, "f.yaml:41:1: mapping key \"k" + std::to_string(again) +
                                             "\" already defined at line " + std::to_string(again + 1) + ", column 1");
  }
}

TEST(Yaml, TheBudgetBoundsExpansion) {
  const std::string text = "a: &a [1, 2, 3]\nb: [*a, *a, *a, *a]\n";
  EXPECT_TRUE(parse(text));
  EXPECT_FALSE(parse(text, {.nodes = 10}));
  EXPECT_FALSE(parse("a: " + std::string(100, 'x'), {.bytes = 50}));
}

TEST(Yaml, NodesKeepTheirKeyWhenTheirValueChanges) {
  Node map = Node::map_at({});
  map.set("k", Node::text_at("v", {}));
  Node& member = *map.find("k");
  EXPECT_EQ(member.take().text, "v");
  EXPECT_EQ(member.key, "k");
  EXPECT_TRUE(member.is_null());
  member.become(Node::integer_at(1, {}));
  EXPECT_EQ(to_json(map).dump(), "{\"k\":1}");
}

}  // namespace
}  // namespace berth::compose
