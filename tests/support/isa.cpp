#include "tests/support/isa.h"

namespace sepconv::testing {
namespace {

bool has_sse41() {
    return __builtin_cpu_supports("sse4.1");
}

bool has_avx2() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool has_avx512() {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512cd");
}

}  // namespace

const std::vector<Isa> &all_isas() {
    static const std::vector<Isa> isas{
        {"sse41", "sse41", has_sse41},
        {"avx2", "sse41-avx-f16c-fma-avx2", has_avx2},
        {"avx512", "sse41-avx-f16c-fma-avx2-avx512-avx512_skylake", has_avx512},
    };
    return isas;
}

}  // namespace sepconv::testing
