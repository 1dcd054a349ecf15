#ifndef SEPCONV_COMPILER_PUBLISH_H_
#define SEPCONV_COMPILER_PUBLISH_H_

#include <string>
#include <vector>

#include "compiler/files.h"
#include "layer/status.h"

namespace sepconv {

/// Moves files (paths relative to both folders, on one file system) from `work`, a temporary
/// folder in `folder`, to `folder`, whose files of the same names they replace: all of them or,
/// after an error, none. A process of its own does it, outside of the caller's group, so that
/// neither Ctrl-C nor the end of the caller stops it halfway; two at work on one folder wait for
/// each other. Uses WORK/.old.
Status publish_files(const std::vector<std::string> &files, const std::string &work,
                     const std::string &folder);

/// Puts the old files back where a publication was stopped halfway, caller and process together.
/// Publications begin with it.
void repair_published(const std::string &folder);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_PUBLISH_H_
