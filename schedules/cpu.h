#ifndef SEPCONV_SCHEDULES_CPU_H_
#define SEPCONV_SCHEDULES_CPU_H_

#include "algorithms/stages.h"
#include "schedules/block_choice.h"
#include "schedules/target_facts.h"

namespace sepconv {

/// The `run` of define_block() that schedule_block() schedules.
int flattened_run(const Block &block, const BlockChoice &choice);
/// The one CPU loop nest: orders the stages for the target, never changes a value.
void schedule_block(BlockStages &stages, const Block &block, const TargetFacts &facts,
                    const BlockChoice &choice);
void schedule_pool(SimpleStages &stages, const Pool &pool, const TargetFacts &facts);
void schedule_resize(SimpleStages &stages, const Resize &resize, const TargetFacts &facts);
void schedule_map(SimpleStages &stages, const Map &map, const TargetFacts &facts);
void schedule_softmax(SimpleStages &stages, const Softmax &softmax, const TargetFacts &facts);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_CPU_H_
