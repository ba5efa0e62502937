#include "sim/evaluate/evaluate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "sim/evaluate/process_pool.h"
#include "sim/layer_values.h"
#include "sim/simulate.h"
#include "workloads/error.h"

namespace qsim {
namespace {

using arithmetic::AccumulatorStats;

/// The input that images fill and the output that holds the scores.
struct Ports {
  std::size_t input = 0;   ///< Index in graph.inputs.
  std::size_t output = 0;  ///< Index in graph.outputs.
  std::int64_t classes = 0;
};

std::string names_of(const Graph& graph, const std::vector<TensorId>& ids) {
  std::string text;
  for (const TensorId id : ids) text += (text.empty() ? "" : ", ") + graph.tensor(id).name;
  return text;
}

std::size_t image_input(const Graph& graph) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    if (!graph.tensor(graph.inputs[i]).required_value) open.push_back(i);
  }
  if (open.size() == 1) return open.front();
  throw InputError({graph.source, "inputs",
                    std::to_string(open.size()) + ": " + names_of(graph, graph.inputs),
                    "one input, the image", "evaluate a network with a single input"});
}

std::size_t score_output(const Graph& graph, const std::string& name) {
  if (name.empty() && graph.outputs.size() == 1) return 0;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    if (graph.tensor(graph.outputs[i]).name == name) return i;
  }
  const std::string value =
      name.empty() ? std::to_string(graph.outputs.size()) + " outputs in " + graph.name : '"' + name + '"';
  throw InputError({"--output", "", value, "one of " + names_of(graph, graph.outputs),
                    "name the output that holds the scores"});
}

Ports find_ports(const Graph& graph, const std::string& output) {
  Ports ports;
  ports.input = image_input(graph);
  ports.output = score_output(graph, output);
  const Tensor& scores = graph.tensor(graph.outputs[ports.output]);
  ports.classes = element_count(scores.shape);
  const std::int64_t last =
      scores.shape.empty() ? 0 : *std::max_element(scores.shape.begin(), scores.shape.end());
  if (ports.classes < 2 || ports.classes != last) {
    throw InputError({graph.source, "output \"" + scores.name + '"', "shape " + to_string(scores.shape),
                      "one score a class, such as 1x1000", "evaluate a classifier at batch 1"});
  }
  return ports;
}

/// Images of the set to run: all, or `limit` of them, evenly spread (a set may be sorted by class).
std::vector<std::int64_t> chosen_images(const Dataset& data, std::int64_t limit) {
  const std::int64_t count = limit > 0 ? std::min(limit, data.size()) : data.size();
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    // floor(i * size / count) without overflow: size = q * count + r.
    chosen[static_cast<std::size_t>(i)] = data.size() / count * i + data.size() % count * i / count;
  }
  return chosen;
}

void check_labels(const Dataset& data, const std::vector<std::int64_t>& chosen, const Ports& ports,
                  std::int64_t offset) {
  for (const std::int64_t i : chosen) {
    const std::int64_t index = data.label(i) + offset;
    if (index >= 0 && index < ports.classes) continue;
    throw InputError({data.name(i), "label", std::to_string(data.label(i)),
                      std::to_string(-offset) + " to " + std::to_string(ports.classes - 1 - offset) +
                          ", the network has " + std::to_string(ports.classes) + " classes",
                      "is this the network's data set? --label-offset shifts all labels"});
  }
}

/// What a worker leaves for the parent, in shared memory.
struct Outcome {
  std::uint8_t is_done = 0;
  std::uint8_t is_read = 0;
  std::array<std::int32_t, kTopClasses> classes{};
  std::array<char, 488> problem{};  ///< Cut where it is longer.
};

