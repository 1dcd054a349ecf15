// Prints what the compiler knows of every operator: a line "OPERATOR" and then one for each
// attribute or optional input, "NAME KIND SINCE UNTIL VALUE..." as in OperatorField.
#include <cstdio>

#include "compiler/infer_shapes.h"

int main() {
    for (const auto &[op, fields] : sepconv::shape_rules()) {
        std::printf("%s\n", op.c_str());
        for (const sepconv::OperatorField &field : fields) {
            std::printf("  %s %c %d %d", field.name.c_str(), field.kind,
                        static_cast<int>(field.since), static_cast<int>(field.until));
            for (const std::string &value : field.values) std::printf(" %s", value.c_str());
            std::printf("\n");
        }
    }
}
