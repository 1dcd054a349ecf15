#include "compiler/npy.h"

#include <fmt/format.h>

#include <cctype>
#include <cstring>

#include "compiler/diagnostic.h"
#include "compiler/files.h"

namespace sepconv {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kHeaderMultiple = 64;

Status invalid(const std::string &what, const std::string &reason) {
    return Status(StatusCode::kInvalidArgument, fmt::format("'{}': {}", what, reason));
}

/// What stands behind 'key': in the header's dictionary, up to the end.
std::string_view value_of(std::string_view header, std::string_view key) {
    const size_t at = header.find(fmt::format("'{}'", key));
    if (at == std::string_view::npos) return {};
    std::string_view rest = header.substr(at + key.size() + 2);
    const size_t start = rest.find_first_not_of(" :");
    return start == std::string_view::npos ? std::string_view() : rest.substr(start);
}

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

/// "(1, 3, 4)" or "(5,)" or "()".
bool parse_shape(std::string_view text, Shape *shape) {
    if (text.empty() || text[0] != '(') return false;
    int64_t value = -1;
    for (const char c : text.substr(1)) {
        if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
            value = (value < 0 ? 0 : value) * 10 + (c - '0');
            if (value > int64_t{1} << 32) return false;
        } else if (c == ',' || c == ')') {
            if (value >= 0) shape->push_back(value);
            value = -1;
            if (c == ')') return true;
        } else if (c != ' ') {
            return false;
        }
    }
    return false;
}

/// From Fortran order, the first index running fastest, to C order.
std::vector<float> to_c_order(const std::vector<float> &from, const Shape &shape) {
    std::vector<float> to(from.size());
    std::vector<int64_t> index(shape.size(), 0);
    for (const float value : from) {
        int64_t at = 0;
        for (size_t d = 0; d < shape.size(); ++d) at = at * shape[d] + index[d];
        to[static_cast<size_t>(at)] = value;
        for (size_t d = 0; d < shape.size() && ++index[d] == shape[d]; ++d) index[d] = 0;
    }
    return to;
}

template<typename T>
std::vector<float> convert(std::string_view data) {
    std::vector<float> values(data.size() / sizeof(T));
    for (size_t i = 0; i < values.size(); ++i) {
        T value;
        std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
        values[i] = static_cast<float>(value);
    }
    return values;
}

/// Splits a file into header and data.
bool split(std::string_view bytes, std::string_view *header, std::string_view *data) {
    if (bytes.size() < 10 || !starts_with(bytes, kMagic)) return false;
    const size_t length_bytes = bytes[6] == 1 ? 2 : 4;
    const size_t start = 8 + length_bytes;
    if (bytes.size() < start) return false;
    size_t length = 0;
    for (size_t i = length_bytes; i-- > 0;) {
        length = length << 8 | static_cast<unsigned char>(bytes[8 + i]);
    }
    if (length > bytes.size() - start) return false;
    *header = bytes.substr(start, length);
    *data = bytes.substr(start + length);
    return true;
}

}  // namespace

Result<Array> parse_npy(std::string_view bytes, const std::string &what) {
    std::string_view header, data;
    if (!split(bytes, &header, &data)) return invalid(what, "not a .npy file");
    const std::string_view type = value_of(header, "descr");
    const bool is_double = starts_with(type, "'<f8'");
    if (!is_double && !starts_with(type, "'<f4'")) {
        return invalid(what, fmt::format("element type {}, expected '<f4' (float32) or '<f8'",
                                         type.substr(0, type.find(','))));
    }
    Array array;
    if (!parse_shape(value_of(header, "shape"), &array.shape)) {
        return invalid(what, "its header has no shape");
    }
    SEPCONV_RETURN_IF_ERROR(check_shape("'" + what + "'", array.shape));
    const auto count = static_cast<size_t>(element_count(array.shape));
    const size_t expected = count * (is_double ? 8 : 4);
    if (data.size() != expected) {
        return invalid(what, fmt::format("{} bytes of data, expected {} for shape {}", data.size(),
                                         expected, shape_text(array.shape)));
    }
    array.values = is_double ? convert<double>(data) : convert<float>(data);
    if (starts_with(value_of(header, "fortran_order"), "True")) {
        array.values = to_c_order(array.values, array.shape);
    }
    return array;
}

Result<Array> read_npy(const std::string &path) {
    const Result<std::string> bytes = read_file(path);
    if (!bytes.ok()) return bytes.status();
    return parse_npy(bytes.value(), path);
}

std::string npy_bytes(const Array &array) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
    for (const int64_t extent : array.shape) header += fmt::format("{}, ", extent);
    // One extent keeps its comma, as Python's tuples need it.
    if (array.shape.size() > 1) header.resize(header.size() - 2);
    header += "), }";
    constexpr size_t kPreamble = 10;
    const size_t unpadded = kPreamble + header.size() + 1;
    header.append((kHeaderMultiple - unpadded % kHeaderMultiple) % kHeaderMultiple, ' ');
    header += '\n';
    std::string bytes(kMagic);
    bytes += std::string("\x01\x00", 2);
    bytes += static_cast<char>(header.size() & 0xff);
    bytes += static_cast<char>(header.size() >> 8);
    bytes += header;
    bytes.append(reinterpret_cast<const char *>(array.values.data()),
                 array.values.size() * sizeof(float));
    return bytes;
}

}  // namespace sepconv
