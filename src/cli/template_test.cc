#include "cli/template.h"

#include <gtest/gtest.h>

#include "cli/listing.h"

namespace berth::cli {
namespace {

const Json kRow = Json::object({{"Name", "shop-web-1"},
                                {"Service", "web"},
                                {"ExitCode", 3},
                                {"Labels", "a=1,com.x/y=two"},
                                {"Ports", Json::array({80})}});

std::string rendered(std::string_view text) {
  const auto form = Template::parse(text);
  if (!form) return form.error().message;
  const auto out = form->render(kRow);
  return out ? *out : out.error().message;
}

TEST(Template, FieldsTextAndFunctions) {
  EXPECT_EQ(rendered("{{.Name}}: {{ .ExitCode }}"), "shop-web-1: 3");
  EXPECT_EQ(rendered("{{.Name}}\\t{{.Service}}\\n"), "shop-web-1\tweb\n");
  EXPECT_EQ(rendered("{{upper .Service}} {{.Name | upper | lower}}"), "WEB shop-web-1");
  EXPECT_EQ(rendered("{{json .Name}} {{json .Ports}}"), "\"shop-web-1\" [80]");
  EXPECT_EQ(rendered("{{.Label \"com.x/y\"}}{{.Label \"none\"}}"), "two");
  EXPECT_EQ(rendered("{{json .}}"), kRow.dump());
  EXPECT_EQ(rendered("plain"), "plain");
}

TEST(Template, WhatIsNotUnderstoodIsRefused) {
  EXPECT_TRUE(rendered("{{if .Name}}x{{end}}").starts_with("--format: {{if}} is not understood"));
  EXPECT_TRUE(rendered("{{range .Ports}}").contains("not understood"));
  EXPECT_TRUE(rendered("{{json}}").contains("not understood"));
  EXPECT_TRUE(rendered("{{.Label}}").contains("not understood"));
  EXPECT_EQ(rendered("{{.Name"), "--format: \"{{.Name\" lacks its }}");
  EXPECT_EQ(rendered("{{.Nme}}"),
            "--format: there is no field .Nme; there are .Name .Service .ExitCode .Labels .Ports");
}

TEST(Listing, EveryForm) {
  const Column columns[] = {{"NAME", "Name"}, {"EXIT", "ExitCode"}};
  const std::vector<Json> rows = {kRow};
  EXPECT_EQ(listing("table", columns, rows).value_or(""), "NAME         EXIT\nshop-web-1   3\n");
  EXPECT_EQ(listing("", columns, {}).value_or(""), "NAME   EXIT\n");
  EXPECT_EQ(listing("json", columns, rows).value_or(""), kRow.dump() + "\n");
  EXPECT_EQ(listing("{{.Service}}", columns, rows).value_or(""), "web\n");
  EXPECT_EQ(listing("table {{.ExitCode}}\\t{{.Service}}", columns, rows).value_or(""), "EXIT   SERVICE\n3      web\n");
  EXPECT_FALSE(listing("{{.Bad}}", columns, rows));
}

}  // namespace
}  // namespace berth::cli
