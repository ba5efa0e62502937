// What the program arranges with the system before it reads an argument.
#pragma once

namespace qsim::cli {

/// SIGINT, SIGTERM and SIGHUP end the program with 128 plus their number (130, 143, 129), unless whoever
/// started it has them ignored (nohup). A closed pipe and a file size limit show as writes that fail, with a
/// message. Standard streams that are closed become ones that fail, so that no file is opened in their place.
/// SystemC stays silent.
void set_up_process();

/// Restricts the fast kernels to the instruction set that the environment's QSIM_KERNELS names; all give the
/// same results. InputError where this computer has none of that name.
void choose_kernels();

}  // namespace qsim::cli