/// Outcomes by image, accumulators by job and row, input tensors by image: one piece of shared memory.
class SharedResults {
 public:
  SharedResults(std::size_t images, std::size_t jobs, std::size_t rows, std::size_t input_bytes)
      : rows_(rows),
        input_bytes_(input_bytes),
        outcomes_(images * sizeof(Outcome)),
        accumulators_(jobs * rows * sizeof(AccumulatorStats)),
        inputs_(images * input_bytes) {
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
  [[nodiscard]] std::vector<std::byte> inputs() const {
    return {inputs_.data(), inputs_.data() + inputs_.size()};
  }

 private:
  std::size_t rows_;
  std::size_t input_bytes_;
  SharedMemory outcomes_;
  SharedMemory accumulators_;
  SharedMemory inputs_;
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
        chosen_(chosen_images(data, options.limit)),
        compiled_(compile(graph, hardware, false)),
        jobs_(static_cast<std::size_t>(
            std::clamp<std::int64_t>(options.jobs, 1, std::max<std::int64_t>(1, images())))),
        shared_(chosen_.size(), jobs_, compiled_.rows.size(), options.keep_inputs ? input_bytes() : 0) {
    check_labels(data, chosen_, ports_, options.label_offset);
  }

  Evaluation run() {
    Evaluation result;
    SimulateOptions cost;
    cost.values = Values::none;
    result.inference = simulate(hardware_, graph_, {}, cost);
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
    return result;
  }

 private:
  [[nodiscard]] std::int64_t images() const { return static_cast<std::int64_t>(chosen_.size()); }
  [[nodiscard]] const Tensor& input() const { return graph_.tensor(graph_.inputs[ports_.input]); }
  [[nodiscard]] std::size_t input_bytes() const {
    return static_cast<std::size_t>(element_count(input().shape)) * element_size_bytes(input().type);
  }

  /// In a worker process. The runner lives as long as the function that is returned.
  PoolWork worker(std::size_t job) {
    auto runner = std::make_shared<LayerRunner>(graph_, compiled_, 1, false);
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
    } catch (const InputError& error) {
      std::strncpy(outcome.problem.data(), error.what(), outcome.problem.size() - 1);
    }
    outcome.is_done = 1;
    return outcome.is_read != 0 || !options_.strict;
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
    outcome.is_read = 1;
  }

  void gather(Evaluation& result) {
    std::vector<Problem> problems;
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      const Outcome& outcome = shared_.outcome(i);
      if (outcome.is_done == 0) continue;  // Behind the image that ended a strict run.
      result.predictions.push_back(prediction(i, outcome));
      if (result.predictions.back().is_read()) continue;
      ++result.failed;
      if (options_.strict) throw_problem_of(i);
    }
    if (result.failed == images()) throw_problem_of(0);
    result.classes = ports_.classes;
    const auto right = [&](std::int64_t among) {
      return std::count_if(result.predictions.begin(), result.predictions.end(),
                           [&](const Prediction& p) { return p.is_right(among); });
    };
    const std::int64_t read = images() - result.failed;
    result.top1 = proportion(right(1), read);
    if (ports_.classes > kTopClasses) result.top5 = proportion(right(kTopClasses), read);
    if (options_.keep_inputs) result.inputs = gathered_inputs();
    add_accumulators(result.inference);
  }

  /// The problem with an image that a worker could not read, whole: its outcome has the text alone, cut.
  [[noreturn]] void throw_problem_of(std::size_t item) {
    const std::int64_t index = chosen_[item];
    (void)preprocess_image(data_.image(index), preprocess_, input(), data_.name(index));
    throw InputError({data_.name(index), "", "an image that could not be read before and can now",
                      "a data set that does not change during a run", "run it again"});
  }

  [[nodiscard]] Prediction prediction(std::size_t item, const Outcome& outcome) const {
    Prediction result;
    result.index = chosen_[item];
    result.name = data_.name(result.index);
    result.label = data_.label(result.index) + options_.label_offset;
    if (outcome.is_read != 0) {
      std::copy_if(outcome.classes.begin(), outcome.classes.end(), std::back_inserter(result.classes),
                   [](std::int32_t c) { return c >= 0; });
    } else {
      result.problem = outcome.problem.data();
    }
    return result;
  }

  [[nodiscard]] TensorData gathered_inputs() const {
    TensorData inputs;
    inputs.type = input().type;
    inputs.shape = input().shape;
    inputs.shape[0] = images();
    inputs.bytes = shared_.inputs();
    return inputs;
  }

  void add_accumulators(RunResult& inference) {
    for (std::size_t r = 0; r < compiled_.rows.size(); ++r) {
      if (!compiled_.rows[r].mac) continue;
      AccumulatorStats all;
      for (std::size_t job = 0; job < jobs_; ++job) all.merge(shared_.accumulators(job, r));
      inference.layers[r].accumulator = all;
      if (hardware_.accumulators.overflow == arithmetic::Overflow::trap)
        inference.trapped_overflows += all.overflows;
    }
  }

  const HardwareConfig& hardware_;
  const Graph& graph_;
  const Dataset& data_;
  const Preprocess& preprocess_;
  const EvaluateOptions& options_;
  Ports ports_;
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
