#include "io/library.h"

#include <dlfcn.h>

namespace berth::io {

std::optional<Library> Library::load(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (void* handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL)) return Library(handle);
  return std::nullopt;
}

void* Library::symbol(const char* name) const {
  return ::dlsym(handle_, name);
}

}  // namespace berth::io
