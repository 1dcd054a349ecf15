#ifndef SEPCONV_COMPILER_OBJECT_FILE_H_
#define SEPCONV_COMPILER_OBJECT_FILE_H_

#include <cstdint>
#include <string_view>

namespace sepconv {

/// Bytes of instructions and constants in an object file (ELF of both sizes, 64-bit Mach-O, COFF;
/// little endian): its sections that are loaded and not zero-filled. 0 for anything else; what lies
/// behind the end of a cut file does not count.
int64_t loaded_bytes(std::string_view object);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_OBJECT_FILE_H_
