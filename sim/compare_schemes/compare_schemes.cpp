#include "sim/compare_schemes/compare_schemes.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "sim/compare_schemes/pareto.h"
#include "sim/compare_schemes/row_worker.h"
#include "sim/report/json_blocks.h"

namespace qsim {
namespace {

constexpr std::size_t kMostReferenceBytes = std::size_t{4} << 30;
/// Parts of all rows a process, so that none waits long for the last one.
constexpr std::size_t kPartsPerJob = 4;

class Comparer {
 public:
  explicit Comparer(const CompareSetup& setup)
      : setup_(setup),
        inputs_(choose_inputs(setup)),
        row_count_(setup.machines.size() * setup.schemes.size()),
        parts_(parts_of_a_row()),
        shared_(inputs_.count(), inputs_.sizes.size(), inputs_.elements, row_count_, parts_) {}

  SchemeComparison run() {
    SchemeComparison result;
    result.workload = setup_.reference->name;
    result.source = setup_.reference->source;
    result.total = static_cast<std::int64_t>(inputs_.count() * (row_count_ + 1));
    run_reference(result);
    if (result.signal == 0) run_rows(result);
    if (result.signal != 0) return result;
    gather(result);
    return result;
  }

 private:
  static ComparedInputs choose_inputs(const CompareSetup& setup) {
    ComparedInputs inputs;
    inputs.sizes = output_sizes(*setup.reference);
    inputs.elements = std::accumulate(inputs.sizes.begin(), inputs.sizes.end(), std::int64_t{0});
    if (setup.images) {
      inputs.ports = find_ports(*setup.reference, setup.images->output);
      inputs.chosen = choose_images(*setup.images->data, setup.images->limit, setup.images->rows);
      check_labels(*setup.images->data, inputs.chosen, inputs.ports->classes, setup.images->label_offset);
    } else {
      inputs.chosen.resize(static_cast<std::size_t>(setup.inputs.count));
      std::iota(inputs.chosen.begin(), inputs.chosen.end(), 0);
    }
    const auto bytes = static_cast<std::size_t>(inputs.elements) * sizeof(float);
    if (bytes > 0 && inputs.count() > kMostReferenceBytes / bytes) {
      throw InputError(
          {setup.images ? "--data" : "--calibration", "",
           std::to_string(inputs.count()) + " inputs with outputs of " + std::to_string(bytes) + " bytes",
           "at most " + std::to_string(kMostReferenceBytes) + " bytes of outputs",
           setup.images ? "take fewer images with --limit" : "take fewer with --calibration-inputs"});
    }
    return inputs;
  }

  [[nodiscard]] std::size_t parts_of_a_row() const {
    const std::size_t wanted = kPartsPerJob * static_cast<std::size_t>(std::max(1, setup_.jobs));
    const std::size_t parts =
        setup_.jobs > 1 ? (wanted + row_count_ - 1) / std::max<std::size_t>(1, row_count_) : 1;
    return std::clamp<std::size_t>(parts, 1, std::max<std::size_t>(1, inputs_.count()));
  }

  [[nodiscard]] PoolOptions pool(std::size_t items) const {
    PoolOptions options;
    options.items = static_cast<std::int64_t>(items);
    options.jobs = setup_.jobs;
    options.on_progress = [this](std::int64_t) {
      if (setup_.on_progress)
        setup_.on_progress(inferences_done(), static_cast<std::int64_t>(inputs_.count() * (row_count_ + 1)));
    };
    return options;
  }
  [[nodiscard]] std::int64_t inferences_done() const {
    return *reinterpret_cast<std::atomic<std::int64_t>*>(shared_.progress.data());
  }
  void take_note(const PoolResult& end, SchemeComparison& result) const {
    result.signal = end.signal;
    result.done = inferences_done();
  }

  void run_reference(SchemeComparison& result) {
    take_note(run_in_processes(pool(inputs_.count()),
                               [&](int) -> PoolWork {
                                 auto worker = std::make_shared<ReferenceWorker>(setup_, inputs_, shared_);
                                 return [worker](std::int64_t item) {
                                   worker->run(static_cast<std::size_t>(item));
                                   return true;
                                 };
                               }),
              result);
  }

  void run_rows(SchemeComparison& result) {
    take_note(run_in_processes(pool(row_count_ * parts_),
                               [&](int) -> PoolWork {
                                 auto worker = std::make_shared<RowWorker>(setup_, inputs_, shared_, parts_);
                                 return [worker](std::int64_t item) {
                                   worker->run(static_cast<std::size_t>(item));
                                   return true;
                                 };
                               }),
              result);
  }

  [[nodiscard]] bool is_read(std::size_t input) const {
    return shared_.reference.input(input).state == InputResults::State::read;
  }

