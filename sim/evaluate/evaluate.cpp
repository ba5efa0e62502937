#include "sim/evaluate/evaluate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <span>

#include "base/error.h"
#include "sim/evaluate/evaluate_setup.h"
#include "sim/evaluate/process_pool.h"
#include "sim/layer_values.h"
#include "sim/simulate.h"
#include "workloads/execute/worst_case_sums.h"
#include "workloads/graph/layout.h"
#include "workloads/graph/quantize_value.h"

namespace qsim {
namespace {

using arithmetic::AccumulatorStats;

/// What a worker leaves for the parent, in shared memory.
struct Outcome {
  enum class State : std::uint8_t { not_run, not_read, read };
  State state = State::not_run;
  std::array<std::int32_t, kTopClasses> classes{};  ///< -1 behind the last class.
};

/// Outcomes by image, accumulators by job and row, input tensors by image: one piece of shared memory.
class SharedResults {
 public:
  SharedResults(std::size_t images, std::size_t jobs, std::size_t rows, std::size_t input_bytes,
                std::size_t logits)
      : rows_(rows),
        input_bytes_(input_bytes),
        logits_per_image_(logits),
        outcomes_(images * sizeof(Outcome)),
        accumulators_(jobs * rows * sizeof(AccumulatorStats)),
        inputs_(images * input_bytes),
        logits_(images * logits * sizeof(float)) {
    for (std::size_t i = 0; i < jobs * rows; ++i)
      new (accumulators_.data() + i * sizeof(AccumulatorStats)) AccumulatorStats;
  }

  [[nodiscard]] Outcome& outcome(std::size_t image) {
    return reinterpret_cast<Outcome*>(outcomes_.data())[image];
  }
  [[nodiscard]] AccumulatorStats& accumulators(std::size_t job, std::size_t row) {
    return reinterpret_cast<AccumulatorStats*>(accumulators_.data())[job * rows_ + row];
  }
  void keep_input(std::size_t image, const TensorData& input) {
    if (input_bytes_ != 0)
      std::memcpy(inputs_.data() + image * input_bytes_, input.bytes.data(), input_bytes_);
  }
  /// Empty unless logits are kept.
  [[nodiscard]] std::span<float> logits(std::size_t image) {
    return {reinterpret_cast<float*>(logits_.data()) + image * logits_per_image_, logits_per_image_};
  }
  [[nodiscard]] std::vector<std::byte> inputs() const {
    return {inputs_.data(), inputs_.data() + inputs_.size()};
  }

 private:
  std::size_t rows_;
  std::size_t input_bytes_;
  std::size_t logits_per_image_;
  SharedMemory outcomes_;
  SharedMemory accumulators_;
  SharedMemory inputs_;
  SharedMemory logits_;
};

class Evaluator {
 public:
  Evaluator(const HardwareConfig& hardware, const Graph& graph, const Dataset& data,
            const Preprocess& preprocess, const EvaluateOptions& options)
      : hardware_(hardware),
        graph_(graph),
        data_(data),
        preprocess_(preprocess),
        options_(options),
        ports_(find_ports(graph, options.output)),
        chosen_(choose_images(data, options.limit, options.rows)),
        compiled_(options.mapper != nullptr ? compile(graph, hardware, *options.mapper, false)
                                            : compile(graph, hardware, false)),
        jobs_(static_cast<std::size_t>(
            std::clamp<std::int64_t>(options.jobs, 1, std::max<std::int64_t>(1, images())))),
        shared_(chosen_.size(), jobs_, compiled_.rows.size(), options.keep_inputs ? checked_input_bytes() : 0,
                options.keep_logits ? static_cast<std::size_t>(ports_.classes) : 0) {
    check_labels(data, chosen_, ports_.classes, options.label_offset);
  }

