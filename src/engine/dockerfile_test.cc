#include "engine/dockerfile.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace berth::engine {
namespace {

using Names = std::vector<std::string>;

Names bases(std::string_view text, const Arguments& arguments = {}) {
  return base_images(scan_dockerfile(text), arguments);
}

TEST(Dockerfile, KnowsTheLinesOfInstructions) {
  const auto file = scan_dockerfile(
      "# syntax=docker/dockerfile:1\n"
      "\n"
      "from a\n"
      "RUN make \\\n"
      "  # between\n"
      "\n"
      "  all\n"
      "COPY <<EOF <<-\"END\" /etc/\n"
      "FROM no\n"
      "EOF\n"
      "\tEND\n"
      "RUN echo $((1 << X))\n"
      "CMD x");
  ASSERT_EQ(file.instructions.size(), 5u);
  EXPECT_EQ(file.syntax, "docker/dockerfile:1");
  EXPECT_EQ(file.syntax_line, 1);
  const auto is = [&](std::size_t at, int line, int last, std::string_view keyword) {
    const Instruction& one = file.instructions[at];
    EXPECT_EQ(one.line, line) << at;
    EXPECT_EQ(one.last, last) << at;
    EXPECT_EQ(one.keyword, keyword) << at;
  };
  is(0, 3, 3, "FROM");
  is(1, 4, 7, "RUN");
  is(2, 8, 11, "COPY");
  is(3, 12, 12, "RUN");
  is(4, 13, 13, "CMD");
  EXPECT_EQ(file.instructions[1].text, "make   all");
  EXPECT_TRUE(file.instructions[2].heredoc);
  EXPECT_FALSE(file.instructions[3].heredoc);
}

TEST(Dockerfile, TakesTheEscapeThatItNames) {
  const auto file = scan_dockerfile("# escape=`\r\nFROM a\r\nRUN dir C:\\`\r\n  x\r\n");
  ASSERT_EQ(file.instructions.size(), 2u);
  EXPECT_EQ(file.instructions[1].last, 4);
}

TEST(Dockerfile, ListsTheImagesThatItBuildsOn) {
  EXPECT_EQ(bases("FROM a\nCOPY --from=b:1 / /\nRUN --mount=type=bind,from=c,target=/c x\nFROM a"),
            (Names{"a", "b:1", "c"}));
  EXPECT_EQ(bases("FROM a AS Base\nFROM base\nCOPY --from=0 / /\nFROM scratch\nCOPY --from=BASE / /"), (Names{"a"}));
  EXPECT_EQ(bases("FROM --platform=$BUILDPLATFORM a AS b"), (Names{"a"}));
  EXPECT_EQ(bases(""), Names{});
  EXPECT_EQ(bases("RUN x"), Names{});
}

TEST(Dockerfile, PutsArgumentsIntoTheNamesOfImages) {
  constexpr std::string_view kText = "ARG TAG=1 NAME=a\nARG FULL=${NAME}:$TAG\nFROM $FULL\nARG TAG=9\nFROM b:${TAG}";
  EXPECT_EQ(bases(kText), (Names{"a:1", "b:1"}));
  EXPECT_EQ(bases(kText, {{"TAG", "2"}}), (Names{"a:2", "b:2"}));
  EXPECT_EQ(bases("ARG E=\nARG U\nFROM ${E:-d}${E-x}${U:-u}${E:+no}${U}${U:-${V:-w}}"), (Names{"duw"}));
  EXPECT_EQ(bases("FROM ${NONE}"), Names{});
  EXPECT_EQ(bases("FROM ${OPEN"), Names{});
}

TEST(Dockerfile, SaysWhatNeedsBuildkit) {
  const auto what = [](std::string_view text) {
    const auto need = needs_buildkit(scan_dockerfile(text));
    return need ? std::to_string(need->line) + " " + need->what : std::string();
  };
  EXPECT_EQ(what("FROM a\nRUN --mount=type=cache,target=/c x"), "2 RUN --mount");
  EXPECT_EQ(what("FROM a\nCOPY --chown=1 --link a b"), "2 COPY --link");
  EXPECT_EQ(what("FROM a\nRUN <<E\nx\nE\n"), "2 a here document");
  EXPECT_EQ(what("FROM --platform=x a\nCOPY --from=b --chown=1 a b\nRUN x --mount=y\nHEALTHCHECK --interval=1s CMD x"),
            "");
}

TEST(Dockerfile, PutsContextsInTheirPlaces) {
  const auto with = [](std::string_view text) {
    return with_contexts(text, {{"ctx", "img:1"}, {"docker.io/library/alpine:latest", "img:2"}}, {{"B", "ctx"}});
  };
  EXPECT_EQ(with("FROM ctx\nRUN x"), "FROM img:1\nRUN x");
  EXPECT_EQ(with("FROM --platform=p  alpine AS a"), "FROM --platform=p  img:2 AS a");
  EXPECT_EQ(with("ARG B\nFROM ${B}"), "ARG B\nFROM img:1");
  EXPECT_EQ(with("FROM a\nCOPY --from=ctx --from=ctx x \\\n  y\nRUN x"),
            "FROM a\nCOPY --from=img:1 --from=img:1 x \\\n  y\nRUN x");
  EXPECT_EQ(with("FROM a\nRUN --mount=from=ctx,target=/c --mount=type=bind,from=ctx <<E\nctx\nE"),
            "FROM a\nRUN --mount=from=img:1,target=/c --mount=type=bind,from=img:1 <<E\nctx\nE");
  EXPECT_EQ(with("FROM a\nCOPY ctx ctx\nRUN --from=ctx"), "FROM a\nCOPY ctx ctx\nRUN --from=ctx");
}

TEST(Dockerfile, AContextTakesThePlaceOfAStage) {
  const auto text =
      with_contexts("FROM a AS ctx\nRUN one \\\n two\nCOPY x y\nFROM ctx\nRUN last\n", {{"ctx", "img"}}, {});
  EXPECT_EQ(text, "FROM img AS ctx\n\n\n\nFROM ctx\nRUN last\n");
}

TEST(Dockerfile, FindsTheLineOfAStep) {
  const auto file = scan_dockerfile(
      "ARG V\nFROM a AS build\nRUN one && \\\n    two\nWORKDIR /x\nFROM b\nENV A=1\nCOPY --from=build f /f\nRUN $V\n");
  EXPECT_EQ(line_of_step(file, "[build 1/3] FROM a@sha256:0"), 2);
  EXPECT_EQ(line_of_step(file, "[build 2/3] RUN one &&     two"), 3);
  EXPECT_EQ(line_of_step(file, "[build 3/3] WORKDIR /other"), 5) << "from the end";
  EXPECT_EQ(line_of_step(file, "[linux/amd64 stage-1 2/3] COPY --from=build f /f"), 8);
  EXPECT_EQ(line_of_step(file, "[stage-1 3/3] RUN value"), 9);
  EXPECT_EQ(line_of_step(file, "[internal] load metadata for a"), 0);
  EXPECT_EQ(line_of_step(file, "[none 1/1] RUN"), 0);
  EXPECT_EQ(line_of_step(file, "[build 2/x] RUN"), 0);
  EXPECT_EQ(line_of_step(file, ""), 0);
  EXPECT_EQ(line_of_step(file, std::size_t{3}), 3) << "the classic builder counts every instruction";
  EXPECT_EQ(line_of_step(file, std::size_t{0}), 0);
  EXPECT_EQ(line_of_step(file, std::size_t{99}), 0);
}

}  // namespace
}  // namespace berth::engine
