// What the compiler hands to the chip: loop nests of tile commands.
//
// A Program is a list of nests. Each nest is plain data and says what is computed (problem), how (mapping)
// and where the data lie (placement): sizes, strides, buffer addresses. The controller's queues walk the same
// nest independently and lazily (nest_cursor.h), so no flat list of tiles ever exists; addresses and sizes
// are affine in the loop indices, clamped at the borders. Units: addresses and strides in bytes, extents in
// elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "hw_models/activity.h"
#include "hw_models/gemm.h"
#include "hw_models/tensor_layout.h"
#include "hw_models/vector_operation.h"

namespace qsim {

/// A report row and the three values of an operation. Copies share the values.
template <typename ProblemType, typename MappingType, typename PlacementType>
class NestOf {
 public:
  NestOf(std::int32_t report_row, std::shared_ptr<const ProblemType> problem, MappingType mapping,
         PlacementType placement)
      : row(report_row),
        problem_(std::move(problem)),
        mapping_(std::make_shared<const MappingType>(std::move(mapping))),
        placement_(std::make_shared<const PlacementType>(std::move(placement))) {}
  NestOf(std::int32_t report_row, ProblemType problem, MappingType mapping, PlacementType placement)
      : NestOf(report_row, std::make_shared<const ProblemType>(std::move(problem)), std::move(mapping),
               std::move(placement)) {}

  [[nodiscard]] const ProblemType& problem() const { return *problem_; }
  [[nodiscard]] const MappingType& mapping() const { return *mapping_; }
  [[nodiscard]] const PlacementType& placement() const { return *placement_; }
  void place(PlacementType placement) {
    placement_ = std::make_shared<const PlacementType>(std::move(placement));
  }

  std::int32_t row = 0;  ///< Report row that everything here is counted under.
  /// Rows of the output that the nest computes. Of a row that is executed in stripes each nest is one.
  RowWindow window;
  /// Weights of this nest and of those behind it are loaded once the nest before has retired; otherwise as
  /// far ahead as the slots of the weight buffer allow.
  bool holds_weights = false;
  /// How many nests the loads of inputs may be ahead of this one: they begin once the nest `inputs_lead` + 1
  /// before it has retired. For inputs that are fetched; what passes through slots shares them with others.
  std::size_t inputs_lead = 0;

 private:
  std::shared_ptr<const ProblemType> problem_;
  std::shared_ptr<const MappingType> mapping_;
  std::shared_ptr<const PlacementType> placement_;
};

/// A matrix product or convolution on the MAC array.
struct GemmNest : NestOf<GemmProblem, GemmMapping, GemmPlacement> {
  using NestOf::NestOf;
  bool weights_loaded = true;  ///< Resident weights come from DRAM in this inference.
};

/// An operation of the vector unit.
using VectorNest = NestOf<VectorProblem, VectorMapping, VectorPlacement>;

/// Bytes that the host moves: one tensor or block of parameters, contiguous in DRAM.
struct HostTransfer {
  std::int64_t bytes = 0;
  Event traffic = Event::dram_read_activation_bytes;
};

struct HostProblem {
  std::vector<HostTransfer> reads;  ///< One an operand, in the order of `compute`.
  HostTransfer write;
  /// The operands' bytes to the result's; called where values move.
  std::function<std::vector<std::byte>(const std::vector<std::vector<std::byte>>& operands)> compute;
};

/// The host works on whole tensors.
struct HostMapping {};

/// Addresses in DRAM.
struct HostPlacement {
  std::vector<std::int64_t> reads;  ///< One an operand.
  std::int64_t write = 0;
};

/// An operation that the chip leaves to the host: operands in DRAM, the result there as well.
using HostNest = NestOf<HostProblem, HostMapping, HostPlacement>;

using Nest = std::variant<GemmNest, VectorNest, HostNest>;

/// Bytes that a memory holds before the run.
struct MemoryImage {
  std::int64_t address = 0;
  std::vector<std::byte> bytes;
};

struct Program {
  std::vector<Nest> nests;
  std::int32_t rows = 0;  ///< Rows that are counted apart; every nest's row is below.
  /// Parts of a batch that go through the whole network one after the other. Each has counts of its own: row
  /// r of part p is p * (rows / parts) + r, and the report adds up the parts.
  std::int32_t parts = 1;
  /// Slots for streamed weights and parameters in the weight buffer, shared by all nests so that loads run
  /// ahead across nests.
  std::vector<std::int64_t> weight_slots;
  std::vector<std::int64_t> parameter_slots;
  /// Credits that the loads start with: one a slot. More than there are slots is a wrong dependency.
  std::int64_t weight_credits = 2, parameter_credits = 2;
  std::int64_t dram_bytes = 0;                   ///< Size of the DRAM image.
  std::vector<MemoryImage> dram_image;           ///< Weights, parameters, constants (values tile only).
  std::vector<MemoryImage> weight_buffer_image;  ///< Chips without DRAM.
  std::vector<MemoryImage> activation_buffer_image;
};

}  // namespace qsim
