// SPDX-License-Identifier: Apache-2.0
// See strict.h. STRICT_VERSION is the version of the interface; STRICT_WITHOUT_ISEND leaves out a function.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/ncclnet/strict.h"
#include "transports/ncclnet/abi.h"

namespace {

using namespace atl::ncclnet;
using atl::test::StrictControl;
using atl::test::StrictState;

constexpr int kVersion = STRICT_VERSION;
constexpr std::size_t kEagerBytes = 4096;
constexpr std::size_t kEagerMessages = 16;
constexpr int kCallsToConnect = 3;

[[noreturn]] void violation(const std::string& what) {
  std::fprintf(stderr, "strict plug-in v%d: %s\n", kVersion, what.c_str());
  std::abort();
}

struct Connection;

struct Registered {
  Connection* connection = nullptr;
  std::byte* data = nullptr;
  std::size_t bytes = 0;
};

struct Work {
  Connection* connection = nullptr;
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  int tag = 0;
  Registered* registered = nullptr;
  int tests = 0;
  bool matched = false;   ///< its data has moved
  std::size_t moved = 0;  ///< bytes of that
};

/// One direction: sends that wait for their receive, in order, and what was taken over before one came.
struct Wire {
  struct Taken {
    std::vector<std::byte> data;
    int tag;
  };
  std::deque<Taken> taken;
  std::deque<Work*> sends;  ///< behind those
  std::deque<Work*> receives;
};

enum class Kind { listen, send, receive };

struct Connection {
  Kind kind = Kind::listen;
  void* context = nullptr;
  std::shared_ptr<Wire> wire;
  std::set<Work*> works;
  std::set<Registered*> registrations;
  int calls = 0;
  std::atomic<bool> used = false;
  // Of one that listens:
  std::uint64_t number = 0;
  std::deque<std::shared_ptr<Wire>> come;
};

/// In a handle; the second half is the connecting end's note.
struct Note {
  std::uint64_t listener = 0;
  const void* at = nullptr;
  int calls = 0;
};

struct Fault {
  std::string call;
  int left = 0;
  Code code = Code::success;
};

struct Net {
  std::mutex mutex;
  Logger logger = nullptr;
  int initialised = 0;
  int devices = 2;
  int closedEarly = 0;
  std::uint64_t lastNumber = 0;
  std::set<void*> contexts;
  std::map<void*, std::unique_ptr<Connection>> connections;
  std::map<void*, std::unique_ptr<Registered>> registrations;
  std::map<void*, std::unique_ptr<Work>> works;
  std::unique_ptr<Fault> fault;
  bool hasFailed = false;
};

Net& net() {
  static auto* const one = new Net;
  return *one;
}

/// One call: with the lock, after the faults.
class Call {
 public:
  explicit Call(const char* name) : name_(name), lock_(net().mutex) {
    if (net().fault == nullptr || net().fault->call != name || --net().fault->left > 0) return;
    code_ = net().fault->code;
    net().fault.reset();
    net().hasFailed = true;
    if (net().logger != nullptr)
      net().logger(LogLevel::warn, kAboutAll, "strict_plugin.cc", 1, "%s is told to fail", name);
  }
  [[nodiscard]] bool fails() const { return code_ != Code::success; }
  [[nodiscard]] Code code() const { return code_; }

  Connection& connection(void* handle, Kind kind) const {
    Connection& found = connection(handle);
    if (found.kind != kind) violation(std::string(name_) + " of a connection of another kind");
    return found;
  }
  Connection& connection(void* handle) const {
    const auto found = net().connections.find(handle);
    if (found == net().connections.end()) violation(std::string(name_) + " of a connection that is none, or closed");
    return *found->second;
  }
  void checkReady() const {
    if (net().initialised == 0) violation(std::string(name_) + " before init");
  }
  void checkContext(void* context) const {
    checkReady();
    if (kVersion >= 11 && net().contexts.count(context) == 0) violation(std::string(name_) + " of an unknown context");
  }
  void checkDevice(int device) const {
    if (device < 0 || device >= net().devices) violation(std::string(name_) + " of a device that there is not");
  }

