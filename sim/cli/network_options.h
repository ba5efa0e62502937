// Rows that the tables of several commands share: which network on which chip, and where the report goes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "quantization/quantize_graph.h"
#include "sim/cli/command.h"
#include "workloads/readers/workload_format.h"

namespace qsim::cli {

struct ChipOptions {
  std::string hardware = "npu";       ///< Shipped name or file.
  std::vector<std::string> sets;      ///< "PATH=VALUE" in their order.
  std::string objective = "latency";  ///< What mappings minimize (objective_of()).
};

/// Inputs that set ranges unless the options say how many.
inline constexpr std::int64_t kCalibrationInputs = 256;

/// How a float network is quantized.
struct CalibrationOptions {
  std::string data;                   ///< FORMAT:PATH, FILE.npy or a folder; empty: seeded inputs.
  std::string preprocess;             ///< Of images; empty: pixels as they are.
  std::string list;                   ///< File of row numbers: these inputs alone, all of them; empty: none.
  std::optional<std::int64_t> items;  ///< At most so many; absent: default_items, or all of a list.
  std::int64_t default_items = kCalibrationInputs;
  std::string ranges;                 ///< "minmax", "mse"; empty: mse.
  std::optional<std::uint64_t> seed;  ///< Draws inputs of a set; without it they are spread evenly.
  std::function<void(const StepErrors&)> on_step = {};  ///< QuantizeOptions::on_step
  std::string method;  ///< Words of parse_method(); empty: what `ranges` says.

  bool seeds_inputs = true;  ///< Without data: seeded ones where no step needs more than ranges.

  [[nodiscard]] bool is_given() const { return !data.empty() || !ranges.empty() || !method.empty(); }
};

struct NetworkOptions {
  std::string workload;  ///< Shipped name or file.
  std::optional<int> weight_bits;
  std::optional<int> activation_bits;
  std::string bits_file;
  std::string scheme;               ///< --scheme: its text, or FILE.json; empty without.
  std::vector<std::string> shapes;  ///< "NAME=1,3,224,224" in their order.
  std::string until;                ///< Node to end at; empty: the whole network.
  std::int64_t batch = 1;           ///< Inputs that go through together.
  CalibrationOptions calibration;

