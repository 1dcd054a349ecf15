// Prints what the compiler knows of every operator, one a line, as shape_rules() gives it.
#include <cstdio>
#include <string>

#include "compiler/infer_shapes.h"

int main() {
    for (const auto &[op, attributes] : sepconv::shape_rules()) {
        std::printf("%s %s\n", op.c_str(), std::string(attributes).c_str());
    }
}