  Evaluation run() {
    Evaluation result;
    result.asked = images();
    PoolOptions pool;
    pool.items = images();
    pool.jobs = static_cast<int>(jobs_);
    if (options_.on_progress)
      pool.on_progress = [&](std::int64_t done) { options_.on_progress(done, images()); };
    const PoolResult end =
        run_in_processes(pool, [&](int job) { return worker(static_cast<std::size_t>(job)); });
    result.done = end.done;
    result.signal = end.signal;
    if (end.signal != 0) return result;
    gather(result);
    // Last: what can be wrong with the data is known before the chip is simulated.
    SimulateOptions cost;
    cost.values = Values::none;
    cost.mapper = options_.mapper;
    result.inference = simulate(hardware_, graph_, {}, cost);
    add_accumulators(result.inference);
    return result;
  }

 private:
  [[nodiscard]] std::int64_t images() const { return static_cast<std::int64_t>(chosen_.size()); }
  [[nodiscard]] const Tensor& input() const { return graph_.tensor(graph_.inputs[ports_.input]); }
  [[nodiscard]] std::size_t input_bytes() const {
    return static_cast<std::size_t>(element_count(input().shape)) * element_size_bytes(input().type);
  }

  /// Bytes of an input where all of them are kept.
  [[nodiscard]] std::size_t checked_input_bytes() const {
    constexpr std::size_t most = std::size_t{4} << 30;
    if (chosen_.size() <= most / input_bytes()) return input_bytes();
    throw InputError({"--dump-inputs", "",
                      std::to_string(images()) + " inputs of " + std::to_string(input_bytes()) + " bytes",
                      "at most " + std::to_string(most) + " bytes in all", "take fewer images with --limit"});
  }

  /// In a worker process. The runner lives as long as the function that is returned.
  PoolWork worker(std::size_t job) {
    auto runner = std::make_shared<LayerRunner>(graph_, compiled_, 1, false);
    if (options_.keep_logits) runner->keep(ports_.logits);
    return [this, job, runner](std::int64_t item) {
      return run_image(job, *runner, static_cast<std::size_t>(item));
    };
  }

  /// False where nothing more is to be started.
  bool run_image(std::size_t job, LayerRunner& runner, std::size_t item) {
    Outcome& outcome = shared_.outcome(item);
    const std::int64_t index = chosen_[item];
    try {
      const TensorData value = preprocess_image(data_.image(index), preprocess_, input(), data_.name(index));
      shared_.keep_input(item, value);
      classify(runner, job, value, outcome);
      if (options_.keep_logits) keep_logits(runner, item);
      outcome.state = Outcome::State::read;
    } catch (const InputError&) {
      outcome.state = Outcome::State::not_read;  // The parent reads it again for the message.
    }
    return outcome.state == Outcome::State::read || !options_.strict;
  }

  void classify(LayerRunner& runner, std::size_t job, const TensorData& value, Outcome& outcome) {
    std::vector<TensorData> inputs;
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      inputs.push_back(i == ports_.input ? value : *graph_.tensor(graph_.inputs[i]).required_value);
    }
    const LayerValues values = runner.run(inputs);
    const std::vector<std::int32_t> best = best_classes(values.outputs[ports_.output].data, kTopClasses);
    outcome.classes.fill(-1);
    std::copy(best.begin(), best.end(), outcome.classes.begin());
    for (std::size_t r = 0; r < values.accumulators.size(); ++r) {
      if (values.accumulators[r]) shared_.accumulators(job, r).merge(*values.accumulators[r]);
    }
  }

  void keep_logits(LayerRunner& runner, std::size_t item) {
    const NamedTensor tensor = runner.named(ports_.logits);
    const std::vector<float> values = real_values(tensor.data, tensor.quantization);
    std::copy(values.begin(), values.end(), shared_.logits(item).begin());
  }

  void gather(Evaluation& result) {
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      const Outcome& outcome = shared_.outcome(i);
      if (outcome.state == Outcome::State::not_run) continue;  // Behind the image that ended a strict run.
      if (outcome.state == Outcome::State::not_read && options_.strict) throw problem_of(i);
      result.predictions.push_back(prediction(i, outcome));
      if (!result.predictions.back().is_read()) ++result.failed;
    }
    if (result.failed == images()) throw problem_of(0);
    result.classes = ports_.classes;
    const auto right = [&](std::int64_t among) {
      return std::count_if(result.predictions.begin(), result.predictions.end(),
                           [&](const Prediction& p) { return p.is_right(among); });
    };
    const std::int64_t read = images() - result.failed;
    result.top1 = proportion(right(1), read);
    if (ports_.classes > kTopClasses) result.top5 = proportion(right(kTopClasses), read);
    if (options_.keep_inputs) result.inputs = gathered_inputs();
    if (options_.keep_logits) result.logits = gathered_logits();
  }