  /// Something is said about widths or scheme.
  [[nodiscard]] bool changes_precision() const {
    return weight_bits || activation_bits || !bits_file.empty() || !scheme.empty();
  }
};

/// Stores a value in a member of a struct that is part of the command's options: `part` is a member of
/// theirs, or a function that finds it in them.
template <typename Part, typename Member>
auto store_in(Part part, Member member) {
  return [part, member](auto& options, const std::string& text) {
    assign(std::invoke(part, options).*member, text);
  };
}

/// --report
template <typename Options>
void add_report(CommandTable<Options>& table, std::string Options::*path, const std::string& group) {
  table.add({.name = "report",
             .kind = ValueKind::output_file,
             .value = "FILE.json",
             .extensions = {".json"},
             .group = group,
             .help = "what --json prints"},
            path);
}

/// --shape
template <typename Options, typename Network>
void add_shapes(CommandTable<Options>& table, Network network, const std::string& group) {
  table.add({.name = "shape",
             .kind = ValueKind::text,
             .value = "NAME=1,3,224,224",
             .repeatable = true,
             .group = group,
             .help = "shape of an input that an ONNX model leaves open"},
            store_in(network, &NetworkOptions::shapes));
}

/// --workload and --shape.
template <typename Options, typename Network>
void add_workload(CommandTable<Options>& table, Network network, const std::string& group) {
  table.add({.name = "workload",
             .kind = ValueKind::workload,
             .value = "FILE|NAME",
             .extensions = workload_extensions(),
             .required = true,
             .group = group,
             .help = "network: " + workload_format_names(),
             .detail = "qsim list shows the names that ship."},
            store_in(network, &NetworkOptions::workload));
  add_shapes(table, network, group);
}

/// --hw, --workload and --shape.
template <typename Options, typename Chip, typename Network>
void add_chip_and_workload(CommandTable<Options>& table, Chip chip, Network network,
                           const std::string& group) {
  table.add({.name = "hw",
             .kind = ValueKind::hardware,
             .value = "FILE|NAME",
             .extensions = {".json"},
             .group = group,
             .default_text = "npu",
             .help = "hardware configuration",
             .detail = "A file takes precedence over a name that ships; it may extend another with its field "
                       "extends."},
            store_in(chip, &ChipOptions::hardware));
  add_workload(table, network, group);
}

/// --batch
inline Option batch_option(const std::string& group) {
  return {.name = "batch",
          .kind = ValueKind::integer,
          .value = "N",
          .min = 1,
          .max = 65'536,
          .group = group,
          .default_text = "1",
          .help = "N inputs as one batch"};
}

/// --objective
template <typename Options, typename Chip>
void add_objective(CommandTable<Options>& table, Chip chip, const std::string& group) {
  table.add({.name = "objective",
             .kind = ValueKind::choice,
             .value = "latency|energy|edp",
             .choices = {"latency", "energy", "edp"},
             .group = group,
             .default_text = "latency",
             .help = "what mappings minimize",
             .detail = "Cycles of the first inference, its energy, or their product, as the compiler "
                       "estimates them; of equal cycles the least energy."},
            store_in(chip, &ChipOptions::objective));
}

/// --set
template <typename Options, typename Chip>
void add_sets(CommandTable<Options>& table, Chip chip, const std::string& group) {
  table.add({.name = "set",
             .kind = ValueKind::hardware_field,
             .value = "PATH=VALUE",
             .repeatable = true,
             .group = group,
             .help = "hardware field, repeatable: --set mac_array.rows=64",
             .detail = "The path is the field's in the hardware JSON; qsim list --names fields shows all of "
                       "them."},
            store_in(chip, &ChipOptions::sets));
}

/// --scheme, and its short forms --weight-bits, --activation-bits and --bits.
template <typename Options, typename Network>
void add_precision(CommandTable<Options>& table, Network network, const std::string& group) {
  const auto bits = [&](const char* name, const char* help) {
    return Option{.name = name,
                  .kind = ValueKind::integer,
                  .value = "N",
                  .min = 1,
                  .max = 16,
                  .group = group,
                  .help = help};
  };
  table.add({.name = "scheme",
             .kind = ValueKind::text,
             .value = "SCHEME|FILE.json",
             .reads_data = true,
             .excludes = {"weight-bits", "activation-bits", "bits"},
             .excludes_because = "a scheme has the widths in it",
             .group = group,
             .help = "quantize as w4a8:weights=per_tensor says (docs/schemes.md)",
             .detail = "w<bits>a<bits>, then behind a colon pairs with semicolons between them: "
                       "weights=per_tensor|per_channel|per_group(N),symmetric|asymmetric; "
                       "activations=symmetric|asymmetric,signed|unsigned; scales=float|power_of_two; "
                       "format=int|mxint. A file may have exceptions by layer."},
            store_in(network, &NetworkOptions::scheme));
  table.add(bits("weight-bits", "all weights at N bits, 1 to 16"),
            store_in(network, &NetworkOptions::weight_bits));
  table.add(bits("activation-bits", "all activations at N bits, 1 to 16"),
            store_in(network, &NetworkOptions::activation_bits));
  table.add({.name = "bits",
             .kind = ValueKind::input_file,
             .value = "FILE.json",
             .extensions = {".json"},
             .group = group,
             .help = R"(bits by node: {"conv1": {"weights": 4, "activations": 8}})"},
            store_in(network, &NetworkOptions::bits_file));
}

/// --calibration, --calibration-list, --calibration-inputs, --ranges and --method.
template <typename Options, typename Network>
void add_calibration(CommandTable<Options>& table, Network network, const std::string& group,
                     std::int64_t items = kCalibrationInputs, const std::string& method = "mse") {
  const auto store = [network](auto CalibrationOptions::*member) {
    const auto part = [network](Options& options) -> CalibrationOptions& {
      return std::invoke(network, options).calibration;
    };
    return store_in(part, member);
  };
  table.add({.name = "calibration",
             .kind = ValueKind::text,
             .value = "DATA",
             .reads_data = true,
             .group = group,
             .help = "data that gives a float network its ranges: FORMAT:PATH, .npy, folder"},
            store(&CalibrationOptions::data));
  table.add({.name = "calibration-list",
             .kind = ValueKind::input_file,
             .value = "FILE",
             .needs = "calibration",
             .group = group,
             .help = "those of them whose row numbers (from 0) FILE has, one a line"},
            store(&CalibrationOptions::list));
  table.add({.name = "calibration-inputs",
             .kind = ValueKind::integer,
             .value = "N",
             .min = 1,
             .max = 1'000'000,
             .group = group,
             .default_text = std::to_string(items),
             .help = "at most N of them, spread evenly over a data set"},
            store(&CalibrationOptions::items));
  table.add({.name = "ranges",
             .kind = ValueKind::choice,
             .value = "minmax|mse",
             .choices = {"minmax", "mse"},
             .group = group,
             .default_text = "mse",
             .help = "limits of what was seen, or least squared error",
             .detail = "Weights that are integers already keep their limits unless mse is named."},
            store(&CalibrationOptions::ranges));
  table.add(
      {.name = "method",
       .kind = ValueKind::text,
       .value = "WORD+WORD",
       .excludes = {"ranges"},
       .excludes_because = "a method has the ranges in it",
       .group = group,
       .default_text = method,
       .help = "mse, cle, adaround, bias_correction joined by +",
       .detail =
           "Words with + between them: minmax (limits of what was seen), mse (ranges of least squared "
           "error), "
           "sqnr(3) (what is clipped counted three times) or percentile(99.99); seqmse (ranges of weights by "
           "what layers compute), cross_entropy (range of the logits); cle (channels of neighbouring layers "
           "equalized), relu (ReLU in place of ReLU6), absorption (biases moved to the next layer); "
           "batch_norm "
           "(activations' ranges from batch norms, as all are without --calibration); adaround (which "
           "weights "
           "are rounded up) or bias_correction. --ranges is its short form."},
      store(&CalibrationOptions::method));
}

}  // namespace qsim::cli
