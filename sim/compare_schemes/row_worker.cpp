#include "sim/compare_schemes/row_worker.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <stdexcept>

#include "base/error.h"
#include "sim/compiler/compile.h"
#include "sim/layer_values.h"

namespace qsim {
namespace {

constexpr std::size_t kMostCostBytes = std::size_t{16} << 20;
constexpr std::size_t kMostErrorBytes = std::size_t{64} << 10;

void count_inference(const SharedComparison& shared) {
  ++*reinterpret_cast<std::atomic<std::int64_t>*>(shared.progress.data());
}

/// The value of the image input, of a network whose other inputs have a value of their own.
std::vector<TensorData> with_image(const Graph& graph, std::size_t port, TensorData image) {
  std::vector<TensorData> values;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i)
    values.push_back(i == port ? image : *graph.tensor(graph.inputs[i]).required_value);
  return values;
}

TensorData image_value(const ComparedImages& images, std::int64_t index, const Tensor& input) {
  return preprocess_image(images.data->image(index), images.preprocess, input, images.data->name(index));
}

Classes classes_of(const TensorData& scores) {
  Classes classes;
  classes.fill(-1);
  const std::vector<std::int32_t> best = best_classes(scores, kTopClasses);
  std::copy(best.begin(), best.end(), classes.begin());
  return classes;
}

}  // namespace

InputResults::InputResults(std::size_t inputs, std::size_t outputs)
    : outputs_(outputs), inputs_(inputs * sizeof(Input)), errors_(inputs * outputs * sizeof(OutputError)) {}

void SharedText::write(const std::string& text) {
  const std::uint64_t bytes = text.size();
  if (bytes + sizeof(bytes) > memory_.size())
    throw std::runtime_error("a row of a comparison has " + std::to_string(bytes) + " bytes");
  std::memcpy(memory_.data(), &bytes, sizeof(bytes));
  std::memcpy(memory_.data() + sizeof(bytes), text.data(), text.size());
}

std::string SharedText::read() const {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, memory_.data(), sizeof(bytes));
  return {reinterpret_cast<const char*>(memory_.data() + sizeof(bytes)), bytes};
}

SharedComparison::SharedComparison(std::size_t inputs, std::size_t outputs, std::int64_t elements,
                                   std::size_t row_count, std::size_t parts)
    : reference(inputs, outputs),
      reference_values(inputs * static_cast<std::size_t>(elements) * sizeof(float)),
      progress(sizeof(std::atomic<std::int64_t>)) {
  new (progress.data()) std::atomic<std::int64_t>(0);
  for (std::size_t row = 0; row < row_count; ++row) {
    rows.push_back(std::make_unique<InputResults>(inputs, outputs));
    costs.push_back(std::make_unique<SharedText>(kMostCostBytes));
    for (std::size_t part = 0; part < parts; ++part)
      errors.push_back(std::make_unique<SharedText>(kMostErrorBytes));
  }
}

void ReferenceWorker::run(std::size_t index) {
  const Graph& graph = *setup_.reference;
  InputResults::Input& result = shared_.reference.input(index);
  std::vector<TensorData> values;
  if (setup_.images) {
    try {
      values = with_image(graph, inputs_.ports->input,
                          image_value(*setup_.images, inputs_.chosen[index],
                                      graph.tensor(graph.inputs[inputs_.ports->input])));
    } catch (const InputError&) {
      result.state = InputResults::State::not_read;  // The parent reads it again for the message.
      return;
    }
  } else {
    values = setup_.inputs.inputs(inputs_.chosen[index]);
  }
  const std::vector<std::vector<float>> outputs = network_.run(values);
  auto* out = reinterpret_cast<float*>(shared_.reference_values.data()) +
              static_cast<std::int64_t>(index) * inputs_.elements;
  for (const std::vector<float>& output : outputs) out = std::copy(output.begin(), output.end(), out);
  if (inputs_.ports) {
    const std::vector<float>& scores = outputs[inputs_.ports->output];
    TensorData data(ElementType::f32, {std::ssize(scores)});
    std::ranges::copy(scores, data.as<float>().begin());
    result.classes = classes_of(data);
  }
  result.state = InputResults::State::read;
  count_inference(shared_);
}

