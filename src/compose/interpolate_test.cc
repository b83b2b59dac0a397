#include "compose/interpolate.h"

#include <gtest/gtest.h>

#include "compose/dotenv.h"

namespace berth::compose {
namespace {

const Environment kEnvironment{{"A", "one"}, {"EMPTY", ""}};

std::string replaced(std::string_view text) {
  std::set<std::string> unset;
  auto value = substitute(text, lookup_in(kEnvironment), unset);
  std::string out = value ? *value : "error: " + value.error().message;
  for (const std::string& name : unset) out += " unset:" + name;
  return out;
}

TEST(Interpolate, FormsOfAVariable) {
  EXPECT_EQ(replaced("$A ${A} ${A}s"), "one one ones");
  EXPECT_EQ(replaced("${NONE}$NONE"), " unset:NONE");
  EXPECT_EQ(replaced("${NONE-d} ${EMPTY-d} ${EMPTY:-d}"), "d  d");
  EXPECT_EQ(replaced("${A+s} ${EMPTY+s} ${EMPTY:+s} ${NONE+s}"), "s s  ");
  EXPECT_EQ(replaced("${A?x} ${A:?x}"), "one one");
}

TEST(Interpolate, DollarsThatStartNothingStay) {
  EXPECT_EQ(replaced("$$A $ $1 $(cmd) a$"), "$A $ $1 $(cmd) a$");
  EXPECT_EQ(replaced("^(A|B)$"), "^(A|B)$");
}

TEST(Interpolate, ArgumentsNestAndEndAtTheirBrace) {
  EXPECT_EQ(replaced("${NONE:-${A}} ${NONE:-{\"k\": \"${A}\"}} }"), "one {\"k\": \"one\"} }");
  EXPECT_EQ(replaced("${A:+--flag $A}${NONE-x}"), "--flag onex");
  EXPECT_EQ(replaced("${NONE:-{open}"), "{open");
}

TEST(Interpolate, ManyVariablesOnOneLineCostNoSquare) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "${NONE:-x}";
  EXPECT_EQ(replaced(text + "\n${NONE:-y}"), std::string(200'000, 'x') + "\ny");
}

TEST(Interpolate, Errors) {
  EXPECT_EQ(replaced("${NONE:?set it}"), "error: required variable NONE is missing a value: set it");
  EXPECT_EQ(replaced("${EMPTY:?}"), "error: required variable EMPTY is missing a value");
  EXPECT_EQ(replaced("x ${A!} y"), "error: invalid template \"${A!} y\": write a dollar that starts no variable as $$");
  EXPECT_EQ(replaced("${A:-x\n}"), "error: invalid template \"${A:-x\": write a dollar that starts no variable as $$");
  EXPECT_EQ(replaced("${}").substr(0, 6), "error:");
  std::string deep = "x";
  for (int i = 0; i < 100; ++i) deep = "${NONE:-" + deep + "}";
  EXPECT_EQ(replaced(deep), "error: variables are nested too deep");
}

std::string read(std::string_view text) {
  std::set<std::string> unset;
  Environment variables;
  const Lookup lookup = lookup_in(kEnvironment);
  if (auto done = parse_dotenv(text, {.lookup = lookup, .unset = unset}, variables); !done)
    return "error: " + done.error().message;
  std::string out;
  for (const auto& [key, value] : variables) out += key + "=[" + value + "]";
  return out;
}

TEST(Dotenv, QuotesCommentsAndExports) {
  EXPECT_EQ(read("export A=1\nB: 2 # c\nC=#x\nD=a#b\n# E=1\nF = f\n"), "A=[1]B=[2]C=[#x]D=[a#b]F=[f]");
  EXPECT_EQ(read("A='$A #'\nB=\"l1\nl2 $EMPTY\\n\\t\\\"\"\nC='it\\'s'\r\n"), "A=[$A #]B=[l1\nl2 \n\t\"]C=[it's]");
  EXPECT_EQ(read("A=\"\\$A \\0101 \\q\"\n"), "A=[$A A \\q]");
}

TEST(Dotenv, VariablesSeeTheOnesBefore) {
  EXPECT_EQ(read("X=1\nY=$X-${X}\nZ=$A\nA=two\nEMPTY\nNONE\n"), "A=[two]EMPTY=[]X=[1]Y=[1-1]Z=[one]");
}

TEST(Dotenv, ErrorsNameTheLineAndNoValue) {
  EXPECT_EQ(read("A=1\nB C=secret\n"), "error: variables:2:1: a variable name cannot contain a space");
  EXPECT_EQ(read("A=1\n\nB!=secret\n"), "error: variables:3:1: unexpected character '!' in a variable name");
  EXPECT_EQ(read("A='secret\n"), "error: variables:1:3: a quoted value does not end");
  EXPECT_EQ(read("A=1\nB=${NONE:?why}\n"), "error: variables:2:3: required variable NONE is missing a value: why");
}

TEST(Dotenv, RawLinesStayAsTheyStand) {
  Environment variables;
  std::set<std::string> unset;
  const Lookup lookup = lookup_in(kEnvironment);
  const Dotenv with{.lookup = lookup, .unset = unset};
  ASSERT_TRUE(parse_raw_env("# c\nA='x' $A\r\n B=1 # no comment\nEMPTY\nNONE\n", with, variables));
  EXPECT_EQ(variables, (Environment{{"A", "'x' $A"}, {"B", "1 # no comment"}, {"EMPTY", ""}}));
  const auto wrong = parse_raw_env("A=1\nA B=1\n", with, variables);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "variables:2:1: a variable name is missing or contains a blank");
}

}  // namespace
}  // namespace berth::compose
