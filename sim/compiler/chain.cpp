#include "sim/compiler/chain.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/plan_pins.h"

namespace qsim {

namespace {

using Gemm = std::shared_ptr<const GemmProblem>;
using Vector = std::shared_ptr<const VectorProblem>;

/// Rows of input `i` that rows [begin, end) of the output read.
std::pair<std::int64_t, std::int64_t> rows_read(const LoweredRow& row, std::size_t i, std::int64_t begin,
                                                std::int64_t end) {
  if (const GemmProblem* gemm = row.gemm()) {
    const ConvolutionGeometry& g = gemm->geometry;
    return input_range(begin, end, 0, g.kernel_h, g.stride_h, g.pad_top, g.dilation_h, g.input_dilation_h,
                       g.input[kRow]);
  }
  const VectorProblem& problem = *std::get<Vector>(row.problems[0]);
  Box output{{}, problem.extent};
  output.begin[kRow] = begin;
  output.end[kRow] = end;
  const Box input =
      VectorCursor(problem, problem.extent, problem.extent).input_box(problem.inputs[i], output);
  return {input.begin[kRow], input.end[kRow]};
}

/// One nest of its own that makes the whole output from whole rows.
bool may_be_striped(const LoweredRow& row) {
  if (row.problems.size() != 1) return false;
  if (const GemmProblem* gemm = row.gemm())
    return !gemm->activation_weights && !gemm->in_blocks && gemm->way_out.empty() &&
           row.inputs[0].size() == 1;
  const Vector* vector = std::get_if<Vector>(&row.problems[0]);
  return vector != nullptr && !std::holds_alternative<arithmetic::ResizeFunction>((*vector)->function) &&
         (*vector)->output_offset == Dims{} && (*vector)->extent == (*vector)->output.dims;
}

class ChainPlacing {
 public:
  ChainPlacing(const Chain& chain, const Schedule& schedule, const std::vector<LoweredRow>& lowered,
               const HardwareConfig& hardware)
      : schedule_(schedule), lowered_(lowered), hardware_(hardware) {
    layout_.chain = chain;
  }

  std::optional<ChainLayout> run() {
    const Chain& chain = layout_.chain;
    if (chain.last >= lowered_.size() || chain.first >= chain.last || chain.stripe_rows < 1)
      return std::nullopt;
    for (std::size_t row = chain.first; row <= chain.last; ++row) {
      if (!may_be_striped(lowered_[row])) return std::nullopt;
    }
    if (!find_reads() || !find_ends()) return std::nullopt;
    find_rings();
    find_fetched_rings();
    return std::move(layout_);
  }

 private:
  struct Read {
    std::size_t row = 0, input = 0;
  };

  [[nodiscard]] const Storage& storage(int index) const {
    return schedule_.storages[static_cast<std::size_t>(index)];
  }
  [[nodiscard]] bool is_made_here(int index) const {
    return storage(index).first_row >= static_cast<int>(layout_.chain.first) &&
           storage(index).first_row <= static_cast<int>(layout_.chain.last);
  }

  /// By storage. False where a reader sees other extents than the row that makes it.
  bool find_reads() {
    for (std::size_t row = layout_.chain.first; row <= layout_.chain.last; ++row) {
      const std::vector<int>& inputs = lowered_[row].inputs[0];
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        reads_[inputs[i]].push_back({row, i});
        if (!is_made_here(inputs[i])) continue;
        const auto maker = static_cast<std::size_t>(storage(inputs[i]).first_row);
        if (output_view(lowered_[maker]).dims != input_view(lowered_[row], i).dims) return false;
      }
    }
    return true;
  }

  [[nodiscard]] std::vector<std::int64_t>& ends_of(std::size_t row) {
    return layout_.ends[row - layout_.chain.first];
  }
  /// Of the tensor's rows, one past the last that readers in the chain have had after a stripe.
  [[nodiscard]] std::int64_t read_end(const std::vector<Read>& reads, std::size_t stripe) {
    std::int64_t end = 0;
    for (const Read& read : reads) {
      const std::int64_t done = ends_of(read.row)[stripe];
      if (done > 0) end = std::max(end, rows_read(lowered_[read.row], read.input, 0, done).second);
    }
    return end;
  }
  /// The first row that readers in the chain still read in a stripe or behind it; `rows` where none.
  [[nodiscard]] std::int64_t read_begin(const std::vector<Read>& reads, std::size_t stripe,
                                        std::int64_t rows) {
    std::int64_t begin = rows;
    for (const Read& read : reads) {
      const std::int64_t done = stripe == 0 ? 0 : ends_of(read.row)[stripe - 1];
      const std::int64_t all = output_rows(lowered_[read.row]);
      if (done < all) begin = std::min(begin, rows_read(lowered_[read.row], read.input, done, all).first);
    }
    return begin;
  }

