#include "compiler/onnx_tensor.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "compiler/diagnostic.h"
#include "compiler/limits.h"

namespace sepconv {
namespace {

namespace fs = std::filesystem;

Status invalid(const std::string &what, const std::string &text) {
    return Status(StatusCode::kInvalidModel, what + ": " + text);
}

// ONNX raw data is little-endian, as are all machines that the compiler runs on.
template<typename T>
void decode(std::string_view bytes, std::vector<T> &values) {
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
}

void decode(std::string_view bytes, std::vector<Bool> &values) {
    std::transform(bytes.begin(), bytes.end(), values.begin(),
                   [](char byte) { return Bool(byte != 0); });
}

Status decode_raw(std::string_view bytes, const std::string &what, ElementType type,
                  Constant &constant) {
    const auto elements = static_cast<uint64_t>(element_count(constant.shape));
    const uint64_t expected = elements * element_bytes(type);
    if (bytes.size() != expected) {
        return invalid(what, "has " + std::to_string(bytes.size()) + " bytes of data, its shape " +
                                 shape_text(constant.shape) + " needs " + std::to_string(expected));
    }
    constant = Constant::zeros(type, constant.shape);
    constant.visit([bytes](auto &values) { decode(bytes, values); });
    return Status();
}

/// From one of TensorProto's lists, which hold the narrow types in wider ones.
template<typename List>
Status decode_list(const List &list, const std::string &what, ElementType type,
                   Constant &constant) {
    const int64_t expected = element_count(constant.shape);
    if (list.size() != expected) {
        return invalid(what, "has " + std::to_string(list.size()) + " values, its shape " +
                                 shape_text(constant.shape) + " needs " + std::to_string(expected));
    }
    constant = Constant::zeros(type, constant.shape);
    constant.visit([&list](auto &values) {
        using T = ElementOf<decltype(values)>;
        std::transform(list.begin(), list.end(), values.begin(), [](auto stored) {
            if constexpr (std::is_same_v<T, Half>) {
                Half half;
                half.bits = static_cast<uint16_t>(stored);
                return half;
            } else {
                return convert<T>(stored);
            }
        });
    });
    return Status();
}

Status decode_typed(const onnx::TensorProto &tensor, const std::string &what, ElementType type,
                    Constant &constant) {
    switch (type) {
        case ElementType::kFloat:
            return decode_list(tensor.float_data(), what, type, constant);
        case ElementType::kDouble:
            return decode_list(tensor.double_data(), what, type, constant);
        case ElementType::kInt64:
            return decode_list(tensor.int64_data(), what, type, constant);
        case ElementType::kFloat16:
        case ElementType::kInt8:
        case ElementType::kUint8:
        case ElementType::kInt32:
        case ElementType::kBool:
            return decode_list(tensor.int32_data(), what, type, constant);
    }
    return Status();
}

struct ExternalData {
    std::string location;
    uint64_t offset = 0;
    std::optional<uint64_t> length;
};

Result<ExternalData> external_entries(const onnx::TensorProto &tensor, const std::string &what) {
    ExternalData data;
    for (const auto &entry : tensor.external_data()) {
        if (entry.key() == "location") {
            data.location = entry.value();
        } else if (entry.key() == "offset" || entry.key() == "length") {
            uint64_t number = 0;
            const char *end = entry.value().data() + entry.value().size();
            const auto [stop, error] = std::from_chars(entry.value().data(), end, number);
            if (error != std::errc() || stop != end) {
                return invalid(what, "external data: " + entry.key() + " is " +
                                         quote(entry.value()) + ", expected a number");
            }
            if (entry.key() == "offset") {
                data.offset = number;
            } else {
                data.length = number;
            }
        }
    }
    if (data.location.empty() || data.location.find('\0') != std::string::npos) {
        return invalid(what, "external data names no location");
    }
    return data;
}

/// The canonical path of the file, which must be a plain file inside `folder`, links resolved.
Result<fs::path> external_path(const std::string &location, const std::string &what,
                               const std::string &folder) {
    const fs::path relative(location);
    std::error_code error;
    const fs::path root = fs::canonical(folder, error);
    if (error) {
        return Status(StatusCode::kIo,
                      what + ": the model's folder " + quote(folder) + ": " + error.message());
    }
    const Status outside(StatusCode::kInvalidModel, what + ": external data at " + quote(location) +
                                                        " lies outside the model's folder");
    if (relative.is_absolute()) {
        return outside;
    }
    for (const fs::path &part : relative) {
        if (part == "..") {
            return outside;
        }
    }
    const fs::path path = fs::canonical(root / relative, error);
    if (error) {
        return Status(StatusCode::kIo,
                      what + ": external data at " + quote(location) + ": " + error.message());
    }
    const fs::path inside = path.lexically_relative(root);
    if (inside.empty() || *inside.begin() == "..") {
        return outside;
    }
    if (!fs::is_regular_file(path, error)) {
        return invalid(what, "external data at " + quote(location) + " is not a plain file");
    }
    return path;
}

Result<std::string> read_external(const onnx::TensorProto &tensor, const std::string &what,
                                  const std::string &folder, uint64_t expected) {
    if (folder.empty()) {
        return Status(StatusCode::kUnsupported,
                      what + ": has external data, which needs the model's folder");
    }
    const Result<ExternalData> data = external_entries(tensor, what);
    if (!data.ok()) {
        return data.status();
    }
    const auto &[location, offset, length] = data.value();
    const Result<fs::path> path = external_path(location, what, folder);
    if (!path.ok()) {
        return path.status();
    }
    std::error_code error;
    const uint64_t size = fs::file_size(path.value(), error);
    if (error || offset > size || expected > size - offset) {
        return invalid(what, "external data: bytes " + std::to_string(offset) + " + " +
                                 std::to_string(expected) + " are not in the file of " +
                                 std::to_string(error ? 0 : size) + " bytes");
    }
    if (length && *length != expected) {
        return invalid(what, "external data: length is " + std::to_string(*length) +
                                 ", its shape needs " + std::to_string(expected));
    }
    std::string bytes(expected, '\0');
    std::ifstream file(path.value(), std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    file.read(bytes.data(), static_cast<std::streamsize>(expected));
    if (!file) {
        return Status(StatusCode::kIo, what + ": cannot read external data at " + quote(location));
    }
    return bytes;
}

}  // namespace

std::optional<ElementType> element_type(int data_type) {
    switch (data_type) {
        case onnx::TensorProto::FLOAT:
            return ElementType::kFloat;
        case onnx::TensorProto::DOUBLE:
            return ElementType::kDouble;
        case onnx::TensorProto::FLOAT16:
            return ElementType::kFloat16;
        case onnx::TensorProto::INT8:
            return ElementType::kInt8;
        case onnx::TensorProto::UINT8:
            return ElementType::kUint8;
        case onnx::TensorProto::INT32:
            return ElementType::kInt32;
        case onnx::TensorProto::INT64:
            return ElementType::kInt64;
        case onnx::TensorProto::BOOL:
            return ElementType::kBool;
        default:
            return std::nullopt;
    }
}

std::string data_type_name(int data_type) {
    if (onnx::TensorProto::DataType_IsValid(data_type)) {
        return onnx::TensorProto::DataType_Name(
            static_cast<onnx::TensorProto::DataType>(data_type));
    }
    return std::to_string(data_type);
}

Result<Constant> read_tensor(const onnx::TensorProto &tensor, const std::string &what,
                             const std::string &folder, ConstantBudget &budget) {
    Constant constant;
    const std::optional<ElementType> type = element_type(tensor.data_type());
    if (!type) {
        return Status(StatusCode::kUnsupported,
                      what + ": element type " + data_type_name(tensor.data_type()) +
                          " is not supported, expected FLOAT, DOUBLE, FLOAT16, INT8, UINT8, "
                          "INT32, INT64 or BOOL");
    }
    constant.shape.assign(tensor.dims().begin(), tensor.dims().end());
    SEPCONV_RETURN_IF_ERROR(check_shape(what, constant.shape));
    if (tensor.has_segment()) {
        return Status(StatusCode::kUnsupported, what + ": segmented tensors are not supported");
    }
    const int64_t bytes =
        element_count(constant.shape) * static_cast<int64_t>(element_bytes(*type));
    // A file has as many bytes of floats, but integers may take one each.
    if (*type != ElementType::kFloat && *type != ElementType::kDouble) {
        budget.derived -= bytes;
        if (budget.derived < 0) return over_budget(what);
    }
    if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
        budget.external -= bytes;
        if (budget.external < 0) {
            return Status(
                StatusCode::kResourceExhausted,
                what + ": external data exceeds " + std::to_string(kMaxExternalBytes) + " bytes");
        }
        const Result<std::string> data =
            read_external(tensor, what, folder, static_cast<uint64_t>(bytes));
        if (!data.ok()) {
            return data.status();
        }
        budget.derived += bytes * kDerivedPerByte;
        SEPCONV_RETURN_IF_ERROR(decode_raw(data.value(), what, *type, constant));
    } else if (tensor.has_raw_data()) {
        SEPCONV_RETURN_IF_ERROR(decode_raw(tensor.raw_data(), what, *type, constant));
    } else {
        SEPCONV_RETURN_IF_ERROR(decode_typed(tensor, what, *type, constant));
    }
    return constant;
}

}  // namespace sepconv
