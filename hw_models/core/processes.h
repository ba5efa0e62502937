// The processes of a run, and the first error of one.
#pragma once

#include <exception>
#include <functional>
#include <systemc>
#include <utility>

namespace qsim {

/// An exception in a process ends the simulation and is rethrown by whoever started it (the kernel itself
/// would keep its text and lose its type).
class Processes {
 public:
  Processes() = default;
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  /// A thread of the module that is being constructed.
  void spawn(const char* name, std::function<void()> body) {
    sc_core::sc_spawn([this, body = std::move(body)] { guard(body); }, sc_core::sc_gen_unique_name(name));
  }

  /// Runs the body of a method process.
  template <typename Body>
  void guard(const Body& body) {
    try {
      body();
    } catch (const sc_core::sc_unwind_exception&) {
      throw;
    } catch (...) {
      if (!error_) error_ = std::current_exception();
      sc_core::sc_stop();
    }
  }

  /// After the simulation: throws what ended it early.
  void rethrow_error() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

}  // namespace qsim
