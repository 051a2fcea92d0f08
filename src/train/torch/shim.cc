// What libtorch offers and tch does not: the switches that keep its kernels
// from depending on chance, and the name of the kernels that it chose. Every
// function returns 0, or 1 with the reason in `reason`; no exception leaves.

#include <ATen/Context.h>
#include <ATen/Version.h>

#include <cstddef>
#include <cstring>
#include <exception>
#include <string>

namespace {

void copy(const std::string &text, char *into, std::size_t capacity) {
  if (capacity == 0) return;
  const std::size_t length = text.size() < capacity ? text.size() : capacity - 1;
  std::memcpy(into, text.data(), length);
  into[length] = '\0';
}

template <typename Work>
int guarded(char *reason, std::size_t capacity, Work work) noexcept {
  try {
    work();
    return 0;
  } catch (const std::exception &error) {
    copy(error.what(), reason, capacity);
  } catch (...) {
    copy("an exception of an unknown kind", reason, capacity);
  }
  return 1;
}

}  // namespace

extern "C" int safelight_torch_deterministic(char *reason, std::size_t capacity) noexcept {
  return guarded(reason, capacity, [] {
    at::Context &context = at::globalContext();
    context.setDeterministicAlgorithms(true, /*warn_only=*/false);
    // Otherwise every new tensor would be filled with NaN first.
    context.setDeterministicFillUninitializedMemory(false);
    context.setDeterministicCuDNN(true);
    context.setBenchmarkCuDNN(false);
    context.setAllowTF32CuDNN(false);
  });
}

extern "C" int safelight_torch_kernels(char *name, std::size_t capacity) noexcept {
  return guarded(name, capacity, [&] { copy(at::get_cpu_capability(), name, capacity); });
}

extern "C" int safelight_torch_is_deterministic() noexcept {
  return at::globalContext().deterministicAlgorithms() ? 1 : 0;
}
