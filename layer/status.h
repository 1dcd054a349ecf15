#ifndef SEPCONV_LAYER_STATUS_H_
#define SEPCONV_LAYER_STATUS_H_

#include <string>
#include <utility>
#include <variant>

namespace sepconv {

enum class StatusCode {
    kOk,
    kInvalidArgument,    ///< The caller's request or flags are wrong.
    kInvalidModel,       ///< The model's bytes contradict themselves or the ONNX specification.
    kUnsupported,        ///< A valid model asks for something that sepconv does not compute.
    kResourceExhausted,  ///< A stated limit (file size, node count, tensor size) is exceeded.
    kIo,                 ///< The operating system refused to read, write or start something.
    kInternal,           ///< A defect of sepconv, Halide or LLVM.
};

/// Success, or a code with a message that names the node or field, what was expected and what came.
class [[nodiscard]] Status {
public:
    Status() = default;
    Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

    bool ok() const { return code_ == StatusCode::kOk; }
    StatusCode code() const { return code_; }
    const std::string &message() const { return message_; }

private:
    StatusCode code_ = StatusCode::kOk;
    std::string message_;
};

/// A value, or the status that says why there is none. `value()` demands `ok()`.
template<typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : content_(std::move(value)) {}
    Result(Status status) : content_(std::move(status)) {}

    bool ok() const { return std::holds_alternative<T>(content_); }
    T &value() & { return std::get<T>(content_); }
    const T &value() const & { return std::get<T>(content_); }
    T &&value() && { return std::get<T>(std::move(content_)); }
    Status status() const { return ok() ? Status() : std::get<Status>(content_); }

private:
    std::variant<T, Status> content_;
};

}  // namespace sepconv

/// Returns from the enclosing function with the status of EXPRESSION unless it is OK.
#define SEPCONV_RETURN_IF_ERROR(EXPRESSION)                            \
    do {                                                               \
        if (::sepconv::Status status_ = (EXPRESSION); !status_.ok()) { \
            return status_;                                            \
        }                                                              \
    } while (false)

#endif  // SEPCONV_LAYER_STATUS_H_
