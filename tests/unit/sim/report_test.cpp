#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "sim/report/layers_csv.h"
#include "sim/report/report_json.h"
#include "sim/report/sha256.h"
#include "sim/report/tensor_file.h"
#include "sim/report/text_report.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/sim/sample_run.h"

using Json = nlohmann::ordered_json;

namespace {

qsim::RunSummary summary_of(const qsim::RunResult& run) {
  return qsim::summarize(run, {run.hardware, qsim::load_energy_table("45nm", shipped_energy_tables(), "")},
                         1);
}

Json report_of(const qsim::RunResult& run) {
  return qsim::report_json(run, summary_of(run), {});
}

/// Two rows of the sample run after each other, the second at 4-bit weights.
qsim::RunResult two_rows() {
  qsim::RunResult run = sample::run();
  run.layers.push_back(sample::layer());
  run.layers[1].name = "narrow";
  run.layers[1].weight_bits = 4;
  run.activity += run.layers[1].activity;
  run.total_cycles = 400;
  run.macs = 4096;
  for (std::int64_t& cycles : run.cycles) cycles *= 2;
  return run;
}

/// Sum over the report's own energy entries of events x unit energy.
double recomputed(const Json& report, const Json& events, const std::string& component) {
  double sum = 0.0;
  for (const Json& entry : report["provenance"]["energy_entries"]) {
    if (entry["component"] != component || !events.contains(entry["event"].get<std::string>())) continue;
    sum += events[entry["event"].get<std::string>()].get<double>() * entry["unit_pj"].get<double>();
  }
  return sum;
}

}  // namespace

TEST_CASE("energy can be recomputed from the report alone, in total and row by row") {
  const Json report = Json::parse(report_of(two_rows()).dump());
  REQUIRE(report["energy_pj"].size() == 13);
  double total = 0.0;
  for (const auto& component : report["energy_pj"].items()) {
    CHECK(recomputed(report, report["events"], component.key()) == Approx(component.value().get<double>()));
    total += component.value().get<double>();
    double rows = 0.0;
    for (const Json& row : report["layers"]) {
      const double pj = row["energy_pj"][component.key()].get<double>();
      CHECK(recomputed(report, row["events"], component.key()) == Approx(pj));
      rows += pj;
    }
    CHECK(rows == Approx(component.value().get<double>()));
  }
  CHECK(report["totals"]["energy_total_pj"].get<double>() == Approx(total));
}

TEST_CASE("the totals are what the cycles and the clock say") {
  const Json report = report_of(sample::run());
  const Json& totals = report["totals"];
  CHECK(totals["cycles"] == 200);
  CHECK(totals["latency_s"].get<double>() == Approx(200e-9));
  CHECK(totals["inferences_per_second"].get<double>() == Approx(5e6));
  CHECK(totals["mac_utilization"].get<double>() == Approx(2048.0 / (200 * 1024)));
  CHECK(report["layers"][0]["mac_utilization"].get<double>() == Approx(2048.0 / (180 * 1024)));
  CHECK(totals["dram_bytes"] == 592);
  CHECK(totals["dram_bus_bytes"] == 640);
  CHECK(totals["power_w"].get<double>() == Approx(totals["energy_total_pj"].get<double>() * 1e-12 / 200e-9));
  CHECK(report["traffic_bytes"]["accumulator_read"] == 256 * 4);
}

TEST_CASE("identical runs give identical bytes, and no folder") {
  const std::string text = report_of(sample::run()).dump(2);
  CHECK(text == report_of(sample::run()).dump(2));
  CHECK(text.find("/some/folder") == std::string::npos);
  CHECK(Json::parse(text)["workload"]["source"] == "sample.json");
}

TEST_CASE("of an energy table's path a report has the base name") {
  qsim::RunResult run = sample::run();
  const qsim::RunSummary summary = summary_of(run);
  run.hardware.energy = "/some/folder/mine.json";
  CHECK(qsim::report_json(run, summary, {})["hardware"]["energy"] == "mine.json");
}

