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

  /// Waits in an SC_THREAD, within the present cycle, until all else has happened in it: what there is to
  /// choose from then depends on cycles alone, not on the order of events within one. Of several that wait
  /// one looks; each of them would take the others for something that is still to happen.
  void settle() {
    if (is_settling_) {
      sc_core::wait(settled_);
      return;
    }
    is_settling_ = true;
    while (sc_core::sc_pending_activity_at_current_time()) sc_core::wait(sc_core::SC_ZERO_TIME);
    is_settling_ = false;
    settled_.notify();
  }

  /// After the simulation: throws what ended it early.
  void rethrow_error() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
  bool is_settling_ = false;
  sc_core::sc_event settled_;
};

}  // namespace qsim
