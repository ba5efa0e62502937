// Partial sums between the accumulators and the activation buffer: values, without time.
#pragma once

#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/buffer_storage.h"
#include "hw_models/core/commands.h"

namespace qsim {

/// A word has the accumulator's width, rounded up to bytes: sums come back as they left.
void spill_sums(const DrainCommand& command, const AccumulatorBank& accumulators, BufferStorage& activations);
void reload_sums(const ReloadCommand& command, AccumulatorBank& accumulators,
                 const BufferStorage& activations);

}  // namespace qsim
