#include "compiler/object_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace sepconv {
namespace {

/// The structure at `at`; false where the file is too short for it.
template<typename T>
bool read_at(std::string_view object, uint64_t at, T *value) {
    if (at > object.size() || object.size() - at < sizeof(T)) return false;
    std::memcpy(value, object.data() + at, sizeof(T));
    return true;
}

template<typename Header, typename Section>
int64_t elf_bytes(std::string_view object) {
    Header header;
    if (!read_at(object, 0, &header)) return 0;
    int64_t bytes = 0;
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        Section section;
        if (!read_at(object, header.e_shoff + uint64_t{i} * sizeof(section), &section)) break;
        const bool loaded = (section.sh_flags & SHF_ALLOC) != 0;
        if (loaded && section.sh_type != SHT_NOBITS) bytes += static_cast<int64_t>(section.sh_size);
    }
    return bytes;
}

// Apple, mach-o/loader.h.
constexpr uint32_t kMachO64 = 0xfeedfacf;
constexpr uint32_t kSegment64 = 0x19;
constexpr uint32_t kSectionType = 0xff, kZeroFill = 0x1;
constexpr uint32_t kDebug = 0x02000000;
struct MachHeader {
    uint32_t magic, cpu, cpu_kind, file_type, command_count, command_bytes, flags, reserved;
};
struct MachCommand {
    uint32_t command, bytes;
};
struct MachSegment {
    uint32_t command, bytes;
    char name[16];
    uint64_t address, size, offset, file_size;
    uint32_t protection, first_protection, section_count, flags;
};
struct MachSection {
    char name[16], segment[16];
    uint64_t address, size;
    uint32_t offset, align, relocations, relocation_count, flags, reserved[3];
};

int64_t segment_bytes(std::string_view object, uint64_t at) {
    MachSegment segment;
    if (!read_at(object, at, &segment)) return 0;
    int64_t bytes = 0;
    for (uint32_t i = 0; i < segment.section_count; ++i) {
        MachSection section;
        if (!read_at(object, at + sizeof(segment) + uint64_t{i} * sizeof(section), &section)) break;
        if ((section.flags & kSectionType) == kZeroFill || (section.flags & kDebug) != 0) continue;
        bytes += static_cast<int64_t>(section.size);
    }
    return bytes;
}

int64_t mach_o_bytes(std::string_view object) {
    MachHeader header;
    if (!read_at(object, 0, &header)) return 0;
    int64_t bytes = 0;
    uint64_t at = sizeof(header);
    for (uint32_t i = 0; i < header.command_count; ++i) {
        MachCommand command;
        if (!read_at(object, at, &command)) break;
        if (command.command == kSegment64) bytes += segment_bytes(object, at);
        at += command.bytes;
    }
    return bytes;
}

// Microsoft, "PE Format".
constexpr uint16_t kCoffX64 = 0x8664, kCoffArm64 = 0xaa64;
constexpr uint32_t kCode = 0x20, kInitialised = 0x40;
constexpr uint32_t kInfo = 0x200, kRemoved = 0x800, kDiscarded = 0x02000000;
struct CoffHeader {
    uint16_t machine, section_count;
    uint32_t time, symbols, symbol_count;
    uint16_t optional_bytes, flags;
};
struct CoffSection {
    char name[8];
    uint32_t virtual_size, address, size, offset, relocations, lines;
    uint16_t relocation_count, line_count;
    uint32_t flags;
};

int64_t coff_bytes(std::string_view object) {
    CoffHeader header;
    if (!read_at(object, 0, &header)) return 0;
    int64_t bytes = 0;
    for (uint64_t i = 0; i < header.section_count; ++i) {
        CoffSection section;
        const uint64_t at = sizeof(header) + header.optional_bytes + i * sizeof(section);
        if (!read_at(object, at, &section)) break;
        const bool loaded = (section.flags & (kCode | kInitialised)) != 0;
        const bool dropped = (section.flags & (kInfo | kRemoved | kDiscarded)) != 0;
        if (loaded && !dropped) bytes += section.size;
    }
    return bytes;
}

}  // namespace

int64_t loaded_bytes(std::string_view object) {
    if (object.size() > EI_CLASS && object.substr(0, SELFMAG) == ELFMAG) {
        return object[EI_CLASS] == ELFCLASS64 ? elf_bytes<Elf64_Ehdr, Elf64_Shdr>(object)
                                              : elf_bytes<Elf32_Ehdr, Elf32_Shdr>(object);
    }
    uint32_t magic = 0;
    if (!read_at(object, 0, &magic)) return 0;
    if (magic == kMachO64) return mach_o_bytes(object);
    const auto machine = static_cast<uint16_t>(magic);
    return machine == kCoffX64 || machine == kCoffArm64 ? coff_bytes(object) : 0;
}

}  // namespace sepconv
