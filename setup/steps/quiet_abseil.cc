// Compiled into the binding. TensorFlow logs through Abseil, which knows no variable that would keep it
// from greeting at every load ("All log messages before absl::InitializeLog() …"). Warnings stay.
#ifdef __linux__
#include "absl/log/globals.h"

namespace {
[[maybe_unused]] const bool quiet = (absl::SetMinLogLevel(absl::LogSeverityAtLeast::kWarning), true);
}
#endif