  /// Names of images that could not be read, and why. Throws where none could.
  void find_failures(SchemeComparison& result) const {
    for (std::size_t i = 0; i < inputs_.count(); ++i) {
      if (is_read(i)) continue;
      const std::int64_t index = inputs_.chosen[i];
      const Tensor& input = setup_.reference->tensor(setup_.reference->inputs[inputs_.ports->input]);
      try {
        static_cast<void>(preprocess_image(setup_.images->data->image(index), setup_.images->preprocess,
                                           input, setup_.images->data->name(index)));
        result.left_out.push_back(setup_.images->data->name(index) + ": it could not be read before");
      } catch (const InputError& error) {
        if (result.left_out.size() + 1 == inputs_.count()) throw;
        result.left_out.emplace_back(error.what());
      }
    }
    result.inputs = static_cast<std::int64_t>(inputs_.count() - result.left_out.size());
  }

  [[nodiscard]] Accuracy accuracy_of(const InputResults& results, std::int64_t inputs) const {
    std::int64_t first = 0;
    std::int64_t among = 0;
    for (std::size_t i = 0; i < inputs_.count(); ++i) {
      if (!is_read(i)) continue;
      const Classes& classes = results.input(i).classes;
      const std::int64_t label = setup_.images->data->label(inputs_.chosen[i]) + setup_.images->label_offset;
      first += classes[0] == label ? 1 : 0;
      among += std::ranges::count(classes, static_cast<std::int32_t>(label));
    }
    Accuracy accuracy{proportion(first, inputs), {}};
    if (inputs_.ports->classes > kTopClasses) accuracy.top5 = proportion(among, inputs);
    return accuracy;
  }

  [[nodiscard]] Proportion agreement_of(const InputResults& results, std::int64_t inputs) const {
    std::int64_t agree = 0;
    for (std::size_t i = 0; i < inputs_.count(); ++i) {
      if (!is_read(i)) continue;
      agree += results.input(i).classes[0] == shared_.reference.input(i).classes[0] ? 1 : 0;
    }
    return proportion(agree, inputs);
  }

  /// The first error of a row's parts: its first problem, without the network's folder.
  [[nodiscard]] std::string error_of(std::size_t row) const {
    for (std::size_t part = 0; part < parts_; ++part) {
      std::string text = shared_.errors[row * parts_ + part]->read();
      if (text.empty()) continue;
      const std::string& source = setup_.reference->source;
      if (const std::size_t at = text.find(source); !source.empty() && at != std::string::npos)
        text.replace(at, source.size(), base_name(source));
      const auto further = std::ranges::count(text, '\n');
      text.erase(std::min(text.find('\n'), text.size()));
      return further == 0 ? text : text + " (and " + std::to_string(further) + " more)";
    }
    return {};
  }

  /// Of the output that lost most, over all inputs in their order.
  [[nodiscard]] std::optional<double> worst_sqnr(const InputResults& results) const {
    std::optional<double> worst;
    for (std::size_t o = 0; o < inputs_.sizes.size(); ++o) {
      OutputError sum;
      for (std::size_t i = 0; i < inputs_.count(); ++i) {
        sum.signal += results.error(i, o).signal;
        sum.noise += results.error(i, o).noise;
      }
      const std::optional<double> db = sqnr_db(sum);
      if (db && (!worst || *db < *worst)) worst = db;
    }
    return worst;
  }

  void gather(SchemeComparison& result) const {
    if (setup_.images) find_failures(result);
    if (!setup_.images) result.inputs = static_cast<std::int64_t>(inputs_.count());
    if (setup_.images) result.reference = accuracy_of(shared_.reference, result.inputs);
    for (std::size_t r = 0; r < row_count_; ++r) {
      ComparedRow row;
      row.hardware = setup_.machines[r / setup_.schemes.size()].name;
      row.scheme = setup_.schemes[r % setup_.schemes.size()].name;
      row.error = error_of(r);
      if (row.runs()) {
        row.cost = nlohmann::ordered_json::parse(shared_.costs[r]->read());
        row.sqnr_db = worst_sqnr(*shared_.rows[r]);
        if (setup_.images) {
          row.accuracy = accuracy_of(*shared_.rows[r], result.inputs);
          row.agreement = agreement_of(*shared_.rows[r], result.inputs);
        }
      }
      result.rows.push_back(std::move(row));
    }
    mark_front(result.rows);
  }

  static void mark_front(std::vector<ComparedRow>& rows) {
    std::vector<std::optional<ParetoPoint>> points;
    for (const ComparedRow& row : rows) {
      points.emplace_back();
      if (!row.runs()) continue;
      const double sqnr = row.sqnr_db.value_or(std::numeric_limits<double>::infinity());
      points.back() = {row.cost.at("energy_total_pj").get<double>(), row.cost.at("cycles").get<double>(),
                       row.accuracy ? -row.accuracy->top1.percent : -sqnr};
    }
    const std::vector<bool> front = pareto_front(points);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].is_pareto = front[i];
  }

  const CompareSetup& setup_;
  ComparedInputs inputs_;
  std::size_t row_count_;
  std::size_t parts_;
  SharedComparison shared_;
};

}  // namespace

SchemeComparison compare_schemes(const CompareSetup& setup) {
  return Comparer(setup).run();
}

}  // namespace qsim
