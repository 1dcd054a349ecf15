#ifndef SEPCONV_TESTS_SUPPORT_GUARDED_BUFFER_H_
#define SEPCONV_TESTS_SUPPORT_GUARDED_BUFFER_H_

#include <cstddef>
#include <cstdint>

namespace sepconv::testing {

/// Which end of the elements touches an inaccessible page.
enum class Flush { kFront, kBack };

/// 32-bit elements between two inaccessible pages: with kBack the first byte behind the last
/// element faults, with kFront the last byte before the first. All mapped bytes start as poison.
/// `shift` elements of slack may lie in between: with kFront they give every alignment of 4 bytes.
/// In a program under AddressSanitizer all slack is out of bounds, until it is asked about.
class GuardedBuffer {
public:
    /// A quiet NaN as float, an index out of every range as int32.
    static constexpr uint32_t kPoison = 0x7fc5a5a5U;

    GuardedBuffer(size_t elements, Flush flush, size_t shift = 0);
    ~GuardedBuffer();
    GuardedBuffer(const GuardedBuffer &) = delete;
    GuardedBuffer &operator=(const GuardedBuffer &) = delete;

    float *floats() { return static_cast<float *>(data_); }
    int32_t *ints() { return static_cast<int32_t *>(data_); }
    uint32_t *bits() { return static_cast<uint32_t *>(data_); }
    /// From here on a write faults.
    void make_read_only();
    /// Whether all accessible bytes outside the elements are still poison.
    bool slack_is_untouched() const;

private:
    void *mapping_ = nullptr;
    size_t mapped_bytes_ = 0;  ///< With the two guard pages.
    size_t page_ = 0;
    void *data_ = nullptr;
    size_t elements_ = 0;
};

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_GUARDED_BUFFER_H_
