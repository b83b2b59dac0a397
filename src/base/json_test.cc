#include "base/json.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(Json, ReadsAndWritesEveryKind) {
  const std::string text = R"({"a":[1,-2,2.5,true,false,null,"x"],"b":{"c":""}})";
  const Json value = parse_json(text).value();
  EXPECT_EQ(value.dump(), text);
  EXPECT_EQ(value["a"].items().size(), 7u);
  EXPECT_EQ(value.at("b.c").text("none"), "");
  EXPECT_EQ(value["a"].items()[2].number(), 2.5);
}

TEST(Json, ReadingIsTotal) {
  const Json value = parse_json(R"({"a":1})").value();
  EXPECT_TRUE(value["missing"]["deeper"].is_null());
  EXPECT_EQ(value["a"].text("fallback"), "fallback");
  EXPECT_EQ(value["a"].items().size(), 0u);
  EXPECT_EQ(value.at("x.y.z").integer(7), 7);
  EXPECT_FALSE(value.contains("missing"));
}

TEST(Json, KeepsTheOrderOfMembersAndTheLastDuplicate) {
  EXPECT_EQ(parse_json(R"({"z":1,"a":2,"z":3,"m":4})").value().dump(), R"({"a":2,"z":3,"m":4})");
}

TEST(Json, ComparesObjectsWithoutOrder) {
  EXPECT_EQ(parse_json(R"({"a":1,"b":[1]})").value(), parse_json(R"({"b":[1.0],"a":1})").value());
  EXPECT_NE(parse_json("[1,2]").value(), parse_json("[2,1]").value());
  EXPECT_NE(parse_json(R"({"a":null})").value(), parse_json("{}").value());
  EXPECT_EQ(parse_json(R"({"b":{"y":1,"x":2},"a":1})").value().canonical(), R"({"a":1,"b":{"x":2,"y":1}})");
}

TEST(Json, EscapesWhatRfc8259Demands) {
  EXPECT_EQ(quote_json("a\"\\\n\r\t\x01"), R"("a\"\\\n\r\t\u0001")");
  EXPECT_EQ(quote_json("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\"");
  EXPECT_EQ(quote_json("\xFF\xC0\xAF\xED\xA0\x80"),
            "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  const std::string text("nul\0inside", 10);
  EXPECT_EQ(parse_json(Json(text).dump()).value().text(), text);
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* bad : {"", "{", "[1,]", "{\"a\":}", "nul", "1 2", "'a'", "{\"a\" 1}", "\"\x01\"", "1e999", "0E6406"})
    EXPECT_EQ(parse_json(bad).error().code, Code::invalid) << bad;
}

TEST(Json, ReadsNumbersToTheLastPlace) {
  for (const double value : {3.8e32, 0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -2.5e-7})
    EXPECT_EQ(parse_json(Json(value).dump()).value().number(), value);
  EXPECT_EQ(parse_json("3.8e32").value().number(), 3.8e32);
}

TEST(Json, BoundsDepthAndSize) {
  EXPECT_TRUE(parse_json(std::string(90, '[') + std::string(90, ']')));
  EXPECT_FALSE(parse_json(std::string(200, '[') + std::string(200, ']')));
  EXPECT_FALSE(parse_json("[1,2,3]", {.bytes = 3}));
}

TEST(Json, ManyEqualKeysCostNoSquare) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += "\"k" + std::to_string(i % 1000) + "\":" + std::to_string(i) + ",";
  text.back() = '}';
  const Json value = parse_json(text).value();
  EXPECT_EQ(value.size(), 1000u);
  EXPECT_EQ(value["k999"].integer(), 99'999);
}

TEST(Json, IsBuiltInPlace) {
  Json value;
  value.slot("list").push(1);
  value.slot("list").push("two");
  value.set("flag", true);
  value.set("flag", false);
  value.erase("nothing");
  EXPECT_EQ(value.dump(), R"({"list":[1,"two"],"flag":false})");
  EXPECT_EQ(value.dump(2), "{\n  \"list\": [\n    1,\n    \"two\"\n  ],\n  \"flag\": false\n}");
  EXPECT_TRUE(Json::object().is_empty() && Json("").is_empty() && Json(0).is_empty() && !Json(1).is_empty());
}

TEST(Result, CarriesErrorsThroughTry) {
  const auto half = [](int value) -> Result<int> {
    if (value % 2) return fail(Code::invalid, std::to_string(value) + " is odd");
    return value / 2;
  };
  const auto quarter = [&](int value) -> Result<int> { return TRY(half(TRY(half(value)))); };
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
  Error error{Code::denied, "no", "line"};
  EXPECT_EQ(std::move(error).within("web").text(), "web: no\nline");
}

}  // namespace
}  // namespace berth
