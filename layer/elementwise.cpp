#include "layer/elementwise.h"

namespace sepconv {

int tensor_ordinal(const Epilogue &epilogue, int step) {
    int ordinal = 0;
    for (int i = 0; i < step; i++) ordinal += epilogue[i].operand == Operand::kTensor ? 1 : 0;
    return ordinal;
}

std::string_view name_of(Op op) {
    switch (op) {
        case Op::kRelu:
            return "relu";
        case Op::kClip:
            return "clip";
        case Op::kLeakyRelu:
            return "leaky_relu";
        case Op::kHardSigmoid:
            return "hard_sigmoid";
        case Op::kHardSwish:
            return "hard_swish";
        case Op::kSigmoid:
            return "sigmoid";
        case Op::kTanh:
            return "tanh";
        case Op::kSilu:
            return "silu";
        case Op::kGelu:
            return "gelu";
        case Op::kGeluTanh:
            return "gelu_tanh";
        case Op::kErf:
            return "erf";
        case Op::kExp:
            return "exp";
        case Op::kSqrt:
            return "sqrt";
        case Op::kAbs:
            return "abs";
        case Op::kNegate:
            return "negate";
        case Op::kAdd:
            return "add";
        case Op::kSubtract:
            return "subtract";
        case Op::kMultiply:
            return "multiply";
        case Op::kDivide:
            return "divide";
        case Op::kMinimum:
            return "minimum";
        case Op::kMaximum:
            return "maximum";
        case Op::kPRelu:
            return "prelu";
    }
    return "unknown";
}

}  // namespace sepconv
