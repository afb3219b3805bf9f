// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/plugin.h"

#include <dlfcn.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

#include "src/base/log.h"

namespace atl::ncclnet {
namespace {

constexpr const char* kDefaultLibrary = "libnccl-net.so";

/// What a plug-in last warned of in this thread, until somebody tells it.
std::string& lastWarning() {
  thread_local std::string warning;
  return warning;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (comma > 0) names.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

/// What is asked for, and where that was said.
std::pair<std::vector<std::string>, std::string_view> wantedPlugins(const NcclNetSettings& settings) {
  if (!settings.plugins.empty()) return {split(settings.plugins), "ATOLL_NCCL_NET_PLUGIN"};
  const char* const nccls = std::getenv("NCCL_NET_PLUGIN");
  if (nccls != nullptr && *nccls != '\0') return {split(nccls), "NCCL_NET_PLUGIN"};
  return {{kDefaultLibrary}, "ATOLL_NCCL_NET_PLUGIN and NCCL_NET_PLUGIN, which are not set,"};
}

}  // namespace

std::vector<std::string> librariesFor(const std::string& name) {
  const bool path = name.find('/') != std::string::npos;
  const bool library = name.starts_with("lib") && name.ends_with(".so");
  if (path || library) return {name};
  return {name, "libnccl-net-" + name + ".so"};
}

void Plugin::log(LogLevel level, unsigned long /*subjects*/, const char* /*file*/, int /*line*/, const char* format,
                 ...) {
  const bool warns = level == LogLevel::warn || level == LogLevel::abort;
  if (!warns && !log::enabled(log::Subject::link)) return;
  std::array<char, 1024> text{};
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text.data(), text.size(), format, arguments);
  va_end(arguments);
  if (warns) {
    lastWarning() = text.data();
    log::warn("NCCL's network plug-in: {}", text.data());
  } else {
    log::line(log::Subject::link, kNoRank, "NCCL's network plug-in: {}", text.data());
  }
}

std::string Plugin::describe() const {
  return fmt::format("{} ({}, {})", library_, symbolOf(net_->version()), name());
}

Error Plugin::failure(ErrorCode error, std::string_view call, Code code) const {
  const std::string warning = std::exchange(lastWarning(), {});
  return makeError(error, "{}: {} returned {}{}{}", describe(), call, ncclnet::describe(code),
                   warning.empty() ? "" : "; it warned: ", warning);
}

Result<std::unique_ptr<Plugin>> Plugin::open(const std::string& name) {
  std::string reasons;
  for (const std::string& library : librariesFor(name)) {
    // Local: its names stay its own. Never closed: it may have threads.
    void* const opened = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (opened == nullptr) {
      reasons += fmt::format("{}{}", reasons.empty() ? "" : "; ", ::dlerror());
      continue;
    }
    const auto plugin = [&](int version) -> std::unique_ptr<Plugin> {
      const void* const table = ::dlsym(opened, symbolOf(version).c_str());
      if (table == nullptr) return nullptr;
      auto found = std::unique_ptr<Plugin>(new Plugin());
      found->library_ = library;
      found->net_ = netOf(version, table);
      return found;
    };
    for (const int version : kVersions) {
      auto found = plugin(version);
      if (found == nullptr) continue;
      ATOLL_TRY(found->start());
      return found;
    }
    return makeError(ErrorCode::unsupported,
                     "{} has none of {} to {}: it is no network plug-in of NCCL, or one of a "
                     "version that is not known here",
                     library, symbolOf(*std::rbegin(kVersions)), symbolOf(*std::begin(kVersions)));
  }
  return makeError(ErrorCode::unsupported, "{}", reasons);
}

/// Makes sure that it is of use, and that its devices are known.
Status Plugin::start() {
  if (const auto missing = net_->missing(); !missing.empty())
    return makeError(ErrorCode::unsupported, "{}: it has no {}", describe(), missing);
  void* context = nullptr;
  const Code code = net_->init(&context, 0, &Plugin::log);
  if (code != Code::success) return failure(ErrorCode::unsupported, "init", code);
  Status found = findDevices();
  if (!net_->hasContexts()) return found;
  const Code ended = net_->finalize(context);
  if (found.ok() && ended != Code::success) return failure(ErrorCode::unsupported, "finalize", ended);
  return found;
}

Status Plugin::findDevices() {
  int count = 0;
  Code code = net_->devices(&count);
  if (code != Code::success) return failure(ErrorCode::unsupported, "devices", code);
  for (int device = 0; device < count; ++device) {
    code = net_->getProperties(device, &devices_.emplace_back());
    if (code != Code::success) return failure(ErrorCode::unsupported, "getProperties", code);
  }
  if (devices_.empty()) return makeError(ErrorCode::unsupported, "{} finds no device", describe());
  return success();
}

Result<const Plugin*> Plugin::forSettings(const NcclNetSettings& settings) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<Plugin>> opened;  // by name as it was asked for
  const auto [names, where] = wantedPlugins(settings);
  const std::scoped_lock lock(mutex);
  std::string reasons;
  for (const std::string& name : names) {
    if (::strcasecmp(name.c_str(), "none") == 0) {
      reasons += fmt::format("{}'none' asks for none", reasons.empty() ? "" : "; ");
      continue;
    }
    if (const auto found = opened.find(name); found != opened.end()) return found->second.get();
    auto plugin = open(name);
    if (plugin.ok()) return opened.emplace(name, std::move(plugin).value()).first->second.get();
    reasons += fmt::format("{}{}", reasons.empty() ? "" : "; ", plugin.error().text);
  }
  return makeError(ErrorCode::unsupported, "no network plug-in of NCCL ({}): {}", where, reasons);
}

}  // namespace atl::ncclnet