  /// From the last row back: each row makes what its readers are going to read. False for a row that no other
  /// of the chain reads.
  bool find_ends() {
    const Chain& chain = layout_.chain;
    const std::int64_t rows = output_rows(lowered_[chain.last]);
    layout_.ends.resize(chain.last - chain.first + 1);
    for (std::int64_t end = chain.stripe_rows; end < rows; end += chain.stripe_rows)
      layout_.ends.back().push_back(end);
    layout_.ends.back().push_back(rows);
    for (std::size_t row = chain.last; row-- > chain.first;) {
      const auto reads = reads_.find(lowered_[row].output);
      if (reads == reads_.end()) return false;
      for (std::size_t stripe = 0; stripe + 1 < layout_.stripes(); ++stripe)
        ends_of(row).push_back(read_end(reads->second, stripe));
      // With the last rows that are read come those that nobody reads.
      const std::int64_t all = read_end(reads->second, layout_.stripes() - 1);
      ends_of(row).push_back(all);
      std::ranges::replace(ends_of(row), all, output_rows(lowered_[row]));
    }
    return true;
  }

  void find_rings() {
    for (std::size_t row = layout_.chain.first; row < layout_.chain.last; ++row) {
      const int index = lowered_[row].output;
      const Storage& made = storage(index);
      if (made.is_graph_output || made.last_row > static_cast<int>(layout_.chain.last) ||
          !may_stay(made, Stay::kept, hardware_))
        continue;
      std::int64_t alive = 1;
      for (std::size_t stripe = 0; stripe < layout_.stripes(); ++stripe) {
        // A stripe's rows are there together, even those that nobody reads.
        const std::int64_t begin = std::min(layout_.window(row, stripe).begin,
                                            read_begin(reads_.at(index), stripe, output_rows(lowered_[row])));
        alive = std::max(alive, ends_of(row)[stripe] - begin);
      }
      layout_.rings[index] = alive;
    }
  }

  /// What a stripe fetches is there before the stripe in front of it is over.
  void find_fetched_rings() {
    for (const auto& of_storage : reads_) {
      const int index = of_storage.first;
      const std::vector<Read>& reads = of_storage.second;
      const Storage& read = storage(index);
      if (is_made_here(index)) {
        layout_.not_fetched.push_back(index);
        continue;
      }
      const auto first = static_cast<int>(layout_.chain.first);
      if (read.first_reader < first || !may_stay(read, Stay::fetched, hardware_)) continue;
      const Dims& dims = input_view(lowered_[reads.front().row], reads.front().input).dims;
      std::int64_t alive = 1;
      bool is_in_time = true;
      bool is_alike = true;
      const auto fetched_end = [&](std::size_t stripe) {
        return stripe + 1 == layout_.stripes() ? dims[kRow] : read_end({reads.front()}, stripe);
      };
      for (std::size_t stripe = 0; stripe < layout_.stripes(); ++stripe) {
        is_in_time &= read_end(reads, stripe) <= fetched_end(stripe);
        alive = std::max(alive, fetched_end(std::min(stripe + 1, layout_.stripes() - 1)) -
                                    read_begin(reads, stripe, dims[kRow]));
      }
      for (const Read& each : reads) is_alike &= input_view(lowered_[each.row], each.input).dims == dims;
      if (!is_in_time || !is_alike) {
        layout_.not_fetched.push_back(index);
      } else if (read.last_row <= static_cast<int>(layout_.chain.last) && comes_by_rows(reads.front())) {
        layout_.fetched_rings[index] = alive;
      }
    }
  }

  /// The first reader fetches a stripe's rows and no more.
  [[nodiscard]] bool comes_by_rows(const Read& read) const {
    const Vector* vector = std::get_if<Vector>(&lowered_[read.row].problems[0]);
    if (vector == nullptr) return true;
    const VectorInput& input = (*vector)->inputs[read.input];
    return VectorCursor(**vector, (*vector)->extent, (*vector)->extent).comes_row_by_row(input);
  }

  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  std::map<int, std::vector<Read>> reads_;
  ChainLayout layout_;
};

}  // namespace

std::vector<RowWindow> ChainLayout::windows(std::size_t row) const {
  std::vector<RowWindow> found;
  for (std::size_t stripe = 0; stripe < stripes(); ++stripe) {
    if (const RowWindow own = window(row, stripe); own.begin < own.end) found.push_back(own);
  }
  return found;
}

RowWindow largest(const std::vector<RowWindow>& windows) {
  return *std::ranges::max_element(windows, {}, [](const RowWindow& own) { return own.end - own.begin; });
}

std::vector<bool> striped_rows(const std::vector<ChainLayout>& chains, std::size_t rows) {
  std::vector<bool> striped(rows, false);
  for (const ChainLayout& layout : chains) {
    for (std::size_t row = layout.chain.first; row <= layout.chain.last; ++row) striped[row] = true;
  }
  return striped;
}

const TensorView& output_view(const LoweredRow& row) {
  if (const GemmProblem* gemm = row.gemm()) return gemm->output;
  return std::get<Vector>(row.problems[0])->output;
}

const TensorView& input_view(const LoweredRow& row, std::size_t input) {
  if (const GemmProblem* gemm = row.gemm()) return gemm->input;
  return std::get<Vector>(row.problems[0])->inputs[input].tensor;
}

std::int64_t output_rows(const LoweredRow& row) {
  return output_view(row).dims[kRow];
}

std::int64_t ring_bytes(const TensorView& view, std::int64_t ring_rows) {
  return view.dims[kBatch] * std::min(ring_rows, view.dims[kRow]) * view.layout.strides[1];
}

std::optional<ChainLayout> lay_out(const Chain& chain, const Schedule& schedule,
                                   const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware) {
  return ChainPlacing(chain, schedule, lowered, hardware).run();
}

}  // namespace qsim
