#include "compiler/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sepconv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string file_of(const std::string &header, const std::string &data) {
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(header.size() & 0xff);
    bytes += static_cast<char>(header.size() >> 8);
    return bytes + header + data;
}

TEST(Npy, ReadsWhatItWrites) {
    for (const Shape &shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{1, 2, 3, 4}}) {
        Array array;
        array.shape = shape;
        for (int64_t i = 0; i < element_count(shape); ++i) {
            array.values.push_back(static_cast<float>(i) / 3);
        }
        const std::string bytes = npy_bytes(array);
        EXPECT_EQ((bytes.size() - array.values.size() * 4) % 64, 0U);
        const Result<Array> read = parse_npy(bytes, "x.npy");
        ASSERT_TRUE(read.ok()) << read.status().message();
        EXPECT_EQ(read.value().shape, shape);
        EXPECT_EQ(read.value().values, array.values);
    }
}

TEST(Npy, ReadsFortranOrderAndDoubles) {
    const float columns[] = {1, 4, 2, 5, 3, 6};
    const std::string data(reinterpret_cast<const char *>(columns), sizeof(columns));
    const Result<Array> fortran = parse_npy(
        file_of("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n", data), "x.npy");
    ASSERT_TRUE(fortran.ok());
    EXPECT_THAT(fortran.value().values, ElementsAre(1, 2, 3, 4, 5, 6));

    const double values[] = {0.5, -2};
    const Result<Array> doubles =
        parse_npy(file_of("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n",
                          std::string(reinterpret_cast<const char *>(values), sizeof(values))),
                  "x.npy");
    ASSERT_TRUE(doubles.ok());
    EXPECT_THAT(doubles.value().values, ElementsAre(0.5F, -2.0F));
}

TEST(Npy, RefusesWhatItCannotRead) {
    const std::string one(4, '\0');
    const auto message = [](const std::string &bytes) {
        const Result<Array> read = parse_npy(bytes, "x.npy");
        return read.ok() ? "" : read.status().message();
    };
    EXPECT_THAT(message(""), HasSubstr("not a .npy file"));
    EXPECT_THAT(message("\x93NUMPY"), HasSubstr("not a .npy file"));
    EXPECT_THAT(message(file_of("", "").replace(8, 2, "\xff\xff")), HasSubstr("not a .npy file"));
    EXPECT_THAT(message(file_of("{}", "")), HasSubstr("element type"));
    EXPECT_THAT(message(file_of("{'descr': '<i8', 'shape': (1,)}", one)), HasSubstr("'<i8'"));
    EXPECT_THAT(message(file_of("{'descr': '<f4'}", one)), HasSubstr("no shape"));
    EXPECT_THAT(message(file_of("{'descr': '<f4', 'shape': (-1,)}", one)), HasSubstr("no shape"));
    EXPECT_THAT(message(file_of("{'descr': '<f4', 'shape': (99999999999999999999,)}", one)),
                HasSubstr("no shape"));
    EXPECT_THAT(message(file_of("{'descr': '<f4', 'shape': (2,)}", one)),
                HasSubstr("4 bytes of data, expected 8"));
    EXPECT_FALSE(
        parse_npy(file_of("{'descr': '<f4', 'shape': (65536, 65536, 65536)}", one), "x").ok());
}

}  // namespace
}  // namespace sepconv