TEST_CASE("a row without MACs, accumulators and requantizer has nulls there") {
  qsim::RunResult run = sample::run();
  qsim::LayerResult& layer = run.layers[0];
  layer.accumulator.reset();
  CHECK(report_of(run)["layers"][0]["accumulator"]["min"].is_null());
  CHECK(report_of(run)["layers"][0]["accumulator"]["bits_worst_case"] == 14);
  CHECK(report_of(run)["layers"][0]["accumulator"]["bits_any_weights"] == 20);
  layer.accumulator_worst_case.reset();
  CHECK(report_of(run)["layers"][0]["accumulator"]["worst_max"].is_null());
  CHECK(report_of(run)["layers"][0]["accumulator"]["bits_worst_case"].is_null());
  layer.accumulator_bits = 0;
  CHECK(report_of(run)["layers"][0]["accumulator"].is_null());
  CHECK(report_of(run)["layers"][0]["bits"]["accumulator"].is_null());
}

TEST_CASE("SHA-256 of abc is the standard's example") {
  // FIPS 180-2, appendix B.1
  const std::string text = "abc";
  CHECK(qsim::sha256_hex(std::as_bytes(std::span(text))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("tensors without names and with the same names get their own") {
  const std::vector<qsim::NamedTensor> tensors = {
      {"a", {}, {}}, {"", {}, {}}, {"a", {}, {}}, {"a#2", {}, {}}, {"a", {}, {}}};
  CHECK(qsim::unique_tensor_names(tensors) ==
        std::vector<std::string>{"a", "tensor_1", "a#2", "a#2#2", "a#3"});
}

TEST_CASE("integers are stored in the smallest type that holds their width") {
  qsim::NamedTensor tensor{"t", qsim::TensorData(qsim::ElementType::i32, {2}), qsim::Quantization{}};
  tensor.data.set(0, -7);
  tensor.quantization->bits = 4;
  const qsim::TensorData stored = qsim::stored_form(tensor);
  CHECK(stored.type == qsim::ElementType::i8);
  CHECK(stored.at(0) == -7);
}

TEST_CASE("the CSV has a header and a line a row, with as many cells, quoted where needed") {
  qsim::RunResult run = two_rows();
  run.layers[0].name = "a,\"b\"";
  const std::string csv = qsim::layers_csv(run, summary_of(run));
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 3);
  CHECK(csv.find("\n\"a,\"\"b\"\"\",conv2d,conv,2048,200,180,") != std::string::npos);
  const std::size_t header = csv.find('\n');
  const std::size_t last = csv.rfind('\n', csv.size() - 2);
  CHECK(std::count(csv.begin(), csv.begin() + static_cast<std::ptrdiff_t>(header), ',') ==
        std::count(csv.begin() + static_cast<std::ptrdiff_t>(last), csv.end(), ','));
}

TEST_CASE("no line of the text report is wider than 100 columns") {
  qsim::RunResult run = two_rows();
  run.layers[0].name = std::string(300, 'n');
  run.layers[1].op = "transpose_conv2d_and_more";
  run.layers[1].bound = qsim::Bound::activations;
  const std::string text = qsim::text_report(run, summary_of(run), {});
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos;
       begin = end + 1, end = text.find('\n', begin)) {
    CHECK(end - begin <= 100);
  }
  CHECK(text.find("narrow") != std::string::npos);
}

TEST_CASE("numbers get three digits and a prefix") {
  CHECK(qsim::with_prefix(0, "B") == "0 B");
  CHECK(qsim::with_prefix(999, "B") == "999 B");
  CHECK(qsim::with_prefix(1000, "B") == "1.00 kB");
  CHECK(qsim::with_prefix(12'345'678, "B") == "12.3 MB");
  CHECK(qsim::with_prefix(999'600, "B") == "1.00 MB");
  CHECK(qsim::with_prefix(1.5e-6, "J") == "1.50 uJ");
  CHECK(qsim::shortened("0123456789", 10) == "0123456789");
  CHECK(qsim::shortened("0123456789x", 10) == "0123..789x");
}

TEST_CASE("docs/report.md lists every event and what one count of it is") {
  std::ifstream file(QSIM_SOURCE_FOLDER "/docs/report.md");
  const std::string page{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  for (const qsim::EventRow& row : qsim::kEvents) {
    const std::string line = "| `" + std::string(row.name) + "` | " + std::string(row.unit) + " |\n";
    CHECK_THAT(page, Catch::Contains(line));
  }
}
