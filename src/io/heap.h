// How much memory malloc keeps for itself.
#pragma once

namespace berth::io {

/// For a process that waits most of the time: one heap for all its threads, whose free end goes back to the system at
/// once. Before any thread starts.
void keep_heap_small();

/// Gives free pages back, also from amid those in use: what starting or a burst of work took. A few milliseconds.
void trim_heap();

}  // namespace berth::io