 private:
  const char* name_;
  std::scoped_lock<std::mutex> lock_;
  Code code_ = Code::success;
};

/// Data calls of one connection are one thread's at a time.
class Use {
 public:
  explicit Use(std::atomic<bool>& used) : used_(used) {
    if (used_.exchange(true)) violation("two threads use one connection");
  }
  ~Use() { used_.store(false); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  std::atomic<bool>& used_;
};

/// Found without the lock held over the call, so that a second thread is seen and not only kept waiting.
std::atomic<bool>& usedOf(void* handle, const char* call) {
  const std::scoped_lock lock(net().mutex);
  const auto found = net().connections.find(handle);
  if (found == net().connections.end()) violation(std::string(call) + " of a connection that is none, or closed");
  return found->second->used;
}

void move(Wire& wire) {
  while (!wire.receives.empty() && (!wire.taken.empty() || !wire.sends.empty())) {
    Work& receive = *wire.receives.front();
    const bool early = !wire.taken.empty();
    Work* const send = early ? nullptr : wire.sends.front();
    const std::byte* const data = early ? wire.taken.front().data.data() : send->data;
    const std::size_t bytes = early ? wire.taken.front().data.size() : send->bytes;
    const int tag = early ? wire.taken.front().tag : send->tag;
    if (tag != receive.tag) violation("tags of a send and its receive differ");
    if (bytes > receive.bytes) violation("a send is larger than its receive");
    if (bytes > 0) std::memcpy(receive.data, data, bytes);
    receive.matched = true;
    receive.moved = bytes;
    wire.receives.pop_front();
    if (early) {
      wire.taken.pop_front();
    } else {
      send->matched = true;
      send->moved = bytes;
      wire.sends.pop_front();
    }
  }
}

Registered& registeredFor(Connection& connection, void* handle, const void* data, std::size_t bytes) {
  const auto found = net().registrations.find(handle);
  if (found == net().registrations.end() || found->second->connection != &connection)
    violation("memory with a registration that is none, or of another connection");
  Registered& registered = *found->second;
  const auto* const begin = static_cast<const std::byte*>(data);
  if (begin < registered.data || begin + bytes > registered.data + registered.bytes)
    violation("memory outside of its registration");
  return registered;
}

Code post(Connection& connection, void* data, std::int64_t bytes, int tag, void* registration, void** request) {
  *request = nullptr;
  if (bytes < 0) violation("a size below 0");
  Registered& registered = registeredFor(connection, registration, data, static_cast<std::size_t>(bytes));
  if (++connection.calls % 3 == 0) return Code::success;
  if (connection.works.size() >= kMostRequestsOfOldPlugins) violation("more requests than every plug-in bears");
  auto work = std::make_unique<Work>();
  work->connection = &connection;
  work->data = static_cast<std::byte*>(data);
  work->bytes = static_cast<std::size_t>(bytes);
  work->tag = tag;
  work->registered = &registered;
  connection.works.insert(work.get());
  auto& queue = connection.kind == Kind::send ? connection.wire->sends : connection.wire->receives;
  queue.push_back(work.get());
  *request = work.get();
  net().works.emplace(work.get(), std::move(work));
  return Code::success;
}

Code start(Logger logger) {
  {
    const std::scoped_lock lock(net().mutex);
    net().logger = logger;
  }
  const Call call("init");
  if (call.fails()) return call.code();
  if (kVersion < 11 && net().initialised > 0) violation("init a second time");
  ++net().initialised;
  return Code::success;
}

[[maybe_unused]] Code startContext(void** context, std::uint64_t /*communicator*/, CommConfig* config, Logger logger,
                                   Profiler /*profiler*/) {
  if (config == nullptr) violation("init without a configuration");
  const Code code = start(logger);
  if (code != Code::success) return code;
  const std::scoped_lock lock(net().mutex);
  *context = reinterpret_cast<void*>(++net().lastNumber);
  net().contexts.insert(*context);
  return Code::success;
}

[[maybe_unused]] Code finalize(void* context) {
  const Call call("finalize");
  call.checkContext(context);
  for (const auto& [handle, connection] : net().connections) {
    if (connection->context == context) violation("finalize with connections left");
  }
  net().contexts.erase(context);
  --net().initialised;
  return call.code();
}

Code devices(int* count) {
  const Call call("devices");
  call.checkReady();
  *count = net().devices;
  return call.code();
}

template <int Version>
Code getProperties(int device, typename Abi<Version>::Properties* properties) {
  const Call call("getProperties");
  call.checkReady();
  call.checkDevice(device);
  static char names[2][8] = {"strict0", "strict1"};
  *properties = {};
  properties->name = names[device % 2];
  properties->ptrSupport = kHostMemory;
  properties->speed = 1000;
  properties->maxComms = 64;
  properties->maxRecvs = 1;
  if constexpr (Version >= 9) properties->maxP2pBytes = properties->maxCollBytes = 100'000;
  return call.code();
}

Code listenOn(void* context, int device, void* handle, void** listenComm) {
  const Call call("listen");
  call.checkContext(context);
  call.checkDevice(device);
  if (call.fails()) return call.code();
  auto connection = std::make_unique<Connection>();
  connection->context = context;
  connection->number = ++net().lastNumber;
  Note note;
  note.listener = connection->number;
  std::memcpy(handle, &note, sizeof note);
  *listenComm = connection.get();
  net().connections.emplace(connection.get(), std::move(connection));
  return Code::success;
}

Code connectTo(void* context, int device, void* handle, void** sendComm, DeviceHandle** onDevice) {
  const Call call("connect");
  call.checkContext(context);
  call.checkDevice(device);
  if (onDevice == nullptr || *onDevice != nullptr) violation("connect asks for a GPU to drive the network");
  *sendComm = nullptr;
  if (call.fails()) return call.code();
  Note note;
  std::memcpy(&note, handle, sizeof note);
  if (note.calls > 0 && note.at != handle) violation("connect goes on with a handle in another place");
  note.at = handle;
  ++note.calls;
  std::memcpy(handle, &note, sizeof note);
  if (note.calls > kCallsToConnect) violation("connect goes on after it is done");
  if (note.calls < kCallsToConnect) return Code::success;
  for (const auto& [listener, listening] : net().connections) {
    if (listening->number != note.listener) continue;
    auto connection = std::make_unique<Connection>();
    connection->kind = Kind::send;
    connection->context = context;
    connection->wire = std::make_shared<Wire>();
    listening->come.push_back(connection->wire);
    *sendComm = connection.get();
    net().connections.emplace(connection.get(), std::move(connection));
    return Code::success;
  }
  violation("connect to nobody who listens");
}

Code accept(void* listenComm, void** recvComm, DeviceHandle** onDevice) {
  const Call call("accept");
  Connection& listening = call.connection(listenComm, Kind::listen);
  if (onDevice == nullptr || *onDevice != nullptr) violation("accept asks for a GPU to drive the network");
  *recvComm = nullptr;
  if (call.fails()) return call.code();
  if (listening.come.empty() || ++listening.calls < kCallsToConnect) return Code::success;
  auto connection = std::make_unique<Connection>();
  connection->kind = Kind::receive;
  connection->context = listening.context;
  connection->wire = listening.come.front();
  listening.come.pop_front();
  *recvComm = connection.get();
  net().connections.emplace(connection.get(), std::move(connection));
  return Code::success;
}

Code registerMemory(void* comm, void* data, std::size_t bytes, int kind, void** registration) {
  const Call call("regMr");
  Connection& connection = call.connection(comm);
  if (connection.kind == Kind::listen) violation("memory registered with what listens");
  if (data == nullptr || bytes == 0 || kind != kHostMemory) violation("what is registered is no host memory");
  *registration = nullptr;
  if (call.fails()) return call.code();
  auto registered = std::make_unique<Registered>(Registered{&connection, static_cast<std::byte*>(data), bytes});
  connection.registrations.insert(registered.get());
  *registration = registered.get();
  net().registrations.emplace(registered.get(), std::move(registered));
  return Code::success;
}

Code deregisterMemory(void* comm, void* registration) {
  const Call call("deregMr");
  Connection& connection = call.connection(comm);
  const auto found = net().registrations.find(registration);
  if (found == net().registrations.end() || found->second->connection != &connection)
    violation("deregMr of a registration that is none, or of another connection");
  for (Work* const work : connection.works) {
    if (work->registered == found->second.get()) ++net().closedEarly;
  }
  connection.registrations.erase(found->second.get());
  net().registrations.erase(found);
  return call.code();
}

template <class Bytes>
Code send(void* comm, void* data, Bytes bytes, int tag, void* registration, void** request) {
  const Use use(usedOf(comm, "isend"));
  const Call call("isend");
  Connection& connection = call.connection(comm, Kind::send);
  if (call.fails()) return call.code();
  return post(connection, data, static_cast<std::int64_t>(bytes), tag, registration, request);
}

template <class Bytes>
Code receive(void* comm, int count, void** data, Bytes* bytes, int* tags, void** registrations, void** request) {
  const Use use(usedOf(comm, "irecv"));
  const Call call("irecv");
  Connection& connection = call.connection(comm, Kind::receive);
  if (count != 1) violation("more receives grouped than maxRecvs");
  if (call.fails()) return call.code();
  return post(connection, data[0], static_cast<std::int64_t>(bytes[0]), tags[0], registrations[0], request);
}

Code test(void* request, int* done, int* bytes) {
  Connection* owner = nullptr;
  {
    const std::scoped_lock lock(net().mutex);
    const auto found = net().works.find(request);
    if (found == net().works.end()) violation("test of a request that is none, or over");
    owner = found->second->connection;
  }
  const Use use(usedOf(owner, "test"));
  const Call call("test");
  *done = 0;
  if (call.fails()) return call.code();
  Work& work = *net().works.at(request);
  Connection& connection = *work.connection;
  if (++work.tests == 1) return Code::success;
  Wire& wire = *connection.wire;
  // Small sends are taken over while there is room: only now is their data read.
  const bool first = !wire.sends.empty() && wire.sends.front() == &work;
  if (first && work.bytes <= kEagerBytes && wire.taken.size() < kEagerMessages) {
    wire.taken.push_back({{work.data, work.data + work.bytes}, work.tag});
    wire.sends.pop_front();
    work.matched = true;
    work.moved = work.bytes;
  }
  move(wire);
  if (!work.matched) return Code::success;
  *done = 1;
  if (bytes != nullptr) *bytes = static_cast<int>(work.moved);
  connection.works.erase(&work);
  net().works.erase(request);
  return Code::success;
}

Code closeOne(const char* name, Kind kind, void* comm) {
  const Call call(name);
  Connection& connection = call.connection(comm, kind);
  if (!connection.registrations.empty()) violation(std::string(name) + " with memory that is registered");
  if (!connection.works.empty()) ++net().closedEarly;
  for (Work* const work : connection.works) {
    std::erase(connection.wire->sends, work);
    std::erase(connection.wire->receives, work);
    net().works.erase(work);
  }
  net().connections.erase(comm);
  return call.code();
}

Code closeSend(void* comm) {
  return closeOne("closeSend", Kind::send, comm);
}
Code closeReceive(void* comm) {
  return closeOne("closeRecv", Kind::receive, comm);
}
Code closeListen(void* comm) {
  return closeOne("closeListen", Kind::listen, comm);
}

StrictState state() {
  const std::scoped_lock lock(net().mutex);
  StrictState now;
  now.initialised = net().initialised;
  now.connections = static_cast<int>(net().connections.size());
  now.registrations = static_cast<int>(net().registrations.size());
  now.requests = static_cast<int>(net().works.size());
  now.closedEarly = net().closedEarly;
  return now;
}

void fail(const char* call, int nth, int code) {
  const std::scoped_lock lock(net().mutex);
  net().fault = std::make_unique<Fault>(Fault{call, nth, static_cast<Code>(code)});
  net().hasFailed = false;
  net().closedEarly = 0;
}

bool hasFailed() {
  const std::scoped_lock lock(net().mutex);
  net().fault.reset();
  return std::exchange(net().hasFailed, false);
}

void setDevices(int count) {
  const std::scoped_lock lock(net().mutex);
  net().devices = count;
}

template <int Version>
constexpr typename Abi<Version>::Net table() {
  typename Abi<Version>::Net net{};
  net.name = "Strict";
  net.devices = &devices;
  net.getProperties = &getProperties<Version>;
  net.accept = &accept;
  net.regMr = &registerMemory;
  net.deregMr = &deregisterMemory;
  net.test = &test;
  net.closeSend = &closeSend;
  net.closeRecv = &closeReceive;
  net.closeListen = &closeListen;
  if constexpr (Version >= 11) {
    net.init = &startContext;
    net.finalize = &finalize;
    net.listen = &listenOn;
    net.connect = &connectTo;
  } else {
    net.listen = [](int device, void* handle, void** comm) { return listenOn(nullptr, device, handle, comm); };
    if constexpr (Version == 10) {
      net.init = [](Logger logger, Profiler) { return start(logger); };
      net.connect = [](int device, CommConfig* config, void* handle, void** comm, DeviceHandle** onDevice) {
        if (config == nullptr) violation("connect without a configuration");
        return connectTo(nullptr, device, handle, comm, onDevice);
      };
    } else {
      net.init = &start;
      net.connect = [](int device, void* handle, void** comm, DeviceHandle** onDevice) {
        return connectTo(nullptr, device, handle, comm, onDevice);
      };
    }
  }
  if constexpr (Version >= 10) {
    net.isend = [](void* comm, void* data, std::size_t bytes, int tag, void* registration, void*, void** request) {
      return send(comm, data, bytes, tag, registration, request);
    };
    net.irecv = [](void* comm, int count, void** data, std::size_t* bytes, int* tags, void** registrations,
                   void** profiles, void** request) {
      if (profiles == nullptr) violation("irecv without a list of profiles");
      return receive(comm, count, data, bytes, tags, registrations, request);
    };
  } else if constexpr (Version == 9) {
    net.isend = &send<std::size_t>;
    net.irecv = &receive<std::size_t>;
  } else {
    net.isend = &send<int>;
    net.irecv = &receive<int>;
  }
#ifdef STRICT_WITHOUT_ISEND
  net.isend = nullptr;
#endif
  return net;
}

}  // namespace

#define STRICT_JOIN_IMPL(a, b) a##b
#define STRICT_JOIN(a, b) STRICT_JOIN_IMPL(a, b)
#define STRICT_EXPORT extern "C" __attribute__((visibility("default")))

STRICT_EXPORT const Abi<kVersion>::Net STRICT_JOIN(ncclNetPlugin_v, STRICT_VERSION);
constexpr Abi<kVersion>::Net STRICT_JOIN(ncclNetPlugin_v, STRICT_VERSION) = table<kVersion>();

STRICT_EXPORT const StrictControl strictControl;
constexpr StrictControl strictControl = {&state, &fail, &hasFailed, &setDevices};