  /// Why a worker could not read an image.
  [[nodiscard]] InputError problem_of(std::size_t item) const {
    const std::int64_t index = chosen_[item];
    try {
      (void)preprocess_image(data_.image(index), preprocess_, input(), data_.name(index));
    } catch (const InputError& error) {
      return error;
    }
    return InputError({data_.name(index), "", "an image that could not be read before and can now",
                       "a data set that does not change during a run", "run it again"});
  }

  [[nodiscard]] Prediction prediction(std::size_t item, const Outcome& outcome) const {
    Prediction result;
    result.index = chosen_[item];
    result.name = data_.name(result.index);
    result.label = data_.label(result.index) + options_.label_offset;
    if (outcome.state == Outcome::State::read) {
      std::copy_if(outcome.classes.begin(), outcome.classes.end(), std::back_inserter(result.classes),
                   [](std::int32_t c) { return c >= 0; });
    } else {
      result.problem = problem_of(item).what();
    }
    return result;
  }

  /// All images as one batch, in the model's layout.
  [[nodiscard]] TensorData gathered_inputs() const {
    Tensor batch = input();
    batch.shape[0] = images();
    TensorData inputs;
    inputs.type = batch.type;
    inputs.shape = batch.shape;
    inputs.bytes = shared_.inputs();
    return to_model_layout(std::move(inputs), batch);
  }

  [[nodiscard]] TensorData gathered_logits() {
    TensorData logits(ElementType::f32, {images(), ports_.classes});
    auto at = logits.as<float>().begin();
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      const std::span<float> values = shared_.logits(i);
      const bool is_read = shared_.outcome(i).state == Outcome::State::read;
      if (!is_read) std::fill(values.begin(), values.end(), std::numeric_limits<float>::quiet_NaN());
      at = std::copy(values.begin(), values.end(), at);
    }
    return logits;
  }

  void add_accumulators(RunResult& inference) {
    for (std::size_t r = 0; r < compiled_.rows.size(); ++r) {
      if (!compiled_.rows[r].mac) continue;
      AccumulatorStats all;
      for (std::size_t job = 0; job < jobs_; ++job) all.merge(shared_.accumulators(job, r));
      LayerResult& layer = inference.layers[inference.timeline.layer_of(r)];
      layer.accumulator = all;
      if (layer.blocks) {
        layer.blocks->rounded_sums = all.rounded_sums;
      } else {
        layer.accumulator_worst_case =
            worst_case_sums(graph_, graph_.nodes[compiled_.rows[r].node], *compiled_.rows[r].mac);
      }
      if (hardware_.accumulators.overflow == arithmetic::Overflow::trap)
        inference.trapped_overflows += all.overflows;
    }
  }

  const HardwareConfig& hardware_;
  const Graph& graph_;
  const Dataset& data_;
  const Preprocess& preprocess_;
  const EvaluateOptions& options_;
  EvaluationPorts ports_;
  std::vector<std::int64_t> chosen_;
  CompiledProgram compiled_;
  std::size_t jobs_;
  SharedResults shared_;
};

}  // namespace

bool Prediction::is_right(std::int64_t among) const {
  const auto end = classes.begin() + std::min<std::int64_t>(among, static_cast<std::int64_t>(classes.size()));
  return std::find(classes.begin(), end, label) != end;
}

Evaluation evaluate(const HardwareConfig& hardware, const Graph& graph, const Dataset& data,
                    const Preprocess& preprocess, const EvaluateOptions& options) {
  return Evaluator(hardware, graph, data, preprocess, options).run();
}

}  // namespace qsim
