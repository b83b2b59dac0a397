// A shared library that is loaded at its first use, for what most processes and starts do without.
#pragma once

#include <initializer_list>
#include <optional>

namespace berth::io {

/// Never closed: what such libraries load has threads and exit handlers of its own. Thread: any.
class Library {
 public:
  /// The first of these names that can be loaded; nothing when none can.
  static std::optional<Library> load(std::initializer_list<const char*> names);

  /// The function of this name; false when the library has none, as an older one.
  template <class Function>
  bool find(const char* name, Function& function) const {
    function = reinterpret_cast<Function>(symbol(name));
    return function != nullptr;
  }

 private:
  explicit Library(void* handle) : handle_(handle) {}
  void* symbol(const char* name) const;
  void* handle_;
};

}  // namespace berth::io
