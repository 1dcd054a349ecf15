// Every StatusCode, raised: a new one does not compile until this file raises it.
// tests/models/documented_errors.py holds the messages that docs/errors.md shows against the tool.
#include <gtest/gtest.h>

#include <cstdlib>

#include "compiler/files.h"
#include "compiler/process.h"
#include "compiler/read_onnx.h"
#include "tests/compiler/model_builder.h"

namespace sepconv {
namespace {

/// Reads a model of one node on `x`.
Status read(const std::string &op, const Shape &shape, const ReadOptions &options = {}) {
    ModelBuilder builder;
    builder.input("x", shape).node(op, {"x"}, {"y"}).output("y");
    return read_onnx(builder.bytes(), options).status();
}

Status failing_child() {
    Child child;
    child.what = "the work";
    child.work = []() -> Status { std::abort(); };
    return run_children({child}, 1, [](size_t) { return Status(); });
}

Status raise(StatusCode code) {
    switch (code) {
        case StatusCode::kOk:
            return read("Relu", {1, 2});
        case StatusCode::kInvalidArgument:
            return read("Relu", {1, 2}, {{{"nobody", {1, 2}}}, ""});
        case StatusCode::kInvalidModel:
            return read_onnx("no protocol buffer", {}).status();
        case StatusCode::kUnsupported:
            return read("Hardmax", {1, 2});
        case StatusCode::kResourceExhausted:
            return read("Relu", {1, int64_t{1} << 31});
        case StatusCode::kIo:
            return read_file("/nowhere/at/all").status();
        case StatusCode::kInternal:
            return failing_child();
    }
    return Status(StatusCode::kOk, "no such code");
}

TEST(EveryStatus, IsRaisedWithAMessage) {
    EXPECT_TRUE(raise(StatusCode::kOk).ok());
    constexpr int kFirst = static_cast<int>(StatusCode::kOk) + 1;
    for (int i = kFirst; i <= static_cast<int>(StatusCode::kInternal); ++i) {
        const Status status = raise(static_cast<StatusCode>(i));
        EXPECT_EQ(static_cast<int>(status.code()), i) << status.message();
        EXPECT_GT(status.message().size(), 10U);
    }
}

}  // namespace
}  // namespace sepconv
