// SPDX-License-Identifier: Apache-2.0
// The strict plug-ins (strict.h) as tests find them.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tests/ncclnet/strict.h"

namespace atl::test {

/// The library of a version of the interface; `flavour`: of those that lack something.
inline std::string strictLibrary(int version, const std::string& flavour = "") {
  return std::string(STRICT_FOLDER) + "/libstrict_net_v" + std::to_string(version) + flavour + ".so";
}

inline const StrictControl& strictControl(int version) {
  void* const library = ::dlopen(strictLibrary(version).c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  EXPECT_NE(library, nullptr) << ::dlerror();
  const void* const control = library == nullptr ? nullptr : ::dlsym(library, "strictControl");
  if (control == nullptr) throw std::runtime_error("no strict plug-in of version " + std::to_string(version));
  return *static_cast<const StrictControl*>(control);
}

}  // namespace atl::test
