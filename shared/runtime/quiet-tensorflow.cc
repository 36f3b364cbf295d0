// Compiled into the binding. TF_CPP_MIN_LOG_LEVEL sets the level of TensorFlow's own logging, but not that of absl's,
// which newer parts of TensorFlow use: until a program initializes it, it writes everything to standard error, and the
// library hides the functions that would initialize it. So its lines are left out where they arrive. glibc's `stderr` is
// a variable for that purpose; elsewhere nothing changes. Node writes to the descriptor, not to `stderr`.
#include <cstdlib>

#ifdef __GLIBC__
#include <cstdio>
#include <cstring>
#include <string_view>

#include <unistd.h>

namespace {

constexpr std::string_view kNotInitialized = "WARNING: All log messages before absl::InitializeLog() is called";
constexpr std::string_view kSeverities = "IWEF";
int least_severity = 0;

bool IsBelowLevel(std::string_view line) {
  if (line.substr(0, kNotInitialized.size()) == kNotInitialized) return true;
  // A severity, the date as MMDD, a blank.
  if (line.size() < 6 || line[5] != ' ' || line.find_first_not_of("0123456789", 1) != 5) return false;
  const auto severity = kSeverities.find(line[0]);
  return severity != std::string_view::npos && static_cast<int>(severity) < least_severity;
}

ssize_t WriteUnlessBelowLevel(void*, const char* text, size_t size) {
  if (IsBelowLevel({text, size})) return static_cast<ssize_t>(size);
  return write(STDERR_FILENO, text, size);
}

__attribute__((constructor)) void SetLevelOfAbsl() {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level == nullptr || (least_severity = std::atoi(level)) <= 0) return;
  FILE* filtered = fopencookie(nullptr, "w", {nullptr, WriteUnlessBelowLevel, nullptr, nullptr});
  if (filtered == nullptr) return;
  // A message at a time, as it is written.
  setvbuf(filtered, nullptr, _IOLBF, BUFSIZ);
  stderr = filtered;
}

}  // namespace
#endif
