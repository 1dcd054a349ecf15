#ifndef SEPCONV_COMPILER_OBJECT_CACHE_H_
#define SEPCONV_COMPILER_OBJECT_CACHE_H_

#include <string>

#include "layer/status.h"

namespace sepconv {

/// An object in the cache: PATH.o, and PATH.facts with what else is known of it and a hash over
/// all of that and its key. So it is whole, or as good as not there: any number of processes may
/// write it at once, end in between, or find it cut and garbled.
struct CachedObject {
    std::string path;  ///< Without extension.
    std::string key;   ///< Tells it from every other object.

    std::string object() const { return path + ".o"; }
    std::string facts() const { return path + ".facts"; }
};

/// False unless it is there. `facts` and `bytes` may be null. Being loaded counts as being used.
bool load_object(const CachedObject &cached, std::string *facts, std::string *bytes);

/// Moves `file`, which must be on the cache's file system, into the cache. `facts` is one line.
Status store_object(const CachedObject &cached, const std::string &file, const std::string &facts);

/// Removes what has not been used for 30 days from CACHE/kernels and CACHE/runtime-*, by names that
/// only this cache gives.
void trim_cache(const std::string &cache);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_OBJECT_CACHE_H_