struct RowWorker::Row {
  std::size_t index = 0;
  HardwareConfig hardware;
  Graph graph;
  CompiledProgram compiled;
  std::optional<EvaluationPorts> ports;
  std::unique_ptr<LayerRunner> runner;
};

RowWorker::RowWorker(const CompareSetup& setup, const ComparedInputs& inputs, SharedComparison& shared,
                     std::size_t parts)
    : setup_(setup), inputs_(inputs), shared_(shared), parts_(parts) {}
RowWorker::~RowWorker() = default;

void RowWorker::prepare(std::size_t index) {
  if (row_ && row_->index == index) return;
  row_.reset();
  const ComparedMachine& machine = setup_.machines[index / setup_.schemes.size()];
  auto row = std::make_unique<Row>();
  row->index = index;
  row->hardware = machine.chip_with({});
  row->graph = setup_.graph_with(setup_.schemes[index % setup_.schemes.size()].scheme);
  const std::unique_ptr<const Mapper> mapper = machine.mapper_for(row->hardware);
  row->compiled = compile(row->graph, row->hardware, *mapper, false);
  if (setup_.images) row->ports = find_ports(row->graph, setup_.images->output);
  row->runner = std::make_unique<LayerRunner>(row->graph, row->compiled, 1, false);
  row_ = std::move(row);
}

void RowWorker::run_cost(std::size_t index) {
  const ComparedMachine& machine = setup_.machines[index / setup_.schemes.size()];
  const int bits = widest_sums(row_->graph, row_->compiled);
  const CostRun run = run_without_values(machine, row_->hardware, row_->graph, row_->compiled);
  nlohmann::ordered_json json = cost_json(run, row_->graph, bits);
  if (setup_.features) {
    const Scheme& scheme = setup_.schemes[index % setup_.schemes.size()].scheme;
    json["features"] = features_json(machine, scheme, setup_.graph_with, row_->graph, run, bits);
  }
  shared_.costs[index]->write(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void RowWorker::run_input(std::size_t index, std::size_t input) {
  const Graph& graph = row_->graph;
  const Graph& reference = *setup_.reference;
  std::vector<TensorData> values;
  if (setup_.images) {
    values = with_image(
        graph, row_->ports->input,
        image_value(*setup_.images, inputs_.chosen[input], graph.tensor(graph.inputs[row_->ports->input])));
  } else {
    values = setup_.inputs.inputs(inputs_.chosen[input]);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] =
          input_value(values[i], reference.tensor(reference.inputs[i]), graph.tensor(graph.inputs[i]));
    }
  }
  const LayerValues computed = row_->runner->run(values);
  InputResults& results = *shared_.rows[index];
  const float* expected = reinterpret_cast<const float*>(shared_.reference_values.data()) +
                          static_cast<std::int64_t>(input) * inputs_.elements;
  for (std::size_t o = 0; o < computed.outputs.size(); ++o) {
    OutputError& error = results.error(input, o);
    for (const float y : real_values(computed.outputs[o].data, computed.outputs[o].quantization)) {
      const double r = *expected++;
      error.signal += r * r;
      error.noise += (r - y) * (r - y);
    }
  }
  InputResults::Input& result = results.input(input);
  if (row_->ports) result.classes = classes_of(computed.outputs[row_->ports->output].data);
  result.state = InputResults::State::read;
  for (const auto& accumulators : computed.accumulators) {
    const bool traps = row_->hardware.accumulators.overflow == arithmetic::Overflow::trap;
    if (!traps || !accumulators || accumulators->overflows == 0) continue;
    throw InputError({"accumulators.width_bits", "", std::to_string(row_->hardware.accumulators.width_bits),
                      "accumulators that hold every sum, as they trap",
                      "qsim accumulators says how wide they have to be"});
  }
}

void RowWorker::run(std::size_t item) {
  const std::size_t index = item / parts_;
  const std::size_t part = item % parts_;
  try {
    prepare(index);
    if (part == 0) run_cost(index);
    const std::size_t count = inputs_.count();
    for (std::size_t i = part * count / parts_; i < (part + 1) * count / parts_; ++i) {
      if (shared_.reference.input(i).state == InputResults::State::read) run_input(index, i);
      count_inference(shared_);
    }
  } catch (const InputError& error) {
    shared_.errors[item]->write(std::string(error.what()).substr(0, kMostErrorBytes));
  }
}

}  // namespace qsim
