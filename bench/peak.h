#ifndef SEPCONV_BENCH_PEAK_H_
#define SEPCONV_BENCH_PEAK_H_

#include <string>
#include <vector>

namespace sepconv::bench {

/// Multiply-adds of an ISA, as many at once as its units and their latency take: "avx512", "avx2"
/// (fused), "sse41" (a multiplication and an addition, which is what that ISA has). The CPU must
/// have the ISA. Returns GFLOP/s of one run of about a millisecond, two operations a multiply-add.
double measure_peak(const std::string &isa);

/// The sum over threads that run at the same time, one on each of the cores; with a single core on
/// the calling thread, wherever that runs.
double measure_peak(const std::string &isa, const std::vector<int> &cores);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_PEAK_H_
