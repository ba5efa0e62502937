// Quantization schemes: how a network's weights and activations become integers, as one value.
//
//   w4a8:weights=per_group(32),asymmetric;activations=symmetric,signed;scales=power_of_two;format=int
//
// `w<bits>a<bits>`, then behind a colon pairs with semicolons between them. What is left out: a scale an
// output channel, symmetric weights, asymmetric activations whose sign follows the format of the network,
// float scales, integers. White paper, sections 2.2 and 2.4; docs/schemes.md has the equations.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qsim {

/// What has a scale of its own among the weights of a layer.
enum class Granularity : std::uint8_t {
  per_tensor,
  per_channel,  ///< Each output channel.
  per_group,    ///< Each `group_size` weights along the reduction of each output channel.
};

enum class ScaleKind : std::uint8_t {
  floating,
  power_of_two,  ///< s = 2^k: requantization is a shift.
};

enum class NumberFormat : std::uint8_t {
  integer,
  mxint,  ///< Blocks of 32 with a shared power-of-two scale (OCP microscaling), weights and activations.
};

struct WeightScheme {
  int bits = 8;  ///< 1 to 16
  Granularity granularity = Granularity::per_channel;
  std::int64_t group_size = 0;  ///< Of per_group, else 0.
  bool is_symmetric = true;

  bool operator==(const WeightScheme&) const = default;
};

struct ActivationScheme {
  int bits = 8;                           ///< 1 to 16
  std::optional<bool> is_symmetric = {};  ///< Absent: asymmetric, or as the network's format has it.
  std::optional<bool> is_signed = {};     ///< Absent: as the network's format has it.

  bool operator==(const ActivationScheme&) const = default;
};

/// What a layer has of its own.
struct LayerScheme {
  std::optional<int> weight_bits = {}, activation_bits = {};
  std::optional<Granularity> granularity = {};
  std::int64_t group_size = 0;  ///< Of `granularity` per_group.
  std::optional<bool> weights_symmetric = {}, activations_symmetric = {}, activations_signed = {};

  bool operator==(const LayerScheme&) const = default;
};

struct Scheme {
  WeightScheme weights;
  ActivationScheme activations;
  ScaleKind scales = ScaleKind::floating;       ///< Of all layers: neighbours share scales.
  NumberFormat format = NumberFormat::integer;  ///< Of all layers.
  std::map<std::string, LayerScheme> layers;    ///< Exceptions, by node name.
  std::string source = "--scheme";              ///< File or option that said it, for messages.

  [[nodiscard]] WeightScheme weights_of(const std::string& node) const;
  [[nodiscard]] ActivationScheme activations_of(const std::string& node) const;
  [[nodiscard]] bool is_power_of_two() const { return scales == ScaleKind::power_of_two; }
};

/// Throws InputError with the column (from 1) of what is wrong, what was expected there, and the remedy; all
/// that is wrong at once. `source` names the argument.
[[nodiscard]] Scheme parse_scheme(std::string_view text, const std::string& source = "--scheme");

/// Schemes with commas between them: a new one begins where a part matches w<digits>a<digits>. Columns are
/// those of the list.
[[nodiscard]] std::vector<Scheme> parse_scheme_list(std::string_view text,
                                                    const std::string& source = "--schemes");

/// The parts of such a list, right or wrong, as they are written.
[[nodiscard]] std::vector<std::string_view> split_scheme_list(std::string_view text);

/// The text that parses to the scheme without its exceptions: pairs in the order above, and of them only what
/// differs from what is left out.
[[nodiscard]] std::string to_text(const Scheme& scheme);

/// The same as JSON: {"bits": "w4a8", "weights": "per_channel,symmetric", "activations": .., "scales": ..,
/// "format": .., "layers": {NODE: {"bits": {"weights": 8}, "weights": .., "activations": ..}}}. `bits` is
/// "w<bits>a<bits>" or {"weights": N, "activations": N}, which may leave one out; a layer may also be a
/// scheme's text, which is then the whole of it. All keys but the outer `bits` may be left out.
[[nodiscard]] Scheme read_scheme(const std::string& path);
[[nodiscard]] Scheme read_scheme_text(std::string_view json, const std::string& file);
[[nodiscard]] nlohmann::ordered_json scheme_json(const Scheme& scheme);

/// Throws InputError where `scheme` names a node that is none of `nodes`, with the nearest.
void check_scheme_nodes(const Scheme& scheme, const std::vector<std::string>& nodes,
                        const std::string& network);

}  // namespace qsim
