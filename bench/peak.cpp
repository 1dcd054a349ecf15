#include "bench/peak.h"

#include <chrono>
#include <cstdint>
#include <numeric>
#include <thread>

#include "bench/machine.h"

namespace sepconv::bench {
namespace {

// The loops are written out: compilers move registers about, or to memory, in the middle of them.
// Two units times a latency of 4 or 5 cycles need 8 to 10 independent chains. All ISAs have the 16
// registers of these 14 chains, the factor (14) and the term (15).
#define SEPCONV_CHAINS "0,1,2,3,4,5,6,7,8,9,10,11,12,13"
#define SEPCONV_REGISTERS                                                                    \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
constexpr double kChains = 14;
constexpr int64_t kIterations = 10000;

// x = x * factor + term runs towards 1: no overflow, no subnormal numbers.
constexpr float kFactor = 0.75F;
constexpr float kTerm = 0.25F;

/// Runs kIterations of one ISA; returns the number of lanes.
using Loop = int (*)();

__attribute__((target("avx512f"))) int run_avx512() {
    int64_t iterations = kIterations;
    __asm__ volatile(
        "vbroadcastss %1, %%zmm14\n"
        "vbroadcastss %2, %%zmm15\n"
        ".irp r," SEPCONV_CHAINS
        "\n vmovaps %%zmm15, %%zmm\\r\n .endr\n"
        "1:\n"
        ".irp r," SEPCONV_CHAINS
        "\n vfmadd213ps %%zmm15, %%zmm14, %%zmm\\r\n .endr\n"
        "dec %0\n"
        "jnz 1b\n"
        "vzeroupper\n"
        : "+r"(iterations)
        : "m"(kFactor), "m"(kTerm)
        : "cc", SEPCONV_REGISTERS);
    return 16;
}

__attribute__((target("avx2,fma"))) int run_avx2() {
    int64_t iterations = kIterations;
    __asm__ volatile(
        "vbroadcastss %1, %%ymm14\n"
        "vbroadcastss %2, %%ymm15\n"
        ".irp r," SEPCONV_CHAINS
        "\n vmovaps %%ymm15, %%ymm\\r\n .endr\n"
        "1:\n"
        ".irp r," SEPCONV_CHAINS
        "\n vfmadd213ps %%ymm15, %%ymm14, %%ymm\\r\n .endr\n"
        "dec %0\n"
        "jnz 1b\n"
        "vzeroupper\n"
        : "+r"(iterations)
        : "m"(kFactor), "m"(kTerm)
        : "cc", SEPCONV_REGISTERS);
    return 8;
}

int run_sse41() {
    int64_t iterations = kIterations;
    __asm__ volatile(
        "movss %1, %%xmm14\n shufps $0, %%xmm14, %%xmm14\n"
        "movss %2, %%xmm15\n shufps $0, %%xmm15, %%xmm15\n"
        ".irp r," SEPCONV_CHAINS
        "\n movaps %%xmm15, %%xmm\\r\n .endr\n"
        "1:\n"
        ".irp r," SEPCONV_CHAINS
        "\n mulps %%xmm14, %%xmm\\r\n addps %%xmm15, %%xmm\\r\n .endr\n"
        "dec %0\n"
        "jnz 1b\n"
        : "+r"(iterations)
        : "m"(kFactor), "m"(kTerm)
        : "cc", SEPCONV_REGISTERS);
    return 4;
}

}  // namespace

double measure_peak(const std::string &isa) {
    const Loop loop = isa == "avx512" ? run_avx512 : isa == "avx2" ? run_avx2 : run_sse41;
    constexpr double kNanoseconds = 1e6;
    double operations = 0;
    double elapsed = 0;
    const auto start = std::chrono::steady_clock::now();
    do {
        operations += 2.0 * loop() * kChains * kIterations;
        const std::chrono::duration<double, std::nano> time =
            std::chrono::steady_clock::now() - start;
        elapsed = time.count();
    } while (elapsed < kNanoseconds);
    return operations / elapsed;
}

double measure_peak(const std::string &isa, const std::vector<int> &cores) {
    if (cores.size() < 2) return measure_peak(isa);
    std::vector<double> peaks(cores.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < cores.size(); ++i) {
        threads.emplace_back([&, i] {
            if (pin({cores[i]}).ok()) peaks[i] = measure_peak(isa);
        });
    }
    for (std::thread &thread : threads) thread.join();
    return std::accumulate(peaks.begin(), peaks.end(), 0.0);
}

}  // namespace sepconv::bench
